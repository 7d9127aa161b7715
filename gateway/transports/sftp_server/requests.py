"""One SFTP request in, one answer out. What fails is answered and the session goes on; only a client that speaks no
SFTP at all is ended."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

from gateway.transports.sftp_server import faults, store, wire
from gateway.transports.sftp_server.audit import Outcome, complain
from gateway.transports.sftp_server.desk import Desk
from gateway.transports.sftp_server.faults import BrokenProtocol, Refused
from gateway.transports.sftp_server.handles import Handle
from gateway.transports.sftp_server.opening import open_for
from gateway.transports.sftp_server.wire import Request

_EXTENSIONS: Final = (
    (b"posix-rename@openssh.com", b"1"),
    (b"fsync@openssh.com", b"1"),
    (b"limits@openssh.com", b"1"),
)
_OPERATIONS: Final = {
    wire.OPEN: "open",
    wire.OPENDIR: "list",
    wire.SETSTAT: "setstat",
    wire.FSETSTAT: "setstat",
    wire.REMOVE: "remove",
    wire.MKDIR: "mkdir",
    wire.RMDIR: "rmdir",
    wire.RENAME: "rename",
    wire.READLINK: "readlink",
    wire.SYMLINK: "symlink",
    wire.STAT: "stat",
    wire.LSTAT: "stat",
    wire.REALPATH: "realpath",
    wire.EXTENDED: "extended",
}
#: A client looks whether something is there before it does something; that it is not there is no event.
_LOOKS: Final = frozenset({wire.STAT, wire.LSTAT, wire.REALPATH})


class Requests:
    """Answers the requests of one channel and keeps what it has open."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._handles: dict[bytes, Handle] = {}
        self._next_handle = 0
        self._started = False
        self._refusals = 0
        self._path = b""  #: the path of the request in hand, for the audit
        self._table: dict[int, Callable[[int, Request], bytes]] = {
            wire.OPEN: self._open,
            wire.CLOSE: self._close,
            wire.READ: self._read,
            wire.WRITE: self._write,
            wire.LSTAT: self._stat,  # nothing that is a link is shown, so both are the same
            wire.STAT: self._stat,
            wire.FSTAT: self._fstat,
            wire.SETSTAT: self._setstat,
            wire.FSETSTAT: self._fsetstat,
            wire.OPENDIR: self._opendir,
            wire.READDIR: self._readdir,
            wire.REMOVE: self._remove,
            wire.MKDIR: self._mkdir,
            wire.RMDIR: self._rmdir,
            wire.REALPATH: self._realpath,
            wire.RENAME: self._rename,
            wire.READLINK: self._no_links,
            wire.SYMLINK: self._no_links,
            wire.EXTENDED: self._extended,
        }

    def answer(self, packet: bytes) -> bytes:
        """The answer to one packet (without its length). Raises BrokenProtocol."""
        if not self._started:
            return self._start(packet)
        if len(packet) < 5 or packet[0] == wire.INIT:
            raise BrokenProtocol("no request")
        request = Request(packet)
        number = request.u32()
        self._path = b""
        try:
            answer = self._table.get(request.kind, self._unknown)(number, request)
        except Refused as fault:
            return self._refuse(number, request.kind, fault)
        except OSError as error:
            return self._refuse(number, request.kind, faults.from_os(error))
        except Exception:
            complain("sftp_request_failed", kind=request.kind)
            return wire.status(number, faults.FAILURE, "Failure")
        return answer

    @property
    def ended(self) -> bool:
        """The session is told to end: what it asked for before, and nobody has looked at yet, is not done."""
        return self._desk.ended.is_set()

    def lost(self) -> None:
        """The channel ended: what is still open was not finished."""
        handles, self._handles = list(self._handles.values()), {}
        for handle in handles:
            try:
                handle.lost()
            except Exception:
                complain("sftp_handle_not_closed")
            finally:
                self._desk.budget.give_back()

    def _start(self, packet: bytes) -> bytes:
        if len(packet) < 5 or packet[0] != wire.INIT:
            raise BrokenProtocol("no greeting")
        self._started = True
        return wire.version_reply(_EXTENSIONS)

    def _refuse(self, number: int, kind: int, fault: Refused) -> bytes:
        if kind in _LOOKS and fault.code == faults.NO_SUCH_FILE:
            return wire.status(number, fault.code, fault.text)
        self._refusals += 1
        if self._refusals > self._desk.settings.refusals_per_channel:
            self._desk.trail.tell("channel", Outcome.REFUSED, detail="too many refused requests")
            raise BrokenProtocol("too many refused requests")
        operation = _OPERATIONS.get(kind)
        if operation:
            self._desk.trail.tell(operation, Outcome.REFUSED, self._path, detail=fault.text)
        return wire.status(number, fault.code, fault.text)

    def _keep(self, number: int, make: Callable[[], Handle]) -> bytes:
        self._desk.budget.take()
        try:
            handle = make()
        except BaseException:
            self._desk.budget.give_back()
            raise
        self._next_handle += 1
        name = struct.pack(">Q", self._next_handle)
        self._handles[name] = handle
        return wire.handle(number, name)

    def _handle(self, request: Request) -> Handle:
        handle = self._handles.get(request.string())
        if handle is None:
            raise Refused(faults.FAILURE, "Invalid handle")
        return handle

    def _named(self, request: Request) -> bytes:
        self._path = request.string()
        return self._path

    def _open(self, number: int, request: Request) -> bytes:
        path, flags = self._named(request), request.u32()
        request.wishes()  # the mode of new files is ours
        return self._keep(number, lambda: open_for(self._desk, path, flags))

    def _opendir(self, number: int, request: Request) -> bytes:
        path = self._named(request)
        return self._keep(number, lambda: store.open_folder(self._desk, path))

    def _close(self, number: int, request: Request) -> bytes:
        handle = self._handles.pop(request.string(), None)
        if handle is None:
            raise Refused(faults.FAILURE, "Invalid handle")
        try:
            handle.close()
        finally:
            self._desk.budget.give_back()
        return wire.ok(number)

    def _read(self, number: int, request: Request) -> bytes:
        handle = self._handle(request)
        offset, length = request.u64(), request.u32()
        content = handle.read(offset, length)
        if not content and length:
            return wire.status(number, faults.EOF, "End of file")
        return wire.data(number, content)

    def _write(self, number: int, request: Request) -> bytes:
        handle = self._handle(request)
        offset = request.u64()
        handle.write(offset, request.string())
        return wire.ok(number)

    def _stat(self, number: int, request: Request) -> bytes:
        return wire.attributes(number, store.facts_of(self._desk, self._named(request)))

    def _fstat(self, number: int, request: Request) -> bytes:
        return wire.attributes(number, self._handle(request).look())

    def _setstat(self, number: int, request: Request) -> bytes:
        store.change(self._desk, self._named(request), request.wishes())
        return wire.ok(number)

    def _fsetstat(self, number: int, request: Request) -> bytes:
        handle = self._handle(request)
        handle.change(request.wishes())
        return wire.ok(number)

    def _readdir(self, number: int, request: Request) -> bytes:
        entries = self._handle(request).entries()
        if not entries:
            return wire.status(number, faults.EOF, "End of list")
        return wire.names(number, entries)

    def _remove(self, number: int, request: Request) -> bytes:
        store.remove(self._desk, self._named(request))
        return wire.ok(number)

    def _mkdir(self, number: int, request: Request) -> bytes:
        store.make(self._desk, self._named(request))
        return wire.ok(number)

    def _rmdir(self, number: int, request: Request) -> bytes:
        store.remove_folder(self._desk, self._named(request))
        return wire.ok(number)

    def _realpath(self, number: int, request: Request) -> bytes:
        return wire.names(number, [(store.canonical(self._named(request)), None)])

    def _rename(self, number: int, request: Request) -> bytes:
        store.rename(self._desk, self._named(request), request.string(), replace=False)
        return wire.ok(number)

    def _no_links(self, number: int, request: Request) -> bytes:
        self._named(request)
        raise faults.unsupported("There are no links here")

    def _extended(self, number: int, request: Request) -> bytes:
        match request.string():
            case b"posix-rename@openssh.com":
                store.rename(self._desk, self._named(request), request.string(), replace=True)
            case b"fsync@openssh.com":
                self._handle(request).sync()
            case b"limits@openssh.com":
                most = (wire.LARGEST_PACKET, wire.LARGEST_DATA, wire.LARGEST_DATA)
                return wire.extended_reply(number, struct.pack(">4Q", *most, self._desk.settings.handles_per_session))
            case _:
                raise faults.unsupported()
        return wire.ok(number)

    def _unknown(self, number: int, request: Request) -> bytes:
        raise faults.unsupported()


def most_handles(wanted: int, soft_limit: int) -> int:
    """How many handles all sessions may have together: the ledger and the intake need files, too."""
    return max(16, min(wanted, soft_limit // 4)) if soft_limit > 0 else wanted


def open_files_limit() -> int:
    """How many files this process may open; 0 when there is no bound."""
    import resource  # not on Windows, where this is asked by nobody

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 0 if soft == resource.RLIM_INFINITY else soft
