"""Too many connections at once: who gives way, and who does not notice."""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import dataclass

import paramiko

from gateway.transports.sftp_server.doorway import first_to_go, hindmost
from tests.transports.sftp_server.house import House, wait_until


@dataclass
class Caller:
    address: str
    number: int = 0


def half_open(house: House, source: str) -> socket.socket:
    """A connection that never logs in, and is known to the server."""
    assert house.server is not None
    connection = socket.create_connection(("127.0.0.1", house.port), source_address=(source, 0))
    connection.settimeout(20)
    assert connection.recv(4) == b"SSH-"
    return connection


def test_whoever_crowds_the_door_gives_way_and_nobody_else() -> None:
    crowd = [Caller("192.0.2.1", 1), *(Caller("198.51.100.7", n) for n in range(2, 5)), Caller("192.0.2.2", 5)]

    assert first_to_go(crowd, "203.0.113.9", most=6, share=4) is None
    assert first_to_go(crowd, "203.0.113.9", most=5, share=4) == Caller("198.51.100.7", 2)
    assert first_to_go(crowd, "198.51.100.7", most=100, share=3) == Caller("198.51.100.7", 2)
    assert first_to_go(crowd, "192.0.2.1", most=100, share=1) == Caller("192.0.2.1", 1)
    assert hindmost(crowd) == Caller("198.51.100.7", 2) and hindmost([]) is None


def test_an_address_in_ipv6_is_its_network() -> None:
    crowd = [Caller("2001:db8:2::1"), Caller("2001:db8:1::1"), Caller("2001:db8:1::2")]

    assert hindmost(crowd) == Caller("2001:db8:1::1")


def test_an_address_that_connects_without_end_drops_its_own_connections_only(house: House) -> None:
    house.set(half_open=8)
    slow = paramiko.Transport(socket.create_connection(("127.0.0.1", house.port), source_address=("127.0.0.3", 0)))
    slow.start_client(timeout=15)

    flood = [half_open(house, "127.0.0.2") for _ in range(40)]
    slow.auth_publickey("acme", paramiko.Ed25519Key(filename=str(house.key("acme"))))
    flood += [half_open(house, "127.0.0.2") for _ in range(10)]

    assert slow.is_authenticated()
    slow.open_session(timeout=10)
    assert {e.address for e in house.operations("disconnect")} == {"127.0.0.2"}
    assert house.server is not None
    living = [s for s in house.server._sessions if s.account is None and not (s.stopped or s.over.is_set())]
    assert len(living) == 2  # a quarter of `half_open`
    slow.close()
    for connection in flood:
        connection.close()


def test_the_bound_of_all_connections_holds_while_somebody_is_not_logged_in(house: House) -> None:
    house.set(connections=4)
    waits = half_open(house, "127.0.0.2")

    held = [house.connect() for _ in range(4)]  # the last one in place of the one that waits
    late = socket.create_connection(("127.0.0.1", house.port))
    late.settimeout(20)
    refused = late.recv(100)

    assert refused == b"" and all(transport.is_active() for transport in held)
    assert [e.address for e in house.operations("disconnect")] == ["127.0.0.2"]
    wait_until(lambda: [e.detail for e in house.operations("connect")] == ["too many connections"])
    for transport in held:
        transport.close()
    waits.close()
    late.close()
    wait_until(lambda: house.server and house.server.sessions == 0)


def test_whoever_logs_in_when_all_places_are_taken_is_refused(house: House) -> None:
    house.set(connections=2)
    held = [house.connect()]
    waits = paramiko.Transport(("127.0.0.1", house.port))
    waits.start_client(timeout=15)
    assert house.server is not None
    with house.server._lock:  # as when two log in that were let in at the same moment
        house.server._settings = house.settings.__class__(house.settings.host_keys, connections=1)

    with suppress(paramiko.SSHException):
        waits.auth_publickey("acme", paramiko.Ed25519Key(filename=str(house.key("acme"))))
    entered = waits.is_authenticated()
    waits.close()
    for transport in held:
        transport.close()

    assert not entered and house.operations("login")[-1].detail == "Too many connections"
