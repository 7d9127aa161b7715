"""What the channels of one connection may hold of it together, so that many of them cost no more than a few.

A client that sends and never reads fills two buffers on each channel: what it has sent (as much as its window grants)
and the answers that wait for it. Every channel begins with a small window. The rest of a full one comes out of a store
that the channels of the connection share, so one channel alone is as fast as it can be, and eight hold 5 MiB, not 16.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: With which a channel begins. The largest request must fit when a quarter of it was used and not granted again yet.
FIRST_WINDOW: Final = 384 * 1024
#: With which one channel fills a line of 100 Mbit/s and 150 ms.
FULL_WINDOW: Final = 2 * 1024 * 1024
#: Answers that wait on all channels together; one more on each channel that has none is always worked out, so that a
#: channel that is read goes on when others are not.
MOST_WAITING_IN_ALL: Final = 1024 * 1024


@dataclass(slots=True)
class Share:
    """The store of one connection, used in its thread only. Sizes in bytes."""

    window: int = FULL_WINDOW - FIRST_WINDOW  #: not given to any channel
    waiting: int = 0  #: answers that were not sent yet, on all channels

    def take_window(self) -> int:
        """What one more channel gets beyond its first window; it is given back with `window +=`."""
        taken, self.window = self.window, 0
        return taken
