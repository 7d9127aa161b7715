"""Open files and folders of one session: reading, writing, listing, and what closing them means."""

from __future__ import annotations

import os
import stat
from collections.abc import Generator
from contextlib import suppress
from typing import Final, Protocol

from gateway.transports.sftp_server.audit import Outcome
from gateway.transports.sftp_server.desk import Desk
from gateway.transports.sftp_server.faults import LimitReached, Refused, denied, failure, from_os
from gateway.transports.sftp_server.paths import PARTIAL_PREFIX, Place, shown_name
from gateway.transports.sftp_server.root import look
from gateway.transports.sftp_server.uploads import Upload
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


class _Closed:
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


class ReadHandle(_Closed):
    """A file open for reading only."""

    def __init__(self, desk: Desk, place: Place, fd: int) -> None:
        self._desk = desk
        self._place = place
        self._fd = fd
        self._sent = 0

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset` on; empty at the end of the file."""
        content = _pread(self._fd, offset, length)
        self._sent += len(content)
        self._desk.partner.pace.spend(len(content))
        return content

    def look(self) -> os.stat_result:
        return os.fstat(self._fd)

    def close(self) -> None:
        self._end(Outcome.OK)

    def lost(self) -> None:
        self._end(Outcome.LOST)

    def _end(self, outcome: Outcome) -> None:
        os.close(self._fd)
        self._desk.trail.tell("get", outcome, self._place.path, size_bytes=self._sent)


class WriteHandle(_Closed):
    """An upload in progress; see `uploads.py` for what its end means."""

    def __init__(self, desk: Desk, upload: Upload, *, append: bool, readable: bool) -> None:
        self._desk = desk
        self._upload = upload
        self._append = append
        self._readable = readable

    def read(self, offset: int, length: int) -> bytes:
        if not self._readable:
            return super().read(offset, length)
        return _pread(self._upload.fd, offset, length)

    def write(self, offset: int, content: bytes) -> None:
        upload = self._upload
        with upload.lock:
            upload.still_ours()
            start = upload.size_bytes if self._append else offset
            try:
                self._grow_to(start + len(content))
                _pwrite(upload.fd, start, content)
            except (OSError, Refused) as fault:
                self._spoil(fault)
                raise
            upload.size_bytes = max(upload.size_bytes, start + len(content))
        self._desk.partner.pace.spend(len(content))

    def look(self) -> os.stat_result:
        return os.fstat(self._upload.fd)

    def change(self, wishes: Wishes) -> None:
        """Size and times are set; modes and owners are ours, and asking for them is no fault."""
        upload = self._upload
        with upload.lock:
            upload.still_ours()
            if wishes.size_bytes is not None:
                try:
                    self._grow_to(wishes.size_bytes)
                    os.ftruncate(upload.fd, wishes.size_bytes)
                except (OSError, Refused) as fault:
                    self._spoil(fault)
                    raise
                self._desk.partner.usage.changed(size_bytes=min(0, wishes.size_bytes - upload.size_bytes))
                upload.size_bytes = wishes.size_bytes
            if wishes.atime_s is not None and wishes.mtime_s is not None:
                os.utime(upload.fd, (wishes.atime_s, wishes.mtime_s))

    def sync(self) -> None:
        os.fsync(self._upload.fd)

    def close(self) -> None:
        """Make the file complete. Raises Refused when it is not."""
        upload, desk = self._upload, self._desk
        try:
            if desk.settings.fsync_on_close and not upload.failed:
                os.fsync(upload.fd)
            with desk.alone():
                upload.still_ours()
                if upload.failed:
                    raise failure("Not complete: a write failed before. Send it again or resume it")
                os.rename(upload.partial, upload.place.parts[-1], src_dir_fd=upload.parent, dst_dir_fd=upload.parent)
                desk.uploads.end(upload)
            if desk.settings.fsync_on_close:
                os.fsync(upload.parent)
            facts = os.fstat(upload.fd)
        except (OSError, Refused) as fault:
            text = fault.text if isinstance(fault, Refused) else from_os(fault).text
            desk.trail.tell("put", Outcome.FAILED, upload.place.path, size_bytes=upload.size_bytes, detail=text)
            raise
        finally:
            self._let_go()
        desk.trail.tell("put", Outcome.OK, upload.place.path, size_bytes=facts.st_size)
        desk.complete(upload.place, facts)

    def lost(self) -> None:
        """What was written stays under its hidden name for a resume; of nothing, nothing stays."""
        upload, desk = self._upload, self._desk
        with desk.alone():
            if not upload.taken_over and upload.size_bytes == 0:
                with suppress(OSError):
                    os.unlink(upload.partial, dir_fd=upload.parent)
                desk.partner.usage.changed(files=-1)
        self._let_go()
        desk.trail.tell("put", Outcome.LOST, upload.place.path, size_bytes=upload.size_bytes)

    def _let_go(self) -> None:
        self._desk.uploads.end(self._upload)
        os.close(self._upload.fd)
        os.close(self._upload.parent)

    def _grow_to(self, size_bytes: int) -> None:
        """Raises LimitReached when the file may not get that large."""
        if size_bytes > self._desk.account.file_limit_bytes:
            raise LimitReached(f"File too large: {self._desk.account.file_limit_bytes} bytes at most")
        more = size_bytes - self._upload.size_bytes
        if more > 0:
            self._desk.partner.usage.room_for(size_bytes=more)
            self._desk.partner.usage.changed(size_bytes=more)

    def _spoil(self, fault: OSError | Refused) -> None:
        known, self._upload.failed = self._upload.failed, True
        if not known:
            text = fault.text if isinstance(fault, Refused) else from_os(fault).text
            self._desk.trail.tell("write", Outcome.REFUSED, self._upload.place.path, detail=text)


class FolderHandle(_Closed):
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


class RootHandle(_Closed):
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


def _pread(fd: int, offset: int, length: int) -> bytes:
    if offset > 2**63 - 1:
        return b""
    return os.pread(fd, min(length, LARGEST_DATA), offset)


def _pwrite(fd: int, offset: int, content: bytes) -> None:
    written = os.pwrite(fd, content, offset)
    while written < len(content):  # a full disk tells itself at the second try
        more = os.pwrite(fd, memoryview(content)[written:], offset + written)
        if not more:
            raise OSError(28, "No space left on device")
        written += more
