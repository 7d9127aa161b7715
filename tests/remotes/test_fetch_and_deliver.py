"""A partner with a server of its own: its files come from there, and its acknowledgements go there."""

from __future__ import annotations

import os
import socket
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.domain.states import InterchangeState, RemoteFileState
from gateway.ledger.ids import new_ids
from gateway.ledger.moves import Move
from gateway.ledger.remote_files import RemoteFileRow, add_remote_files, remote_files, remote_server_of
from gateway.once import Goal
from gateway.steps.fetch import Fetch
from gateway.transports.sftp_client.results import Fetched, Listing, Moved, RemoteLook, Removed
from tests.remotes.conftest import Remote, table
from tests.simulator.paper import Paper

#: Rows that are looked at together (`[ledger] commit_size`).
PAGE = 100
INVOICES = {f"FA-{i}.xml": Paper(number=f"FA-{i}").ubl() for i in range(5)}


def drop(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).write_bytes(content)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def received(remote: Remote) -> Counter[str]:
    """The states of all interchanges."""
    with remote.loop.gateway.ledger.reading() as unit:
        return Counter(state for state in InterchangeState for _ in unit.interchanges(state, "erp", 10_000))


def settled(remote: Remote) -> int:
    with remote.loop.gateway.ledger.reading() as unit:
        assert remote_files(unit, RemoteFileState.FETCHED, "erp", 10) == []
        assert remote_files(unit, RemoteFileState.PLACED, "erp", 10) == []
        return len(remote_files(unit, RemoteFileState.SETTLED, "erp", 10_000))


def test_files_come_whole_and_once_and_are_gone_there(remote):
    there = remote()
    drop(there.out, INVOICES)

    assert there.look() == 5
    assert names(there.inbox) == set(INVOICES)
    assert {name: (there.inbox / name).read_bytes() for name in INVOICES} == INVOICES
    assert names(there.out) == {".taken"}
    assert names(there.out / ".taken") == set()
    assert settled(there) == 5
    assert there.look() == 0


def test_the_whole_way_from_there_and_back(remote):
    there = remote()
    drop(there.out, INVOICES)
    there.look()
    there.loop.night()
    told = names(there.loop.folder / "erp" / "out")

    there.look()

    assert told
    assert names(there.acks) == told
    assert names(there.loop.folder / "erp" / "out") == set(), "what waited here is there now"
    rows = b"".join(path.read_bytes() for path in there.acks.iterdir()).decode()
    assert all(f";FA-{i};" in rows for i in range(5))
    for path in there.acks.iterdir():
        path.unlink()  # the partner takes them away
    there.look()
    assert names(there.acks) == set(), "nothing is delivered twice"


@pytest.mark.parametrize("wishes", ['afterwards = "archive"', 'afterwards = "archive"\nclaim = "look-twice"'])
def test_files_are_archived_there_if_so_wished(remote, wishes):
    there = remote(wishes)
    drop(there.out, INVOICES)
    there.look()
    drop(there.out, {"FA-1.xml": Paper(number="FA-1-again").ubl()})
    (there.inbox / "FA-1.xml").unlink()
    there.look()

    assert names(there.out / "archive") == {*INVOICES, "FA-1.1.xml"}
    assert names(there.inbox) == set(INVOICES)


def test_files_that_are_left_there_are_remembered(remote):
    there = remote('afterwards = "leave"')
    drop(there.out, INVOICES)

    assert there.look() == 5
    there.loop.restart()
    assert there.quick().look() == 0
    assert names(there.out) == set(INVOICES)
    for path in there.inbox.iterdir():
        path.unlink()
    drop(there.out, {"FA-1.xml": Paper(number="FA-1-corrected").ubl()})
    assert there.look() == 1, "a corrected file of the same name is another file"


def test_a_server_that_does_not_let_us_rename_is_read_as_it_is(remote):
    there = remote()
    drop(there.out, INVOICES)
    (there.out / ".taken").write_bytes(b"a file where the folder should be")

    there.look()

    assert names(there.inbox) == set(INVOICES)
    assert names(there.out) == {".taken"}


def test_a_file_that_still_comes_is_left_alone(remote):
    there = remote()
    whole = Paper(number="FA-1").ubl()
    growing = there.out / "FA-1.xml"
    for length in range(1, len(whole), len(whole) // 8):
        growing.write_bytes(whole[:length])
        os.utime(growing, (length, length))
        there.look(rounds=1)
        assert names(there.inbox) == set()
    growing.write_bytes(whole)

    there.look()

    assert (there.inbox / "FA-1.xml").read_bytes() == whole


def test_a_stalled_upload_is_not_taken_for_a_file(remote):
    """It is quiet, and claimed, and has no end: it waits there, and its writer may go on."""
    there = remote()
    whole = Paper(number="FA-1").ubl()
    with (there.out / "FA-1.xml").open("wb") as writer:
        writer.write(whole[:200])
        writer.flush()
        there.look()
        assert names(there.inbox) == set()
        writer.write(whole[200:])
    there.look()

    assert (there.inbox / "FA-1.xml").read_bytes() == whole


def test_names_are_hostile(remote):
    there = remote()
    wanted = [
        "a\nb.xml", "\u202elmx.exe.xml", "%s%n.xml", "-rf.xml", "é.xml", "A.xml", "a.xml", " .xml", "x" * 251 + ".xml",
    ]  # fmt: skip
    raw = [os.fsencode(name) for name in wanted] + [b"\xff\xfe.xml", b"\x1b[31mred.xml"]
    for i, name in enumerate(raw):
        Path(os.fsdecode(os.path.join(os.fsencode(there.out), name))).write_bytes(Paper(number=f"FA-{i}").ubl())

    there.look()
    there.loop.take()

    assert received(there)[InterchangeState.OPENED] == len(raw)
    assert names(there.out / ".taken") == set()


def test_what_is_no_file_and_what_is_too_large_is_refused_once_and_told(remote):
    there = remote()
    (there.out / "link.xml").symlink_to("/etc/passwd")
    os.mkfifo(there.out / "pipe.xml")
    with (there.out / "giant.xml").open("wb") as giant:
        giant.truncate(101 * 1024 * 1024)
    (there.out / "folder.xml").mkdir()

    there.look(rounds=5)
    there.loop.gateway.tell.run(now=True)

    rules = Counter(row["reason_code"] for row in there.loop.acks())
    assert rules == {"INTAKE-SYMLINK": 1, "INTAKE-NOT-A-FILE": 1, "IRR_TAILLE_F": 1}
    assert names(there.inbox) == set()
    assert {"link.xml", "pipe.xml", "giant.xml"} <= names(there.out), "they are left where they are"


def test_a_name_that_is_taken_here_is_waited_for(remote):
    there = remote()
    there.inbox.mkdir(parents=True, exist_ok=True)
    drop(there.inbox, {"FA-1.xml": b"the former one"})
    drop(there.out, INVOICES)

    there.look()
    assert (there.inbox / "FA-1.xml").read_bytes() == b"the former one"
    assert len(names(there.inbox)) == 5
    (there.inbox / "FA-1.xml").unlink()
    there.look()

    assert (there.inbox / "FA-1.xml").read_bytes() == INVOICES["FA-1.xml"]
    assert settled(there) == 5


def test_names_that_are_taken_here_hold_up_no_others(remote):
    there = remote()
    there.inbox.mkdir(parents=True, exist_ok=True)
    taken = {f"A-{n:03}.xml": b"<former/>" for n in range(PAGE + 5)}
    drop(there.inbox, taken)
    drop(there.out, dict.fromkeys(taken, INVOICES["FA-1.xml"]))
    there.look()
    drop(there.out, INVOICES)

    there.look()

    assert names(there.inbox) == {*taken, *INVOICES}


def test_a_folder_that_cannot_be_emptied_keeps_no_acknowledgement_back(remote):
    there = remote()
    drop(there.inbox, INVOICES)
    there.loop.night()
    told = names(there.folder / "erp" / "out")
    there.out.rmdir()

    there.look()

    assert told
    assert names(there.acks) == told
    with there.ledger.reading() as unit:
        assert "No such file" in remote_server_of(unit, "erp").trouble


def test_what_a_server_does_not_let_us_remove_holds_up_nothing_else(remote, capsys):
    """Folders of the names of what we took: nobody can remove them as files."""
    there = remote()
    stuck = [f".taken/Z-{n:03}.xml" for n in range(PAGE + 5)]
    for name in stuck:
        (there.out / name).mkdir(parents=True)
    with there.ledger.writing("test") as unit:
        ids = new_ids(there.loop.clock.now(), len(stuck))
        add_remote_files(
            unit,
            [
                RemoteFileRow(id_, "erp", RemoteFileState.FETCHED, name, 1, 1, "0" * 64, there.loop.clock.now())
                for id_, name in zip(ids, stuck, strict=True)
            ],
        )
        unit.move(Move(id_, RemoteFileState.FETCHED, RemoteFileState.PLACED) for id_ in ids)
    drop(there.out, INVOICES)

    there.look(rounds=4)
    assert names(there.out / ".taken") == {Path(name).name for name in stuck}
    for name in stuck:
        (there.out / name).rmdir()
    there.look(rounds=4)

    assert settled(there) == len(stuck) + len(INVOICES)
    told = [line for line in capsys.readouterr().out.splitlines() if "not_removed" in line]
    assert 0 < len(told) <= 2 * 4, "one line a page and round, not one a file"


class OddServer:
    """A folder that holds nothing but names that no file can have; sshd has none of the kind."""

    path = b"/out"

    def __init__(self, unusable: tuple[bytes, ...] = (b"../up", b"a/b")) -> None:
        self.unusable = unusable

    def below(self, name: bytes) -> OddServer:
        return OddServer(())

    def list(self, *, limit: int | None = None) -> Listing:
        return Listing((), False, self.unusable)

    def claim_many(self, looks: Iterable[RemoteLook]) -> Iterator[Moved]:
        return iter(())

    def fetch_many(self, looks: Iterable[RemoteLook], into: Path, *, durable: bool = False) -> Iterator[Fetched]:
        return iter(())

    def remove_many(self, names: Iterable[bytes]) -> Iterator[Removed]:
        return iter(())

    def move_many(self, names: Iterable[bytes], to: bytes) -> Iterator[Moved]:
        return iter(())


def test_a_name_that_no_file_can_have_is_told_once_as_long_as_it_stands_there(remote):
    there = remote()
    house = there.loop.gateway.house
    partner, wishes = house.settings.partners["erp"], house.settings.remotes["erp"]
    server = OddServer()

    with capture_logs() as told:
        fetch = Fetch(house)
        for unusable in ((b"../up", b"a/b"), (b"../up", b"a/b"), (b"a/b",), (b"../up", b"a/b")):
            server.unusable = unusable
            fetch.run(partner, wishes, server)

    assert Counter(line["name"] for line in told) == {"../up": 2, "a/b": 1}


def test_a_server_that_is_down_is_known_to_be_down_since_when_and_why(remote, server):
    there = remote()
    partner = there.loop.folder / "partners.d" / "erp.toml"
    partner.write_text(partner.read_text().replace(f"port = {server.port}", "port = 1"))
    there.loop.restart()

    assert there.quick().look() == 0

    with there.loop.gateway.ledger.reading() as unit:
        known = remote_server_of(unit, "erp")
    assert known.down_since is not None
    assert known.next_try is not None
    assert "127.0.0.1" in known.trouble


def test_another_host_key_is_refused_and_nothing_is_fetched(remote, server):
    there = remote()
    drop(there.out, INVOICES)
    partner = there.loop.folder / "partners.d" / "erp.toml"
    partner.write_text(partner.read_text().replace(server.host_fingerprint, "SHA256:" + "A" * 43))
    there.loop.restart()

    assert there.quick().look() == 0

    with there.loop.gateway.ledger.reading() as unit:
        known = remote_server_of(unit, "erp")
    assert server.host_fingerprint in known.trouble
    assert names(there.out) == set(INVOICES)


def test_a_partner_whose_server_says_nothing_delays_nobody_else(remote, server):
    there = remote()
    drop(there.out, INVOICES)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        partner = there.loop.folder / "partners.d" / "edi.toml"
        wishes = 'connect_timeout = "60s"'
        mute = table(server, wishes).replace(f"port = {server.port}", f"port = {silent.getsockname()[1]}")
        partner.write_text(partner.read_text("utf-8") + mute.replace('connect_timeout = "5s"\n', ""), "utf-8")
        there.loop.restart()
        remotes = there.quick().loop.gateway.remotes
        deadline = time.monotonic() + 30
        while names(there.inbox) != set(INVOICES):
            remotes.look()
            assert time.monotonic() < deadline, "erp waited for edi"
            time.sleep(0.05)

        hand = remotes._lines["edi"].hand

        assert hand is not None
        assert not hand.done(), "its server has said nothing yet"
    hand.result(timeout=90)


def test_a_nightly_run_fetches_first_and_delivers_last(remote):
    there = remote()
    there.loop.restart()  # with the real quiet time
    drop(there.out, INVOICES)

    outcome = there.loop.run(Goal.ACKED)

    assert outcome.reached
    assert outcome.decided == 5
    assert names(there.out / ".taken") == set()
    rows = b"".join(path.read_bytes() for path in there.acks.iterdir()).decode()
    assert all(f"FA-{i}.xml" in rows for i in range(5))


def begun(there: Remote) -> Future[int]:
    """A fetch over a slow line that is in hand: the first bytes are here."""
    remotes = there.loop.gateway.remotes
    deadline = time.monotonic() + 30
    while not list((there.loop.folder / "erp" / ".fetched").glob("*")):
        remotes.look()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    hand = remotes._lines["erp"].hand
    assert hand is not None
    assert not hand.done()
    return hand


def test_a_stop_does_not_wait_for_a_slow_line(remote):
    there = remote('rate_bytes = "20kB"')
    whole = os.urandom(5_000_000)
    drop(there.out, {"large.bin": whole})
    there.look(rounds=0)
    remotes = there.loop.gateway.remotes
    hand = begun(there)

    stopped_at = time.monotonic()
    remotes.close()

    assert hand.done()
    assert time.monotonic() - stopped_at < 60, "at 20 kB a second it takes four minutes"
    with there.loop.gateway.ledger.reading() as unit:
        assert remote_server_of(unit, "erp").down_since is None, "a stop of ours is no fault of the server"


def test_a_changed_server_is_not_looked_at_twice_at_once(remote):
    there = remote('rate_bytes = "20kB"')
    drop(there.out, {"large.bin": os.urandom(5_000_000)})
    remotes = there.loop.gateway.remotes
    hand = begun(there)
    partner = there.loop.folder / "partners.d" / "erp.toml"
    partner.write_text(partner.read_text("utf-8").replace('every = "1s"', 'every = "2s"'), "utf-8")

    assert there.loop.configuration.reload().changed
    remotes.look()

    assert hand is not None
    assert remotes._lines["erp"].hand is hand or hand.done()
    hand.result(timeout=60)
