"""The partner's `out/` folder: files appear in it whole or not at all, and none is ever replaced by another.

The folder is in the partner's hands (it deletes what it has read), so nothing in it is trusted: no link is
followed, no pipe opened, no name leaves it. A file is written under a dot-name, made durable, then given its name.
The names and bytes come from the ledger, so writing again after a crash is the same file or no change.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
#: Network file systems that know no hard links.
_NO_LINKS: Final = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


class OutboxUnavailable(Exception):
    """The folder cannot be used now (missing, not a folder, not writable): nothing is lost, try again later."""


class OutboxFull(OutboxUnavailable):
    """There is no room for the file: nothing of it is to be seen."""


class NameTaken(Exception):
    """Something else stands under a file's name: a person must look, since it is never overwritten."""


class Written(StrEnum):
    NEW = "new"
    ALREADY_THERE = "already-there"  #: the same bytes, from before a crash


class NamedContent(Protocol):
    """Anything with a name and bytes, such as `render.AckFile`."""

    @property
    def name(self) -> str: ...

    @property
    def content(self) -> bytes: ...


class Outbox:
    """One partner's `out/` folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, files: Sequence[NamedContent]) -> dict[str, Written]:
        """Make all `files` visible, the first last: whoever sees a main file finds its children."""
        with self._opened() as folder:
            written = {file.name: self._write_one(folder, file) for file in reversed(files)}
            with self._explained("make durable"):
                os.fsync(folder)
        return written

    def picked_up(self, names: Iterable[str]) -> frozenset[str]:
        """Those of `names` that the partner has taken away. A folder that cannot be read takes nothing away."""
        with self._opened() as folder, self._explained("list"):
            # pathlib cannot list a folder that is held open.
            return frozenset(names) - frozenset(os.listdir(folder))  # noqa: PTH208

    @contextmanager
    def _opened(self) -> Iterator[int]:
        """The folder itself: what is done through it cannot be led astray by a folder put in its place."""
        with self._explained("open"):
            folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            yield folder
        finally:
            os.close(folder)

    def _write_one(self, folder: int, file: NamedContent) -> Written:
        if not _NAME.fullmatch(file.name):
            raise ValueError(f"{file.name!r} is no name for a file in {self._folder}")
        hidden = f".{file.name}.writing"
        try:
            if self._holds(folder, file):
                return Written.ALREADY_THERE
            with self._explained(f"write {file.name} in"):
                _write_durably(folder, hidden, file.content)
                return self._show(folder, hidden, file)
        finally:
            # Also where the file is there already: killed between link and unlink, it still has both names.
            with suppress(OSError):
                os.unlink(hidden, dir_fd=folder)

    def _show(self, folder: int, hidden: str, file: NamedContent) -> Written:
        """Give the file its name. A link never replaces what came there meanwhile; a rename would."""
        try:
            os.link(hidden, file.name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
        except FileExistsError:
            self._holds(folder, file)
            return Written.ALREADY_THERE
        except OSError as fault:
            if fault.errno not in _NO_LINKS:
                raise
            os.rename(hidden, file.name, src_dir_fd=folder, dst_dir_fd=folder)
        return Written.NEW

    def _holds(self, folder: int, file: NamedContent) -> bool:
        """Does the file stand there already? Raises `NameTaken` when something else does."""
        try:
            # Without O_NONBLOCK, a pipe under this name would stop the whole gateway.
            there = os.open(file.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        except FileNotFoundError:
            return False
        except OSError as fault:
            raise NameTaken(f"{self._folder / file.name}: something else stands there ({fault.strerror})") from fault
        with os.fdopen(there, "rb") as reader:
            facts = os.fstat(there)
            same = stat.S_ISREG(facts.st_mode) and facts.st_size == len(file.content)
            if not same or reader.read(len(file.content) + 1) != file.content:
                raise NameTaken(f"{self._folder / file.name}: another file of this name is there")
        return True

    @contextmanager
    def _explained(self, doing: str) -> Iterator[None]:
        try:
            yield
        except OSError as fault:
            kind = OutboxFull if fault.errno in _NO_ROOM else OutboxUnavailable
            raise kind(f"cannot {doing} {self._folder}: {fault.strerror or fault}") from fault


def _write_durably(folder: int, name: str, content: bytes) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)  # left by a crash
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(name, flags, 0o666, dir_fd=folder), "wb") as writer:
        writer.write(content)
        writer.flush()
        os.fsync(writer.fileno())
