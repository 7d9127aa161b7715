"""Servers that let us in and are of no use then: they rest like those that do not answer at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.transports.sftp_client.errors import ConnectionTrouble
from gateway.transports.sftp_client.peer import HostKeys, Login, Peer, Timeouts
from gateway.transports.sftp_client.results import Failed, Put, Why
from tests.transports.sftp_client import odd_server as odd
from tests.transports.sftp_client.odd_server import OddServer, Twist, running
from tests.transports.sftp_client.peers import HandTime, opened

NONSENSE = b"RAW:\xff\xff\xff\xff"
#: Connections over which one job is tried in a round.
TRIES = 3


def peer_of(server: OddServer) -> Peer:
    pins = HostKeys((server.fingerprint,))
    return Peer(
        "127.0.0.1", Login("u", password=server.password), pins, port=server.port, timeouts=Timeouts(answer_s=20)
    )


def nonsense_to(request: int) -> Twist:
    return lambda kind, _, honest: NONSENSE if kind == request else honest


@pytest.mark.parametrize("request_", [odd.OPENDIR, odd.READDIR], ids=["at once", "after one answer"])
def test_a_server_that_never_lists_its_folder_rests_longer_each_time_until_it_does(request_: int) -> None:
    server, time = OddServer(files={b"in/a": b"x"}, twist=nonsense_to(request_)), HandTime()
    with running(server), opened(peer_of(server), b"in", time) as folder:
        for _ in range(6):
            with pytest.raises(ConnectionTrouble):
                folder.list()
        assert server.requests.count(odd.INIT) == TRIES
        assert (folder._pool.health.up, folder._pool.health.failures) == (False, 1)

        time.now += 10
        for _ in range(6):
            with pytest.raises(ConnectionTrouble):
                folder.list()
        assert server.requests.count(odd.INIT) == 2 * TRIES
        assert folder._pool.health.failures == 2

        time.now += 20
        server.twist = None
        assert [look.name for look in folder.list().looks] == [b"a"]
        assert folder._pool.health.up


def test_a_server_that_answers_nothing_rests_when_a_file_is_put_too() -> None:
    server = OddServer(twist=lambda kind, _, honest: honest if kind == odd.INIT else NONSENSE)
    with running(server), opened(peer_of(server), b"in", HandTime()) as folder:
        for _ in range(6):
            (result,) = folder.put_many([(b"ack.csv", b"x")])
            assert isinstance(result, Failed)
            assert result.why is Why.CONNECTION
    assert server.requests.count(odd.INIT) == TRIES


def test_one_file_that_makes_a_server_fall_over_does_not_stop_what_else_is_to_be_done(here: Path) -> None:
    """It answered for that file, and fell over when it was to read it."""
    server = OddServer(files={b"in/bad": b"x"}, twist=nonsense_to(odd.READ))
    with running(server), opened(peer_of(server), b"in", HandTime()) as folder:
        (result,) = folder.fetch_many(folder.list().looks, here)
        assert isinstance(result, Failed)
        assert folder._pool.health.up
        (put,) = folder.put_many([(b"ack.csv", b"x")])
    assert isinstance(put, Put)
