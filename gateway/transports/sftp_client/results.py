"""What came of a listing, a fetch, a put and a move: values for the rest of the gateway."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from gateway.transports.local import Nature
from gateway.transports.sftp_client.errors import SftpError


@dataclass(frozen=True, slots=True)
class RemoteLook:
    """One name in a remote folder at one moment. `mtime` in whole seconds since 1970; None where the server keeps it
    to itself."""

    name: bytes
    nature: Nature
    size: int
    mtime: int | None


@dataclass(frozen=True, slots=True)
class Listing:
    """What a folder holds. `more`: it holds more than was asked for. `unusable`: names that no file can have, for a
    warning; they are never touched."""

    looks: tuple[RemoteLook, ...]
    more: bool
    unusable: tuple[bytes, ...] = ()


class Why(StrEnum):
    """Why something was not done."""

    CHANGING = "still changing"  #: look again later
    GONE = "gone"  #: its owner took it away
    TOO_LARGE = "too large"
    NOT_A_FILE = "not a file"
    REFUSED = "refused"  #: the server does not allow it
    NO_SPACE = "no space"
    TAKEN = "name taken"  #: something else stands there
    FAILED = "failed"  #: the server said no more
    CONNECTION = "connection"  #: no connection, or it was lost time and again


@dataclass(frozen=True, slots=True)
class Failed:
    """It was not done. `error` is there for `CONNECTION` and for what the server answered."""

    name: bytes
    why: Why
    reason: str
    error: SftpError | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """`path` is a whole file of ours, hidden, to be moved on; its SHA-256 in hexadecimal."""

    look: RemoteLook
    path: Path
    sha256: str
    size: int


class PutHow(StrEnum):
    NEW = "new"
    ALREADY_THERE = "already-there"  #: the same bytes stood there


@dataclass(frozen=True, slots=True)
class Put:
    name: bytes
    size: int
    how: PutHow


@dataclass(frozen=True, slots=True)
class Moved:
    """`now` is the name in the other folder."""

    name: bytes
    now: bytes


@dataclass(frozen=True, slots=True)
class Removed:
    name: bytes
