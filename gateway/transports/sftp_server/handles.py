"""Open files and folders of one session: what can be done with them; reading and listing.

A file open for writing is in `writing.py`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Generator
from typing import Final, Protocol

from gateway.transports.sftp_server.audit import Outcome
from gateway.transports.sftp_server.desk import Desk
from gateway.transports.sftp_server.faults import denied, failure
from gateway.transports.sftp_server.paths import PARTIAL_PREFIX, Place, shown_name
from gateway.transports.sftp_server.root import look
from gateway.transports.sftp_server.wire import LARGEST_DATA, Wishes

#: Entries of one answer to READDIR, as OpenSSH sends them.
_ENTRIES: Final = 100


class Handle(Protocol):
    """Something open. All methods may raise Refused and OSError."""

    def read(self, offset: int, length: int) -> bytes: ...
    def write(self, offset: int, content: bytes) -> None: ...
    def look(self) -> os.stat_result: ...
    def change(self, wishes: Wishes) -> None: ...
    def sync(self) -> None: ...
    def entries(self) -> list[tuple[bytes, os.stat_result | None]]: ...
    def close(self) -> None:
        """The client is done with it."""

    def lost(self) -> None:
        """The connection ended before the client was done."""


class Unable:
    """What a handle cannot do."""

    def read(self, offset: int, length: int) -> bytes:
        raise denied("Not open for reading")

    def write(self, offset: int, content: bytes) -> None:
        raise denied("Not open for writing")

    def change(self, wishes: Wishes) -> None:
        raise denied("Not open for writing")

    def sync(self) -> None:
        raise denied("Not open for writing")

    def entries(self) -> list[tuple[bytes, os.stat_result | None]]:
        raise failure("Not a folder")


class ReadHandle(Unable):
    """A file open for reading only."""

    def __init__(self, desk: Desk, place: Place, fd: int) -> None:
        self._desk = desk
        self._place = place
        self._fd = fd
        self._sent = 0
        desk.partner.usage.hold(fd)

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset` on; empty at the end of the file."""
        content = pread(self._fd, offset, length)
        self._sent += len(content)
        self._desk.spend(len(content))
        return content

    def look(self) -> os.stat_result:
        return os.fstat(self._fd)

    def close(self) -> None:
        self._end(Outcome.OK)

    def lost(self) -> None:
        self._end(Outcome.LOST)

    def _end(self, outcome: Outcome) -> None:
        self._desk.partner.usage.let_go(self._fd)
        os.close(self._fd)
        self._desk.trail.tell("get", outcome, self._place.path, size_bytes=self._sent)


class FolderHandle(Unable):
    """A listing in progress: read from the disk as the client asks, whatever the size of the folder."""

    def __init__(self, place: Place, fd: int) -> None:
        self._place = place
        self._fd = fd
        self._left = self._scan()

    def look(self) -> os.stat_result:
        return os.fstat(self._fd)

    def entries(self) -> list[tuple[bytes, os.stat_result | None]]:
        """The next entries; none when all were told."""
        found: list[tuple[bytes, os.stat_result | None]] = []
        for entry in self._left:
            found.append(entry)
            if len(found) == _ENTRIES:
                break
        return found

    def close(self) -> None:
        self._left.close()
        os.close(self._fd)

    def lost(self) -> None:
        self.close()

    def _scan(self) -> Generator[tuple[bytes, os.stat_result], None, None]:
        folder = self._place.folder
        assert folder is not None
        with os.scandir(self._fd) as names:
            for entry in names:
                raw = os.fsencode(entry.name)
                shown = shown_name(raw, folder)
                if shown is None or (folder.write and raw == shown and self._is_being_written(raw)):
                    continue
                facts = look(self._fd, raw)
                if facts is not None:
                    yield shown, facts

    def _is_being_written(self, name: bytes) -> bool:
        facts = look(self._fd, PARTIAL_PREFIX + name) if len(name) < 250 else None
        return facts is not None and stat.S_ISREG(facts.st_mode)


class RootHandle(Unable):
    """The listing of the virtual root: the folders of the account that exist."""

    def __init__(self, facts: os.stat_result, folders: list[tuple[bytes, os.stat_result | None]]) -> None:
        self._facts = facts
        self._folders = folders

    def look(self) -> os.stat_result:
        return self._facts

    def entries(self) -> list[tuple[bytes, os.stat_result | None]]:
        told, self._folders = self._folders, []
        return told

    def close(self) -> None:
        pass

    def lost(self) -> None:
        pass


def pread(fd: int, offset: int, length: int) -> bytes:
    if offset > 2**63 - 1:
        return b""
    return os.pread(fd, min(length, LARGEST_DATA), offset)
