"""A file is complete when its sender says so, and never because a connection ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from gateway.front import note_closed
from gateway.transports.completeness.closed import Closed
from gateway.transports.local import look_again
from gateway.transports.sftp_server import Completed, Outcome
from tests.transports.sftp_server import raw
from tests.transports.sftp_server.house import House, wait_until
from tests.transports.sftp_server.raw import RawClient, string, u32, u64

WRITE, CREATE, TRUNCATE, APPEND = 2, 8, 16, 4
NEW = WRITE | CREATE | TRUNCATE

KILLED_CLIENT = """
import sys, paramiko
transport = paramiko.Transport(("127.0.0.1", int(sys.argv[1])))
transport.start_client(timeout=15)
transport.auth_publickey("acme", paramiko.Ed25519Key(filename=sys.argv[2]))
sftp = paramiko.SFTPClient.from_transport(transport)
file = sftp.open("in/big.xml", "wb")
file.set_pipelined(True)
print("writing", flush=True)
while True:
    file.write(b"x" * 32768)
"""


def names(house: House) -> list[str]:
    return sorted(p.name for p in house.folder("in").iterdir())


def cut_off(house: House, name: bytes = b"in/a.xml", content: bytes = b"0123456789") -> None:
    """A client that dies after it wrote `content`."""
    transport = house.connect()
    client = RawClient(transport)
    handle = client.open(name, NEW).handle
    assert client.write(handle, 0, content).code == raw.OK
    lost = len([e for e in house.audit if e.outcome is Outcome.LOST])
    transport.sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]
    transport.close()
    wait_until(lambda: len([e for e in house.audit if e.outcome is Outcome.LOST]) > lost)


def test_a_client_killed_in_the_middle_leaves_nothing_complete(house: House) -> None:
    command = [sys.executable, "-c", KILLED_CLIENT, str(house.port), str(house.key("acme"))]
    client = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert client.stdout is not None and client.stdout.readline() == b"writing\n"
    partial = house.folder("in") / ".part~big.xml"
    wait_until(lambda: partial.exists() and partial.stat().st_size > 1_000_000)
    assert names(house) == [".part~big.xml"]

    client.send_signal(signal.SIGKILL)
    client.wait()
    client.stdout.close()
    wait_until(lambda: [e for e in house.operations("put") if e.outcome is Outcome.LOST])

    assert house.completed == [] and names(house) == [".part~big.xml"]


def test_nothing_shows_under_its_name_before_the_close(house: House) -> None:
    transport = house.connect()
    client = RawClient(transport)
    handle = client.open(b"in/a.xml", NEW).handle
    client.write(handle, 0, b"half")

    during, shown = names(house), client.names(b"in")
    size = client.ask(raw.STAT, string(b"in/a.xml")).body[4:12]
    closed = client.close(handle).code
    transport.close()

    assert during == [".part~a.xml"] and shown == [b"a.xml"] and size == u64(4)
    assert closed == raw.OK and names(house) == ["a.xml"] and house.names() == ["a.xml"]
    report = house.completed[0]
    facts = (house.folder("in") / "a.xml").stat()
    assert (report.size_bytes, report.inode, report.device) == (4, facts.st_ino, facts.st_dev)


@pytest.mark.parametrize("flags", [WRITE | CREATE, WRITE, WRITE | APPEND, WRITE | CREATE | APPEND])
def test_what_was_cut_off_is_resumed(house: House, flags: int) -> None:
    cut_off(house)
    house.restart()  # the partial is found again after a restart, too
    transport = house.connect()
    client = RawClient(transport)

    size = client.ask(raw.STAT, string(b"in/a.xml")).body[4:12]
    handle = client.open(b"in/a.xml", flags).handle
    client.write(handle, 10, b"abc")
    client.close(handle)
    transport.close()

    assert size == u64(10) and house.names() == ["a.xml"] and names(house) == ["a.xml"]
    assert (house.folder("in") / "a.xml").read_bytes() == b"0123456789abc"


def test_what_was_cut_off_cannot_be_renamed_into_a_complete_file(house: House) -> None:
    cut_off(house, b"in/a.xml.filepart")
    transport = house.connect()
    client = RawClient(transport)

    plain = client.ask(raw.RENAME, string(b"in/a.xml.filepart") + string(b"in/a.xml")).code
    posix = client.ask(
        raw.EXTENDED, string(b"posix-rename@openssh.com") + string(b"in/a.xml.filepart") + string(b"in/a.xml")
    )
    transport.close()

    assert (plain, posix.code) == (raw.FAILURE, raw.FAILURE)
    assert house.completed == [] and names(house) == [".part~a.xml.filepart"]


def test_of_an_upload_cut_off_before_its_first_byte_nothing_is_left(house: House) -> None:
    cut_off(house, content=b"")

    wait_until(lambda: names(house) == [])


def test_a_new_upload_of_the_name_takes_it_from_the_dead_connection(house: House) -> None:
    """The client comes back while its old connection still looks alive."""
    old, new = house.connect(), house.connect()
    first, second = RawClient(old), RawClient(new)
    dead = first.open(b"in/a.xml", NEW).handle
    first.write(dead, 0, b"old old old")

    done = second.put(b"in/a.xml", b"new").code
    late = [first.write(dead, 0, b"late").code, first.close(dead).code]
    old.close()
    new.close()

    assert done == raw.OK and late == [raw.FAILURE, raw.FAILURE]
    assert (house.folder("in") / "a.xml").read_bytes() == b"new" and house.names() == ["a.xml"]


def test_a_complete_file_stays_whole_until_its_replacement_is(house: House) -> None:
    transport = house.connect()
    client = RawClient(transport)
    client.put(b"in/a.xml", b"first")
    handle = client.open(b"in/a.xml", NEW).handle
    client.write(handle, 0, b"sec")

    during = (house.folder("in") / "a.xml").read_bytes()
    client.close(handle)
    transport.close()

    assert during == b"first" and (house.folder("in") / "a.xml").read_bytes() == b"sec"


def test_a_complete_file_that_is_opened_to_be_changed_is_incomplete_again(house: House) -> None:
    transport = house.connect()
    client = RawClient(transport)
    client.put(b"in/a.xml", b"first")

    handle = client.open(b"in/a.xml", WRITE | APPEND).handle
    during = names(house)
    client.write(handle, 0, b" and more")
    client.close(handle)
    transport.close()

    assert during == [".part~a.xml"] and (house.folder("in") / "a.xml").read_bytes() == b"first and more"


def test_a_file_whose_write_failed_is_not_made_complete_by_its_close(house: House) -> None:
    house.change("acme", file_limit_bytes=100)
    transport = house.connect()
    client = RawClient(transport)
    handle = client.open(b"in/a.xml", NEW).handle

    codes = [client.write(handle, 0, b"x" * 100).code, client.write(handle, 100, b"y").code, client.close(handle).code]
    huge = client.open(b"in/b.xml", NEW).handle
    sparse = [
        client.write(huge, 2**63 + 5, b"y").code,
        client.ask(raw.FSETSTAT, string(huge) + u32(1) + u64(2**62)).code,
    ]
    transport.close()

    assert codes == [raw.OK, raw.FAILURE, raw.FAILURE] and sparse == [raw.FAILURE, raw.FAILURE]
    assert house.completed == [] and ".part~a.xml" in names(house) and "a.xml" not in names(house)


def test_a_full_quota_refuses_and_frees_itself_when_files_are_taken(house: House) -> None:
    house.change("acme", quota_files=3, quota_bytes=1000)
    transport = house.connect()
    client = RawClient(transport)
    for number in range(3):
        assert client.put(b"in/f%d" % number, b"x" * 100).code == raw.OK

    files = client.open(b"in/f3", NEW)
    (house.folder("in") / "f0").unlink()
    wait_until(lambda: client.open(b"in/f3", NEW).kind == raw.HANDLE)
    handle = client.open(b"in/f3", NEW).handle
    bytes_ = client.write(handle, 0, b"x" * 900).code
    transport.close()

    assert files.code == raw.FAILURE and b"Quota" in files.body and bytes_ == raw.FAILURE
    assert any("Quota" in event.detail for event in house.audit)


def test_open_handles_are_bounded_and_freed(house: House) -> None:
    house.set(handles_per_session=10)
    transport = house.connect()
    client = RawClient(transport)
    handles = [client.ask(raw.OPENDIR, string(b"in")).handle for _ in range(10)]

    refused = client.ask(raw.OPENDIR, string(b"in")).code
    client.close(handles[0])
    again = client.ask(raw.OPENDIR, string(b"in")).kind
    transport.close()
    wait_until(lambda: house.server and house.server._house.budget.open == 0)

    assert refused == raw.FAILURE and again == raw.HANDLE


def test_a_rate_is_kept(house: House) -> None:
    house.change("acme", rate_bytes_s=400_000)
    transport = house.connect()
    client = RawClient(transport)

    started = time.monotonic()
    for number in range(6):
        client.put(b"in/f%d" % number, b"x" * 100_000)
    took_s = time.monotonic() - started
    transport.close()

    assert 0.4 < took_s < 5  # 600 kB, of which 400 kB may go at once


def test_whose_access_is_taken_away_waits_for_no_pace_and_finishes_nothing(house: House) -> None:
    house.change("acme", rate_bytes_s=1000)  # the first write asks for more than a minute
    transport = house.connect()
    client = RawClient(transport)
    handle = client.open(b"in/a.xml", NEW).handle
    write = bytes([raw.WRITE]) + u32(1) + string(handle) + u64(0) + string(b"x" * 100_000)
    client.channel.sendall(string(write) + string(bytes([raw.CLOSE]) + u32(2) + string(handle)))  # both come at once
    wait_until(lambda: _debt(house) < 0)  # it waits

    assert house.server is not None
    house.server.end_sessions("acme")

    wait_until(lambda: house.server and house.server.sessions == 0)
    transport.close()
    assert names(house) == [".part~a.xml"] and house.completed == []


def _debt(house: House) -> float:
    assert house.server is not None
    return house.server._house.partners.of(house.accounts["acme"]).pace._left


def test_a_temporary_folder_renamed_is_a_batch_complete(house: House) -> None:
    transport = house.connect()
    client = RawClient(transport)
    client.ask(raw.MKDIR, string(b"in/night.tmp") + raw.NO_WISHES)
    client.put(b"in/night.tmp/a.xml", b"a")
    client.put(b"in/night.tmp/b.xml.part", b"b")
    before = house.names()

    client.ask(raw.RENAME, string(b"in/night.tmp") + string(b"in/night"))
    transport.close()

    assert before == [] and house.names() == ["night/a.xml"]


def test_a_file_whose_times_are_set_after_its_close_is_told_again_as_it_looks_now(house: House) -> None:
    registry, inbox = Closed(), house.folder("in")

    class Noted(list):  # type: ignore[type-arg]
        def append(self, completed: Completed) -> None:
            super().append(completed)
            note_closed(registry, inbox, completed.name)

    house.completed = Noted()
    house.restart()
    transport = house.connect()
    client = RawClient(transport)
    client.put(b"in/a.xml", b"<a/>")
    (inbox / "b.xml").write_bytes(b"of somebody else, and perhaps not finished")

    codes = [client.ask(raw.SETSTAT, string(b"in/%s.xml" % name) + u32(8) + u32(10**9) + u32(10**9)).code
             for name in (b"a", b"b")]  # fmt: skip
    transport.close()

    assert codes == [raw.OK, raw.OK] and (inbox / "a.xml").stat().st_mtime == 10**9
    assert dict(registry.noted(inbox)) == {b"a.xml": look_again(inbox, b"a.xml")}


def test_files_are_renamed_within_a_folder_and_never_onto_another(house: House) -> None:
    transport = house.connect()
    client = RawClient(transport)
    client.put(b"in/a", b"a")
    client.put(b"in/b", b"b")
    (house.folder("out") / "ack").write_bytes(b"ack")

    onto = client.ask(raw.RENAME, string(b"in/a") + string(b"in/b")).code
    across = client.ask(raw.RENAME, string(b"in/a") + string(b"book/a")).code
    from_out = client.ask(raw.RENAME, string(b"out/ack") + string(b"in/ack")).code
    gone = client.ask(raw.REMOVE, string(b"out/ack")).code
    transport.close()

    assert (onto, across, from_out, gone) == (raw.FAILURE, raw.DENIED, raw.DENIED, raw.OK)
    assert (house.folder("in") / "b").read_bytes() == b"b"


def test_order_books_are_written_and_not_read_back(house: House) -> None:
    transport = house.connect()
    client = RawClient(transport)

    codes = [client.put(b"book/a.csv", b"x").code, client.open(b"book/a.csv", 1).code]
    listed = client.names(b"book")
    transport.close()

    assert codes == [raw.OK, raw.DENIED] and listed == [b"a.csv"]
    assert [(c.folder, c.name) for c in house.completed] == [("book", b"a.csv")]


def test_partials_are_swept_after_a_day_and_not_while_they_are_written(house: House) -> None:
    cut_off(house)
    transport = house.connect()
    client = RawClient(transport)
    handle = client.open(b"in/running.xml", NEW).handle
    client.write(handle, 0, b"x")
    assert house.server is not None

    young = house.server.sweep()
    house.server._settings = house.settings.__class__(house.settings.host_keys, partials_kept_s=0.0)
    swept = house.server.sweep()
    closed = client.close(handle).code
    transport.close()

    assert (young, swept, closed) == (0, 1, raw.OK) and names(house) == ["running.xml"]


@pytest.mark.parametrize("wished", [True, False])
def test_a_close_is_answered_when_file_and_folder_are_on_the_disk_if_so_wished(
    house: House, monkeypatch: pytest.MonkeyPatch, wished: bool
) -> None:
    house.set(fsync_on_close=wished)
    synced: list[int] = []
    sync = os.fsync
    monkeypatch.setattr("os.fsync", lambda fd: (sync(fd), synced.append(os.fstat(fd).st_ino))[0])
    transport = house.connect()
    client = RawClient(transport)

    assert client.put(b"in/a.xml", b"<a/>").code == raw.OK

    expected = [(house.folder("in") / "a.xml").stat().st_ino, house.folder("in").stat().st_ino]
    assert synced == (expected if wished else [])
    transport.close()


@pytest.mark.parametrize("wished", [True, False])
def test_a_new_name_is_answered_when_it_is_on_the_disk_if_so_wished(
    house: House, monkeypatch: pytest.MonkeyPatch, wished: bool
) -> None:
    house.set(fsync_on_close=wished)
    transport = house.connect()
    client = RawClient(transport)
    synced: list[int] = []
    sync = os.fsync
    monkeypatch.setattr("os.fsync", lambda fd: (sync(fd), synced.append(os.fstat(fd).st_ino))[0])
    inbox = house.folder("in")

    client.ask(raw.MKDIR, string(b"in/d") + raw.NO_WISHES)
    made = synced[:]
    client.put(b"in/d/a.part", b"a")
    synced.clear()
    client.ask(raw.RENAME, string(b"in/d/a.part") + string(b"in/d/a"))
    renamed = synced[:]
    synced.clear()
    client.ask(raw.RENAME, string(b"in/d/a") + string(b"in/a"))
    transport.close()

    assert made == ([inbox.stat().st_ino] if wished else [])
    assert renamed == ([(inbox / "d").stat().st_ino] if wished else [])
    assert synced == ([inbox.stat().st_ino, (inbox / "d").stat().st_ino] if wished else [])


def test_a_file_taken_while_it_is_renamed_is_not_left_under_its_new_name_too(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox, link = house.folder("in"), os.link

    def link_and_be_late(*names: object, **where: object) -> None:
        link(*names, **where)  # type: ignore[arg-type]
        (inbox / "a").rename(house.base / "claimed")

    transport = house.connect()
    client = RawClient(transport)
    client.put(b"in/a", b"a")
    monkeypatch.setattr("os.link", link_and_be_late)
    code = client.ask(raw.RENAME, string(b"in/a") + string(b"in/b")).code
    transport.close()

    assert code == raw.NO_SUCH_FILE and names(house) == [] and (house.base / "claimed").read_bytes() == b"a"
    assert house.names() == ["a"]


def test_fsync_is_answered_and_links_are_not_offered(house: House) -> None:
    house.set(fsync_on_close=True)
    transport = house.connect()
    client = RawClient(transport)
    handle = client.open(b"in/a", NEW).handle
    synced = client.ask(raw.EXTENDED, string(b"fsync@openssh.com") + string(handle)).code
    client.close(handle)
    limits = client.ask(raw.EXTENDED, string(b"limits@openssh.com"))
    linked = client.ask(raw.EXTENDED, string(b"hardlink@openssh.com") + string(b"in/a") + string(b"in/b")).code
    transport.close()

    assert synced == raw.OK and limits.kind == 201 and linked == 8


def test_a_report_that_fails_does_not_fail_the_upload(house: House) -> None:
    class Broken(list):  # type: ignore[type-arg]
        def append(self, item: object) -> None:
            raise RuntimeError("intake is down")

    house.completed = Broken()
    house.restart()
    transport = house.connect()

    code = RawClient(transport).put(b"in/a", b"x").code
    transport.close()

    assert code == raw.OK and names(house) == ["a"]


def test_stopping_ends_sessions_and_leaves_their_uploads_incomplete(house: House) -> None:
    transport = house.connect()
    client = RawClient(transport)
    client.write(client.open(b"in/a", NEW).handle, 0, b"x")

    started = time.monotonic()
    house.stop()

    assert time.monotonic() - started < 3
    assert names(house) == [".part~a"] and house.completed == []
    transport.close()


def test_uploads_of_one_name_by_many_clients_at_once_end_in_one_of_them(house: House) -> None:
    results: list[int] = []

    def send(number: int) -> None:
        transport = house.connect()
        client = RawClient(transport)
        for _ in range(10):
            opened = client.open(b"in/same.xml", NEW)
            handle = opened.handle
            client.write(handle, 0, bytes([65 + number]) * 5000)
            results.append(client.close(handle).code)
        transport.close()

    threads = [threading.Thread(target=send, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    content = (house.folder("in") / "same.xml").read_bytes()
    assert len(results) == 40 and len(house.completed) == results.count(raw.OK)
    assert len(content) == 5000 and len(set(content)) == 1
    assert names(house) == ["same.xml"] and not os.listdir(house.folder("out"))


def test_a_missing_folder_is_no_crash(house: House) -> None:
    house.folder("book").rmdir()
    transport = house.connect()
    client = RawClient(transport)

    listed, code = client.names(b"/"), client.open(b"book/a", NEW).code
    transport.close()

    assert listed == [b"in", b"out"] and code == raw.NO_SUCH_FILE
    assert Path(house.folder("in")).is_dir()
