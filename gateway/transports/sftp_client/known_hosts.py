"""A file of known hosts as OpenSSH writes it: plain, hashed and wildcard names, revoked keys.

paramiko's reader gives up the whole file at a line with a marker, and keeps one key of each kind for a host, so that a
rotation could not be written down. Certificate authorities for hosts (`@cert-authority`) are passed over: host
certificates are not supported.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import os
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

_USUAL_PORT: Final = 22
_LONGEST_FILE: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A public key; `kind` such as `ssh-ed25519`."""

    kind: str
    blob: bytes
    revoked: bool = False

    @property
    def fingerprint(self) -> str:
        """`SHA256:…`, as `ssh-keygen -l` prints it."""
        return fingerprint(self.blob)


def fingerprint(blob: bytes) -> str:
    """Of a public key in its binary form."""
    return "SHA256:" + b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def read(path: Path, host: str, port: int) -> tuple[KnownKey, ...]:
    """The keys that the file holds for that server. Lines that make no sense are passed over, as OpenSSH does.
    Raises OSError."""
    with path.open("rb") as file:
        text = file.read(_LONGEST_FILE).decode("utf-8", "replace")
    return tuple(_keys(text, name_of(host, port)))


def append(path: Path, host: str, port: int, kind: str, blob: bytes) -> None:
    """Remember a key, durably. Raises OSError."""
    line = f"{name_of(host, port)} {kind} {b64encode(blob).decode()}\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, line.encode())
        os.fsync(file)
    finally:
        os.close(file)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """A file that was new keeps its name through a power cut: else the next key to come would be the first again."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def name_of(host: str, port: int) -> str:
    """How OpenSSH names a server: with its port where that is unusual."""
    return host.lower() if port == _USUAL_PORT else f"[{host.lower()}]:{port}"


def _keys(text: str, name: str) -> Iterator[KnownKey]:
    for line in text.splitlines():
        fields = line.split()
        marker = fields.pop(0) if fields and fields[0].startswith("@") else ""
        if len(fields) < 3 or fields[0].startswith("#") or marker not in ("", "@revoked"):
            continue
        names, kind, encoded = fields[:3]
        if _names(names, name):
            try:
                yield KnownKey(kind, b64decode(encoded, validate=True), revoked=bool(marker))
            except binascii.Error:
                continue


def _names(patterns: str, name: str) -> bool:
    if patterns.startswith("|1|"):
        return _hashed(patterns, name)
    wanted = False
    for pattern in patterns.lower().split(","):
        if pattern.startswith("!"):
            if _like(name, pattern[1:]):
                return False
        elif _like(name, pattern):
            wanted = True
    return wanted


def _like(name: str, pattern: str) -> bool:
    """OpenSSH knows `*` and `?` only; brackets are part of a name with a port."""
    return fnmatchcase(name, pattern.replace("[", "[[]"))


def _hashed(field: str, name: str) -> bool:
    try:
        _, _, salt, digest = field.split("|")
        return hmac.compare_digest(hmac.digest(b64decode(salt), name.encode(), "sha1"), b64decode(digest))
    except (ValueError, binascii.Error):
        return False
