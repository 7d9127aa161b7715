"""A connection that is being opened, so that another thread may break it off at any stage."""

from __future__ import annotations

import contextlib
import threading
from typing import Protocol

from gateway.transports.sftp_client.errors import Lost


class Closable(Protocol):
    def close(self) -> None: ...


class Opening:
    """What one attempt holds open. One thread opens, any other may hang up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: Closable | None = None
        self._over = False

    def hold(self, held: Closable) -> None:
        """From now on this is closed by `hang_up` (what was held before is done with). Raises Lost, and closes it,
        where that was called already."""
        with self._lock:
            self._held = held
            over = self._over
        if over:
            held.close()
            raise Lost("the gateway has hung up")

    def hang_up(self) -> None:
        """Break it off. Never raises."""
        with self._lock:
            self._over = True
            held = self._held
        if held is not None:
            with contextlib.suppress(Exception):
                held.close()
