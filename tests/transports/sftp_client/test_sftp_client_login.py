"""Who is that server, and does it let us in: host keys, algorithms, logins."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.transports.sftp_client.connection import Connection, connect
from gateway.transports.sftp_client.errors import HostKeyRefused, LoginRefused, Lost, Unreachable
from gateway.transports.sftp_client.peer import Algorithms, HostKeys, KeyFile, Login, Peer
from tests.transports.sftp_client.odd_server import OddServer, running
from tests.transports.sftp_client.peers import peer_of
from tests.transports.sshd import Sshd, fingerprint, free_port, make_key, needed, running_sshd


@contextmanager
def connected(peer: Peer) -> Iterator[Connection]:
    with closing(connect(peer)) as connection:
        yield connection


def logging_in(peer: Peer, **login: object) -> Peer:
    return replace(peer, login=replace(peer.login, **login))  # type: ignore[arg-type]


def pinning(peer: Peer, *fingerprints: str) -> Peer:
    return replace(peer, host_keys=HostKeys(fingerprints))


def test_a_pinned_server_is_spoken_to_by_the_fastest_cipher(sshd: Sshd) -> None:
    with connected(peer_of(sshd)) as connection:
        assert connection.cipher == "aes128-gcm@openssh.com"
        assert connection.session.has_posix_rename
        assert connection.session.read_bytes > 200_000


def test_a_server_of_which_nothing_is_known_is_refused_with_its_fingerprint(sshd: Sshd) -> None:
    with pytest.raises(HostKeyRefused, match="none is pinned") as caught:
        connect(pinning(peer_of(sshd)))
    assert sshd.host_fingerprint in str(caught.value)
    assert "another channel" in str(caught.value)


def test_another_key_than_the_pinned_one_is_refused_with_both(sshd: Sshd, tmp_path: Path) -> None:
    other = fingerprint(make_key(tmp_path / "other").with_suffix(".pub"))
    with pytest.raises(HostKeyRefused) as caught:
        connect(pinning(peer_of(sshd), other))
    assert sshd.host_fingerprint in str(caught.value)
    assert other in str(caught.value)
    assert "beside the old one" in str(caught.value)


def test_nothing_is_said_of_us_before_the_host_key_is_found_right(sshd: Sshd, tmp_path: Path) -> None:
    before = sshd.log.read_text()
    with pytest.raises(HostKeyRefused):
        connect(logging_in(pinning(peer_of(sshd), "SHA256:wrong"), user="who-am-i"))
    assert "who-am-i" not in sshd.log.read_text()[len(before) :]


def test_two_pins_are_a_rotation(sshd: Sshd, tmp_path: Path) -> None:
    new = fingerprint(make_key(tmp_path / "new").with_suffix(".pub"))
    with connected(pinning(peer_of(sshd), new, sshd.host_fingerprint)):
        pass


def test_the_pin_may_be_of_any_key_that_the_server_has(tmp_path: Path) -> None:
    needed("sshd")
    rsa = make_key(tmp_path / "rsa", "-t", "rsa", "-b", "2048")
    with running_sshd(tmp_path / "sshd", host_keys=(rsa,)) as sshd:
        with connected(pinning(peer_of(sshd), fingerprint(rsa.with_suffix(".pub")))):
            pass
        with pytest.raises(HostKeyRefused) as caught:
            connect(pinning(peer_of(sshd), "SHA256:wrong"))
    assert fingerprint(rsa.with_suffix(".pub")) in str(caught.value)
    assert sshd.host_fingerprint in str(caught.value)


def test_known_hosts_are_read_hashed_or_not(sshd: Sshd, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    known.write_text(f"[127.0.0.1]:{sshd.port} {sshd.host_key.with_suffix('.pub').read_text()}")
    peer = replace(peer_of(sshd), host_keys=HostKeys(known_hosts=known))
    with connected(peer):
        pass
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", known], check=True, capture_output=True)
    assert "127.0.0.1" not in known.read_text()
    with connected(peer):
        pass


def test_a_revoked_key_of_known_hosts_is_not_trusted(sshd: Sshd, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    known.write_text(f"@revoked [127.0.0.1]:{sshd.port} {sshd.host_key.with_suffix('.pub').read_text()}")
    with pytest.raises(HostKeyRefused):
        connect(replace(peer_of(sshd), host_keys=HostKeys(known_hosts=known)))


def test_a_file_of_known_hosts_that_is_not_there_is_said_so(sshd: Sshd, tmp_path: Path) -> None:
    with pytest.raises(HostKeyRefused, match="cannot be read"):
        connect(replace(peer_of(sshd), host_keys=HostKeys(known_hosts=tmp_path / "none")))


def test_the_first_key_is_trusted_only_where_configured_and_then_only_that(tmp_path: Path) -> None:
    needed("sshd")
    port = free_port()
    remembered = tmp_path / "state" / "remembered"
    wishes = HostKeys(trust_first_use=True, remembered=remembered)
    with running_sshd(tmp_path / "one", port=port) as sshd:
        for _ in range(2):
            with connected(replace(peer_of(sshd), host_keys=wishes)):
                pass
    assert remembered.read_text().count("\n") == 1
    assert remembered.stat().st_mode & 0o077 == 0
    with running_sshd(tmp_path / "two", port=port) as changed, pytest.raises(HostKeyRefused, match="somebody"):
        connect(replace(peer_of(changed), host_keys=wishes))


def test_a_pin_is_never_given_up_for_trust_on_first_use(sshd: Sshd, tmp_path: Path) -> None:
    wishes = HostKeys(("SHA256:wrong",), trust_first_use=True, remembered=tmp_path / "remembered")
    with pytest.raises(HostKeyRefused):
        connect(replace(peer_of(sshd), host_keys=wishes))
    assert not (tmp_path / "remembered").exists()


def test_a_key_with_passphrase_opens_with_it_alone(sshd: Sshd, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(sshd.user_key.read_bytes())
    key.chmod(0o600)
    subprocess.run(["ssh-keygen", "-q", "-p", "-N", "secret words", "-f", key], check=True, capture_output=True)
    with connected(logging_in(peer_of(sshd), keys=(KeyFile(key, "secret words"),))):
        pass
    for wrong in (None, "other words"):
        with pytest.raises(LoginRefused, match="cannot be used") as caught:
            connect(logging_in(peer_of(sshd), keys=(KeyFile(key, wrong),)))
        assert "words" not in str(caught.value)


def test_a_private_key_that_others_may_read_is_not_used(sshd: Sshd, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(sshd.user_key.read_bytes())
    key.chmod(0o640)
    with pytest.raises(LoginRefused, match="chmod 600"):
        connect(logging_in(peer_of(sshd), keys=(KeyFile(key),)))


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
@pytest.mark.parametrize("beside", [True, False])
def test_a_certificate_lets_a_key_in_that_the_server_has_never_seen(
    sshd: Sshd, tmp_path: Path, kind: str, beside: bool
) -> None:
    key = make_key(tmp_path / "key", "-t", kind)
    with pytest.raises(LoginRefused):
        connect(logging_in(peer_of(sshd), keys=(KeyFile(key),)))
    sign = ["ssh-keygen", "-q", "-s", sshd.ca_key, "-I", "test", "-n", sshd.user, key.with_suffix(".pub")]
    subprocess.run(sign, check=True)
    certificate = tmp_path / "key-cert.pub"
    given = None
    if not beside:
        given = certificate.rename(tmp_path / "elsewhere.pub")
    with connected(logging_in(peer_of(sshd), keys=(KeyFile(key, certificate=given),))):
        pass


def test_an_unknown_key_is_refused_with_what_was_tried(sshd: Sshd, tmp_path: Path) -> None:
    key = make_key(tmp_path / "stranger")
    with pytest.raises(LoginRefused, match="key stranger"):
        connect(logging_in(peer_of(sshd), keys=(KeyFile(key),)))


def test_the_second_key_is_tried_when_the_first_is_not_taken(sshd: Sshd, tmp_path: Path) -> None:
    keys = (KeyFile(make_key(tmp_path / "old")), KeyFile(sshd.user_key))
    with connected(logging_in(peer_of(sshd), keys=keys)):
        pass


def test_the_keys_of_an_agent_are_used(sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    needed("ssh-agent")
    said = subprocess.run(["ssh-agent", "-s"], check=True, capture_output=True, text=True).stdout
    parts = dict(part.split("=") for part in said.replace("\n", "").split(";") if "=" in part)
    monkeypatch.setenv("SSH_AUTH_SOCK", parts["SSH_AUTH_SOCK"])
    try:
        with pytest.raises(LoginRefused, match="the agent has no key"):
            connect(logging_in(peer_of(sshd), keys=(), agent=True))
        subprocess.run(["ssh-add", "-q", sshd.user_key], check=True)
        with connected(logging_in(peer_of(sshd), keys=(), agent=True)):
            pass
    finally:
        os.kill(int(parts["SSH_AGENT_PID"]), signal.SIGTERM)


def odd_peer(server: OddServer, password: str | None) -> Peer:
    login = Login("partner", password=password)
    return Peer("127.0.0.1", login, HostKeys((server.fingerprint,)), port=server.port)


def test_a_password_lets_in_and_is_never_shown() -> None:
    with running(OddServer(password="open sesame")) as server:
        with connected(odd_peer(server, "open sesame")):
            pass
        with pytest.raises(LoginRefused, match="password") as caught:
            connect(odd_peer(server, "wrong sesame"))
    assert "sesame" not in str(caught.value)
    assert "sesame" not in repr(odd_peer(server, "wrong sesame"))


def test_no_way_in_configured_is_said_so(sshd: Sshd) -> None:
    with pytest.raises(LoginRefused, match="no way to log in is configured"):
        connect(logging_in(peer_of(sshd), keys=()))


OLD = {
    "cipher": "Ciphers aes128-cbc",
    "mac": "MACs hmac-sha1\nCiphers aes128-ctr",
    "key exchange": "KexAlgorithms diffie-hellman-group14-sha1",
    "host key": "HostKeyAlgorithms ssh-rsa",
}


@pytest.mark.parametrize("what", list(OLD))
def test_old_algorithms_are_refused_until_they_are_allowed_for_this_partner(tmp_path: Path, what: str) -> None:
    needed("sshd")
    rsa = make_key(tmp_path / "rsa", "-t", "rsa", "-b", "2048")
    with running_sshd(tmp_path / "sshd", extra=OLD[what], host_keys=(rsa,)) as sshd:
        peer = pinning(peer_of(sshd), sshd.host_fingerprint, fingerprint(rsa.with_suffix(".pub")))
        with pytest.raises(Unreachable, match=r"no algorithm in common.*modern"):
            connect(peer)
        with connected(replace(peer, algorithms=Algorithms.LEGACY)):
            pass


def test_a_port_where_nobody_listens_is_said_so(sshd: Sshd) -> None:
    with pytest.raises(Unreachable, match="Check name, port and firewall"):
        connect(replace(peer_of(sshd), port=free_port()))


def test_a_host_that_has_no_address_is_said_so(sshd: Sshd) -> None:
    with pytest.raises(Unreachable):
        connect(replace(peer_of(sshd), host="no such host\n.invalid"))


def test_an_account_without_sftp_is_said_so(tmp_path: Path) -> None:
    needed("sshd")
    with running_sshd(tmp_path, extra="ForceCommand exit 1") as sshd, pytest.raises(Lost):
        connect(peer_of(sshd))
