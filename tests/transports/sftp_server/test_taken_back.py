"""A complete file that is opened again, and what a failed sync means: what was acknowledged is never lost."""

from __future__ import annotations

import os
import socket

import paramiko
import pytest

from gateway.transports.sftp_server import Outcome, opening
from gateway.transports.sftp_server.pace import Pace
from tests.transports.sftp_server import raw
from tests.transports.sftp_server.house import House, wait_until
from tests.transports.sftp_server.raw import RawClient, string, u32, u64

READ, WRITE, CREATE, TRUNCATE = 1, 2, 8, 16
NEW = WRITE | CREATE | TRUNCATE


def names(house: House) -> list[str]:
    return sorted(p.name for p in house.folder("in").iterdir())


def cut(house: House, transport: paramiko.Transport) -> None:
    """The network of this client is gone."""
    lost = len([e for e in house.audit if e.outcome is Outcome.LOST])
    transport.sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]
    transport.close()
    wait_until(lambda: len([e for e in house.audit if e.outcome is Outcome.LOST]) > lost)


def test_a_complete_file_opened_for_writing_and_left_alone_stays_complete(house: House) -> None:
    transport = house.connect()
    client = RawClient(transport)
    client.put(b"in/a.xml", b"acknowledged")

    handle = client.open(b"in/a.xml", WRITE).handle
    client.write(handle, 0, b"")
    cut(house, transport)

    wait_until(lambda: names(house) == ["a.xml"])
    assert (house.folder("in") / "a.xml").read_bytes() == b"acknowledged"
    wait_until(lambda: [c.name for c in house.completed] == [b"a.xml"] * 2)  # told again


def test_it_stays_so_when_a_second_client_opens_and_leaves_it_alone(house: House) -> None:
    first, second = house.connect(), house.connect()
    one, two = RawClient(first), RawClient(second)
    one.put(b"in/a.xml", b"acknowledged")

    one.open(b"in/a.xml", WRITE)
    two.open(b"in/a.xml", WRITE | CREATE)
    cut(house, first)
    during = names(house)
    cut(house, second)

    wait_until(lambda: names(house) == ["a.xml"])
    assert during == [".part~a.xml"]
    assert (house.folder("in") / "a.xml").read_bytes() == b"acknowledged"


def test_it_stays_so_until_its_replacement_is_complete(house: House) -> None:
    first, second = house.connect(), house.connect()
    one, two = RawClient(first), RawClient(second)
    one.put(b"in/a.xml", b"acknowledged")

    one.open(b"in/a.xml", WRITE)
    two.write(two.open(b"in/a.xml", NEW).handle, 0, b"half")
    cut(house, second)
    first.close()

    assert (house.folder("in") / "a.xml").read_bytes() == b"acknowledged"


def test_once_it_was_written_to_it_is_incomplete(house: House) -> None:
    transport = house.connect()
    client = RawClient(transport)
    client.put(b"in/a.xml", b"acknowledged")

    client.write(client.open(b"in/a.xml", WRITE).handle, 0, b"A")
    cut(house, transport)

    assert names(house) == [".part~a.xml"]


def test_an_open_that_fails_changes_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_many(*_: object) -> int:
        raise OSError(24, "Too many open files")

    transport = house.connect()
    client = RawClient(transport)
    client.put(b"in/a.xml", b"acknowledged")

    with monkeypatch.context() as patched:
        patched.setattr(opening, "open_file", too_many)
        code = client.open(b"in/a.xml", WRITE).code
    transport.close()

    assert code == raw.FAILURE and names(house) == ["a.xml"]


@pytest.mark.parametrize("asked", ["fsync", "close"])
def test_after_a_failed_sync_nothing_is_complete_and_all_is_sent_anew(
    house: House, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    house.set(fsync_on_close=True)
    transport = house.connect()
    client = RawClient(transport)
    handle = client.open(b"in/a.xml", NEW).handle
    client.write(handle, 0, b"<a/>")
    sync, failed = os.fsync, []

    def once(fd: int) -> None:
        if not failed:
            failed.append(fd)
            raise OSError(5, "Input/output error")
        sync(fd)

    monkeypatch.setattr("os.fsync", once)
    codes = []
    if asked == "fsync":
        codes.append(client.ask(raw.EXTENDED, string(b"fsync@openssh.com") + string(handle)).code)
    codes.append(client.close(handle).code)
    left = names(house)
    again = client.put(b"in/a.xml", b"<a/>").code
    transport.close()

    assert set(codes) == {raw.FAILURE} and left == []
    assert again == raw.OK and house.names() == ["a.xml"]


def test_whoever_resumes_after_a_failed_sync_is_told_to_send_it_anew(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(fd: int) -> None:
        raise OSError(5, "Input/output error")

    first, second = house.connect(), house.connect()
    one, two = RawClient(first), RawClient(second)
    handle = one.open(b"in/a.xml", NEW).handle
    one.write(handle, 0, b"<a")
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", broken)
        one.ask(raw.EXTENDED, string(b"fsync@openssh.com") + string(handle))

    resumed = two.open(b"in/a.xml", WRITE).handle
    two.write(resumed, 2, b"/>")
    code = two.close(resumed).code
    first.close()
    second.close()

    assert code == raw.FAILURE and names(house) == [] and house.completed == []


def test_all_bytes_of_a_file_open_for_writing_count_for_the_pace(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    spent: list[int] = []
    monkeypatch.setattr(Pace, "spend", lambda pace, count, *_: spent.append(count))
    house.change("acme", file_limit_bytes=100)
    transport = house.connect()
    client = RawClient(transport)
    handle = client.open(b"in/a", READ | NEW).handle

    client.write(handle, 0, b"x" * 60)
    client.ask(raw.READ, string(handle) + u64(0) + u32(50))
    refused = client.write(handle, 60, b"y" * 70).code
    transport.close()

    assert refused == raw.FAILURE and spent == [60, 50, 70]
