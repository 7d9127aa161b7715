"""Is this the partner's server? Its host key is one of those pinned, or it is refused before we say who we are.

Pinned are SHA256 fingerprints, the keys of a known_hosts file, or both; any one of them will do, so that a partner can
change keys without a gap (the new one is put beside the old one beforehand). Only where `trust_first_use` is
configured is the first key ever seen taken, and then it is remembered: another one later is refused.
"""

from __future__ import annotations

from collections.abc import Iterable

import paramiko

from gateway.domain.finding import printable
from gateway.transports.sftp_client import known_hosts
from gateway.transports.sftp_client.errors import HostKeyRefused
from gateway.transports.sftp_client.known_hosts import KnownKey
from gateway.transports.sftp_client.peer import Peer


def check(peer: Peer, key: paramiko.PKey) -> bool:
    """True when `key` is the server's we expect. Raises HostKeyRefused when it cannot be told."""
    wishes = peer.host_keys
    known = _known(peer)
    blob = key.asbytes()
    if any(one.blob == blob and one.revoked for one in known):
        return False
    if known_hosts.fingerprint(blob) in {_normal(one) for one in wishes.fingerprints}:
        return True
    if any(one.blob == blob for one in known):
        return True
    if wishes.trust_first_use and not known and not wishes.fingerprints:
        _remember(peer, key)
        return True
    return False


def known_kinds(peer: Peer) -> frozenset[str]:
    """The kinds of key that files of known hosts hold for this server. Raises HostKeyRefused."""
    return frozenset(key.kind for key in _known(peer))


def refusal(peer: Peer, offered: Iterable[paramiko.PKey]) -> HostKeyRefused:
    """What to tell a person: what the server showed, what we expect, what to do."""
    shown = ", ".join(f"{known_hosts.fingerprint(key.asbytes())} ({key.get_name()})" for key in offered)
    pinned = [printable(one) for one in peer.host_keys.fingerprints]
    pinned += [f"{key.fingerprint} ({key.kind}, {'revoked' if key.revoked else 'known hosts'})" for key in _known(peer)]
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


def _known(peer: Peer) -> list[KnownKey]:
    found: list[KnownKey] = []
    for path in (peer.host_keys.known_hosts, peer.host_keys.remembered):
        if path is None or (path == peer.host_keys.remembered and not path.exists()):
            continue
        try:
            found.extend(known_hosts.read(path, peer.host, peer.port))
        except OSError as error:
            raise HostKeyRefused(f"{peer}: the file of known hosts {path} cannot be read: {error}") from error
    return found


def _normal(pin: str) -> str:
    bare = pin.strip().rstrip("=")
    return bare if bare.startswith("SHA256:") else f"SHA256:{bare}"


def _remember(peer: Peer, key: paramiko.PKey) -> None:
    path = peer.host_keys.remembered
    if path is None:
        raise HostKeyRefused(f"{peer}: a first host key is to be trusted, but no file is configured to remember it in")
    try:
        known_hosts.append(path, peer.host, peer.port, key.get_name(), key.asbytes())
    except OSError as error:
        raise HostKeyRefused(f"{peer}: the first host key cannot be remembered in {path}: {error}") from error
