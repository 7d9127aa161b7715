"""Is this the partner's server? Its host key is one of those pinned, or it is refused before we say who we are.

Pinned are SHA256 fingerprints, the keys of a known_hosts file, or both; any one of them will do, so that a partner can
change keys without a gap (the new one is put beside the old one beforehand). Only where `trust_first_use` is
configured is the first key ever seen taken, and then it is remembered: another one later is refused.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import paramiko

from gateway.domain.finding import printable
from gateway.transports.sftp_client.errors import HostKeyRefused
from gateway.transports.sftp_client.peer import Peer


def check(peer: Peer, key: paramiko.PKey) -> bool:
    """True when `key` is the server's we expect. Raises HostKeyRefused when nothing at all is pinned, or a file
    of known hosts cannot be read."""
    wishes = peer.host_keys
    if fingerprint(key) in _normal(wishes.fingerprints):
        return True
    known = known_keys(peer)
    if any(key.asbytes() == one.asbytes() for one in known):
        return True
    if wishes.trust_first_use and not known and not wishes.fingerprints:
        _remember(peer, key)
        return True
    return False


def known_keys(peer: Peer) -> list[paramiko.PKey]:
    """The keys that files of known hosts hold for this server."""
    found: list[paramiko.PKey] = []
    for path in (peer.host_keys.known_hosts, peer.host_keys.remembered):
        if path is None or (path == peer.host_keys.remembered and not path.exists()):
            continue
        try:
            entries = paramiko.HostKeys(str(path)).lookup(_host(peer))
        except (OSError, ValueError, paramiko.SSHException) as error:
            raise HostKeyRefused(f"{peer}: the file of known hosts {path} cannot be read: {error}") from error
        found.extend(entries.values() if entries else ())
    return found


def refusal(peer: Peer, offered: Iterable[paramiko.PKey]) -> HostKeyRefused:
    """What to tell a person: what the server showed, what we expect, what to do."""
    shown = ", ".join(f"{fingerprint(key)} ({key.get_name()})" for key in offered)
    pinned = [printable(one) for one in peer.host_keys.fingerprints]
    pinned += [f"{fingerprint(key)} ({key.get_name()}, known hosts)" for key in known_keys(peer)]
    if not pinned:
        return HostKeyRefused(
            f"{peer}: the server's host key is {shown}; none is pinned, so it is not trusted. "
            "→ Ask the partner for its fingerprint by another channel (telephone, signed mail); "
            "when it is the same, configure it."
        )
    return HostKeyRefused(
        f"{peer}: the server's host key is {shown}; pinned are {', '.join(pinned)}. Either the partner has changed "
        "its key, or somebody stands in between. → Ask the partner by another channel. When the new fingerprint "
        "is confirmed, put it beside the old one, and take the old one away once the change is over."
    )


def fingerprint(key: paramiko.PKey) -> str:
    """`SHA256:…`, as `ssh-keygen -l` prints it."""
    return str(key.fingerprint)


def _normal(fingerprints: Iterable[str]) -> set[str]:
    return {
        one if one.startswith("SHA256:") else f"SHA256:{one}" for one in (p.strip().rstrip("=") for p in fingerprints)
    }


def _host(peer: Peer) -> str:
    return peer.host if peer.port == 22 else f"[{peer.host}]:{peer.port}"


def _remember(peer: Peer, key: paramiko.PKey) -> None:
    path = peer.host_keys.remembered
    if path is None:
        raise HostKeyRefused(f"{peer}: a first host key is to be trusted, but no file is configured to remember it in")
    _append(path, f"{_host(peer)} {key.get_name()} {key.get_base64()}\n".encode())


def _append(path: Path, line: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, line)
        os.fsync(file)
    finally:
        os.close(file)
