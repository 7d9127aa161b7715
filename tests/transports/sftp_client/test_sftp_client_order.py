"""Answers in any order and reads that come back short: the exact bytes are fetched, or nothing is."""

from __future__ import annotations

import hashlib
import random
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.transports.local import Nature
from gateway.transports.sftp_client import wire
from gateway.transports.sftp_client.fetch import FetchWishes, fetch
from gateway.transports.sftp_client.leftovers import Leftovers
from gateway.transports.sftp_client.peer import HostKeys, Login, Peer, Timeouts
from gateway.transports.sftp_client.results import Failed, Fetched, RemoteLook
from gateway.transports.sftp_client.session import Reply
from tests.transports.sftp_client import odd_server as odd
from tests.transports.sftp_client.odd_server import OddServer, running
from tests.transports.sftp_client.peers import opened

CHUNK = 4

#: The place of the request that is answered next among those in flight, and how many of the bytes it asks for come.
Which = Callable[[list[wire.Request]], int]
Much = Callable[[wire.Request], int]


def served(content: bytes, into: Path, which: Which, much: Much) -> tuple[Fetched | Failed, int]:
    """A file fetched from an honest server that answers in its own order; and the most reads in flight."""
    seen = RemoteLook(b"a", Nature.FILE, len(content), 1)
    task = fetch(seen, FetchWishes(b"", into, Leftovers(into), 1_000_000, durable=False), CHUNK)
    in_flight: list[wire.Request] = []
    most = 0
    requests = next(task)
    while True:
        in_flight += requests
        most = max(most, len(in_flight))
        request = in_flight.pop(which(in_flight))
        try:
            requests = task.send(Reply(None, request, answer_to(request, content, much)))
        except StopIteration as end:
            return end.value, most


def answer_to(request: wire.Request, content: bytes, much: Much) -> wire.Answer:
    if request.kind == wire.OPEN:
        return b"handle"
    if request.kind == wire.LSTAT:
        return wire.Attributes(len(content), 0o100644, 1)
    if request.kind == wire.READ:
        return content[request.offset : request.offset + much(request)] or wire.Status(wire.EOF, "")
    return wire.Status(wire.OK, "")


def test_a_first_piece_that_comes_last_and_short_is_asked_for_again(here: Path) -> None:
    """Sixteen later pieces wait for it by then."""
    content = random.Random(1).randbytes(CHUNK * 100)
    result, _ = served(
        content,
        here,
        which=lambda flight: 1 if len(flight) > 1 else 0,
        much=lambda request: request.weight // 2 if request.offset == 0 else request.weight,
    )
    assert isinstance(result, Fetched)
    assert result.path.read_bytes() == content


def test_reads_of_single_bytes_in_the_worst_order_leave_little_waiting(here: Path) -> None:
    """Newest first, one byte at a time: what waits in memory is counted by the pieces in flight and those held."""
    content = random.Random(2).randbytes(CHUNK * 200)
    result, most = served(content, here, which=lambda flight: len(flight) - 1, much=lambda _: 1)
    assert isinstance(result, Fetched)
    assert result.path.read_bytes() == content
    assert most <= 16


@given(
    size=st.integers(0, CHUNK * 60),
    seed=st.integers(0, 2**32),
    held=st.frozensets(st.integers(0, 59), max_size=4),
    lengths=st.lists(st.integers(0, CHUNK), min_size=1, max_size=8),
)
@settings(max_examples=200, deadline=None)
def test_whatever_the_order_and_the_lengths_the_bytes_are_exact(
    size: int, seed: int, held: frozenset[int], lengths: list[int]
) -> None:
    """The pieces `held` are answered when nothing else is left to answer. A length of 0 is the end of the file, too
    early: then nothing is fetched."""
    dice = random.Random(seed)
    content = dice.randbytes(size)
    reads = 0

    def which(flight: list[wire.Request]) -> int:
        free = [place for place, one in enumerate(flight) if one.kind != wire.READ or one.offset // CHUNK not in held]
        return dice.choice(free or range(len(flight)))

    def much(request: wire.Request) -> int:
        nonlocal reads
        reads += 1
        return min(request.weight, lengths[reads % len(lengths)])

    with tempfile.TemporaryDirectory() as folder:
        result, _ = served(content, Path(folder), which, much)
        if isinstance(result, Fetched):
            assert result.path.read_bytes() == content
            assert result.sha256 == hashlib.sha256(content).hexdigest()
            assert result.size == len(content)
        else:
            assert 0 in lengths
            assert list(Path(folder).iterdir()) == []


@pytest.mark.parametrize("held_back", [20, 30])
def test_over_a_session_too_a_held_and_halved_first_piece_loses_nothing(here: Path, held_back: int) -> None:
    """The server holds the first piece back until so many later ones are answered, and sends half of it then; what it
    has to answer after that is answered at once."""
    content = random.Random(3).randbytes(32 * 1024 * 100)
    held: list[bytes] = []
    answered = 0

    def twist(kind: int, id_: int, honest: bytes) -> bytes:
        nonlocal answered
        if kind != odd.READ or honest[0] != odd.DATA:
            return honest
        answered += 1
        if answered == 1:
            half = honest[9 : 9 + (len(honest) - 9) // 2]
            held.append(odd.text(struct.pack(">BI", odd.DATA, id_) + odd.text(half)))
            return b""
        if answered == held_back:
            return b"RAW:" + odd.text(honest) + held[0]
        return honest

    server = OddServer(files={b"in/a.bin": content}, twist=twist)
    with running(server):
        peer = Peer(
            "127.0.0.1",
            Login("u", password=server.password),
            HostKeys((server.fingerprint,)),
            port=server.port,
            timeouts=Timeouts(answer_s=20),
        )
        with opened(peer, b"in") as folder:
            (result,) = folder.fetch_many(folder.list().looks, here)
    assert isinstance(result, Fetched)
    assert result.path.read_bytes() == content
