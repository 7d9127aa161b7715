"""How much of a partner's files is still standing, against its quota.

The folders are counted by looking, but not at each request: between two looks we add what we saw come and go. What
the gateway took meanwhile shows at the next look, which comes at once when a quota seems used up.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Final

from gateway.transports.sftp_server.faults import LimitReached
from gateway.transports.sftp_server.settings import Account

#: Looking again costs some microseconds a file: never more than a twentieth of the time goes into it.
_LEAST_PAUSE_S: Final = 0.2
_PAUSE_FACTOR: Final = 20.0
_LONGEST_TRUST_S: Final = 60.0


class Usage:
    """Files and bytes of one account in the folders it may write to."""

    def __init__(self, account: Account, monotonic: Callable[[], float]) -> None:
        self._account = account
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._files = 0
        self._bytes = 0
        self._looked_at = float("-inf")
        self._pause_s = _LEAST_PAUSE_S

    def changed(self, *, files: int = 0, size_bytes: int = 0) -> None:
        """So many files and bytes came (or went, when negative)."""
        if self._account.quota_files or self._account.quota_bytes:
            with self._lock:
                self._files += files
                self._bytes += size_bytes

    def room_for(self, *, files: int = 0, size_bytes: int = 0) -> None:
        """Raises LimitReached when so much more is too much."""
        account = self._account
        if not (account.quota_files or account.quota_bytes):
            return
        with self._lock:
            age_s = self._monotonic() - self._looked_at
            if age_s > (self._pause_s if self._over(files, size_bytes) else _LONGEST_TRUST_S):
                self._look()
            over = self._over(files, size_bytes)
        if over:
            raise LimitReached(f"Quota used up: {over}; wait until the files sent before were taken, or remove some")

    def _over(self, files: int, size_bytes: int) -> str:
        account = self._account
        if files and account.quota_files and self._files + files > account.quota_files:
            return f"{account.quota_files} files"
        if size_bytes and account.quota_bytes and self._bytes + size_bytes > account.quota_bytes:
            return f"{account.quota_bytes} bytes"
        return ""

    def _look(self) -> None:
        started = self._monotonic()
        self._files = self._bytes = 0
        for folder in self._account.folders:
            if folder.write:
                self._count(os.fsencode(self._account.root / folder.name))
        self._looked_at = self._monotonic()
        self._pause_s = max(_LEAST_PAUSE_S, _PAUSE_FACTOR * (self._looked_at - started))

    def _count(self, top: bytes) -> None:
        for _, _, names, folder in os.fwalk(top, follow_symlinks=False):
            for name in names:
                try:
                    facts = os.stat(name, dir_fd=folder, follow_symlinks=False)
                except OSError:
                    continue  # taken meanwhile
                self._files += 1
                self._bytes += facts.st_size
