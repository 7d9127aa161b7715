"""What a partner delivered a moment ago and the gateway has taken already.

Many clients look at a file again after they have sent it: rclone compares the size, WinSCP and lftp set its times.
In a drop folder it may be gone by then, and they report an error or send it once more. So for a short while the
server answers such looks from memory. Listings show only what is there.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from gateway.transports.sftp_server.paths import Place

_REMEMBERED: Final = 2_000
_FOR_S: Final = 30.0


class Delivered:
    """The last completed files of one account, for half a minute."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._files: OrderedDict[bytes, tuple[float, os.stat_result]] = OrderedDict()

    def remember(self, place: Place, facts: os.stat_result) -> None:
        with self._lock:
            self._files[place.path] = (self._monotonic(), facts)
            self._files.move_to_end(place.path)
            while len(self._files) > _REMEMBERED:
                self._files.popitem(last=False)

    def recall(self, place: Place) -> os.stat_result | None:
        with self._lock:
            at, facts = self._files.get(place.path, (float("-inf"), None))
            return facts if self._monotonic() - at <= _FOR_S else None

    def forget(self, place: Place) -> None:
        """Its sender does something else with the name."""
        with self._lock:
            self._files.pop(place.path, None)
