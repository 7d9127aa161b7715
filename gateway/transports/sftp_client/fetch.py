"""Fetching one file, as a task: open, read, look again, and only then is it ours.

Reads are cut to the size that was seen, several in flight; what comes back short is asked for again. After reading,
the remote file must still be as it was looked at, else what was read is thrown away: its owner was not done. (Version
3 tells whole seconds: a file that changes twice in one second and keeps its size is not noticed here; whether it was
complete is for the completeness ladder.)
"""

from __future__ import annotations

import hashlib
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.transports.local import Nature, printable_name
from gateway.transports.sftp_client import wire
from gateway.transports.sftp_client.dialogue import Steps, closed, failed, handle, look, status
from gateway.transports.sftp_client.errors import Answered, ConnectionTrouble, Failure
from gateway.transports.sftp_client.names import inside, local_id
from gateway.transports.sftp_client.pipeline import Task
from gateway.transports.sftp_client.results import Failed, Fetched, RemoteLook, Why
from gateway.transports.sftp_client.sink import Sink

#: Smaller files are simply fetched again.
RESUME_ABOVE_BYTES: Final = 1024 * 1024
#: As much of what is here already is held against the remote file before it is believed.
_TAIL_BYTES: Final = 32 * 1024
#: Reads in flight for one file: 16 of 255 KiB fill 100 MB/s at 40 ms.
_READS: Final = 16


@dataclass(frozen=True, slots=True)
class FetchWishes:
    """How files are fetched. `into` is a folder of ours that nobody else writes to."""

    folder: bytes
    into: Path
    limit_bytes: int
    durable: bool


def fetch(seen: RemoteLook, wishes: FetchWishes, chunk_bytes: int) -> Task[Fetched | Failed]:
    """The file that was looked at, or why not. OSError of our own disk is passed on."""
    if seen.nature is not Nature.FILE or seen.size < 0:
        return Failed(seen.name, Why.NOT_A_FILE, f"{printable_name(seen.name)} is no file ({seen.nature})")
    if seen.size > wishes.limit_bytes:
        return Failed(
            seen.name,
            Why.TOO_LARGE,
            f"{printable_name(seen.name)} has {seen.size} bytes; at most {wishes.limit_bytes} are fetched",
        )
    try:
        return (yield from _fetch(seen, wishes, chunk_bytes))
    except Answered as error:
        return failed(seen.name, error)


def _fetch(seen: RemoteLook, wishes: FetchWishes, chunk_bytes: int) -> Task[Fetched | Failed]:
    path = inside(wishes.folder, seen.name)
    shown = printable_name(seen.name)
    opened = yield from handle(wire.open_to_read(path), f"opening {shown}")
    try:
        sink = Sink(wishes.into, local_id(wishes.folder, seen.name, seen.size, seen.mtime), RESUME_ABOVE_BYTES)
        whole, now = yield from _filled(path, opened, seen, chunk_bytes, sink)
    except Answered:
        yield from closed(opened)
        raise
    if not whole or now is None or look(seen.name, now) != seen:
        sink.discard()
        if now is None:
            return Failed(seen.name, Why.GONE, f"{shown} was taken away while it was fetched")
        return Failed(seen.name, Why.CHANGING, f"{shown} changed while it was fetched")
    place, sha256 = sink.finish(wishes.durable)
    return Fetched(seen, place, sha256, seen.size)


def _filled(
    path: bytes, opened: bytes, seen: RemoteLook, chunk_bytes: int, sink: Sink
) -> Steps[tuple[bool, wire.Attributes | None]]:
    """All of it read, and how it looks then; the sink is done with when that fails."""
    try:
        if seen.size <= chunk_bytes:
            whole = yield from _read_small(opened, seen.size, sink)
        else:
            yield from _believe_what_is_here(opened, seen, sink)
            whole = yield from _read_large(opened, seen.size, chunk_bytes, sink)
        now = yield from status(path)
        yield from closed(opened)
    except ConnectionTrouble:
        sink.keep()
        raise
    except BaseException:
        sink.discard()
        raise
    return whole, now


def _read_small(opened: bytes, size: int, sink: Sink) -> Steps[bool]:
    """All of it in one read, or in as many as the server makes of it. False: it ended too soon."""
    while sink.size < size:
        piece = yield from _piece(opened, sink.size, size - sink.size)
        if not piece:
            return False
        sink.write(piece)
    return True


def _piece(opened: bytes, offset: int, length: int) -> Steps[bytes]:
    reply = yield (wire.read(opened, offset, length),)
    return _content(reply.answer)


def _content(answer: wire.Answer) -> bytes:
    """What was read; b"" at the end of the file. Raises Answered."""
    if isinstance(answer, bytes):
        return answer
    if isinstance(answer, wire.Status) and answer.code == wire.EOF:
        return b""
    assert isinstance(answer, wire.Status)
    raise wire.problem(answer, "reading") if answer.code else Failure("reading: the server gives nothing")


def _believe_what_is_here(opened: bytes, seen: RemoteLook, sink: Sink) -> Steps[None]:
    """An interrupted attempt left a beginning: its end must be what the remote file has there."""
    if not sink.size:
        return
    if sink.size > seen.size:
        sink.start_over()
        return
    tail = sink.tail(_TAIL_BYTES)
    there = b""
    while len(there) < len(tail):
        piece = yield from _piece(opened, sink.size - len(tail) + len(there), len(tail) - len(there))
        if not piece:
            break
        there += piece
    if hashlib.sha256(there).digest() != hashlib.sha256(tail).digest():
        sink.start_over()


def _read_large(opened: bytes, size: int, chunk_bytes: int, sink: Sink) -> Steps[bool]:
    """With several reads in flight; pieces that come out of order wait for their turn. False: it ended too soon."""
    early: dict[int, bytes] = {}
    ahead = sink.size
    short: deque[tuple[int, int]] = deque()
    in_flight = 0
    ended = False
    trouble: Answered | None = None
    while True:
        requests: list[wire.Request] = []
        while not ended and in_flight + len(requests) < _READS and (short or ahead < size) and len(early) < _READS:
            if short:
                offset, length = short.popleft()
            else:
                offset, length = ahead, min(chunk_bytes, size - ahead)
                ahead += length
            requests.append(wire.read(opened, offset, length))
        in_flight += len(requests)
        if not in_flight:
            if trouble is not None:
                raise trouble
            return not ended
        reply = yield tuple(requests)
        in_flight -= 1
        try:
            piece = _content(reply.answer)
        except Answered as error:  # what is in flight still comes, and must be awaited
            trouble, piece = error, b""
        if not piece:
            ended = True
            continue
        asked = reply.request
        if len(piece) < asked.weight:
            short.append((asked.offset + len(piece), asked.weight - len(piece)))
        early[asked.offset] = piece
        while piece := early.pop(sink.size, b""):
            sink.write(piece)
