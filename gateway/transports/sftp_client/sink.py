"""A file of ours that a remote file is written into: hidden, never a link, hashed on the way, whole or not there.

It has the ending `.part` while it grows and `.fetched` once it is whole; both names are made from what was looked at
(folder, name, size, mtime), so that a later attempt at the same file finds what an earlier one left, and an attempt at
another does not (`leftovers`).
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import Final

from gateway.transports.sftp_client.leftovers import ENDING

_READ_BYTES: Final = 1024 * 1024
_NEW: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OLD: Final = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC


class Sink:
    """Open until `finish`, `keep` or `discard`. What is longer than `resume_above` bytes is kept when it is broken off,
    and gone on with; nothing is where that is None. Raises OSError when our own disk does not work."""

    def __init__(self, into: Path, id_: str, resume_above: int | None) -> None:
        self._part = f"{into}/.{id_}{ENDING}"
        self._whole = f"{into}/.{id_}.fetched"
        self._resume_above = resume_above
        self.size = 0
        self._hash = hashlib.sha256()
        self._file = self._opened()

    def tail(self, length: int) -> bytes:
        """The last bytes that are here, to be held against the remote file."""
        length = min(length, self.size)
        return os.pread(self._file, length, self.size - length)

    def write(self, data: bytes) -> None:
        """Append."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]
        self._hash.update(data)
        self.size += len(data)

    def start_over(self) -> None:
        """Forget what is here."""
        os.ftruncate(self._file, 0)
        os.lseek(self._file, 0, os.SEEK_SET)
        self._hash = hashlib.sha256()
        self.size = 0

    def finish(self, durable: bool) -> tuple[Path, str]:
        """It is whole: give it its name. Returns path and SHA-256. What our own disk fails with leaves it closed."""
        if durable:
            try:
                os.fsync(self._file)
            except OSError:  # nobody knows what is on the disk now
                self.discard()
                raise
        os.close(self._file)
        os.rename(self._part, self._whole)  # noqa: PTH104  (a Path is ten times slower, for each file)
        return Path(self._whole), self._hash.hexdigest()

    def keep(self) -> None:
        """The connection was lost: a large piece is kept for the next attempt."""
        if self._is_worth_keeping(self.size):
            os.close(self._file)
        else:
            self.discard()

    def discard(self) -> None:
        """Nothing of it is wanted."""
        os.close(self._file)
        os.unlink(self._part)  # noqa: PTH108

    def _is_worth_keeping(self, size: int) -> bool:
        return self._resume_above is not None and size > self._resume_above

    def _opened(self) -> int:
        try:
            return os.open(self._part, _NEW, 0o600)
        except FileExistsError:
            pass
        file = os.open(self._part, _OLD)
        status = os.fstat(file)
        plain = stat.S_ISREG(status.st_mode) and status.st_nlink == 1
        if not plain or not self._is_worth_keeping(status.st_size):
            os.close(file)
            os.unlink(self._part)  # noqa: PTH108
            return os.open(self._part, _NEW, 0o600)
        try:
            while piece := os.read(file, _READ_BYTES):
                self._hash.update(piece)
                self.size += len(piece)
        except OSError:
            os.close(file)
            raise
        return file
