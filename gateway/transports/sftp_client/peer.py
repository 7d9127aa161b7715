"""What is configured of a partner's server. Values only: nothing here opens, reads or checks anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class Algorithms(StrEnum):
    """Which SSH algorithms we agree to."""

    MODERN = "modern"
    LEGACY = "legacy"  #: adds ssh-rsa (SHA-1), diffie-hellman-group14-sha1, AES-CBC, HMAC-SHA1


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A private key. Its OpenSSH certificate is taken from `certificate`, or from `PATH-cert.pub` where that exists."""

    path: Path
    passphrase: str | None = field(default=None, repr=False)
    certificate: Path | None = None


@dataclass(frozen=True, slots=True)
class Login:
    """How we prove who we are. Tried in this order: key files, agent, password."""

    user: str
    keys: tuple[KeyFile, ...] = ()
    agent: bool = False
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class HostKeys:
    """Which server we take for the partner's. Several fingerprints are a rotation: any one of them will do."""

    fingerprints: tuple[str, ...] = ()  #: `SHA256:…`, as `ssh-keygen -l` prints it
    known_hosts: Path | None = None  #: a file in OpenSSH's format
    trust_first_use: bool = False  #: take the first key ever seen, and from then on only that
    remembered: Path | None = None  #: where that first key is kept (OpenSSH's format)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds. None of them is ever infinite."""

    connect_s: float = 15.0  #: for each address of the host
    banner_s: float = 15.0
    handshake_s: float = 30.0
    auth_s: float = 30.0
    answer_s: float = 60.0  #: the longest silence while an answer is awaited
    file_s: float = 3600.0  #: the longest that one file may take in one go (a large one is resumed)
    keepalive_s: int = 30
    idle_s: float = 120.0  #: an unused connection older than that is not used again


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much at once, and how much at all."""

    connections: int = 4
    #: One thread does some 3,000 small files a second, and two get in each other's way: fewer jobs than that are not
    #: worth a further connection.
    jobs_per_connection: int = 5_000
    in_flight: int = 64  #: requests awaiting an answer on one connection
    bytes_per_s: float | None = None  #: over all connections of this partner
    file_bytes: int = 100 * 1024 * 1024  #: a larger file is not fetched
    names: int = 5_000  #: names taken from one listing; the rest comes next time


@dataclass(frozen=True, slots=True)
class Peer:
    """A partner's server."""

    host: str
    login: Login
    host_keys: HostKeys
    port: int = 22
    algorithms: Algorithms = Algorithms.MODERN
    timeouts: Timeouts = Timeouts()
    bounds: Bounds = Bounds()

    def __str__(self) -> str:
        return f"{self.login.user}@{self.host}:{self.port}"
