"""A quota bounds what is on the disk, whatever is done with names, handles and sizes."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.transports.sftp_server import Account
from gateway.transports.sftp_server.faults import LimitReached
from gateway.transports.sftp_server.quota import Usage
from tests.transports.sftp_server import raw
from tests.transports.sftp_server.house import House
from tests.transports.sftp_server.raw import RawClient, string, u32, u64

NEW = 2 | 8 | 16
PIECE = 100_000


def on_disk(house: House) -> int:
    """Bytes of the partner: in its folders, and in files that are open and have no name any more."""
    named = sum(p.stat().st_size for p in house.folder("in").rglob("*") if p.is_file())
    return named + sum(size for name, size in _unnamed() if name.startswith(str(house.base)))


def _unnamed() -> list[tuple[str, int]]:
    found = []
    for fd in os.listdir("/proc/self/fd"):
        try:
            name, facts = os.readlink(f"/proc/self/fd/{fd}"), os.stat(f"/proc/self/fd/{fd}")
        except OSError:
            continue  # closed meanwhile
        if stat.S_ISREG(facts.st_mode) and facts.st_nlink == 0:
            found.append((name, facts.st_size))
    return found


def test_the_same_name_opened_anew_takes_no_more_space(house: House) -> None:
    house.change("acme", quota_bytes=PIECE, quota_files=5)
    transport = house.connect()
    client = RawClient(transport)

    written = [client.write(client.open(b"in/x", NEW).handle, 0, b"z" * PIECE).code for _ in range(20)]
    taken = on_disk(house)
    transport.close()

    assert written == [raw.OK] * 20 and taken <= PIECE


@pytest.mark.parametrize("command", ["posix-rename@openssh.com", "remove"])
def test_an_upload_that_loses_its_name_gives_its_space_back(house: House, command: str) -> None:
    house.change("acme", quota_bytes=2 * PIECE)
    transport = house.connect()
    client = RawClient(transport)
    for _ in range(10):
        lost = client.open(b"in/x", NEW).handle
        assert client.write(lost, 0, b"z" * PIECE).code == raw.OK
        if command == "remove":
            assert client.ask(raw.REMOVE, string(b"in/x")).code == raw.OK
        else:
            client.open(b"in/y", NEW)
            names = string(b"in/y") + string(b"in/x")
            assert client.ask(raw.EXTENDED, string(command.encode()) + names).code == raw.OK
    taken = on_disk(house)
    transport.close()

    assert taken == 0


def test_a_file_removed_while_it_is_read_counts_until_it_is_closed(house: House) -> None:
    house.change("acme", quota_bytes=PIECE)
    transport = house.connect()
    client = RawClient(transport)
    assert client.put(b"in/a", b"a" * PIECE).code == raw.OK
    reading = client.open(b"in/a", 1).handle
    client.ask(raw.REMOVE, string(b"in/a"))

    def fits() -> bool:
        handle = client.open(b"in/b", NEW).handle
        code = client.write(handle, 0, b"b" * PIECE).code
        client.ask(raw.REMOVE, string(b"in/b"))
        client.close(handle)
        return code == raw.OK

    assert not fits()
    assert client.read(reading, 0, 1).data == b"a"
    client.close(reading)
    _look_again(house)
    assert fits()
    transport.close()


def _look_again(house: House) -> None:
    """As after the pause between two counts of the folders."""
    assert house.server is not None
    house.server._house.partners.of(house.accounts["acme"]).usage._looked_at = float("-inf")


def test_nothing_written_far_out_is_no_room_for_what_comes_before(house: House) -> None:
    house.change("acme", quota_bytes=2 * PIECE)
    transport = house.connect()
    client = RawClient(transport)
    handles = [client.open(b"in/f%d" % number, NEW).handle for number in range(10)]

    for handle in handles:
        assert client.write(handle, PIECE, b"").code == raw.OK
    written = [client.write(handle, 0, b"z" * PIECE).code for handle in handles]
    taken = on_disk(house)
    transport.close()

    assert written.count(raw.OK) == 2 and taken <= 2 * PIECE


def test_what_is_counted_never_falls_below_nothing(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    usage = Usage(Account("acme", tmp_path, quota_bytes=10, quota_files=10), lambda: 0.0)
    usage.room_for(files=1)  # looks: nothing is there

    usage.changed(files=-5, size_bytes=-1000)

    with pytest.raises(LimitReached):
        usage.charge(11)
    with pytest.raises(LimitReached):
        usage.room_for(files=11)


def test_two_at_once_do_not_get_the_same_room(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    usage = Usage(Account("acme", tmp_path, quota_bytes=10), lambda: 0.0)

    usage.charge(6)

    with pytest.raises(LimitReached):
        usage.charge(6)


def test_folders_count_as_files(house: House) -> None:
    house.change("acme", quota_files=10)
    transport = house.connect()
    client = RawClient(transport)

    made = []
    for number in range(40):
        _look_again(house)
        made.append(client.ask(raw.MKDIR, string(b"in/d%d" % number) + raw.NO_WISHES).code)
    for number in range(10):
        client.ask(raw.RMDIR, string(b"in/d%d" % number))
    _look_again(house)
    put = [client.put(b"in/f%d" % number, b"x").code for number in range(10)]
    full = client.open(b"in/f10", NEW).code
    transport.close()

    assert made.count(raw.OK) == 10
    assert put == [raw.OK] * 10 and full == raw.FAILURE


def test_a_folder_that_is_missing_is_no_reason_to_refuse_an_upload_or_a_sweep(house: House) -> None:
    house.folder("book").rmdir()
    house.change("acme", quota_files=5, quota_bytes=1000)
    transport = house.connect()

    code = RawClient(transport).put(b"in/a", b"x").code
    transport.close()
    assert house.server is not None
    swept = house.server.sweep()

    assert code == raw.OK and swept == 0


@pytest.fixture
def deep(house: House) -> Iterator[Path]:
    """1,500 folders within one another in `in/`, deeper than this Python's stack."""
    first = house.folder("in") / "d"
    top = os.open(house.folder("in"), os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=top)
        below = os.open("d", os.O_RDONLY, dir_fd=top)
        os.close(top)
        top = below
    os.close(top)
    yield first
    aside = house.base / "next"
    while first.exists():  # `shutil.rmtree`, with which the folders of tests are removed, goes no deeper than the stack
        if (first / "d").exists():
            (first / "d").rename(aside)
        first.rmdir()
        if aside.exists():
            aside.rename(first)


@pytest.mark.usefixtures("deep")
def test_folders_far_below_stop_neither_count_nor_sweep(house: House) -> None:
    """Made by somebody else than a client, who is let no deeper than the configuration says."""
    house.change("acme", quota_files=5000)
    (house.folder("in") / ".part~old").write_bytes(b"x")
    transport = house.connect()

    code = RawClient(transport).put(b"in/a", b"x").code
    transport.close()
    assert house.server is not None
    house.server._settings = house.settings.__class__(house.settings.host_keys, partials_kept_s=0.0)
    swept = house.server.sweep()

    assert code == raw.OK and swept == 1


def test_a_size_set_is_counted(house: House) -> None:
    house.change("acme", quota_bytes=PIECE)
    transport = house.connect()
    client = RawClient(transport)
    one, two = client.open(b"in/one", NEW).handle, client.open(b"in/two", NEW).handle

    codes = [client.ask(raw.FSETSTAT, string(handle) + u32(1) + u64(PIECE)).code for handle in (one, two)]
    shrunk = client.ask(raw.FSETSTAT, string(one) + u32(1) + u64(0)).code
    again = client.ask(raw.FSETSTAT, string(one) + u32(1) + u64(PIECE)).code
    transport.close()

    assert (*codes, shrunk, again) == (raw.OK, raw.FAILURE, raw.OK, raw.OK)
