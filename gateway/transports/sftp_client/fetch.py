"""Fetching one file, as a task: look, open, read, look again, and only then is it ours.

Reads are cut to the size that was seen (`reading`). What LSTAT says before the first read it must say after the last
one, else what was read is thrown away: the file's owner was not done. LSTAT is compared with LSTAT, since servers
round a time, or leave it out, in one of their answers and not in the other; of what the listing said, the size must be
the same. Where the listing told another time the file is `Unsure`: another listing must say it once more. (Version 3
tells whole seconds: a file that changes twice in one second and keeps its size is not noticed here; whether it was
complete is for the completeness ladder.)
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.transports.local import Nature, printable_name
from gateway.transports.sftp_client import wire
from gateway.transports.sftp_client.dialogue import Steps, closed, failed, look, problem
from gateway.transports.sftp_client.errors import Answered, ConnectionTrouble
from gateway.transports.sftp_client.leftovers import Leftovers, id_of
from gateway.transports.sftp_client.names import inside, local_id
from gateway.transports.sftp_client.pipeline import Task, ask_both
from gateway.transports.sftp_client.reading import read_into
from gateway.transports.sftp_client.results import Failed, Fetched, RemoteLook, Why
from gateway.transports.sftp_client.sink import Sink

#: Smaller files are simply fetched again.
RESUME_ABOVE_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class FetchWishes:
    """How files are fetched. `into` is a folder of ours that nobody else writes to, `left` what lies there."""

    folder: bytes
    into: Path
    left: Leftovers
    limit_bytes: int
    durable: bool


@dataclass(frozen=True, slots=True)
class Unsure:
    """Whole and the same before and after, but the listing told another time of it: it may have changed since."""

    fetched: Fetched


def fetch(seen: RemoteLook, wishes: FetchWishes, chunk_bytes: int) -> Task[Fetched | Unsure | Failed]:
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


def changed(seen: RemoteLook) -> Failed:
    """It is not any more what was looked at."""
    return Failed(seen.name, Why.CHANGING, f"{printable_name(seen.name)} changed while it was fetched")


def _fetch(seen: RemoteLook, wishes: FetchWishes, chunk_bytes: int) -> Task[Fetched | Unsure | Failed]:
    path = inside(wishes.folder, seen.name)
    shown = printable_name(seen.name)
    # In this order: a file laid in its place in between then looks another after the last read.
    at_first, opened = yield from ask_both(wire.lstat(path), wire.open_to_read(path))
    if not isinstance(opened, bytes):
        raise problem(opened, f"opening {shown}")
    before = look(seen.name, at_first) if isinstance(at_first, wire.Attributes) else None
    if before is None or (before.nature, before.size) != (seen.nature, seen.size):
        yield from closed(opened)
        return _not_there(seen, at_first)
    sink = _sink(seen, before.mtime, wishes)
    whole, at_last = yield from _filled(path, opened, seen.size, chunk_bytes, sink)
    # The size is what is written down for it: whatever was read, no other is ever taken.
    if not whole or sink.size != seen.size or at_last != at_first:
        sink.discard()
        return _not_there(seen, at_last)
    place, sha256 = sink.finish(wishes.durable)
    fetched = Fetched(seen, place, sha256, seen.size)
    return fetched if seen.mtime in (None, before.mtime) else Unsure(fetched)


def _sink(seen: RemoteLook, mtime: int | None, wishes: FetchWishes) -> Sink:
    """Where it is written; what is left of an earlier attempt is gone on with, and of an earlier version is removed.

    A file of which no time is told is read from its beginning: another one of that size would look the same, and what
    is left may be of that one.
    """
    id_ = id_of(local_id(wishes.folder, seen.name), local_id(seen.size, seen.mtime, mtime))
    wishes.left.remove_others(id_)
    timeless = seen.mtime is None and mtime is None
    return Sink(wishes.into, id_, None if timeless else RESUME_ABOVE_BYTES)


def _not_there(seen: RemoteLook, answer: wire.Answer) -> Failed:
    """What stands there is not what was seen. Raises Answered where the server would not say."""
    if isinstance(answer, wire.Attributes):
        return changed(seen)
    shown = printable_name(seen.name)
    if isinstance(answer, wire.Status) and answer.code == wire.NO_SUCH_FILE:
        return Failed(seen.name, Why.GONE, f"{shown} was taken away while it was fetched")
    raise problem(answer, f"looking at {shown}")


def _filled(path: bytes, opened: bytes, size: int, chunk_bytes: int, sink: Sink) -> Steps[tuple[bool, wire.Answer]]:
    """All of it read, and what LSTAT says then; the sink is done with when that fails."""
    try:
        try:
            whole = yield from read_into(sink, opened, size, chunk_bytes)
        except Answered:
            yield from closed(opened)
            raise
        at_last, _ = yield from ask_both(wire.lstat(path), wire.close(opened))
    except ConnectionTrouble:
        sink.keep()
        raise
    except BaseException:
        sink.discard()
        raise
    return whole, at_last
