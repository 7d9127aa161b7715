"""Which public keys open an account: a file in OpenSSH's `authorized_keys` format, read again when it changes.

The file decides who gets in, so it must be a plain file (no link) that nobody but its owner may write; otherwise no
key opens the account, and the reason is told. A line that cannot be honoured is left out and its reason told.
Certificates are not supported.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import stat
import struct
import threading
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from gateway.transports.sftp_server.key_options import BadOption, Restrictions, parse_options

_LARGEST_BYTES: Final = 256 * 1024
_LEAST_RSA_BITS: Final = 2048
#: What some programs take for the end of a line, and eyes for nothing at all; a tab is a blank.
_UNSEEN: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
_KINDS: Final = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
)


@dataclass(frozen=True, slots=True)
class AuthorizedKey:
    """One usable line. `blob` is the public key as it goes over the wire."""

    line: int
    kind: str
    blob: bytes
    comment: str
    restrictions: Restrictions


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys of a file. `refused` tells in plain words what was left out; `stamp` is the file's state."""

    keys: tuple[AuthorizedKey, ...] = ()
    refused: tuple[str, ...] = ()
    stamp: tuple[int, ...] = ()

    def objection(self, blob: bytes, address: str, now: datetime) -> str:
        """Why the key does not open the account; empty when it does."""
        objections = [k.restrictions.objection(address, now) for k in self.keys if k.blob == blob]
        if not objections:
            return "key not authorized"
        return "" if "" in objections else objections[0]


@dataclass(slots=True)
class KeyFiles:
    """Key rings by file, read again when size, time or inode changed. Usable from all sessions at once."""

    _rings: dict[Path, KeyRing] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ring(self, path: Path) -> KeyRing:
        """The keys of `path` as they are now."""
        with self._lock:
            known = self._rings.get(path)
            if known is None or known.stamp != _stamp(path):
                known = read_keys(path)
                self._rings[path] = known
            return known


def read_keys(path: Path) -> KeyRing:
    """The keys of one file; never raises: what is wrong is told in `refused`."""
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        return KeyRing(refused=(f"{path}: {error.strerror} (it must be a plain file, no link)",), stamp=_stamp(path))
    with os.fdopen(opened, "rb") as file:
        facts = os.fstat(opened)
        fault = _fault(facts)
        stamp = _facts_stamp(facts)
        if fault:
            return KeyRing(refused=(f"{path}: {fault}",), stamp=stamp)
        return _parse(path, file.read(_LARGEST_BYTES), stamp)


def _fault(facts: os.stat_result) -> str:
    if not stat.S_ISREG(facts.st_mode):
        return "no plain file"
    if facts.st_mode & 0o022:
        return "may be written by others than its owner: chmod go-w"
    if facts.st_uid not in (0, os.geteuid()):
        return "belongs to another user: chown it to the user of the gateway"
    if facts.st_size > _LARGEST_BYTES:
        return f"larger than {_LARGEST_BYTES} bytes"
    return ""


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        return _facts_stamp(path.lstat())
    except OSError:
        return (-1,)


def _facts_stamp(facts: os.stat_result) -> tuple[int, ...]:
    # The mode belongs to it: a file that others may write since this morning is to be refused.
    return (facts.st_mtime_ns, facts.st_ctime_ns, facts.st_size, facts.st_ino, facts.st_mode)


def _parse(path: Path, content: bytes, stamp: tuple[int, ...]) -> KeyRing:
    keys: list[AuthorizedKey] = []
    refused: list[str] = []
    # Lines end where OpenSSH ends them, and nowhere else: `str.splitlines` knows eight more ends, after each of which
    # the rest of a comment would be a key without the restrictions of its line.
    for number, line in enumerate(content.split(b"\n"), 1):
        text = line.removesuffix(b"\r").decode("utf-8", "replace").strip(" \t")
        if not text or text.startswith("#"):
            continue
        try:
            keys.append(parse_line(text, number))
        except BadOption as fault:
            refused.append(f"{path}, line {number}: {fault}")
    return KeyRing(tuple(keys), tuple(refused), stamp)


def parse_line(text: str, number: int = 1) -> AuthorizedKey:
    """One line `[options] kind base64 [comment]`. Raises BadOption saying what is wrong."""
    if _UNSEEN.search(text):
        raise BadOption("the line holds control characters: write it anew, one key a line")
    options, rest = _options_apart(text)
    kind, _, tail = rest.partition(" ")
    encoded, _, comment = tail.strip().partition(" ")
    if kind not in _KINDS:
        raise BadOption(f"key type is not one of {', '.join(_KINDS)} (certificates are not supported)")
    try:
        blob = base64.b64decode(encoded, validate=True)
        fields = _fields(blob)
    except (binascii.Error, ValueError) as error:
        raise BadOption("the key is damaged: copy the whole line of the .pub file") from error
    if len(fields) < 2 or fields[0] != kind.encode():
        raise BadOption("the key is not of the type that its line names")
    if kind == "ssh-rsa" and int.from_bytes(fields[-1], "big").bit_length() < _LEAST_RSA_BITS:
        raise BadOption(f"an RSA key needs {_LEAST_RSA_BITS} bits or more: make an ed25519 key instead")
    return AuthorizedKey(number, kind, blob, comment.strip(), parse_options(options))


def _options_apart(text: str) -> tuple[str, str]:
    """Options end at the first blank outside quotes; a line may have none and start with the key's type."""
    first, _, _ = text.partition(" ")
    if first in _KINDS:
        return "", text
    quoted = False
    for position, character in enumerate(text):
        if character == '"' and text[position - 1 : position] != "\\":
            quoted = not quoted
        elif character in " \t" and not quoted:
            return text[:position], text[position:].strip()
    return "", text


def _fields(blob: bytes) -> list[bytes]:
    fields = []
    while blob:
        (length,) = struct.unpack_from(">I", blob.ljust(4, b"\0"))
        if length > len(blob) - 4:
            raise ValueError("truncated")
        fields.append(blob[4 : 4 + length])
        blob = blob[4 + length :]
    return fields
