"""There is nothing here but SFTP, and paramiko's own gaps are closed."""

from __future__ import annotations

import socket
import struct

import paramiko
import pytest
from paramiko import Message

from gateway.transports.sftp_server import Outcome, algorithms
from gateway.transports.sftp_server.session import Session
from tests.transports.sftp_server import raw
from tests.transports.sftp_server.house import House, wait_until
from tests.transports.sftp_server.raw import RawClient, string, u32, u64


@pytest.mark.parametrize("what", ["shell", "exec"])
def test_shells_and_commands_are_refused_with_a_reason(house: House, what: str) -> None:
    transport = house.connect()
    channel = transport.open_session(timeout=10)
    channel.settimeout(10)

    channel.invoke_shell() if what == "shell" else channel.exec_command("touch /tmp/never; id")
    told, output, status = channel.recv_stderr(1000), channel.recv(1000), channel.recv_exit_status()
    transport.close()

    assert b"SFTP only" in told and output == b"" and status == 1
    assert [e.outcome for e in house.operations("channel")] == [Outcome.REFUSED]


@pytest.mark.parametrize("what", ["pty", "x11", "agent", "environment", "netconf"])
def test_other_requests_are_refused(house: House, what: str) -> None:
    transport = house.connect()
    channel = transport.open_session(timeout=10)

    with pytest.raises(paramiko.SSHException):
        match what:
            case "pty":
                channel.get_pty()
            case "x11":
                channel.request_x11()
            case "agent":
                _wait_for(channel, "auth-agent-req@openssh.com")
            case "environment":
                channel.set_environment_variable("LD_PRELOAD", "/tmp/x.so")
                _wait_for(channel, "env", string(b"LD_PRELOAD") + string(b"x"))
            case _:
                channel.invoke_subsystem(what)
    transport.close()


def _wait_for(channel: paramiko.Channel, request: str, body: bytes = b"") -> None:
    """A channel request by hand; raises when it is refused."""
    message = Message()
    message.add_byte(b"\x62")
    message.add_int(channel.remote_chanid)
    message.add_string(request)
    message.add_boolean(True)
    message.add_bytes(body)
    channel._event_pending()  # type: ignore[attr-defined]
    channel.transport._send_user_message(message)  # type: ignore[union-attr]
    channel._wait_for_event()  # type: ignore[attr-defined]


def test_a_channel_takes_one_subsystem_only(house: House) -> None:
    transport = house.connect()
    client = RawClient(transport)

    with pytest.raises(paramiko.SSHException):
        client.channel.invoke_subsystem("sftp")
    transport.close()


@pytest.mark.parametrize(
    "kind", ["direct-tcpip", "x11", "auth-agent@openssh.com", "forwarded-tcpip", "tun@openssh.com"]
)
def test_no_channel_but_a_session_opens(house: House, kind: str) -> None:
    transport = house.connect()

    with pytest.raises(paramiko.ChannelException) as refused:
        transport.open_channel(kind, ("127.0.0.1", 22), ("127.0.0.1", 1), timeout=10)
    transport.close()

    assert refused.value.code == 1


def test_ports_are_not_forwarded(house: House) -> None:
    transport = house.connect()

    with pytest.raises(paramiko.SSHException):
        transport.request_port_forward("127.0.0.1", 0)
    transport.close()


def test_channels_of_one_connection_are_bounded(house: House) -> None:
    house.set(channels_per_connection=3)
    transport = house.connect()
    clients = [RawClient(transport) for _ in range(3)]

    with pytest.raises(paramiko.ChannelException):
        transport.open_session(timeout=10)
    codes = [client.put(b"in/f%d" % number, b"x").code for number, client in enumerate(clients)]
    clients[0].channel.close()
    wait_until(lambda: transport.open_session(timeout=10))
    transport.close()

    assert codes == [raw.OK] * 3


def test_old_algorithms_are_not_offered(house: House) -> None:
    transport = house.connect()
    offered = paramiko.Transport(socket.create_connection(("127.0.0.1", house.port)))
    offered._preferred_ciphers = ("aes128-cbc", "3des-cbc")  # type: ignore[attr-defined]
    with pytest.raises((paramiko.SSHException, EOFError)):
        offered.start_client(timeout=10)
    offered.close()
    transport.close()

    every = " ".join(
        (*algorithms.KEX, *algorithms.CIPHERS, *algorithms.MACS, *algorithms.HOST_KEYS, *algorithms.CLIENT_KEYS)
    )
    for old in ("sha1", "cbc", "3des", "md5", "group1", "group-exchange", "ssh-dss", "arcfour"):
        assert old not in every.replace("group16", "")


def test_a_client_that_ignores_the_window_is_hung_up_on(house: House) -> None:
    """paramiko queues whatever comes. A client that reads nothing makes us stop; one that sends on is ended."""
    transport = house.connect()
    (house.folder("in") / "large").write_bytes(b"x" * 1_000_000)
    client = RawClient(transport)
    handle = client.open(b"in/large", 1).handle
    request = string(bytes([raw.READ]) + u32(1) + string(handle) + u64(0) + u32(250_000))
    client.channel.in_window_size = 0
    # paramiko's client tops our window up by itself as it reads: here it does not read.
    for _ in range(200):
        message = Message()
        message.add_bytes(struct.pack(">BII", 94, client.channel.remote_chanid, len(request) * 800) + request * 800)
        try:
            transport._send_message(message)  # type: ignore[attr-defined]
        except EOFError:
            break

    wait_until(lambda: not transport.is_active())
    transport.close()
    wait_until(lambda: house.server and house.server._house.budget.open == 0)
    house.connect().close()


def test_counters_of_the_client_are_not_believed(house: House) -> None:
    """Four thousand million extension pairs, answers or attributes, of which none is there."""
    transport = house.connect()
    message = Message()
    message.add_bytes(b"\x07\xff\xff\xff\xff")
    transport._send_message(message)  # type: ignore[attr-defined]
    client = RawClient(transport)

    answer = client.ask(raw.SETSTAT, string(b"in/x") + u32(0x80000000) + u32(0xFFFFFFFF))
    transport.close()
    early = paramiko.Transport(("127.0.0.1", house.port))
    early.start_client(timeout=10)
    message = Message()
    message.add_bytes(b"\x05" + string(b"ssh-userauth"))
    early._send_message(message)  # type: ignore[attr-defined]
    message = Message()
    message.add_bytes(b"\x3d\xff\xff\xff\xff")  # answers to questions that were never asked
    early._send_message(message)  # type: ignore[attr-defined]
    wait_until(lambda: not early.is_active())
    early.close()

    assert answer.code == raw.BAD_MESSAGE


def test_many_answers_wait_for_a_client_that_reads_slowly(house: House) -> None:
    (house.folder("in") / "large").write_bytes(bytes(range(256)) * 4000)
    transport = house.connect()
    client = RawClient(transport)
    handle = client.open(b"in/large", 1).handle

    for number in range(32):
        client.send(raw.READ, string(handle) + u64(number * 32_000) + u32(32_000))
    got = b"".join(client.answer().data for _ in range(32))
    transport.close()

    assert got == bytes(range(256)) * 4000


def test_a_client_that_is_refused_all_the_time_is_ended(house: House) -> None:
    house.set(refusals_per_channel=20)
    transport = house.connect()
    client = RawClient(transport)

    with pytest.raises(EOFError):
        for _ in range(30):
            client.ask(raw.SYMLINK, string(b"in/a") + string(b"in/b"))
    again = RawClient(transport).put(b"in/x", b"x").code
    transport.close()

    assert again == raw.OK


def _ask_to_run(channel: paramiko.Channel, times: int) -> None:
    """`exec` so often on one channel, whatever the server says; none is answered."""
    for _ in range(times):
        message = Message()
        message.add_bytes(b"\x62" + u32(channel.remote_chanid) + string(b"exec") + b"\0" + string(b"id"))
        channel.transport._send_user_message(message)  # type: ignore[union-attr]


def test_a_command_asked_for_twice_on_one_channel_leaves_no_connection_behind(house: House) -> None:
    transport = house.connect()
    transport._channel_handler_table = dict(transport._channel_handler_table)  # type: ignore[attr-defined]
    transport._channel_handler_table[97] = lambda channel, message: None  # our close is not answered
    channel = transport.open_session(timeout=10)

    _ask_to_run(channel, 2)
    wait_until(lambda: len(house.operations("channel")) == 2)
    after = RawClient(transport).put(b"in/a", b"x").code
    transport.close()

    assert after == raw.OK
    wait_until(lambda: house.server and house.server.sessions == 0)


def test_a_connection_whose_own_handling_fails_leaves_neither_socket_nor_itself(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """paramiko's handler of errors fails at an OSError without a number."""

    def broken(session: Session, channel: paramiko.Channel) -> None:
        raise OSError("no number")

    monkeypatch.setattr(Session, "requested", broken)
    transport = house.connect()
    assert house.server is not None
    (connection,) = house.server._sessions.values()

    _ask_to_run(transport.open_session(timeout=10), 1)
    wait_until(lambda: not connection.is_alive())
    wait_until(lambda: not transport.is_active())  # the other end sees it too
    transport.close()

    assert connection not in paramiko.transport._active_threads  # type: ignore[attr-defined]
    assert connection.sock.fileno() == -1


@pytest.mark.parametrize("what", ["forwarding", "commands", "channels", "subsystems"])
def test_whoever_asks_for_other_things_without_end_is_hung_up_on(house: House, what: str) -> None:
    house.set(refusals_outside=20)
    transport = house.connect()
    channel = transport.open_session(timeout=10)
    message = Message()
    match what:
        case "forwarding":
            message.add_bytes(b"\x50" + string(b"tcpip-forward") + b"\0" + string(b"x" * 500) + u32(1))
        case "channels":
            message.add_bytes(b"\x5a" + string(b"tun@openssh.com") + u32(9) + u32(1) + u32(1))
        case "subsystems":
            message.add_bytes(b"\x62" + u32(channel.remote_chanid) + string(b"subsystem") + b"\0" + string(b"x"))
        case _:
            message.add_bytes(b"\x62" + u32(channel.remote_chanid) + string(b"exec") + b"\0" + string(b"id"))

    for _ in range(500):
        try:
            transport._send_message(message)  # type: ignore[attr-defined]
        except (EOFError, OSError):
            break
    wait_until(lambda: not transport.is_active())
    transport.close()
    wait_until(lambda: house.server and house.server.sessions == 0)

    refused = [e for e in house.audit if e.outcome is Outcome.REFUSED]
    assert len(refused) == 20 and len(house.operations("disconnect")) == 1
