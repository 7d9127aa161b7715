"""The rung `minimum-age`: the file has been there for a while."""

from __future__ import annotations

from gateway.transports.completeness.sighting import Sighting


class OlderThan:
    """First seen at least `seconds` ago, by our own monotonic clock. Weakness: says nothing of writing, a slow upload
    grows old too, so it is of use beside another rung only; and a restart begins the count anew.

    Not by mtime: a copy that keeps the old time is "old" while it is being written (CAMEL-19378), and the clock of
    the sender is not ours. No file is let through early because it is the last of its look (Mirth does that).
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __call__(self, sighting: Sighting, now: float) -> bool:
        return now - sighting.first >= self.seconds

    def settles(self, sighting: Sighting, now: float) -> bool:
        """Time alone may change the answer."""
        return not self(sighting, now)
