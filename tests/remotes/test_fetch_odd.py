"""Fetching where things are not as one would like: crowded folders, writers that come back, changed wishes, full disks,
clocks set back, servers that refuse. No file is lost, none is taken twice, and no acknowledgement waits for it.
"""

from __future__ import annotations

import os
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise

import pytest

from gateway import remotes as remotes_module
from gateway.clock import Clock
from gateway.domain.states import RemoteFileState
from gateway.ledger.ids import new_ids
from gateway.ledger.moves import Move
from gateway.ledger.remote_files import RemoteFileRow, add_remote_files, remote_server_of, remote_servers
from gateway.once import Goal
from gateway.remotes import Remotes
from gateway.steps.deliver import Deliver
from gateway.steps.fetch import Fetch
from gateway.transports.sftp_client import folder as folder_module
from gateway.transports.sftp_client import wire
from gateway.transports.sftp_client.errors import Failure, Lost
from gateway.transports.sftp_client.pipeline import Task, ask
from tests.loop import Leaps
from tests.remotes.conftest import Remote, table
from tests.remotes.test_fetch_and_deliver import INVOICES, drop, names
from tests.simulator.paper import Paper


def taken(there: Remote) -> Counter[str]:
    """How often each name was taken in."""
    there.take()
    with there.ledger.reading() as unit:
        return Counter(unit.connection.exec_driver_sql("SELECT file_name FROM interchange").scalars())


def wish(there: Remote, old: str, new: str) -> None:
    """Change the partner's file, as an operator does while the gateway runs."""
    path = there.folder / "partners.d" / "erp.toml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    there.loop.configuration.reload()


def trouble(there: Remote) -> str:
    with there.ledger.reading() as unit:
        return remote_server_of(unit, "erp").trouble


@pytest.fixture
def short_listings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five names a listing, where there are 5,000 in earnest."""
    monkeypatch.setattr(remotes_module, "Bounds", partial(remotes_module.Bounds, names=5))


# --- crowded folders -------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("short_listings")
def test_where_files_are_left_all_of_them_are_seen(remote):
    there = remote('afterwards = "leave"')
    drop(there.out, {f"A-{n}.xml": Paper(number=f"A-{n}").ubl() for n in range(12)})

    there.look(rounds=4)

    assert len(taken(there)) == 12


@pytest.mark.usefixtures("short_listings")
def test_what_cannot_be_taken_hides_nothing_behind_it(remote):
    there = remote()
    for n in range(8):
        (there.out / f"link-{n}.xml").symlink_to("/etc/passwd")
    there.look(rounds=4)
    drop(there.out, INVOICES)

    there.look(rounds=8)

    assert set(INVOICES) <= names(there.inbox)


# --- files that change at the wrong moment ---------------------------------------------------------------------


def test_a_file_written_anew_between_our_look_and_our_claim_is_taken_whole(remote, monkeypatch):
    there = remote()
    wish(there, "[sftp]", '[completeness]\nladder = ["quiet"]\nquiet = "100ms"\n[sftp]')
    drop(there.out, {"a.csv": b"old;" * 100})
    writers = []
    claimed = Fetch._claimed

    def claim(self: Fetch, *arguments: object) -> object:
        if arguments[-1] and not writers:
            writers.append((there.out / "a.csv").open("wb"))
            writers[0].write(b"new;")
            writers[0].flush()
        return claimed(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Fetch, "_claimed", claim)
    clock = Still()
    house = there.loop.gateway.house
    there.loop.gateway.remotes.close()
    there.loop.gateway.remotes = Remotes(house, Fetch(house, monotonic=clock), Deliver(house))
    there.look(rounds=1)
    clock.seconds = 60
    there.look(rounds=1)  # quiet: claimed, while its writer has begun anew
    assert writers
    assert names(there.inbox) == set()
    writers[0].write(b"new;" * 99)
    writers[0].close()
    for clock.seconds in (120, 180, 240):
        there.look(rounds=1)

    assert (there.inbox / "a.csv").read_bytes() == b"new;" * 100


class Still:
    """A monotonic clock that stands until it is set."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_another_file_under_the_name_of_one_that_was_taken_is_not_removed(remote):
    """A row that was left when the server was another."""
    there = remote()
    (there.out / ".taken").mkdir()
    (there.out / ".taken" / "FA-1.xml").write_bytes(INVOICES["FA-1.xml"])
    with there.ledger.writing("test") as unit:
        (id_,) = new_ids(there.loop.clock.now(), 1)
        former = RemoteFileRow(
            id_, "erp", RemoteFileState.FETCHED, ".taken/FA-1.xml", 1, 1, "0" * 64, there.loop.clock.now()
        )
        add_remote_files(unit, [former])
        unit.move([Move(id_, RemoteFileState.FETCHED, RemoteFileState.PLACED)])

    there.look()

    assert (there.inbox / "FA-1.xml").read_bytes() == INVOICES["FA-1.xml"]


def test_a_drop_folder_that_goes_away_at_the_last_moment_costs_no_file(remote, monkeypatch):
    there = remote()
    drop(there.out, INVOICES)
    there.look(rounds=1)
    link = os.link

    def moved_away(*names_: object, **wishes: object) -> None:
        monkeypatch.setattr(os, "link", link)
        there.inbox.rename(there.inbox.parent / "in.moved")
        try:
            link(*names_, **wishes)  # type: ignore[arg-type]
        finally:
            there.inbox.mkdir()

    monkeypatch.setattr(os, "link", moved_away)
    there.look(rounds=4)

    assert names(there.inbox) | names(there.inbox.parent / "in.moved") == set(INVOICES)


class Killed(BaseException):
    """As after SIGKILL: nothing of ours catches it."""


def test_killed_between_a_name_in_the_drop_folder_and_its_row(remote, monkeypatch):
    """After the start the intake is faster than the next look at the partner's server."""
    there = remote()
    drop(there.out, INVOICES)
    there.look(rounds=1)
    link = os.link

    def killed(*names_: object, **wishes: object) -> None:
        link(*names_, **wishes)  # type: ignore[arg-type]
        raise Killed

    monkeypatch.setattr(os, "link", killed)
    with pytest.raises(Killed):
        there.loop.gateway.remotes._fetch.run(*partner_of(there))
    monkeypatch.setattr(os, "link", link)
    there.loop.restart()
    there.quick().loop.gateway.recover()
    there.take()
    there.look()

    assert taken(there) == Counter(list(INVOICES))


def partner_of(there: Remote) -> tuple:
    line = there.loop.gateway.remotes._lines["erp"]
    return there.loop.gateway.house.partner("erp"), line.table, line.source


# --- changed wishes --------------------------------------------------------------------------------------------


def test_files_that_were_left_are_removed_and_not_taken_again_when_so_wished(remote):
    there = remote('afterwards = "leave"')
    drop(there.out, INVOICES)
    there.look()
    assert taken(there) == Counter(list(INVOICES))

    wish(there, 'afterwards = "leave"', 'afterwards = "delete"')
    there.look()

    assert taken(there) == Counter(list(INVOICES))
    assert names(there.out) <= {".taken"}


def test_a_left_file_that_was_only_touched_is_not_taken_again(remote):
    there = remote('afterwards = "leave"')
    drop(there.out, INVOICES)
    there.look()
    there.take()
    (there.out / "FA-2.xml").write_bytes(Paper(number="FA-2", net="777.0").ubl())
    for name in INVOICES:
        os.utime(there.out / name, (1, 1))

    there.look()

    assert taken(there) == Counter([*INVOICES, "FA-2.xml"])


def test_a_partner_taken_out_and_put_back_is_in_hand_once(remote, monkeypatch):
    there = remote()
    running, most, go = [], [], threading.Event()
    run = Fetch.run

    def slowly(self: Fetch, *arguments: object) -> int:
        running.append(1)
        most.append(len(running))
        go.wait(30)
        try:
            return run(self, *arguments)  # type: ignore[arg-type]
        finally:
            running.pop()

    monkeypatch.setattr(Fetch, "run", slowly)
    remotes = there.loop.gateway.remotes
    remotes.look()
    path = there.folder / "partners.d" / "erp.toml"
    whole = path.read_text("utf-8")
    wish(there, whole[whole.index("[sftp]") :], "")
    remotes.look()
    path.write_text(whole, "utf-8")
    there.loop.configuration.reload()
    remotes.look()
    go.set()
    there.look()

    assert max(most) == 1


def test_the_server_of_a_partner_that_is_gone_is_told_of_no_more(remote):
    there = remote()
    there.look()
    text = (there.folder / "partners.d" / "erp.toml").read_text("utf-8")

    wish(there, text[text.index("[sftp]") :], "")
    there.look()

    with there.ledger.reading() as unit:
        assert remote_servers(unit) == []


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
