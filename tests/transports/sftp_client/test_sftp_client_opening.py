"""Servers that would keep us opening a connection for ever, or that make the SSH library fall over."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import paramiko
import pytest

from gateway.transports.sftp_client.connection import connect
from gateway.transports.sftp_client.connections import Connections
from gateway.transports.sftp_client.errors import HostKeyRefused, Lost, Unreachable
from gateway.transports.sftp_client.login import log_in
from gateway.transports.sftp_client.peer import HostKeys, Login, Peer, Timeouts
from tests.transports.sftp_client import odd_server as odd
from tests.transports.sftp_client.peers import HandTime, circuit_of

PATIENT = Timeouts(connect_s=10, banner_s=10, handshake_s=20, auth_s=20, answer_s=20)


def peer_at(port: int, timeouts: Timeouts = PATIENT, pin: str = "SHA256:" + "A" * 43) -> Peer:
    return Peer("127.0.0.1", Login("u", password="x"), HostKeys((pin,)), port=port, timeouts=timeouts)


@contextmanager
def serving(one: Callable[[socket.socket], object]) -> Iterator[tuple[int, list[socket.socket]]]:
    """A port, and the connections that were accepted there: each is given to `one` in a thread of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    accepted: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            accepted.append(line)
            threading.Thread(target=one, args=(line,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1], accepted
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for line in accepted:
            line.close()


def test_a_server_that_shows_another_kind_of_key_than_agreed_is_asked_once_for_each_kind() -> None:
    """It agrees on nistp256 and shows a key of nistp384: which of the two is done with? Both."""
    key = paramiko.ECDSAKey.generate(bits=384)

    def one(line: socket.socket) -> None:
        transport = paramiko.Transport(line)
        transport.server_key_dict["ecdsa-sha2-nistp256"] = key
        transport.start_server(event=threading.Event(), server=paramiko.ServerInterface())

    refused: list[BaseException] = []

    def connecting(port: int) -> None:
        with pytest.raises(HostKeyRefused) as caught:
            connect(peer_at(port))
        refused.append(caught.value)

    with serving(one) as (port, accepted):
        thread = threading.Thread(target=connecting, args=(port,), daemon=True)
        thread.start()
        thread.join(60)
        assert refused
    # The second connection is the one that finds no kind in common any more.
    assert len(accepted) <= 2


def test_a_hang_up_breaks_off_what_is_being_opened_and_the_server_is_not_blamed() -> None:
    """It says which version it speaks, and then nothing."""
    circuit = circuit_of(HandTime())
    ended: list[BaseException] = []

    def borrowing(connections: Connections) -> None:
        try:
            connections.borrow()
        except Lost as error:
            ended.append(error)

    spoken = threading.Event()

    def one(line: socket.socket) -> None:
        line.sendall(b"SSH-2.0-odd\r\n")
        line.recv(4096)
        spoken.set()

    with serving(one) as (port, _):
        connections = Connections(peer_at(port, Timeouts(connect_s=600, banner_s=600, handshake_s=600)), circuit)
        thread = threading.Thread(target=borrowing, args=(connections,), daemon=True)
        thread.start()
        assert spoken.wait(60)
        connections.hang_up()
        thread.join(60)
    assert "hung up" in str(ended)
    assert circuit.health.up


def key_exchange(*lists: bytes) -> bytes:
    """A KEXINIT packet, in plain, with these lists of names."""
    payload = bytes([20]) + bytes(16) + b"".join(odd.text(names) for names in lists) + bytes(5)
    padding = 16 - (len(payload) + 5) % 8
    return struct.pack(">IB", len(payload) + padding + 1, padding) + payload + bytes(padding)


FALLS = {
    "names that are no UTF-8": key_exchange(b"\xff\xfe", *[b"a"] * 9),
    "a list without end": key_exchange(b"a", b"b")[:-30] + b"\xff" * 30,
    "an empty exchange": key_exchange(),
}


@pytest.mark.parametrize("packet", list(FALLS))
def test_bytes_that_make_the_library_fall_over_say_that_the_server_is_down(packet: str) -> None:
    def one(line: socket.socket) -> None:
        line.sendall(b"SSH-2.0-odd\r\n" + FALLS[packet])
        line.recv(4096)

    circuit = circuit_of(HandTime())
    with serving(one) as (port, _):
        connections = Connections(peer_at(port), circuit, HandTime().chance())
        with pytest.raises(Unreachable):
            connections.borrow()
    assert not circuit.health.up


class _Falling:
    """A transport whose login ends as paramiko's may: by anything at all."""

    def auth_password(self, user: str, password: str) -> list[str]:
        raise IndexError("list index out of range")

    def is_active(self) -> bool:
        return False

    def is_authenticated(self) -> bool:
        return False


def test_a_login_that_makes_the_library_fall_over_is_a_lost_connection() -> None:
    with pytest.raises(Lost, match="ended during login: list index"):
        log_in(_Falling(), peer_at(22))  # type: ignore[arg-type]
