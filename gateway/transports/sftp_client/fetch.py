"""Fetching one file, as a task: open, read, look again, and only then is it ours.

Reads are cut to the size that was seen (`reading`). After reading, the remote file must still be as it was looked at,
else what was read is thrown away: its owner was not done. (Version 3 tells whole seconds: a file that changes twice in
one second and keeps its size is not noticed here; whether it was complete is for the completeness ladder.)
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.transports.local import Nature, printable_name
from gateway.transports.sftp_client import wire
from gateway.transports.sftp_client.dialogue import Steps, closed, failed, handle, look, status
from gateway.transports.sftp_client.errors import Answered, ConnectionTrouble
from gateway.transports.sftp_client.names import inside, local_id
from gateway.transports.sftp_client.pipeline import Task
from gateway.transports.sftp_client.reading import read_into
from gateway.transports.sftp_client.results import Failed, Fetched, RemoteLook, Why
from gateway.transports.sftp_client.sink import Sink

#: Smaller files are simply fetched again.
RESUME_ABOVE_BYTES: Final = 1024 * 1024


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
    # The size is what is written down for it: whatever was read, no other is ever taken.
    if not whole or sink.size != seen.size or now is None or look(seen.name, now) != seen:
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
        whole = yield from read_into(sink, opened, seen.size, chunk_bytes)
        now = yield from status(path)
        yield from closed(opened)
    except ConnectionTrouble:
        sink.keep()
        raise
    except BaseException:
        sink.discard()
        raise
    return whole, now
