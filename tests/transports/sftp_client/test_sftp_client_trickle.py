"""Servers that are never quite silent: a byte now and then beats no deadline, and a hang-up waits for none of them."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import paramiko
import pytest

from gateway.transports.sftp_client import wire
from gateway.transports.sftp_client.connections import Connections
from gateway.transports.sftp_client.errors import Lost
from gateway.transports.sftp_client.packets import BoundedPacketizer
from gateway.transports.sftp_client.peer import HostKeys, Login, Peer, Timeouts
from gateway.transports.sftp_client.session import Session
from tests.transports.sftp_client import odd_server as odd
from tests.transports.sftp_client.odd_server import OddServer, running
from tests.transports.sftp_client.peers import HandTime, circuit_of

#: In seconds. Nothing here waits that long unless it is broken.
PATIENT = Timeouts(connect_s=600, banner_s=600, handshake_s=600, auth_s=600, answer_s=600)
ENDS_WITHIN_S = 60.0

HELLO = odd.text(struct.pack(">BI", 2, 3))
HELLO_WITH_LIMITS = odd.text(struct.pack(">BI", 2, 3) + odd.text(b"limits@openssh.com") + odd.text(b"1"))


@dataclass(slots=True)
class Drip:
    """A channel. What the server says of `whole` comes at once; after that a byte of a long packet every 300 ms, of a
    clock that moves by this alone. `taken`: how much of what we say the server takes in 300 ms; 0: all, at once."""

    time: HandTime
    whole: list[bytes]
    taken: int = 0
    timeouts: list[float] = field(default_factory=list)
    dripped: int = 0

    def settimeout(self, timeout: float) -> None:
        self.timeouts.append(timeout)

    def recv(self, limit: int) -> bytes:
        if self.whole:
            return self.whole.pop(0)
        self.time.now += 0.3
        self.dripped += 1
        assert self.dripped < 1_000, "it waits for ever"
        return struct.pack(">I", 200_000)[self.dripped - 1 : self.dripped] or b"x"

    def send(self, data: bytes) -> int:
        if self.taken:
            self.time.now += 0.3
        return min(len(data), self.taken or len(data))


def session_over(*whole: bytes, taken: int = 0) -> tuple[Drip, Callable[[], Session]]:
    time = HandTime()
    channel = Drip(time, list(whole), taken)
    return channel, lambda: Session(channel, "peer", 10.0, 64, lambda: time.now)  # type: ignore[arg-type]


@pytest.mark.parametrize("whole", [[], [HELLO_WITH_LIMITS]], ids=["the first packet", "the limits"])
def test_a_server_whose_first_words_trickle_is_given_up_in_time(whole: Iterable[bytes]) -> None:
    channel, opening = session_over(*whole)
    with pytest.raises(Lost, match="no answer for 10 s"):
        opening()
    assert channel.dripped * 0.3 <= 10.3
    assert max(channel.timeouts) <= 10


def test_an_answer_that_trickles_is_given_up_in_time() -> None:
    channel, opening = session_over(HELLO)
    session = opening()
    session.ask(None, wire.lstat(b"a"))
    session.send()
    with pytest.raises(Lost, match="no answer for 10 s"):
        session.receive()
    assert session.closed
    assert channel.dripped * 0.3 <= 10.3


def test_a_request_that_is_taken_byte_by_byte_is_given_up_in_time() -> None:
    channel, opening = session_over(HELLO)
    session = opening()
    channel.taken = 1
    session.ask(None, wire.write(b"handle", 0, bytes(10_000)))
    with pytest.raises(Lost, match="nothing was taken for 10 s"):
        session.send()


def test_answers_that_come_whole_one_after_another_have_their_time_each() -> None:
    answers = [odd.text(odd.status(number, 0)) for number in range(1, 41)]
    channel, opening = session_over(HELLO, *answers)
    session = opening()
    for _ in answers:
        session.ask(None, wire.remove(b"a"))
    session.send()
    for _ in answers:
        channel.time.now += 9
        assert len(session.receive()) == 1


def test_an_end_of_the_library_s_thread_by_anything_at_all_is_a_lost_connection() -> None:
    channel, opening = session_over(HELLO)
    session = opening()

    class Ended(Drip):
        def recv(self, limit: int) -> bytes:
            raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "of the server's\x07 making")

    session._channel = Ended(channel.time, [])
    session.ask(None, wire.lstat(b"a"))
    session.send()
    with pytest.raises(Lost, match="of the server's") as caught:
        session.receive()
    assert "\x07" not in str(caught.value)


class _OneByte:
    """A socket that gives and takes a byte, always."""

    def recv(self, limit: int) -> bytes:
        return b"x"

    def send(self, data: bytes) -> int:
        time.sleep(0.001)
        return 1


def test_an_ssh_packet_that_is_taken_byte_by_byte_is_given_up() -> None:
    with pytest.raises(EOFError):
        BoundedPacketizer(_OneByte(), stall_s=0.1).write_all(bytes(5_000))


def test_an_ssh_packet_that_comes_byte_by_byte_is_left_once_the_line_is_closed() -> None:
    packetizer = BoundedPacketizer(_OneByte())
    packetizer._Packetizer__closed = True  # type: ignore[attr-defined]
    with pytest.raises(EOFError):
        packetizer.read_all(5_000)


def test_a_hang_up_breaks_off_a_session_that_never_begins() -> None:
    server = OddServer(silent_subsystem=True)
    ended: list[BaseException] = []

    def borrowing(connections: Connections) -> None:
        try:
            connections.borrow()
        except Lost as error:
            ended.append(error)

    with running(server):
        pins = HostKeys((server.fingerprint,))
        peer = Peer("127.0.0.1", Login("u", password=server.password), pins, port=server.port, timeouts=PATIENT)
        connections = Connections(peer, circuit_of(HandTime()))
        thread = threading.Thread(target=borrowing, args=(connections,), daemon=True)
        thread.start()
        deadline = time.monotonic() + ENDS_WITHIN_S
        while not any(_begins(one) for one in list(connections._openings)) and time.monotonic() < deadline:
            time.sleep(0.01)
        connections.hang_up()
        thread.join(ENDS_WITHIN_S)
    assert "hung up" in str(ended)


def _begins(opening: object) -> bool:
    """Logged in: what is waited for is the session."""
    held = getattr(opening, "_held", None)
    return isinstance(held, paramiko.Transport) and bool(held._channels)  # type: ignore[attr-defined]


class _Rekeying(paramiko.ServerInterface):
    """Lets anybody in; begins new keys once `begin` is set, and says no more."""

    def __init__(self) -> None:
        self.begin = threading.Event()

    def check_auth_password(self, username: str, password: str) -> int:
        return paramiko.common.AUTH_SUCCESSFUL

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.common.OPEN_SUCCEEDED

    def check_channel_subsystem_request(self, channel: paramiko.Channel, name: str) -> bool:
        threading.Thread(target=self._serve, args=(channel,), daemon=True).start()
        return True

    def _serve(self, channel: paramiko.Channel) -> None:
        channel.recv(100)
        channel.sendall(HELLO)
        self.begin.wait(ENDS_WITHIN_S)
        transport = channel.get_transport()
        transport._parse_kex_init = lambda _: threading.Event().wait(ENDS_WITHIN_S)  # type: ignore[attr-defined]
        transport._send_kex_init()  # type: ignore[attr-defined]


def test_a_hang_up_does_not_wait_for_a_server_that_began_new_keys_and_fell_silent() -> None:
    key = paramiko.ECDSAKey.generate()
    rekeying = _Rekeying()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        line, _ = listener.accept()
        transport = paramiko.Transport(line)
        transport.add_server_key(key)
        transport.start_server(server=rekeying)

    threading.Thread(target=serve, daemon=True).start()
    pins = HostKeys((str(key.fingerprint),))
    peer = Peer("127.0.0.1", Login("u", password="x"), pins, port=listener.getsockname()[1])
    connections = Connections(peer, circuit_of(HandTime()))
    connection = connections.borrow()
    connections.give_back(connection)
    transport = connection._transport
    transport.clear_to_send_timeout = 600.0  # type: ignore[attr-defined]
    rekeying.begin.set()
    deadline = time.monotonic() + ENDS_WITHIN_S
    while transport.clear_to_send.is_set() and time.monotonic() < deadline:  # type: ignore[attr-defined]
        time.sleep(0.01)
    assert not transport.clear_to_send.is_set()  # type: ignore[attr-defined]

    thread = threading.Thread(target=connections.hang_up, daemon=True)
    thread.start()
    thread.join(ENDS_WITHIN_S)

    listener.close()
    assert not thread.is_alive()
    assert not transport.is_active()
