"""The parts that decide by themselves: key lines, passwords, throttle, paths, packets."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import paramiko
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.transports.sftp_server.authorized_keys import KeyFiles, parse_line, read_keys
from gateway.transports.sftp_server.faults import Refused
from gateway.transports.sftp_server.key_options import BadOption, parse_options
from gateway.transports.sftp_server.pace import Pace
from gateway.transports.sftp_server.packets import BoundedPacketizer
from gateway.transports.sftp_server.passwords import BadHash, PasswordCheck, check_hash, make_hash
from gateway.transports.sftp_server.paths import locate
from gateway.transports.sftp_server.settings import DEFAULT_FOLDERS
from gateway.transports.sftp_server.throttle import Throttle, address_key

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIYwfCDq0rU6WHu+3XfzqRrQjFvj5cMnhVvOsPSOGq8L"


class Hand:
    """A monotonic clock that moves only when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ssh-dss AAAAB3NzaC1kc3MAAACBAA==", "key type"),
        ("ssh-ed25519-cert-v01@openssh.com AAAA", "certificates"),
        ("ssh-ed25519 !!!!", "damaged"),
        ("ssh-ed25519", "not of the type"),
        (ED25519.replace("ssh-ed25519", "ssh-rsa"), "not of the type"),
        (f'from="" {ED25519}', "no address"),
        (f'from="10.0.0.0/99" {ED25519}', "from="),
        (f'from="10.0.0.1",from="*" {ED25519}', "twice"),
        (f'from="!2001:db8,*" {ED25519}', "no whole address"),
        (f'permitopen="x:1" {ED25519}', "permitopen"),
        (f"{ED25519} a\x0bb", "control characters"),
        (f"from=10.0.0.1 {ED25519}", "cannot be read"),
        (f'expiry-time="tomorrow" {ED25519}', "expiry-time"),
        (f'expiry-time="20261399" {ED25519}', "expiry-time"),
        (f'command="rm -rf /" {ED25519}', "command"),
    ],
)
def test_a_line_that_cannot_be_honoured_says_why(line: str, said: str) -> None:
    with pytest.raises(BadOption, match=said):
        parse_line(line)


def test_a_weak_rsa_key_is_refused() -> None:
    weak = paramiko.RSAKey.generate(1024)

    with pytest.raises(BadOption, match="2048"):
        parse_line(f"ssh-rsa {weak.get_base64()}")


def test_expiry_is_of_utc_with_z_and_the_earliest_counts() -> None:
    options = parse_options('expiry-time="202611291200Z",expiry-time="20990101"')

    assert options.expires_at == NOW
    assert options.objection("1.2.3.4", NOW) == "key expired"
    assert options.objection("1.2.3.4", NOW.replace(hour=11)) == ""


@pytest.mark.parametrize(
    ("origins", "address", "allowed"),
    [
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "::1", False),
        ("2001:db8::/32", "2001:db8::5", True),
        ("192.168.1.?", "192.168.1.7", True),
        ("192.168.1.?", "192.168.1.77", False),
        ("!10.0.0.1,10.0.0.*", "10.0.0.1", False),
        ("!10.0.0.1", "10.0.0.2", False),
        ("!2001:0DB8:0:0::5,*", "2001:db8::5", False),
        ("2001:0db8:0::5", "2001:db8::5", True),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
    ],
)
def test_from_is_judged_as_openssh_does(origins: str, address: str, allowed: bool) -> None:
    assert (parse_options(f'from="{origins}"').objection(address, NOW) == "") is allowed


def test_a_key_file_is_read_again_only_when_it_changed(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(f"{ED25519} first\n# nothing\n\nnonsense\n")
    path.chmod(0o600)
    files = KeyFiles()

    first = files.ring(path)
    same = files.ring(path)
    path.chmod(0o620)
    closed = files.ring(path)
    path.unlink()
    gone = files.ring(path)

    assert first is same and [k.comment for k in first.keys] == ["first"] and "line 4" in first.refused[0]
    assert closed.keys == () and "chmod" in closed.refused[0]
    assert gone.keys == () and gone.refused


@pytest.mark.parametrize("end", ["\u2028", "\u2029", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\r"])
def test_no_key_hides_behind_a_character_that_is_no_end_of_a_line(tmp_path: Path, end: str) -> None:
    path = tmp_path / "keys"
    path.write_bytes(f'from="192.0.2.1" {ED25519} acme{end}{ED25519}\r\n{ED25519} good\r\n'.encode())
    path.chmod(0o600)

    ring = read_keys(path)

    assert [(key.line, key.comment) for key in ring.keys] == [(2, "good")]
    assert "line 1" in ring.refused[0] and "control characters" in ring.refused[0]


@given(st.text(max_size=200))
def test_no_key_line_breaks_the_parser(text: str) -> None:
    with suppress(BadOption):
        parse_line(text)


def test_a_file_of_noise_opens_nothing(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_bytes(bytes(range(256)) * 50)
    path.chmod(0o600)

    assert read_keys(path).keys == ()


def test_a_password_is_known_by_its_hash_only() -> None:
    made, check = make_hash("corréct horse"), PasswordCheck()
    check_hash(made)

    assert made.startswith("scrypt$15$8$1$") and "horse" not in made and made != make_hash("corréct horse")
    assert check("corréct horse".encode(), made)
    for wrong in (b"", b"correct horse", b"x" * 5000, "corréct horse".encode() + b"\0"):
        assert not check(wrong, made)


@pytest.mark.parametrize(
    "broken", ["", "plain", "scrypt$40$8$1$AAAA$AAAA", "md5$15$8$1$AAAA$AAAA", "scrypt$15$8$1$$", "scrypt$a$b$c$d$e"]
)
def test_a_broken_hash_opens_nothing(broken: str) -> None:
    assert not PasswordCheck()(b"", broken)
    with pytest.raises(BadHash):
        check_hash(broken)


def test_an_unknown_name_costs_as_much_as_a_known_one() -> None:
    made, check = make_hash("right"), PasswordCheck()

    def best_s(password_hash: str) -> float:
        took = []
        for _ in range(5):
            started = time.thread_time()  # others use this machine, too
            check(b"wrong", password_hash)
            took.append(time.thread_time() - started)
        return min(took)

    known, unknown = best_s(made), best_s("")
    assert 0.5 < unknown / known < 2.0


def test_failures_are_refused_for_a_while_that_grows() -> None:
    clock = Hand()
    throttle = Throttle(clock, allowed=3, window_s=60, refusal_s=10, longest_s=35)
    waits = []
    for _ in range(6):
        throttle.failed("a")
        waits.append(throttle.wait_s("a"))

    assert waits == [0, 0, 10, 20, 35, 35] and throttle.wait_s("b") == 0
    clock.now += 36
    assert throttle.wait_s("a") == 0
    throttle.succeeded("a")
    throttle.failed("a")
    assert throttle.wait_s("a") == 0


def test_old_failures_are_forgotten_and_memory_is_bounded() -> None:
    clock = Hand()
    throttle = Throttle(clock, allowed=2, window_s=60, refusal_s=10, longest_s=35, remembered=100)
    throttle.failed("slow")
    clock.now += 61
    throttle.failed("slow")
    for number in range(1000):
        throttle.failed(str(number))

    assert throttle.wait_s("slow") == 0 and len(throttle) == 100


def test_neighbours_in_ipv6_count_as_one() -> None:
    assert address_key("2001:db8::1") == address_key("2001:db8::ffff") != address_key("2001:db8:1::1")
    assert address_key("::ffff:10.0.0.1") == address_key("10.0.0.1") == "10.0.0.1"


@given(
    st.lists(
        st.sampled_from([b"in", b"out", b"..", b".", b"", b"a", b"\xff", b"book", b".claimed", b"\0"]), max_size=12
    )
)
def test_a_path_is_inside_or_refused(parts: list[bytes]) -> None:
    try:
        place = locate(b"/".join(parts), DEFAULT_FOLDERS, 8)
    except Refused:
        return
    assert place.folder is None or place.folder.name in ("in", "out", "book")
    assert not {b"..", b".", b""} & set(place.parts) and all(
        b"\0" not in part and b"/" not in part for part in place.parts
    )


def test_the_pace_holds_and_ends_with_the_session() -> None:
    clock, ended = Hand(), threading.Event()
    ended.set()  # nobody waits in this test; the debt is what is looked at
    pace = Pace(100, clock)

    pace.spend(100, ended)
    assert pace._debt_s(50) == pytest.approx(0.5)
    clock.now += 10
    assert pace._debt_s(100) == pytest.approx(0.0)


def test_a_packet_of_four_gigabytes_is_not_waited_for() -> None:
    ours, theirs = socket.socketpair()
    packetizer = BoundedPacketizer(ours)

    with pytest.raises(paramiko.SSHException, match="too large"):
        packetizer.read_all(2**31)
    theirs.sendall(b"x" * 10_000)
    with pytest.raises(paramiko.SSHException, match="greeting"):
        packetizer.readline(5)
    ours.close()
    theirs.close()
