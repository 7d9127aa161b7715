"""A partner's share of the line: a bucket that fills with time and is emptied by what is moved."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Rate:
    """At most `bytes_per_s` over any longer time, shared by all connections of a partner. One second's worth may go at
    once."""

    def __init__(
        self,
        bytes_per_s: float,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._per_s = bytes_per_s
        self._monotonic = monotonic
        self._sleep = sleep
        self._lock = threading.Lock()
        self._free_at = monotonic() - 1.0  #: when all that was taken will have been earned, less the second in hand

    def take(self, size: int) -> None:
        """Wait until `size` more bytes may be moved. What is larger than a second's worth waits for its time too."""
        with self._lock:
            now = self._monotonic()
            self._free_at = max(self._free_at, now - 1.0) + size / self._per_s
            wait = self._free_at - now
        if wait > 0:
            self._sleep(wait)
