"""Servers that lie, answer nonsense, or never end: the connection is dropped, and nothing of theirs is taken."""

from __future__ import annotations

import os
import random
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import paramiko
import pytest

from gateway.transports.sftp_client.connection import connect
from gateway.transports.sftp_client.errors import ConnectionTrouble, Lost, SftpError, Strange, Unreachable
from gateway.transports.sftp_client.folder import RemoteFolder
from gateway.transports.sftp_client.packets import BoundedPacketizer, Inbox
from gateway.transports.sftp_client.peer import Bounds, HostKeys, Login, Peer, Timeouts
from gateway.transports.sftp_client.results import Failed, Fetched, Moved, Put, PutHow, Why
from tests.transports.sftp_client import odd_server as odd
from tests.transports.sftp_client.odd_server import OddServer, Twist, running
from tests.transports.sftp_client.peers import HandTime, opened

FILES = {b"in/a.xml": b"content of a", b"in/b.xml": b"content of b" * 1000}


def peer_of(server: OddServer, **changes: object) -> Peer:
    peer = Peer(
        "127.0.0.1",
        Login("partner", password=server.password),
        HostKeys((server.fingerprint,)),
        port=server.port,
        timeouts=Timeouts(connect_s=5, banner_s=2, handshake_s=5, auth_s=5, answer_s=0.5),
    )
    return replace(peer, **changes)  # type: ignore[arg-type]


@contextmanager
def folder_of(twist: Twist | None = None, **changes: object) -> Iterator[tuple[OddServer, RemoteFolder]]:
    server = OddServer(files=dict(FILES), twist=twist)
    with running(server), opened(peer_of(server, **changes), b"in", HandTime()) as folder:
        yield server, folder


def answering(kind: int, packet: bytes) -> Twist:
    """Instead of the answer to each request of this kind; `ID_` stands for its id."""
    return lambda asked, id_, honest: packet.replace(b"ID_!", struct.pack(">I", id_)) if asked == kind else honest


def test_an_honest_server_without_extensions_serves_all(here: Path) -> None:
    with folder_of() as (server, folder):
        results = list(folder.fetch_many(folder.list().looks, here))
        assert {one.path.read_bytes() for one in results if isinstance(one, Fetched)} == set(FILES.values())
        assert all(isinstance(one, Moved) for one in folder.move_many([b"a.xml"], folder.path + b"/archive"))
        assert all(isinstance(one, Put) for one in folder.put_many([(b"c", b"c" * 100_000)]))
    assert server.files == {
        b"in/archive/a.xml": FILES[b"in/a.xml"],
        b"in/b.xml": FILES[b"in/b.xml"],
        b"in/c": b"c" * 100_000,
    }


def test_without_posix_rename_the_same_bytes_are_done_and_others_are_left_alone() -> None:
    with folder_of() as (server, folder):
        results = {one.name: one for one in folder.put_many([(b"a.xml", FILES[b"in/a.xml"]), (b"b.xml", b"other")])}
    same, other = results[b"a.xml"], results[b"b.xml"]
    assert isinstance(same, Put)
    assert same.how is PutHow.ALREADY_THERE
    assert isinstance(other, Failed)
    assert other.why is Why.TAKEN
    assert server.files == FILES


def test_a_file_that_arrives_shorter_than_it_was_written_never_gets_its_name() -> None:
    def losing(kind: int, id_: int, honest: bytes) -> bytes:
        return struct.pack(">BI", odd.ATTRS, id_) + odd.attributes(3) if kind == odd.LSTAT else honest

    with folder_of(losing) as (server, folder):
        (result,) = folder.put_many([(b"new", b"four")])
    assert isinstance(result, Failed)
    assert "4 bytes were written and 3 bytes found" in result.reason
    assert b"in/new" not in server.files


NAMES = (b"../x", b"/etc/passwd", b"a/../../b", b"..", b".", b"", b"a\0b", b"x" * 256, b"x" * 60_000)


@pytest.mark.parametrize("name", NAMES, ids=lambda name: repr(name[:12]))
def test_a_name_that_leads_elsewhere_is_never_touched(here: Path, name: bytes) -> None:
    def listing(kind: int, id_: int, honest: bytes) -> bytes:
        if kind == odd.READDIR and honest[0] == odd.NAME:
            return odd.names(id_, {name: odd.attributes(5), b"good.xml": odd.attributes(5)})
        return honest

    with folder_of(listing) as (_, folder):
        listing_now = folder.list()
    assert [look.name for look in listing_now.looks] == [b"good.xml"]
    assert set(listing_now.unusable) <= {name[:300]}


def test_an_endless_listing_ends() -> None:
    def endless(kind: int, id_: int, honest: bytes) -> bytes:
        if kind == odd.READDIR:
            return odd.names(id_, {b"%d.part" % n: odd.attributes(1) for n in range(1000)})
        return honest

    with folder_of(endless, bounds=Bounds(names=100)) as (_, folder):
        listing = folder.list()
    assert listing.more
    assert listing.looks == ()


def test_a_listing_of_empty_answers_ends() -> None:
    with folder_of(
        lambda kind, id_, honest: odd.names(id_, {}) if kind == odd.READDIR else honest, bounds=Bounds(names=10)
    ) as (_, folder):
        assert folder.list().looks == ()


NONSENSE = {
    "a huge length": (odd.LSTAT, b"RAW:\xff\xff\xff\xff"),
    "an empty packet": (odd.LSTAT, b"RAW:\0\0\0\0"),
    "a short packet": (odd.LSTAT, b"\x65\0"),
    "an id nobody gave": (odd.LSTAT, b"\x65\x7f\x7f\x7f\x7f\0\0\0\0"),
    "an unknown kind": (odd.LSTAT, b"\xfeID_!"),
    "names instead of attributes": (odd.LSTAT, b"\x68ID_!\0\0\0\0"),
    "attributes that end too soon": (odd.LSTAT, b"\x69ID_!\0\0\0\x0f\0\0"),
    "attributes with something after": (odd.LSTAT, b"\x69ID_!" + odd.attributes(1) + b"more"),
    "a status without a code": (odd.LSTAT, b"\x65ID_!"),
    "a status text beyond its packet": (odd.LSTAT, b"\x65ID_!\0\0\0\x04\xff\xff\xff\xff"),
    "a success that gives nothing": (odd.OPEN, b"\x65ID_!\0\0\0\0\0\0\0\0\0\0\0\0"),
    "a handle of 257 bytes": (odd.OPEN, b"\x66ID_!" + odd.text(b"h" * 257)),
    "a handle where content was asked": (odd.READ, b"\x66ID_!" + odd.text(b"h")),
    "no content": (odd.READ, b"\x67ID_!" + odd.text(b"")),
    "more content than asked": (odd.READ, b"\x67ID_!" + odd.text(b"x" * 200_000)),
    "content shorter than it claims": (odd.READ, b"\x67ID_!\0\0\0\xffxx"),
    "names without end": (odd.READDIR, b"\x68ID_!\xff\xff\xff\xff"),
    "names that are not there": (odd.READDIR, b"\x68ID_!\0\0\0\x02"),
    "a version of tomorrow": (odd.INIT, b"\x02\0\0\0\x06"),
    "no version": (odd.INIT, b"\x65\0\0\0\x03"),
    "a half extension": (odd.INIT, b"\x02\0\0\0\x03\0\0\0\x09abc"),
}


@pytest.mark.parametrize("what", list(NONSENSE))
def test_a_senseless_answer_drops_the_connection_and_nothing_is_taken(here: Path, what: str) -> None:
    kind, packet = NONSENSE[what]
    server = OddServer(files=dict(FILES))
    with running(server), opened(peer_of(server), b"in", HandTime()) as folder:
        looks = folder.list().looks
        server.twist = answering(kind, packet)
        folder._pool.close()
        if kind == odd.READDIR:
            with pytest.raises(Strange):
                folder.list()
            return
        results = list(folder.fetch_many(looks, here))
    assert len(results) == len(FILES)
    for result in results:
        assert isinstance(result, Failed)
        assert result.why is Why.CONNECTION
        assert isinstance(result.error, Strange)
    assert list(here.iterdir()) == []


def test_one_file_that_makes_the_server_mad_does_not_stop_the_others(here: Path) -> None:
    files = {b"in/%03d.xml" % n: b"%d" % n for n in range(100)}
    server = OddServer(files=dict(files))

    def mad_at_one(kind: int, id_: int, honest: bytes) -> bytes:
        return b"RAW:\xff\xff\xff\xff" if kind == odd.READ and honest.endswith(odd.text(b"50")) else honest

    server.twist = mad_at_one
    with running(server), opened(peer_of(server), b"in", HandTime()) as folder:
        results = list(folder.fetch_many(folder.list().looks, here))
    failed = [one for one in results if isinstance(one, Failed)]
    assert [one.name for one in failed] == [b"050.xml"]
    assert len(results) == 100
    assert sorted(one.path.read_bytes() for one in results if isinstance(one, Fetched)) == sorted(
        content for content in files.values() if content != b"50"
    )


def test_random_answers_never_do_more_than_fail(here: Path) -> None:
    dice = random.Random(20261129)

    def dreaming(kind: int, id_: int, honest: bytes) -> bytes:
        if dice.random() < 0.7 or len(honest) < 2:
            return honest
        changed = bytearray(honest)
        for _ in range(dice.randint(1, 4)):
            changed[dice.randrange(len(changed))] = dice.randrange(256)
        return bytes(changed[: dice.randint(1, len(changed))] if dice.random() < 0.3 else changed)

    server = OddServer(files=dict(FILES))
    with running(server), opened(peer_of(server), b"in", HandTime()) as folder:
        looks = folder.list().looks
        server.twist = dreaming
        for _ in range(40):
            with suppress(SftpError):
                folder.list()
            for one in folder.fetch_many(looks, here):
                if isinstance(one, Fetched):
                    assert one.size == one.look.size
                    one.path.unlink()
            list(folder.put_many([(b"n", b"n" * 10)]))
            server.files[b"in/a.xml"] = FILES[b"in/a.xml"]
            folder._pool._connections._circuit.worked()
    assert list(here.iterdir()) == []


def test_a_server_that_never_answers_is_given_up_in_time() -> None:
    server = OddServer(files=dict(FILES), twist=lambda kind, id_, honest: honest if kind == odd.INIT else b"")
    with running(server), opened(peer_of(server), b"in", HandTime()) as folder, pytest.raises(Lost, match="no answer"):
        folder.list()


def test_a_subsystem_that_never_begins_is_given_up_in_time() -> None:
    server = OddServer(silent_subsystem=True)
    with running(server), pytest.raises(ConnectionTrouble):
        connect(peer_of(server))


def test_a_file_that_trickles_is_given_up_in_time(here: Path) -> None:
    def trickling(kind: int, id_: int, honest: bytes) -> bytes:
        return struct.pack(">BI", odd.DATA, id_) + odd.text(b"x") if kind == odd.READ else honest

    time = HandTime()
    server = OddServer(files={b"in/slow": b"x" * 500}, twist=trickling)
    timeouts = Timeouts(answer_s=2, file_s=100)
    with (
        running(server),
        opened(peer_of(server, timeouts=timeouts, bounds=Bounds(bytes_per_s=1.0)), b"in", time) as folder,
    ):
        (result,) = folder.fetch_many(folder.list().looks, here)
    assert isinstance(result, Failed)
    assert "not done within 100 s" in result.reason
    assert list(here.iterdir()) == []


@contextmanager
def saying(*pieces: bytes, hold: bool = True) -> Iterator[int]:
    """A port that says that to everyone who comes, and then nothing."""
    listener = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                one, _ = listener.accept()
            except OSError:
                return
            held.append(one)
            try:
                for piece in pieces:
                    one.sendall(piece)
            except OSError:
                pass
            if not hold:
                one.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for one in held:
            one.close()


FIRST_WORDS = {
    "nothing": (b"",),
    "a web server": (b"HTTP/1.1 400 Bad Request\r\n\r\n",),
    "a line without end": (b"x" * 5_000_000,),
    "lines without end": (b"hello\n" * 1_000_000,),
    "a version and silence": (b"SSH-2.0-odd\r\n",),
    "a packet of 4 GiB": (b"SSH-2.0-odd\r\n", b"\xff\xff\xff\xfc" + b"\x04" + b"x" * 1_000_000),
    "random bytes": (b"SSH-2.0-odd\r\n", os.urandom(100_000)),
    "an old protocol": (b"SSH-1.5-odd\r\n",),
}


@pytest.mark.parametrize("what", list(FIRST_WORDS))
@pytest.mark.parametrize("hold", [True, False])
def test_what_is_no_ssh_server_is_left_in_time(what: str, hold: bool) -> None:
    timeouts = Timeouts(connect_s=1, banner_s=0.5, handshake_s=0.5, auth_s=1, answer_s=1)
    with saying(*FIRST_WORDS[what], hold=hold) as port:
        peer = Peer("127.0.0.1", Login("x", password="x"), HostKeys(("SHA256:x",)), port=port, timeouts=timeouts)
        with pytest.raises(Unreachable):
            connect(peer)


def test_a_server_that_sends_more_than_its_window_is_cut_off() -> None:
    inbox = Inbox(100)
    inbox.feed(b"x" * 60)
    assert inbox.read(1000) == b"x" * 60
    inbox.feed(b"x" * 60)
    with pytest.raises(paramiko.SSHException, match="more than it was allowed"):
        inbox.feed(b"x" * 60)


def test_a_packet_that_the_server_does_not_take_is_given_up() -> None:
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        ours.settimeout(0.05)
        with pytest.raises(EOFError):
            BoundedPacketizer(ours, stall_s=0.1).write_all(b"x" * 50_000_000)


def test_a_program_ends_at_once_while_a_server_does_not_answer() -> None:
    """No thread of a connection that failed keeps it."""
    with saying(b"SSH-2.0-odd\r\n") as port:
        timeouts = Timeouts(connect_s=1, banner_s=0.2, handshake_s=0.2, auth_s=1, answer_s=1)
        peer = Peer("127.0.0.1", Login("x", password="x"), HostKeys(("SHA256:x",)), port=port, timeouts=timeouts)
        before = set(threading.enumerate())
        with pytest.raises(Unreachable):
            connect(peer)
        assert not [thread for thread in set(threading.enumerate()) - before if not thread.daemon]


def test_nothing_that_the_network_says_is_printed() -> None:
    """By a program that configures no logging: paramiko alone would print a traceback of its own."""
    with saying(b"SSH-2.0-odd\r\n", b"\xff" * 1000) as port:
        code = (
            "from gateway.transports.sftp_client.connection import connect\n"
            "from gateway.transports.sftp_client.peer import HostKeys, Login, Peer\n"
            "try:\n"
            f"    connect(Peer('127.0.0.1', Login('x'), HostKeys(('SHA256:wrong',)), port={port}))\n"
            "except Exception as error:\n"
            "    print(type(error).__name__)\n"
        )
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert said.stdout == "Unreachable\n"
    assert said.stderr == ""


def test_a_packet_longer_than_any_is_refused_by_its_length_alone() -> None:
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        ours.settimeout(0.05)
        theirs.sendall(struct.pack(">I", 300_000_004) + bytes(12))
        with pytest.raises(paramiko.SSHException, match="was announced"):
            BoundedPacketizer(ours).read_message()


def test_a_first_line_that_trickles_is_given_up_in_time() -> None:
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        ours.settimeout(0.02)
        theirs.sendall(b"SSH-2.0")
        with pytest.raises(TimeoutError):
            BoundedPacketizer(ours).readline(0.1)


class _MuteServer(paramiko.ServerInterface):
    """Lets anybody in, and never answers the request for the subsystem."""

    def __init__(self, released: threading.Event) -> None:
        self._released = released

    def check_auth_password(self, username: str, password: str) -> int:
        return paramiko.common.AUTH_SUCCESSFUL

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.common.OPEN_SUCCEEDED

    def check_channel_subsystem_request(self, channel: paramiko.Channel, name: str) -> bool:
        self._released.wait(30)
        return False


def test_a_request_for_the_subsystem_that_is_never_answered_is_given_up_in_time() -> None:
    key = paramiko.ECDSAKey.generate()
    released = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        one, _ = listener.accept()
        transport = paramiko.Transport(one)
        transport.add_server_key(key)
        transport.start_server(server=_MuteServer(released))
        released.wait(30)
        transport.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    login = Login("x", password="x")
    pins = HostKeys((str(key.fingerprint),))
    peer = Peer("127.0.0.1", login, pins, port=listener.getsockname()[1], timeouts=Timeouts(answer_s=0.5))
    try:
        with pytest.raises(Lost, match="no SFTP"):
            connect(peer)
        assert not released.is_set()
    finally:
        released.set()
        thread.join(10)
        listener.close()
