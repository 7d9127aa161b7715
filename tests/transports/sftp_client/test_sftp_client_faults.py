"""A line that is cut, stalls, is half-open, garbles or is slow: every file arrives once, whole, or not at all."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.transports.local import is_temporary
from gateway.transports.sftp_client import wire
from gateway.transports.sftp_client.circuit import Circuit
from gateway.transports.sftp_client.connections import Connections
from gateway.transports.sftp_client.errors import HostKeyRefused, Lost, SftpError, Unreachable
from gateway.transports.sftp_client.folder import RemoteFolder
from gateway.transports.sftp_client.opening import Opening
from gateway.transports.sftp_client.peer import Bounds, HostKeys, Peer, Timeouts
from gateway.transports.sftp_client.pool import Pool
from gateway.transports.sftp_client.results import Failed, Fetched, Put, Why
from tests.transports.fault_proxy import Fault, FaultProxy, Plan, always, first, running_proxy
from tests.transports.sftp_client.peers import HandTime, circuit_of, opened, peer_of, write_files
from tests.transports.sshd import Sshd, free_port

#: What a handshake and a login take, roughly; cuts fall behind it.
HANDSHAKE_BYTES = 6_000


def through(sshd: Sshd, proxy: FaultProxy, answer_s: float = 5.0) -> Peer:
    return peer_of(sshd, port=proxy.port, timeouts=Timeouts(5, 5, 5, 5, answer_s))


def cut_every_few(seed: int, down: bool, size: int) -> Plan:
    """Each connection is cut after a few files' worth of bytes, some already in the handshake."""
    dice = random.Random(seed)

    def plan(_: int) -> Fault:
        after = HANDSHAKE_BYTES + dice.randrange(0, 24 * size) if dice.random() > 0.05 else dice.randrange(3_000)
        return Fault(cut_down=after) if down else Fault(cut_up=after)

    return plan


def fetch_all(folder: RemoteFolder, here: Path) -> list[Fetched]:
    """As the gateway does: look, fetch, keep; again until nothing is left."""
    kept: list[Fetched] = []
    for _ in range(50):
        known = {one.look.name for one in kept}
        with suppress(SftpError):
            looks = folder.list(known).looks
            if not looks:
                return kept
            kept += [one for one in folder.fetch_many(looks, here) if isinstance(one, Fetched)]
        folder._pool._connections._circuit.worked()
    return kept


def test_a_thousand_files_arrive_once_and_identical_over_a_line_cut_every_few(
    sshd: Sshd, here: Path, there: Path
) -> None:
    contents = write_files(there, 1_000)
    with running_proxy(sshd.port, cut_every_few(7, True, 10_000)) as proxy:
        with opened(through(sshd, proxy), there) as folder:
            kept = fetch_all(folder, here)
        cuts = proxy.connections
    assert cuts > 50
    assert Counter(one.look.name for one in kept) == Counter(contents.keys())
    for one in kept:
        assert one.path.read_bytes() == contents[one.look.name]
    assert len(list(here.iterdir())) == 1_000  # nothing half is left


def test_a_thousand_files_are_put_whole_over_a_line_cut_every_few(sshd: Sshd, there: Path, tmp_path: Path) -> None:
    contents = write_files(tmp_path / "ours", 1_000)
    owed = dict(contents)
    with running_proxy(sshd.port, cut_every_few(11, False, 10_000)) as proxy:
        with opened(through(sshd, proxy), there) as folder:
            for _ in range(50):
                if not owed:
                    break
                for one in folder.put_many(list(owed.items())):
                    for path in there.iterdir():
                        if not is_temporary(path.name.encode()) and path.name.encode() == one.name:
                            assert path.read_bytes() == contents[one.name]
                    if isinstance(one, Put):
                        del owed[one.name]
                folder._pool._connections._circuit.worked()
        cuts = proxy.connections
    assert cuts > 50
    assert {path.name.encode(): path.read_bytes() for path in there.iterdir()} == contents


def test_nothing_half_is_ever_seen_under_a_final_name_when_put(sshd: Sshd, there: Path, tmp_path: Path) -> None:
    """Whatever the byte at which the line breaks, and with no further attempt."""
    content = bytes(range(256)) * 400
    for after in range(HANDSHAKE_BYTES - 3_000, HANDSHAKE_BYTES + 110_000, 7_919):
        with (
            running_proxy(sshd.port, always(Fault(cut_up=after))) as proxy,
            opened(through(sshd, proxy), there) as folder,
        ):
            list(folder.put_many([(b"ack.xml", content)]))
        if (there / "ack.xml").exists():
            assert (there / "ack.xml").read_bytes() == content
            (there / "ack.xml").unlink()


def test_a_file_that_the_partner_took_at_once_is_not_put_again_when_the_answer_was_lost(
    sshd: Sshd, there: Path
) -> None:
    """The rename was done, its answer never came, and the partner has read and deleted the file since."""
    seen: list[bytes] = []
    done = False

    with opened(peer_of(sshd), there) as folder:
        connection = folder._pool._connections.borrow()
        receive = connection.session.receive

        def stealing() -> object:
            nonlocal done
            replies = receive()
            if not done and (there / "ack.csv").exists():
                done = True
                seen.append((there / "ack.csv").read_bytes())
                (there / "ack.csv").unlink()
                raise connection.session._lost("cut")
            return replies

        connection.session.receive = stealing  # type: ignore[method-assign,assignment]
        folder._pool._connections.give_back(connection)
        (result,) = folder.put_many([(b"ack.csv", b"told once")])
    assert isinstance(result, Put)
    assert seen == [b"told once"]
    assert list(there.iterdir()) == []


def test_a_large_file_goes_on_over_the_next_connections(sshd: Sshd, here: Path, there: Path) -> None:
    content = random.Random(3).randbytes(12_000_000)
    (there / "big.pdf").write_bytes(content)
    with running_proxy(sshd.port, always(Fault(cut_down=3_000_000))) as proxy:
        with opened(through(sshd, proxy), there) as folder:
            (result,) = folder.fetch_many(folder.list().looks, here)
        assert isinstance(result, Fetched)
        assert result.path.read_bytes() == content
        assert 5 <= proxy.connections <= 12
        # Without resuming it would never have come at all.
        assert proxy.down_bytes < 2 * len(content)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(stall_down=60_000),
        Fault(half_open=60_000),
        Fault(garbage_down=60_000),
        Fault(stall_down=100),
        Fault(garbage_down=30),
        Fault(half_open=2_000),
    ],
    ids=str,
)
def test_a_first_connection_that_goes_wrong_costs_its_timeout_and_no_file(
    sshd: Sshd, here: Path, there: Path, fault: Fault
) -> None:
    contents = write_files(there, 50)
    timeouts = Timeouts(connect_s=1, banner_s=0.5, handshake_s=0.5, auth_s=0.5, answer_s=0.5)
    with (
        running_proxy(sshd.port, first(fault)) as proxy,
        opened(replace(through(sshd, proxy), timeouts=timeouts), there) as folder,
    ):
        kept = fetch_all(folder, here)
    assert Counter(one.look.name for one in kept) == Counter(contents.keys())
    assert all(one.path.read_bytes() == contents[one.look.name] for one in kept)


def test_a_slow_line_in_tiny_pieces_changes_nothing(sshd: Sshd, here: Path, there: Path) -> None:
    contents = write_files(there, 20, size=2_000)
    with running_proxy(sshd.port, always(Fault(piece=17))) as proxy, opened(through(sshd, proxy), there) as folder:
        results = list(folder.fetch_many(folder.list().looks, here))
    assert all(isinstance(one, Fetched) and one.path.read_bytes() == contents[one.look.name] for one in results)
    assert len(results) == 20


def test_over_a_long_line_the_answers_are_not_waited_for_one_by_one(sshd: Sshd, here: Path, there: Path) -> None:
    """Counted, not timed: what is sent for 64 files goes out in a few flights."""
    write_files(there, 64, size=1_000)
    with running_proxy(sshd.port, always(Fault(delay_s=0.02))) as proxy, opened(through(sshd, proxy), there) as folder:
        looks = folder.list().looks
        session = (connection := folder._pool._connections.borrow()).session
        folder._pool._connections.give_back(connection)
        flights = 0
        receive = session.receive

        def counting() -> object:
            nonlocal flights
            flights += 1
            return receive()

        session.receive = counting  # type: ignore[method-assign,assignment]
        assert len(list(folder.fetch_many(looks, here))) == 64
    # Look and open, read, look and close: three turns, each in a few packets; one by one it would be 256.
    assert flights < 60


def test_a_server_that_is_down_rests_and_is_tried_again_later(sshd: Sshd, here: Path, there: Path) -> None:
    write_files(there, 3, size=10)
    time = HandTime()
    port = free_port()
    circuit = circuit_of(time)
    connections = Connections(peer_of(sshd, port=port), circuit, time.chance())
    folder = RemoteFolder(Pool(connections), str(there).encode())
    with pytest.raises(Unreachable):
        folder.list()
    down = circuit.health
    assert not down.up
    assert down.since == time.utc()
    assert down.next_try == time.utc() + timedelta(seconds=7.5)
    assert not down.needs_a_person

    tried = connections._opener = _Counted()
    with pytest.raises(Unreachable, match="next try"):
        folder.list()
    (result,) = folder.put_many([(b"a", b"a")])
    assert isinstance(result, Failed)
    assert result.why is Why.CONNECTION
    assert tried.count == 0  # nobody waited for it

    time.now += 8
    with pytest.raises(Unreachable):
        folder.list()
    assert tried.count == 1
    assert circuit.health.failures == 2
    assert circuit.health.since == down.since
    assert time.slept == []


class _Counted:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self, peer: Peer, opening: Opening) -> object:
        self.count += 1
        raise Unreachable("still down")


def test_a_server_that_is_back_is_up_again(sshd: Sshd, there: Path) -> None:
    time = HandTime()
    circuit = circuit_of(time)
    circuit.failed(Unreachable("was down"))
    time.now += 3600
    pool = Pool(Connections(peer_of(sshd), circuit, time.chance()))
    RemoteFolder(pool, str(there).encode()).list()
    pool.close()
    assert circuit.health.up
    assert circuit.health.since is None


def test_the_rest_grows_with_each_failure_and_has_an_end() -> None:
    time = HandTime()
    circuit = circuit_of(time, 1.0)
    waits = []
    for _ in range(12):
        circuit.failed(Unreachable("down"))
        assert circuit.health.next_try is not None
        waits.append((circuit.health.next_try - time.utc()).total_seconds())
    assert waits[:4] == [10, 20, 40, 80]
    assert waits[-1] == 600


@pytest.mark.parametrize("hours", [-3, 3])
def test_a_clock_that_is_set_neither_stops_the_tries_nor_hurries_them(hours: int) -> None:
    time = HandTime()
    shift = timedelta()
    circuit = Circuit(lambda: time.utc() + shift, lambda: 1.0, lambda: time.now)
    circuit.failed(Unreachable("down"))
    shift = timedelta(hours=hours)
    time.now += 9
    with pytest.raises(Unreachable, match="next try"):
        circuit.check()
    time.now += 2
    circuit.check()


def test_a_refused_host_key_needs_a_person_and_is_not_retried_in_one_run(sshd: Sshd, here: Path, there: Path) -> None:
    time = HandTime()
    circuit = circuit_of(time)
    pool = Pool(Connections(peer_of(sshd, host_keys=HostKeys(("SHA256:wrong",))), circuit, time.chance()))
    with pytest.raises(HostKeyRefused):
        RemoteFolder(pool, str(there).encode()).list()
    assert circuit.health.needs_a_person
    assert "SHA256:wrong" in circuit.health.reason
    assert time.slept == []


FETCHING = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from gateway.transports.sftp_client.circuit import Circuit
from gateway.transports.sftp_client.connections import Connections
from gateway.transports.sftp_client.folder import RemoteFolder
from gateway.transports.sftp_client.opening import Opening
from gateway.transports.sftp_client.peer import HostKeys, KeyFile, Login, Peer
from gateway.transports.sftp_client.pool import Pool
port, user, key, pin, there, here, ours = sys.argv[1:]
peer = Peer("127.0.0.1", Login(user, (KeyFile(Path(key)),)), HostKeys((pin,)), port=int(port))
folder = RemoteFolder(Pool(Connections(peer, Circuit(lambda: datetime.now(UTC)))), there.encode())
for one in folder.fetch_many(folder.list().looks, Path(here)):
    print(one.look.name.decode(), flush=True)
for one in folder.below(b"out").put_many((path.name.encode(), path) for path in Path(ours).iterdir()):
    print(one.name.decode(), flush=True)
"""


@pytest.mark.parametrize("after", [0, 1, 37, 250, 310, 480])
def test_a_kill_at_any_time_leaves_nothing_half_under_a_final_name(
    sshd: Sshd, here: Path, there: Path, tmp_path: Path, after: int
) -> None:
    contents = write_files(there, 300, size=20_000)
    owed = write_files(tmp_path / "ours", 300, size=20_000)
    (there / "out").mkdir()
    arguments = (sshd.port, sshd.user, sshd.user_key, sshd.host_fingerprint, there, here, tmp_path / "ours")
    command = [sys.executable, "-c", FETCHING, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(after):
            process.stdout.readline()
        process.kill()
    whole = [path.read_bytes() for path in here.iterdir() if path.suffix == ".fetched"]
    assert len(whole) >= min(after, 300)
    assert not Counter(whole) - Counter(contents.values())
    for path in (there / "out").iterdir():
        if not is_temporary(path.name.encode()):
            assert path.read_bytes() == owed[path.name.encode()]

    # The next run, as after a restart, makes good what is missing and clears what was half.
    with opened(peer_of(sshd), there) as folder:
        assert {one.look.name for one in folder.fetch_many(folder.list().looks, here) if isinstance(one, Fetched)} == (
            set(contents)
        )
        assert all(isinstance(one, Put) for one in folder.below(b"out").put_many(owed.items()))
    assert sorted(path.read_bytes() for path in here.iterdir()) == sorted(contents.values())
    assert {path.name.encode(): path.read_bytes() for path in (there / "out").iterdir()} == owed


def test_a_put_that_the_connection_failed_is_settled_by_the_next_call(sshd: Sshd, there: Path) -> None:
    """The rename was done and its answer lost, nobody could be reached after that, and the partner took the file."""
    with opened(peer_of(sshd), there) as folder:
        connections = folder._pool._connections
        connection = connections.borrow()
        receive = connection.session.receive

        def losing() -> object:
            replies = receive()
            if (there / "ack.csv").exists():
                (there / "ack.csv").unlink()
                raise connection.session._lost("cut")
            return replies

        connection.session.receive = losing  # type: ignore[method-assign,assignment]
        connections.give_back(connection)
        opener, connections._opener = connections._opener, _Counted()  # type: ignore[assignment]
        (lost,) = folder.put_many([(b"ack.csv", b"told once")])
        assert isinstance(lost, Failed)
        connections._opener = opener
        connections._circuit.worked()
        (result,) = folder.put_many([(b"ack.csv", b"told once")])
        assert isinstance(result, Put)
        assert list(there.iterdir()) == []
        # Other bytes under that name are another file.
        (result,) = folder.put_many([(b"ack.csv", b"another")])
    assert (there / "ack.csv").read_bytes() == b"another"


def test_a_call_within_a_loop_over_another_never_waits_for_ever(sshd: Sshd, here: Path, there: Path) -> None:
    write_files(there, 3, size=10)
    peer = peer_of(sshd, bounds=Bounds(connections=1), timeouts=Timeouts(answer_s=0.3))
    with opened(peer, there) as folder:
        for _ in folder.fetch_many(folder.list().looks, here):
            with pytest.raises(Lost, match="all 1 connections are in use"):
                folder.list()
            break
    with opened(peer_of(sshd), there) as folder:
        for one in folder.fetch_many(folder.list().looks, here):
            assert isinstance(one, Fetched)
            list(folder.remove_many([one.look.name]))
    assert list(there.iterdir()) == []


def test_a_refused_rename_is_never_taken_for_done_when_the_line_is_cut_after_it(sshd: Sshd, there: Path) -> None:
    """A folder stands in the way. Its own temporary file gone is then no sign that the rename was done."""
    (there / "ack.csv").mkdir()
    (there / "ack.csv" / "x").write_bytes(b"")
    with opened(peer_of(sshd), there) as folder:
        connections = folder._pool._connections
        connection = connections.borrow()
        session = connection.session
        receive, asked = session.receive, session.ask

        def asking(owner: object, request: wire.Request) -> None:
            session.removing = request.kind == wire.REMOVE  # type: ignore[attr-defined]
            asked(owner, request)

        def losing() -> object:
            replies = receive()
            if getattr(session, "removing", False):
                raise session._lost("cut")
            return replies

        session.ask, session.receive = asking, losing  # type: ignore[method-assign,assignment]
        connections.give_back(connection)
        (result,) = folder.put_many([(b"ack.csv", b"content")])
    assert isinstance(result, Failed)
    assert result.why is Why.FAILED
    assert [path.name for path in there.iterdir()] == ["ack.csv"]


def test_a_large_file_that_never_gets_further_is_given_up(sshd: Sshd, here: Path, there: Path) -> None:
    """What is here is spoilt between the connections, so that each begins anew."""
    (there / "big.pdf").write_bytes(bytes(4_000_000))
    with running_proxy(sshd.port, always(Fault(cut_down=2_500_000))) as proxy:
        peer = replace(through(sshd, proxy), bounds=Bounds(file_bytes=4_000_000))
        with opened(peer, there) as folder:
            connect, looks = folder._pool._connections._opener, folder.list().looks
            folder._pool.close()

            def spoiling(to: Peer, opening: Opening) -> object:
                for part in here.iterdir():
                    part.write_bytes(b"x" * 2_000_000)
                return connect(to, opening)

            folder._pool._connections._opener = spoiling  # type: ignore[assignment]
            (result,) = folder.fetch_many(looks, here)
    assert isinstance(result, Failed)
    assert result.why is Why.CONNECTION
    assert proxy.connections < 20
