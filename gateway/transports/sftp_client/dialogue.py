"""Requests in plain words, for tasks: each asks one thing and raises what the server's no means."""

from __future__ import annotations

import stat
from collections.abc import Generator
from typing import Final, TypeVar

from gateway.transports.local import Nature, printable_name
from gateway.transports.sftp_client import wire
from gateway.transports.sftp_client.errors import Answered, Missing, NoSpace, Refused, Strange, Unsupported
from gateway.transports.sftp_client.pipeline import Given, ask
from gateway.transports.sftp_client.results import Failed, RemoteLook, Why

#: What a signed integer of 64 bits holds, in SQLite and PostgreSQL. The wire's is unsigned.
_LARGEST_SIZE: Final = 2**63 - 1

T = TypeVar("T")
Steps = Generator[tuple[wire.Request, ...], Given, T]


def handle(request: wire.Request, what: str) -> Steps[bytes]:
    """Open something. Raises Answered."""
    answer = yield from ask(request)
    if not isinstance(answer, bytes):
        raise problem(answer, what)
    return answer


def done(request: wire.Request, what: str) -> Steps[None]:
    """Ask for something to be done. Raises Answered."""
    answer = yield from ask(request)
    if not isinstance(answer, wire.Status) or answer.code != wire.OK:
        raise problem(answer, what)


def status(path: bytes) -> Steps[wire.Attributes | None]:
    """What stands at `path`, links not followed; None for nothing. Raises Answered."""
    answer = yield from ask(wire.lstat(path))
    if isinstance(answer, wire.Attributes):
        return answer
    if isinstance(answer, wire.Status) and answer.code == wire.NO_SUCH_FILE:
        return None
    raise problem(answer, f"looking at {printable_name(path)}")


def closed(opened: bytes) -> Steps[None]:
    """Close a handle, whatever the server says to it."""
    yield from ask(wire.close(opened))


def look(name: bytes, attributes: wire.Attributes) -> RemoteLook:
    """Attributes as we keep them. A file of unknown size has size -1; one that nothing could hold, the largest that a
    ledger can (a time has 32 bits already, as it comes)."""
    size = -1 if attributes.size is None else min(attributes.size, _LARGEST_SIZE)
    return RemoteLook(name, _nature(attributes), size, attributes.mtime)


def is_folder(attributes: wire.Attributes) -> bool:
    return attributes.mode is not None and stat.S_ISDIR(attributes.mode)


def problem(answer: wire.Answer, what: str) -> Answered | Strange:
    """The exception for an answer that does not give what was asked for. `what` says that, for people."""
    if isinstance(answer, wire.Status) and answer.code != wire.OK:
        return wire.problem(answer, what)
    return Strange(f"{what}: the server says that it is done, and gives nothing")


def failed(name: bytes, error: Answered) -> Failed:
    """A server's no as a result. What it does not know it does not allow: it will not another time either."""
    whys = {Missing: Why.GONE, Refused: Why.REFUSED, Unsupported: Why.REFUSED, NoSpace: Why.NO_SPACE}
    return Failed(name, whys.get(type(error), Why.FAILED), str(error), error)


def _nature(attributes: wire.Attributes) -> Nature:
    if attributes.mode is None:
        return Nature.FILE if attributes.size is not None else Nature.OTHER
    if stat.S_ISLNK(attributes.mode):
        return Nature.SYMLINK
    # Some servers send the rights alone.
    return Nature.FILE if stat.S_ISREG(attributes.mode) or not stat.S_IFMT(attributes.mode) else Nature.OTHER
