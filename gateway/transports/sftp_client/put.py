"""Putting one file, as a task: under a temporary name, verified by its size, then renamed. Never half under its name.

Where the server can, the rename replaces what stands there in one instant (`posix-rename@openssh.com`). Where it
cannot, a file that stands there is read: the same bytes are what we wanted, others are left alone and reported.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from gateway.transports.local import printable_name
from gateway.transports.sftp_client import wire
from gateway.transports.sftp_client.dialogue import Steps, closed, done, failed, handle, status
from gateway.transports.sftp_client.errors import Answered, Failure, Missing, Refused
from gateway.transports.sftp_client.names import inside, temporary
from gateway.transports.sftp_client.pipeline import Task, ask
from gateway.transports.sftp_client.results import Failed, Put, PutHow, Why

#: Writes in flight for one file. Their content is in memory, for each file that is being put.
_WRITES: Final = 4


class Content(Protocol):
    """Bytes that can be read from anywhere, several times (an attempt may fail). Equal `identity`: the same bytes."""

    size: int
    identity: object

    def read(self, offset: int, length: int) -> bytes: ...


@dataclass(slots=True)
class InMemory:
    data: bytes
    size: int = field(init=False)
    identity: object = field(init=False)

    def __post_init__(self) -> None:
        self.size = len(self.data)
        self.identity = hashlib.sha256(self.data).digest()

    def read(self, offset: int, length: int) -> bytes:
        return self.data if not offset and length >= self.size else self.data[offset : offset + length]


@dataclass(slots=True)
class OnDisk:
    """A file of ours. It is opened for each piece, so that thousands may wait without a descriptor each."""

    path: Path
    size: int = field(init=False)
    identity: object = field(init=False)

    def __post_init__(self) -> None:
        status = self.path.stat()
        self.size = status.st_size
        self.identity = (self.path, status.st_ino, status.st_mtime_ns, status.st_size)

    def read(self, offset: int, length: int) -> bytes:
        with open(self.path, "rb", buffering=0) as file:  # noqa: PTH123
            file.seek(offset)
            return file.read(length) or b""


@dataclass(frozen=True, slots=True)
class PutWishes:
    """`replaces`: the server has the rename that replaces. `durable`: ask it to sync, where it can."""

    folder: bytes
    chunk_bytes: int
    replaces: bool
    durable: bool


@dataclass(slots=True)
class Attempts:
    """What earlier attempts at one file came to."""

    identity: object = None  #: of the content
    made: int = 0
    renaming: int | None = None  #: the one whose rename was asked for, and not answered before the connection was lost
    left: list[int] = field(default_factory=list)  #: those whose temporary file may still be there


def put(name: bytes, content: Content, wishes: PutWishes, attempts: Attempts) -> Task[Put | Failed]:
    """The file under its name, or why not."""
    try:
        if (yield from _was_renamed(name, wishes, attempts)):
            return Put(name, content.size, PutHow.NEW)
        result = yield from _put(name, content, wishes, attempts)
    except Answered as error:
        result = failed(name, error)
    if isinstance(result, Failed):
        yield from _clear(name, wishes, attempts)
    return result


def _was_renamed(name: bytes, wishes: PutWishes, attempts: Attempts) -> Steps[bool]:
    """Whether the rename of a lost attempt was done. Then the partner may have taken the file away since, and must not
    get it twice.

    Its temporary file is gone exactly when it was. Taking that file away is both the question and the end of the
    matter; but if that answer is lost too nothing can be concluded any more, so it is asked only once.
    """
    attempt, attempts.renaming = attempts.renaming, None
    if attempt is None:
        return False
    answer = yield from ask(wire.remove(inside(wishes.folder, temporary(name, attempt))))
    return isinstance(answer, wire.Status) and answer.code == wire.NO_SUCH_FILE


def _put(name: bytes, content: Content, wishes: PutWishes, attempts: Attempts) -> Task[Put | Failed]:
    yield from _clear(name, wishes, attempts)
    attempt, attempts.made = attempts.made, attempts.made + 1
    attempts.left.append(attempt)
    path, part = inside(wishes.folder, name), inside(wishes.folder, temporary(name, attempt))
    shown = printable_name(name)
    opened = yield from _opened(part, shown)
    yield from _written(opened, content, wishes, shown)
    attributes = yield from status(part)
    if attributes is None or attributes.size != content.size:
        found = "nothing" if attributes is None else f"{attributes.size} bytes"
        return Failed(name, Why.FAILED, f"{shown}: {content.size} bytes were written and {found} found")
    if wishes.replaces:
        answer = yield from _rename(wire.posix_rename(part, path), attempt, attempts)
        _good(answer, shown)
        return Put(name, content.size, PutHow.NEW)
    there = yield from status(path)  # some servers replace by the plain rename too: looked at first
    if there is None:
        answer = yield from _rename(wire.rename(part, path), attempt, attempts)
        there = yield from _in_the_way(path, answer)
        if there is None:
            _good(answer, shown)
            return Put(name, content.size, PutHow.NEW)
    if there.size == content.size and (yield from _same(path, content, wishes.chunk_bytes, shown)):
        yield from _clear(name, wishes, attempts)
        return Put(name, content.size, PutHow.ALREADY_THERE)
    return Failed(
        name,
        Why.TAKEN,
        f"another file stands under the name {shown}, and the server cannot replace it. "
        "→ Ask the partner to take it away.",
    )


def _rename(request: wire.Request, attempt: int, attempts: Attempts) -> Steps[wire.Answer]:
    """Whatever the answer is, there is no doubt any more once it came."""
    attempts.renaming = attempt
    answer = yield from ask(request)
    attempts.renaming = None
    return answer


def _in_the_way(path: bytes, answer: wire.Answer) -> Steps[wire.Attributes | None]:
    """What stands there when the plain rename was refused."""
    if isinstance(answer, wire.Status) and answer.code == wire.OK:
        return None
    return (yield from status(path))


def _good(answer: wire.Answer, shown: str) -> None:
    assert isinstance(answer, wire.Status)  # no other packet answers a rename (`wire.answer_to`)
    if answer.code != wire.OK:
        raise wire.problem(answer, f"renaming {shown}")


def _clear(name: bytes, wishes: PutWishes, attempts: Attempts) -> Steps[None]:
    """Take away what earlier attempts left, whole or half."""
    while attempts.left:
        yield from ask(wire.remove(inside(wishes.folder, temporary(name, attempts.left[-1]))))
        attempts.left.pop()


def _opened(part: bytes, shown: str) -> Steps[bytes]:
    """A new temporary file; one that an earlier attempt left is taken away first."""
    try:
        return (yield from handle(wire.open_new(part), f"writing {shown}"))
    except (Missing, Refused):
        raise
    except Failure:
        yield from done(wire.remove(part), f"taking away what an earlier attempt at {shown} left")
        return (yield from handle(wire.open_new(part), f"writing {shown}"))


def _written(opened: bytes, content: Content, wishes: PutWishes, shown: str) -> Steps[None]:
    ahead = in_flight = 0
    trouble: wire.Status | None = None
    while True:
        requests: list[wire.Request] = []
        while trouble is None and ahead < content.size and in_flight + len(requests) < _WRITES:
            data = content.read(ahead, min(wishes.chunk_bytes, content.size - ahead))
            if not data:
                trouble = wire.Status(wire.FAILURE, "our own file became shorter")
                break
            requests.append(wire.write(opened, ahead, data))
            ahead += len(data)
        in_flight += len(requests)
        if not in_flight:
            break
        reply = yield tuple(requests)
        in_flight -= 1
        if isinstance(reply.answer, wire.Status) and reply.answer.code != wire.OK:
            trouble = reply.answer
    if wishes.durable and trouble is None:
        answer = yield from ask(wire.fsync(opened))
        trouble = answer if isinstance(answer, wire.Status) and answer.code != wire.OK else None
    if trouble is not None:
        yield from closed(opened)
        raise wire.problem(trouble, f"writing {shown}")
    yield from done(wire.close(opened), f"writing {shown}")


def _same(path: bytes, content: Content, chunk_bytes: int, shown: str) -> Steps[bool]:
    opened = yield from handle(wire.open_to_read(path), f"reading {shown}")
    offset = 0
    while offset < content.size:
        answer = yield from ask(wire.read(opened, offset, min(chunk_bytes, content.size - offset)))
        if not isinstance(answer, bytes) or answer != content.read(offset, len(answer)):
            break
        offset += len(answer)
    yield from closed(opened)
    return offset == content.size
