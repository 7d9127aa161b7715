"""How fast a partner's bytes may go, both ways and over all its connections together: a bucket that fills evenly."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

#: Seconds of full rate that may be used at once: small files do not stutter.
_BURST_S: Final = 1.0


class Pace:
    """Makes whoever spends bytes wait until they are within the rate; a rate of 0 never waits."""

    def __init__(self, rate_bytes_s: int, monotonic: Callable[[], float]) -> None:
        self._rate = rate_bytes_s
        self._monotonic = monotonic
        self._left = rate_bytes_s * _BURST_S
        self._at = monotonic()
        self._lock = threading.Lock()

    def spend(self, count: int, ended: threading.Event) -> None:
        """Wait as long as `count` bytes ask for; returns at once when the session that spends them has `ended`."""
        if not self._rate:
            return
        wait_s = self._debt_s(count)
        if wait_s > 0:
            ended.wait(wait_s)

    def _debt_s(self, count: int) -> float:
        with self._lock:
            now = self._monotonic()
            self._left = min(self._left + (now - self._at) * self._rate, self._rate * _BURST_S) - count
            self._at = now
            return -self._left / self._rate
