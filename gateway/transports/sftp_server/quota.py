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
from gateway.transports.sftp_server.walk import walk

#: Looking again costs some microseconds a file: never more than a twentieth of the time goes into it.
_LEAST_PAUSE_S: Final = 0.2
_PAUSE_FACTOR: Final = 20.0
_LONGEST_TRUST_S: Final = 60.0


class Usage:
    """Files (and folders, which take as much of a file system's inodes) and bytes of one account in the folders it may
    write to."""

    def __init__(self, account: Account, monotonic: Callable[[], float]) -> None:
        self._account = account
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._files = 0
        self._bytes = 0
        self._looked_at = float("-inf")
        self._pause_s = _LEAST_PAUSE_S
        self._held: dict[int, tuple[int, int]] = {}  #: device and inode of every open file, by its descriptor

    @property
    def _bounded(self) -> bool:
        return bool(self._account.quota_files or self._account.quota_bytes)

    def hold(self, fd: int) -> None:
        """A file was opened: its space is taken until it is closed, whatever becomes of its name."""
        if self._bounded:
            facts = os.fstat(fd)
            with self._lock:
                self._held[fd] = (facts.st_dev, facts.st_ino)

    def let_go(self, fd: int) -> None:
        """It is about to be closed."""
        with self._lock:
            self._held.pop(fd, None)

    def gone(self, facts: os.stat_result) -> None:
        """The name of a file was removed. The bytes of one that is still open stay on the disk, and are counted; how
        many there are then, the next look finds out."""
        if self._bounded:
            with self._lock:
                kept = [os.fstat(fd).st_size for fd, file in self._held.items() if file == (facts.st_dev, facts.st_ino)]
                self._add(-1, min(0, max(kept, default=0) - facts.st_size))

    def changed(self, *, files: int = 0, size_bytes: int = 0) -> None:
        """So many files and bytes came (or went, when negative)."""
        if self._bounded:
            with self._lock:
                self._add(files, size_bytes)

    def _add(self, files: int, size_bytes: int) -> None:
        # What went meanwhile without us may be subtracted twice: never below nothing.
        self._files = max(0, self._files + files)
        self._bytes = max(0, self._bytes + size_bytes)

    def charge(self, size_bytes: int) -> None:
        """So many bytes come, unless they are too many. Raises LimitReached."""
        self._ask(0, size_bytes, take=True)

    def room_for(self, *, files: int = 0, size_bytes: int = 0) -> None:
        """Raises LimitReached when so much more is too much."""
        self._ask(files, size_bytes, take=False)

    def _ask(self, files: int, size_bytes: int, *, take: bool) -> None:
        if not self._bounded:
            return
        with self._lock:
            age_s = self._monotonic() - self._looked_at
            if age_s > (self._pause_s if self._over(files, size_bytes) else _LONGEST_TRUST_S):
                self._look()
            over = self._over(files, size_bytes)
            if take and not over:
                self._add(files, size_bytes)
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
                self._count(folder.name)
        # Open, and without a name: nobody sees it, and it fills the disk all the same.
        open_now = {file: os.fstat(fd) for fd, file in self._held.items()}
        self._bytes += sum(facts.st_size for facts in open_now.values() if facts.st_nlink == 0)
        self._looked_at = self._monotonic()
        self._pause_s = max(_LEAST_PAUSE_S, _PAUSE_FACTOR * (self._looked_at - started))

    def _count(self, name: str) -> None:
        for folder in walk(self._account.root, name):
            self._files += len(folder.folders)
            for other in folder.others:
                try:
                    facts = os.stat(other, dir_fd=folder.fd, follow_symlinks=False)
                except OSError:
                    continue  # taken meanwhile
                self._files += 1
                self._bytes += facts.st_size
