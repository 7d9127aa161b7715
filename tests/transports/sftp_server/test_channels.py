"""Many channels on one connection: what they hold together is bounded, and one that is read goes on."""

from __future__ import annotations

from gateway.transports.sftp_server.share import FULL_WINDOW
from tests.transports.sftp_server import raw
from tests.transports.sftp_server.house import House, wait_until
from tests.transports.sftp_server.raw import RawClient, string, u32, u64

MIB = 1024 * 1024
LARGEST = 255 * 1024


def stuff(client: RawClient) -> None:
    """Ask for more than is ever read, then send as much as may be sent."""
    handle = client.open(b"in/large", 1).handle
    for _ in range(20):
        client.send(raw.READ, string(handle) + u64(0) + u32(LARGEST))
    look = string(bytes([raw.STAT]) + u32(1) + string(b"/in/" + b"a" * 200))
    while client.channel.send_ready():
        client.channel.send(look * 8)


def held(house: House) -> int:
    """Bytes that the server holds of all connections."""
    assert house.server is not None
    streams = [stream for session in list(house.server._sessions) for stream in session.streams()]
    return sum(len(stream._incoming) + len(stream._waiting) for stream in streams)


def test_a_connection_that_never_reads_holds_little(house: House) -> None:
    (house.folder("in") / "large").write_bytes(b"x" * 300_000)
    transport = house.connect()
    clients = [RawClient(transport) for _ in range(8)]

    for client in clients:
        stuff(client)
    wait_until(lambda: held(house) > 3 * MIB)  # it was a flood
    most = max(held(house) for _ in range(200))
    transport.close()

    assert most < 9 * MIB


def test_a_channel_that_is_read_goes_on_when_others_are_not(house: House) -> None:
    (house.folder("in") / "large").write_bytes(b"x" * 300_000)
    transport = house.connect()
    clients = [RawClient(transport) for _ in range(8)]
    for client in clients[:7]:
        stuff(client)

    handle = clients[7].open(b"in/a", 2 | 8 | 16).handle
    for number in range(20):
        clients[7].send(raw.WRITE, string(handle) + u64(number * LARGEST) + string(b"a" * LARGEST))
    codes = [clients[7].answer().code for _ in range(20)]
    codes.append(clients[7].close(handle).code)
    reading = clients[7].open(b"in/large", 1).handle
    for _ in range(20):
        clients[7].send(raw.READ, string(reading) + u64(0) + u32(LARGEST))
    sizes = [len(clients[7].answer().data) for _ in range(20)]
    transport.close()

    assert set(codes) == {raw.OK} and set(sizes) == {LARGEST}


def test_one_channel_alone_has_a_full_window_and_gives_it_back(house: House) -> None:
    transport = house.connect()

    for _ in range(3):
        client = RawClient(transport)
        assert client.channel.out_window_size > FULL_WINDOW - 1000
        other = RawClient(transport)
        assert other.put(b"in/a", b"x" * 200_000).code == raw.OK
        other.channel.close()
        client.channel.close()
        wait_until(lambda: house.server and not next(iter(house.server._sessions)).streams())
    transport.close()


def test_what_waits_is_counted_down_to_nothing(house: House) -> None:
    (house.folder("in") / "large").write_bytes(b"x" * 300_000)
    transport = house.connect()
    client = RawClient(transport)
    stuff(client)
    assert house.server is not None
    (session,) = house.server._sessions
    wait_until(lambda: session._share.waiting > 0)

    client.channel.close()

    wait_until(lambda: not session.streams())
    assert session._share.waiting == 0
    transport.close()
