"""A file open for writing: an upload in progress; see `uploads.py` for what its end means."""

from __future__ import annotations

import os
from contextlib import suppress

from gateway.transports.sftp_server.audit import Outcome
from gateway.transports.sftp_server.desk import Desk
from gateway.transports.sftp_server.faults import LimitReached, Refused, failure, from_os
from gateway.transports.sftp_server.handles import Unable, pread
from gateway.transports.sftp_server.root import rename_new
from gateway.transports.sftp_server.uploads import Upload
from gateway.transports.sftp_server.wire import Wishes


class WriteHandle(Unable):
    """What its session does with an upload."""

    def __init__(self, desk: Desk, upload: Upload, *, append: bool, readable: bool) -> None:
        self._desk = desk
        self._upload = upload
        self._append = append
        self._readable = readable
        desk.partner.usage.hold(upload.fd)

    def read(self, offset: int, length: int) -> bytes:
        if not self._readable:
            return super().read(offset, length)
        content = pread(self._upload.fd, offset, length)
        self._desk.spend(len(content))
        return content

    def write(self, offset: int, content: bytes) -> None:
        upload = self._upload
        self._desk.spend(len(content))  # it came over the line, whatever becomes of it
        with upload.lock:
            upload.still_ours()
            if not content:
                return  # of nothing, nothing grows: neither the file nor what is counted
            upload.untouched = False
            start = upload.size_bytes if self._append else offset
            try:
                self._grow_to(start + len(content))
                _pwrite(upload.fd, start, content)
            except (OSError, Refused) as fault:
                self._spoil(fault)
                raise
            upload.size_bytes = max(upload.size_bytes, start + len(content))

    def look(self) -> os.stat_result:
        return os.fstat(self._upload.fd)

    def change(self, wishes: Wishes) -> None:
        """Size and times are set; modes and owners are ours, and asking for them is no fault."""
        upload = self._upload
        with upload.lock:
            upload.still_ours()
            if wishes.size_bytes is not None:
                upload.untouched = False
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
        upload = self._upload
        upload.still_ours()
        try:
            os.fsync(upload.fd)
        except OSError as fault:
            # The kernel tells it once; the next sync would succeed, and what was lost stays lost.
            upload.unsound = True
            self._spoil(fault)
            raise

    def close(self) -> None:
        """Make the file complete. Raises Refused when it is not."""
        upload, desk = self._upload, self._desk
        try:
            if desk.settings.fsync_on_close and not upload.failed:
                with suppress(OSError):  # told, and failed by that
                    self.sync()
            self._name_it()
            desk.settle(upload.parent)
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
        """What was written stays under its hidden name for a resume; what was complete and is unchanged stays so."""
        upload, desk = self._upload, self._desk
        with desk.alone():
            whole = os.fstat(upload.fd) if self._give_up() else None
        self._let_go()
        desk.trail.tell("put", Outcome.LOST, upload.place.path, size_bytes=upload.size_bytes)
        if whole is not None:
            desk.complete(upload.place, whole)

    def _name_it(self) -> None:
        """Give the file its own name. Raises Refused and OSError."""
        upload, desk = self._upload, self._desk
        with desk.alone():
            try:
                upload.still_ours()
                if upload.failed:
                    raise failure("Not complete: a write failed before. Send it again or resume it")
                os.rename(upload.partial, upload.place.parts[-1], src_dir_fd=upload.parent, dst_dir_fd=upload.parent)
            except (OSError, Refused):
                self._give_up()
                raise
            desk.uploads.end(upload)

    def _give_up(self) -> bool:
        """The upload ends without being complete. Is it a complete file that nothing was done to?"""
        upload = self._upload
        if upload.taken_over:
            return False
        with suppress(OSError):
            if upload.untouched:
                rename_new(upload.parent, upload.partial, upload.parent, upload.place.parts[-1])
                self._desk.settle(upload.parent)
                return True
            if upload.unsound or upload.size_bytes == 0:  # nothing is there that a resume could go on from
                facts = os.fstat(upload.fd)
                os.unlink(upload.partial, dir_fd=upload.parent)
                self._desk.partner.usage.let_go(upload.fd)
                self._desk.partner.usage.gone(facts)
        return False

    def _let_go(self) -> None:
        upload = self._upload
        self._desk.uploads.end(upload)
        with upload.lock:
            upload.closed = True
            self._desk.partner.usage.let_go(upload.fd)
            os.close(upload.fd)
            os.close(upload.parent)

    def _grow_to(self, size_bytes: int) -> None:
        """Raises LimitReached when the file may not get that large."""
        if size_bytes > self._desk.account.file_limit_bytes:
            raise LimitReached(f"File too large: {self._desk.account.file_limit_bytes} bytes at most")
        more = size_bytes - self._upload.size_bytes
        if more > 0:
            self._desk.partner.usage.charge(more)

    def _spoil(self, fault: OSError | Refused) -> None:
        known, self._upload.failed = self._upload.failed, True
        if not known:
            text = fault.text if isinstance(fault, Refused) else from_os(fault).text
            self._desk.trail.tell("write", Outcome.REFUSED, self._upload.place.path, detail=text)


def _pwrite(fd: int, offset: int, content: bytes) -> None:
    written = os.pwrite(fd, content, offset)
    while written < len(content):  # a full disk tells itself at the second try
        more = os.pwrite(fd, memoryview(content)[written:], offset + written)
        if not more:
            raise OSError(28, "No space left on device")
        written += more
