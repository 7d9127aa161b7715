"""Passwords, only as scrypt hashes: `scrypt$<log2 n>$<r>$<p>$<salt>$<key>`, salt and key in base64.

A check takes the same time for a name that is unknown, has no password, or has another one. At most two checks run at
a time, so that guessing costs the guesser waiting and us no more than two times the memory of one (32 MiB).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import threading
from dataclasses import dataclass
from typing import Final

_LOG2_N: Final = 15
_R: Final = 8
_P: Final = 1
_KEY_BYTES: Final = 32
_SALT_BYTES: Final = 16
#: Above it a hash in the configuration would make each login a burden: 2^20 * 8 * 128 bytes = 1 GiB.
_LOG2_N_RANGE: Final = range(14, 19)
_LONGEST_PASSWORD: Final = 1024


class BadHash(ValueError):
    """The text is no password hash of ours."""


@dataclass(frozen=True, slots=True)
class _Hash:
    log2_n: int
    r: int
    p: int
    salt: bytes
    key: bytes

    def matches(self, password: bytes) -> bool:
        return hmac.compare_digest(_derive(password, self.salt, self.log2_n, self.r, self.p), self.key)


def make_hash(password: str) -> str:
    """The hash to put into the configuration. Raises ValueError for an empty or overlong password."""
    raw = password.encode()
    if not 1 <= len(raw) <= _LONGEST_PASSWORD:
        raise ValueError(f"a password has 1 to {_LONGEST_PASSWORD} bytes")
    salt = os.urandom(_SALT_BYTES)
    key = _derive(raw, salt, _LOG2_N, _R, _P)
    return f"scrypt${_LOG2_N}${_R}${_P}${_text(salt)}${_text(key)}"


def check_hash(text: str) -> None:
    """Raises BadHash when `text` is no hash that this program can check (for the configuration)."""
    _parse(text)


class PasswordCheck:
    """Compares passwords with hashes."""

    def __init__(self) -> None:
        self._turns = threading.BoundedSemaphore(2)
        self._decoy = _Hash(_LOG2_N, _R, _P, os.urandom(_SALT_BYTES), os.urandom(_KEY_BYTES))

    def __call__(self, password: bytes, password_hash: str) -> bool:
        """Is it the password? An empty or broken hash, or an overlong password, never is."""
        try:
            wanted, real = _parse(password_hash), True
        except BadHash:
            wanted, real = self._decoy, False
        with self._turns:
            same = wanted.matches(password[:_LONGEST_PASSWORD])
        # HMAC, inside scrypt, takes a password and the same with zeros behind it for one.
        return same and real and len(password) <= _LONGEST_PASSWORD and b"\0" not in password


def _parse(text: str) -> _Hash:
    try:
        scheme, log2_n, r, p, salt, key = text.split("$")
        found = _Hash(
            int(log2_n), int(r), int(p), base64.b64decode(salt, validate=True), base64.b64decode(key, validate=True)
        )
    except (ValueError, binascii.Error) as error:
        raise BadHash("not of the form scrypt$15$8$1$salt$key: make one with make_hash") from error
    if scheme != "scrypt" or found.log2_n not in _LOG2_N_RANGE or not (1 <= found.r <= 16 and 1 <= found.p <= 4):
        raise BadHash("scheme or cost out of range: make a new hash with make_hash")
    if len(found.salt) < 8 or len(found.key) != _KEY_BYTES:
        raise BadHash("salt or key has a wrong length: make a new hash with make_hash")
    return found


def _derive(password: bytes, salt: bytes, log2_n: int, r: int, p: int) -> bytes:
    n = 1 << log2_n
    return hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, maxmem=256 * n * r * p + 1024 * 1024, dklen=_KEY_BYTES)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
