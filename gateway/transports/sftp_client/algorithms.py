"""Which SSH algorithms are agreed to, and paramiko's transport told so.

`modern` has what OpenSSH of the last years offers. `legacy` is for the server of a partner who cannot change it, and
only when it is configured: paramiko 5 has given up SHA-1 altogether, so what it lacks is added here, for that
transport alone.
"""

from __future__ import annotations

from hashlib import sha1
from typing import Any, ClassVar, Final

import paramiko
from cryptography.hazmat.primitives import hashes
from paramiko.kex_group14 import KexGroup14SHA256

from gateway.transports.sftp_client.peer import Algorithms

#: The first that the server knows is taken. AES-GCM is one call for a packet, in hardware nearly everywhere.
_CIPHERS: Final = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr")
_MACS: Final = (
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha2-256",
    "hmac-sha2-512",
)
_KEX: Final = (
    "mlkem768x25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group-exchange-sha256",
    "diffie-hellman-group14-sha256",
)
HOST_KEYS: Final = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
_LEGACY_CIPHERS: Final = ("aes128-cbc", "aes192-cbc", "aes256-cbc")
_LEGACY_MACS: Final = ("hmac-sha1",)
_LEGACY_KEX: Final = ("diffie-hellman-group14-sha1",)
_LEGACY_HOST_KEYS: Final = ("ssh-rsa",)


def _of(thing: Any, name: str) -> Any:
    return getattr(thing, name)  # not in the published types


class _RsaWithSha1(paramiko.RSAKey):
    pass


_RsaWithSha1.HASHES = {**paramiko.RSAKey.HASHES, "ssh-rsa": hashes.SHA1}  # type: ignore[misc]


class _Group14WithSha1(KexGroup14SHA256):
    name = "diffie-hellman-group14-sha1"
    hash_algo = sha1


class _LegacyTransport(paramiko.Transport):
    """Knows what paramiko has given up."""

    _key_info: ClassVar[Any] = {**_of(paramiko.Transport, "_key_info"), "ssh-rsa": _RsaWithSha1}
    _kex_info: ClassVar[Any] = {**_of(paramiko.Transport, "_kex_info"), _Group14WithSha1.name: _Group14WithSha1}


def transport_class(algorithms: Algorithms) -> type[paramiko.Transport]:
    """The class of transport that knows all of them."""
    return _LegacyTransport if algorithms is Algorithms.LEGACY else paramiko.Transport


def host_key_kinds(algorithms: Algorithms) -> tuple[str, ...]:
    """The kinds of host key, best first."""
    return HOST_KEYS + _LEGACY_HOST_KEYS if algorithms is Algorithms.LEGACY else HOST_KEYS


def restrict(transport: paramiko.Transport, algorithms: Algorithms, kinds: tuple[str, ...]) -> None:
    """Let the transport offer these and no others; `kinds` of host keys in the order wished."""
    legacy = algorithms is Algorithms.LEGACY
    options = transport.get_security_options()
    known = set(options.kex) | set(_LEGACY_KEX)
    options.ciphers = _CIPHERS + _LEGACY_CIPHERS if legacy else _CIPHERS
    options.digests = _MACS + _LEGACY_MACS if legacy else _MACS
    # What the build of cryptography lacks (ML-KEM) is left out.
    options.kex = tuple(kex for kex in (_KEX + _LEGACY_KEX if legacy else _KEX) if kex in known)
    options.key_types = kinds
