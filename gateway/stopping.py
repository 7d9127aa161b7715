"""Waits until the process is told to stop (SIGTERM or SIGINT).

What Python does about a signal it does in the main thread, between two of its instructions. A main thread that waits
for a lock need not come to its next one: the signal may have reached another thread, or this one a moment before it
went to sleep, and then it is not woken. So the wait is for a pipe, into which Python writes at the very moment of the
signal, in whichever thread (`signal.set_wakeup_fd`).
"""

from __future__ import annotations

import os
import signal
from typing import Final

_STOPPING: Final = (signal.SIGTERM, signal.SIGINT)


class StopSignals:
    """Told to stop from the moment it is made, which must be in the main thread, and once in a process."""

    def __init__(self) -> None:
        self._told, told = os.pipe()
        os.set_blocking(told, False)
        signal.set_wakeup_fd(told, warn_on_full_buffer=False)
        for name in _STOPPING:
            signal.signal(name, lambda number, frame: None)

    def wait(self) -> None:
        """Return when told, now or before."""
        while os.read(self._told, 1)[0] not in _STOPPING:
            pass
