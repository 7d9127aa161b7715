"""Fetching where things are not as one would like: crowded folders, writers that come back, changed wishes. No file is
lost, and none is taken twice.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from functools import partial

import pytest

from gateway import remotes as remotes_module
from gateway.domain.states import RemoteFileState
from gateway.ledger.ids import new_ids
from gateway.ledger.moves import Move
from gateway.ledger.remote_files import RemoteFileRow, add_remote_files, remote_servers
from gateway.remotes import Remotes
from gateway.steps.deliver import Deliver
from gateway.steps.fetch import Fetch
from tests.remotes.circumstances import Still, taken, wish
from tests.remotes.conftest import Remote
from tests.remotes.test_fetch_and_deliver import INVOICES, drop, names
from tests.simulator.paper import Paper


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


def test_a_file_that_gets_no_name_at_the_start_stops_no_start(remote, monkeypatch):
    there = remote()
    drop(there.out, INVOICES)
    there.look(rounds=1)
    link = os.link

    def refused(*_: object, **__: object) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", refused)
    there.look(rounds=3)
    there.loop.restart()
    there.quick().loop.gateway.recover()
    monkeypatch.setattr(os, "link", link)
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
