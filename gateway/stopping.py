"""Waits until the process is told to stop (SIGTERM or SIGINT).

A signal interrupts the main thread between any two of its instructions, also in the middle of a wait. An
`Event` must not be set there: its lock is plain, and the wait may hold it, for ever. `SimpleQueue.put` is reentrant.
"""

from __future__ import annotations

import signal
from queue import SimpleQueue


class StopSignals:
    """Told to stop from the moment it is made, which must be in the main thread."""

    def __init__(self) -> None:
        self._told: SimpleQueue[int] = SimpleQueue()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda number, _frame: self._told.put(number))

    def wait(self) -> None:
        """Return when told, now or before."""
        self._told.get()
