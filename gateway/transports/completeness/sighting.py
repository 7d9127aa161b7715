"""What is remembered of one name between looks, and the look as a whole as the rungs of a ladder see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gateway.transports.local import Look


@dataclass(slots=True)
class Sighting:
    """One name. Times are of the monotonic clock, in seconds: mtime cannot be trusted, a copy may keep the old one
    while it is still being written (CAMEL-19378)."""

    look: Look
    path: Path
    first: float
    unchanged_since: float
    structure: bool | None = None  #: what the structural look said, until something changes
    digests: dict[str, str] | None = None  #: hash by algorithm, until something changes
    hashed: bool = False  #: was hashed once, in this or an earlier shape
    pending: bool = False  #: a rung has work to do on it that this look had no time for

    def changed(self, look: Look, now: float) -> Sighting:
        """The same name, seen otherwise. The patience of another file begins anew."""
        first = self.first if self.look.inode == look.inode else now
        return Sighting(look, self.path, first, now, hashed=self.hashed)


def folder_of(name: bytes) -> bytes:
    """The sub-folder of a name, with its slash; b"" for in/ itself."""
    return name[: name.rfind(b"/") + 1]


@dataclass(slots=True)
class View:
    """One look at the drop folder: every file, the companions of one rung, and the files taken a while ago."""

    now: float
    files: Mapping[bytes, Sighting]
    companions: Mapping[bytes, Sighting] = field(default_factory=dict)
    taken: Mapping[bytes, float] = field(default_factory=dict)  #: taken before this companion of theirs was seen
