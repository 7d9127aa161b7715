"""The hash of a file that waits: computed once for each shape of it, and only so many bytes in one look."""

from __future__ import annotations

import hashlib
import os
from typing import Final

from gateway.transports.completeness.quiet import QuietFor
from gateway.transports.completeness.sighting import Sighting
from gateway.transports.local import Look, Nature

_CHUNK_BYTES: Final = 1 << 20
#: Bytes hashed in one look at one folder: some tenths of a second, so that no partner's giants delay the others.
LOOK_BYTES: Final = 256 * 1024 * 1024
#: Of a file that we have no right to read.
UNREADABLE: Final = "-"


class Hasher:
    """Hashes files within the bounds of a look."""

    def __init__(self, quiet_s: float, limit_bytes: int, look_bytes: int = LOOK_BYTES) -> None:
        self._quiet = QuietFor(quiet_s)
        self._limit_bytes = limit_bytes
        self._look_bytes = self._left = look_bytes

    def begin(self) -> None:
        """Another look."""
        self._left = self._look_bytes

    def too_large(self, sighting: Sighting) -> bool:
        """It will be refused unread."""
        return sighting.look.size > self._limit_bytes

    def digest(self, sighting: Sighting, algorithm: str, now: float) -> str | None:
        """The hash in small hexadecimal letters, `UNREADABLE`, or None: ask again at the next look.

        A file that was hashed and has changed is hashed again only after a quiet time: one that grows beside its
        sidecar would else be read as often as it is looked at (CAMEL's `changed` lock re-reads like that).
        """
        known = (sighting.digests or {}).get(algorithm)
        if known is not None:
            return known
        first = not sighting.hashed or sighting.digests is not None
        if not (first or self._quiet(sighting, now)) or not self._room(sighting.look.size):
            sighting.pending = True
            return None
        self._left -= sighting.look.size
        sighting.hashed = True
        found = _hash(sighting, algorithm)
        if found is None:
            sighting.pending = True
            return None
        sighting.digests = {**(sighting.digests or {}), algorithm: found}
        return found

    def _room(self, size: int) -> bool:
        return size <= self._left or self._left == self._look_bytes


def _hash(sighting: Sighting, algorithm: str) -> str | None:
    """None when the file is no longer what was looked at."""
    try:
        descriptor = os.open(sighting.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except PermissionError:
        return UNREADABLE
    except OSError:
        return None
    try:
        digest, left = hashlib.new(algorithm, usedforsecurity=False), sighting.look.size
        while left > 0 and (chunk := os.read(descriptor, min(_CHUNK_BYTES, left))):
            digest.update(chunk)
            left -= len(chunk)
        status = os.fstat(descriptor)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    now = Look(sighting.look.name, Nature.FILE, status.st_size, status.st_mtime_ns, status.st_ino)
    return digest.hexdigest() if now == sighting.look else None
