"""Fetching and delivering with trouble: full disks, clocks set back, servers that refuse or say nothing. Neither keeps
the other back.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from gateway.clock import Clock
from gateway.once import Goal
from gateway.remotes import Remotes
from gateway.steps.deliver import Deliver
from gateway.steps.fetch import Fetch
from gateway.transports.sftp_client import folder as folder_module
from gateway.transports.sftp_client import wire
from gateway.transports.sftp_client.errors import Failure, Lost
from gateway.transports.sftp_client.pipeline import Task, ask
from tests.loop import Leaps
from tests.remotes.circumstances import Still, trouble
from tests.remotes.conftest import table
from tests.remotes.test_fetch_and_deliver import INVOICES, drop, names
from tests.simulator.paper import Paper

# --- our own machine -------------------------------------------------------------------------------------------


def test_nothing_is_fetched_onto_a_full_disk_and_all_of_it_afterwards(remote):
    there = remote()
    main = there.folder / "gateway.toml"
    roomy = main.read_text("utf-8")
    main.write_text(roomy.replace('free_bytes = "1 MB"', 'free_bytes = "900000 GB"'), "utf-8")
    there.loop.configuration.reload()
    drop(there.out, INVOICES)

    there.look(rounds=4)

    assert names(there.inbox) == set()
    assert "intake.free_bytes" in trouble(there)
    main.write_text(roomy, "utf-8")
    there.loop.configuration.reload()
    there.look(rounds=4)
    assert names(there.inbox) == set(INVOICES)


@dataclass
class SetBack:
    """A wall clock that somebody sets back."""

    right: Clock
    behind: timedelta = timedelta()

    def now(self) -> datetime:
        return self.right.now() - self.behind


def test_a_clock_set_back_delays_nothing(remote):
    """Only the time that passes counts: the wall clock is not asked."""
    there = remote()
    clock = SetBack(there.loop.clock)
    house = replace(there.loop.gateway.house, clock=clock)
    passing = Still()
    there.loop.gateway.remotes.close()
    there.loop.gateway.remotes = Remotes(house, Fetch(house, monotonic=Leaps()), Deliver(house), passing)
    there.look(rounds=1)
    clock.behind = timedelta(hours=3)
    drop(there.out, INVOICES)
    for passing.seconds in (2, 4, 6, 8):
        there.loop.gateway.remotes.look()
        for line in there.loop.gateway.remotes._lines.values():
            assert line.hand is not None
            line.hand.result(60)

    assert names(there.inbox) == set(INVOICES)


# --- servers that refuse ---------------------------------------------------------------------------------------


def refusing(name: bytes, error: Exception) -> Callable[..., Task[object]]:
    """Any task on that name ends in the error."""

    def task(*_: object) -> Iterator[object]:
        yield from ask(wire.lstat(b"/"))  # type: ignore[misc]
        raise error

    return task  # type: ignore[return-value]


def test_what_cannot_be_renamed_is_read_where_it_stands(remote, monkeypatch):
    there = remote()
    move = folder_module._move

    def one_refused(path: bytes, name: bytes, to: bytes) -> object:
        refused = name == b"FA-1.xml" and to.endswith(b".taken")
        return refusing(name, Failure("no more is said"))() if refused else move(path, name, to)

    monkeypatch.setattr(folder_module, "_move", one_refused)
    drop(there.out, INVOICES)

    there.look(rounds=4)

    assert names(there.inbox) == set(INVOICES)
    assert names(there.out) == {".taken"}


def test_a_server_that_was_mended_is_asked_to_rename_again(remote):
    there = remote()
    (there.out / ".taken").write_bytes(b"a file where the folder should be")
    drop(there.out, {"FA-0.xml": INVOICES["FA-0.xml"]})
    clock = Still()
    house = there.loop.gateway.house
    there.loop.gateway.remotes.close()
    there.loop.gateway.remotes = Remotes(house, Fetch(house, monotonic=clock), Deliver(house))
    for clock.seconds in (60, 120):
        there.look(rounds=1)
    (there.out / ".taken").unlink()
    drop(there.out, INVOICES)

    for clock.seconds in (4_000, 4_060):
        there.look(rounds=1)

    assert (there.out / ".taken").is_dir()


def test_a_file_that_cuts_the_line_keeps_no_acknowledgement_back(remote, monkeypatch):
    there = remote()
    drop(there.out, {"bad.xml": Paper(number="B").ubl()})
    fetch = folder_module.fetch

    def cut(seen: object, *more: object) -> object:
        bad = getattr(seen, "name", b"") == b"bad.xml"
        return refusing(b"bad.xml", Lost("the connection was cut"))() if bad else fetch(seen, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(folder_module, "fetch", cut)
    there.look(rounds=2)
    drop(there.inbox, INVOICES)
    there.loop.night()
    told = names(there.folder / "erp" / "out")

    there.look(rounds=4)

    assert told
    assert names(there.acks) == told


def test_a_fault_of_ours_in_fetching_keeps_no_acknowledgement_back(remote, monkeypatch):
    there = remote()
    drop(there.inbox, INVOICES)
    there.loop.night()
    told = names(there.folder / "erp" / "out")

    def faulty(*_: object) -> int:
        raise OverflowError("too large")

    monkeypatch.setattr(Fetch, "run", faulty)
    there.look()

    assert names(there.acks) == told
    assert trouble(there) == "a fault of the gateway: see its log"


def test_after_a_failure_the_next_round_comes_later_and_later(remote):
    there = remote()
    drop(there.inbox, INVOICES)
    there.take()
    there.loop.gateway.tell.run(now=True)
    there.acks.rmdir()
    passing = Still()
    house = there.loop.gateway.house
    there.loop.gateway.remotes.close()
    remotes = there.loop.gateway.remotes = Remotes(house, Fetch(house), Deliver(house), passing)
    begun = []
    for passing.seconds in range(0, 1200, 2):
        before = {name: line.hand for name, line in remotes._lines.items()}
        remotes.look()
        line = remotes._lines["erp"]
        if line.hand is not before.get("erp"):
            begun.append(passing.seconds)
            assert line.hand is not None
            line.hand.result(60)

    pauses = [after - first for first, after in pairwise(begun)]
    assert pauses == sorted(pauses)
    assert pauses[0] <= 10
    assert 300 <= pauses[-1] <= 602
    there.acks.mkdir()
    assert there.look() > 0


def test_a_nightly_run_waits_for_no_server_that_says_nothing(remote, server):
    there = remote()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        partner = there.folder / "partners.d" / "edi.toml"
        mute = table(server, "").replace(f"port = {server.port}", f"port = {silent.getsockname()[1]}")
        mute = mute.replace('connect_timeout = "5s"', 'connect_timeout = "60s"')
        partner.write_text(partner.read_text("utf-8") + mute, "utf-8")
        there.loop.restart()
        drop(there.out, INVOICES)

        outcome = there.loop.run(Goal.ACKED, timedelta(seconds=20))

        assert outcome.decided == len(INVOICES)
        rows = b"".join(path.read_bytes() for path in there.acks.iterdir()).decode()
        assert all(f"{name}" in rows for name in INVOICES)
        there.loop.gateway.close()
