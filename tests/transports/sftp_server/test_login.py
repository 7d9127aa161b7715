"""Who gets in, and what becomes of those who do not."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path

import paramiko
import pytest

from gateway.transports.sftp_server import Outcome
from gateway.transports.sftp_server.passwords import make_hash
from tests.transports.sftp_server.conftest import Needs
from tests.transports.sftp_server.house import House, wait_until


def refusals(house: House) -> list[str]:
    return [e.detail for e in house.operations("login") if e.outcome is Outcome.REFUSED]


def with_options(house: House, options: str, name: str = "acme") -> None:
    keys = house.accounts[name].keys
    assert keys is not None
    keys.write_text(f"{options} {house.key(name).with_suffix('.pub').read_text()}")


def gets_in(house: House, name: str = "acme", key: Path | None = None) -> bool:
    try:
        house.connect(name, key).close()
    except (paramiko.SSHException, EOFError, OSError):
        return False
    return True


def gets_in_from(house: House, source: str) -> bool:
    transport = paramiko.Transport(socket.create_connection(("127.0.0.1", house.port), source_address=(source, 0)))
    try:
        transport.start_client(timeout=15)
        transport.auth_publickey("acme", paramiko.Ed25519Key(filename=str(house.key("acme"))))
        return transport.is_authenticated()
    finally:
        transport.close()


def with_password(house: House, name: str, password: str, source: str = "127.0.0.1") -> bool:
    transport = paramiko.Transport(socket.create_connection(("127.0.0.1", house.port), source_address=(source, 0)))
    try:
        transport.start_client(timeout=15)
        transport.auth_password(name, password, fallback=False)
        return transport.is_authenticated()
    except (paramiko.SSHException, EOFError, OSError):
        return False
    finally:
        transport.close()


def test_the_right_key_opens_and_is_told_with_its_fingerprint(house: House) -> None:
    assert gets_in(house)

    wait_until(lambda: house.operations("logout"))
    login = house.operations("login")[0]
    assert (login.account, login.outcome, login.address) == ("acme", Outcome.OK, "127.0.0.1")
    assert login.key == paramiko.Ed25519Key(filename=str(house.key("acme"))).fingerprint


@pytest.mark.parametrize(
    ("listens", "reached", "told"),
    [("::1", "::1", "::1"), ("::", "::1", "::1"), ("::", "127.0.0.1", "127.0.0.1")],
)
def test_it_is_reached_by_ipv6_and_by_both_when_it_listens_everywhere(
    house: House, needs: Needs, listens: str, reached: str, told: str
) -> None:
    needs("sftp")
    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    house.set(address=listens)
    options = [f"UserKnownHostsFile={house.base / 'known'}", "StrictHostKeyChecking=no", "IdentitiesOnly=yes"]
    command = ["sftp", "-q", "-b", "-", "-i", str(house.key("acme")), "-P", str(house.port)]
    command += [word for option in options for word in ("-o", option)]

    done = subprocess.run([*command, f"acme@[{reached}]"], input="ls in\n", text=True, capture_output=True, timeout=60)

    assert done.returncode == 0, done.stderr
    assert house.operations("login")[-1].address == told


def test_the_key_of_another_partner_does_not_open(house: House) -> None:
    assert not gets_in(house, "acme", house.key("other"))
    assert refusals(house) == ["publickey: key not authorized"]


def test_an_unknown_name_looks_like_any_other(house: House) -> None:
    assert not gets_in(house, "nobody", house.key("acme"))
    assert refusals(house) == ["publickey: no such account"]


def test_a_key_taken_out_of_the_file_opens_no_more_and_one_put_in_does(house: House) -> None:
    keys = house.accounts["acme"].keys
    assert keys is not None
    assert gets_in(house)

    keys.write_text("# rotated\n" + house.key("new").with_suffix(".pub").read_text())

    assert not gets_in(house)
    assert gets_in(house, "acme", house.key("new"))


def test_sessions_of_a_revoked_partner_can_be_ended(house: House) -> None:
    transport = house.connect()
    assert house.server is not None
    wait_until(lambda: house.server and house.server.sessions)

    assert house.server.end_sessions("acme") == 1

    wait_until(lambda: not transport.is_active())


@pytest.mark.parametrize(
    ("options", "opens"),
    [
        ('from="127.0.0.1"', True),
        ('from="127.0.0.0/8,10.0.0.1"', True),
        ('from="127.*"', True),
        ('from="10.0.0.0/8"', False),
        ('from="127.0.0.0/8,!127.0.0.1"', False),
        ('from="partner.example"', False),
        ('expiry-time="20200101"', False),
        ('expiry-time="20990101Z"', True),
        ('restrict,from="127.0.0.1"', True),
        ('command="internal-sftp",no-pty', True),
        ('command="/bin/sh"', False),
        ('environment="A=B"', False),
        ("cert-authority", False),
    ],
)
def test_options_of_a_key_are_honoured_or_the_key_is_refused(house: House, options: str, opens: bool) -> None:
    with_options(house, options)

    assert gets_in(house) is opens


def test_a_key_file_that_others_may_write_opens_nothing_and_says_so(house: House) -> None:
    keys = house.accounts["acme"].keys
    assert keys is not None
    keys.chmod(0o666)

    assert not gets_in(house)
    assert "chmod go-w" in refusals(house)[0]

    keys.chmod(0o600)
    assert gets_in(house)


def test_a_key_file_that_is_a_link_opens_nothing(house: House, tmp_path: Path) -> None:
    keys = house.accounts["acme"].keys
    assert keys is not None
    keys.rename(tmp_path / "elsewhere")
    keys.symlink_to(tmp_path / "elsewhere")

    assert not gets_in(house)


def test_no_key_at_all_does_not_open(house: House) -> None:
    transport = paramiko.Transport(("127.0.0.1", house.port))
    transport.start_client(timeout=15)

    with pytest.raises(paramiko.BadAuthenticationType) as refused:
        transport.auth_none("acme")
    with pytest.raises(paramiko.SSHException):
        transport.open_session(timeout=5)
    transport.close()

    assert refused.value.allowed_types == ["publickey"]


def test_a_borrowed_public_key_without_its_private_half_does_not_open(house: House) -> None:
    class Borrowed(paramiko.Ed25519Key):
        def asbytes(self) -> bytes:
            return paramiko.Ed25519Key(filename=str(house.key("acme"))).asbytes()

    transport = paramiko.Transport(("127.0.0.1", house.port))
    transport.start_client(timeout=15)
    with pytest.raises(paramiko.AuthenticationException):
        transport.auth_publickey("acme", Borrowed(filename=str(house.key("other"))))
    transport.close()

    assert refusals(house) == ["publickey: signature does not match"]


def test_passwords_are_off_unless_switched_on_and_hashed(house: House) -> None:
    house.change("acme", password_hash=make_hash("right"))
    off = with_password(house, "acme", "right")
    house.set(passwords=True)

    assert not off
    assert with_password(house, "acme", "right")
    assert not with_password(house, "acme", "wrong")
    assert not with_password(house, "other", "")
    assert not with_password(house, "nobody", "right")


def test_an_address_that_fails_too_often_is_refused_at_once(house: House) -> None:
    house.accounts["acme"] = replace(house.accounts["acme"], password_hash=make_hash("right"))
    house.set(passwords=True, failures_allowed=3)
    for _ in range(3):
        assert not with_password(house, "acme", "wrong")

    assert not gets_in(house)  # before any cryptography; only time helps
    assert len(refusals(house)) == 3
    assert [e.detail for e in house.operations("connect")] == ["too many failed logins"]
    assert gets_in_from(house, "127.0.0.9")


def test_guessing_a_name_from_many_addresses_locks_out_passwords_and_no_keys(house: House) -> None:
    house.accounts["acme"] = replace(house.accounts["acme"], password_hash=make_hash("right"))
    house.set(passwords=True, failures_allowed=3)
    for number in range(3):
        assert not with_password(house, "acme", "wrong", f"127.0.1.{number + 1}")

    assert not with_password(house, "acme", "right")
    assert refusals(house)[-1] == "password: too many failures for this name"
    assert gets_in(house)


def test_a_name_is_not_locked_for_good_by_one_who_goes_on_guessing(house: House) -> None:
    house.accounts["acme"] = replace(house.accounts["acme"], password_hash=make_hash("right"))
    house.set(passwords=True, failures_allowed=3)
    assert house.server is not None
    names = house.server._house.names
    now = 1000.0
    names._monotonic = lambda: now
    for number in range(3):
        assert not with_password(house, "acme", "wrong", f"127.0.1.{number + 1}")
    for number in range(10):  # refused, all of them, without a look at the password
        assert not with_password(house, "acme", "wrong", f"127.0.2.{number + 1}")

    assert 0 < names.wait_s("acme") <= 60
    now += 61
    assert with_password(house, "acme", "right", "127.0.3.1")


def test_tries_that_were_not_looked_at_do_not_count_for_the_address_either(house: House) -> None:
    house.accounts["acme"] = replace(house.accounts["acme"], password_hash=make_hash("right"))
    house.set(passwords=True, failures_allowed=3)
    for number in range(3):
        assert not with_password(house, "acme", "wrong", f"127.0.1.{number + 1}")

    for _ in range(4):
        assert not with_password(house, "acme", "right")

    assert gets_in(house)


def test_guessing_goes_on_and_the_wait_of_a_name_stays_short(house: House) -> None:
    assert house.server is not None
    names = house.server._house.names
    now = 1000.0
    names._monotonic = lambda: now
    for _ in range(100):
        names.failed("acme")

    assert names.wait_s("acme") == 60.0


def test_after_too_many_attempts_on_one_connection_the_server_hangs_up(house: House) -> None:
    house.set(attempts_per_connection=3)
    transport = paramiko.Transport(("127.0.0.1", house.port))
    transport.start_client(timeout=15)
    key = paramiko.Ed25519Key(filename=str(house.key("other")))
    for _ in range(3):
        with pytest.raises((paramiko.SSHException, EOFError)):
            transport.auth_publickey("acme", key)

    wait_until(lambda: not transport.is_active())
    transport.close()


def test_one_partner_gets_no_more_than_its_connections(house: House) -> None:
    house.set(connections_per_partner=2)
    held = [house.connect(), house.connect()]

    refused = not gets_in(house)
    other = gets_in(house, "other")
    held.pop().close()
    wait_until(lambda: gets_in(house))
    for transport in held:
        transport.close()

    assert refused and other
    assert any("Too many connections of this partner" in text for text in refusals(house))


def test_whoever_does_not_log_in_in_time_is_dropped(house: House) -> None:
    house.set(login_s=0.3)
    silent = socket.create_connection(("127.0.0.1", house.port))
    greeted = socket.create_connection(("127.0.0.1", house.port))
    greeted.sendall(b"SSH-2.0-slow\r\n")
    silent.settimeout(10)
    greeted.settimeout(10)

    for connection in (silent, greeted):
        while connection.recv(65536):
            pass
        connection.close()

    house.set(login_s=10)
    assert gets_in(house)


def test_an_idle_session_is_ended(house: House) -> None:
    house.set(idle_s=0.2)
    transport = house.connect()

    wait_until(lambda: not transport.is_active())

    assert [e.detail for e in house.operations("disconnect")] == ["idle"]


def test_hundreds_of_half_open_connections_keep_nobody_out(house: House) -> None:
    house.set(half_open=40, connections_per_address=30)
    flood: list[socket.socket] = []
    before = threading.active_count()
    for number in range(300):
        connection = socket.socket()
        connection.bind((f"127.0.{number // 20 + 1}.{number % 20 + 1}", 0))
        connection.connect(("127.0.0.1", house.port))
        if number % 2:
            connection.sendall(b"SSH-2.0-flood\r\n" + b"\0" * 3)
        flood.append(connection)

    started = time.monotonic()
    opened = gets_in(house)
    took_s = time.monotonic() - started
    threads = threading.active_count() - before
    for connection in flood:
        connection.close()

    assert opened and took_s < 5
    assert threads < 100  # bounded by `half_open`, and those that are about to end


def test_one_address_gets_no_more_than_its_connections(house: House) -> None:
    house.set(connections_per_address=5)
    held = [socket.create_connection(("127.0.0.1", house.port)) for _ in range(5)]
    wait_until(lambda: house.server and house.server.sessions == 5)

    assert not gets_in(house)
    for connection in held:
        connection.close()
    wait_until(lambda: gets_in(house))


@pytest.mark.parametrize(
    "garbage",
    [
        b"x" * 200_000,
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 200,
        b"SSH-2.0-x\r\n" + b"\xff" * 100_000,
        b"SSH-2.0-x\r\n" + b"\x7f\xff\xff\xff" * 10_000,
        b"SSH-2.0-x\r\n" + b"\0\0\0\0" * 1000,
        b"SSH-1.0-old\r\n",
        b"\r\n" * 5000,
    ],
)
def test_garbage_before_login_ends_that_connection_only(house: House, garbage: bytes) -> None:
    connection = socket.create_connection(("127.0.0.1", house.port))
    connection.settimeout(10)
    try:
        connection.sendall(garbage)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass
    except OSError:
        pass
    connection.close()

    assert gets_in(house)


def test_a_host_key_that_others_may_read_stops_the_start_with_the_remedy(house: House) -> None:
    from gateway.transports.sftp_server import HostKeyUnusable

    house.stop()
    path = house.settings.host_keys / "ssh_host_ed25519_key"
    path.chmod(0o644)

    with pytest.raises(HostKeyUnusable, match="chmod 600"):
        house.restart()
    house.server = None


def test_host_keys_are_made_once_private_and_kept(house: House) -> None:
    assert house.server is not None
    first = [key.fingerprint for key in house.server.host_keys]
    house.restart()

    assert house.server is not None
    assert [key.fingerprint for key in house.server.host_keys] == first
    assert all(f.startswith("SHA256:") for f in first)
    assert house.settings.host_keys.stat().st_mode & 0o777 == 0o700
    assert {p.stat().st_mode & 0o777 for p in house.settings.host_keys.iterdir()} == {0o600}
    assert len(list(house.settings.host_keys.iterdir())) == 2
