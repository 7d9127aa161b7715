"""Is a dropped file whole? One small predicate an idea, asked in order; all must agree.

A rename away from a temporary name needs no predicate: such names are not seen (`local.py`). Done-files, checksums
and control files come with the transports that need them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

from gateway.domain.partner import Completeness
from gateway.parsers.whole import looks_whole
from gateway.transports.local import Look, Nature, join

#: An empty file is often one that was just opened for writing: it gets this many quiet times before it counts.
_EMPTY_PATIENCE: Final = 10


class Readiness(StrEnum):
    """What is to be done with a name in the drop folder."""

    WAIT = "wait"
    TAKE = "take"
    INCOMPLETE = "incomplete"  #: given up: it never got whole


class Predicate(Protocol):
    """One idea of wholeness."""

    def __call__(self, sighting: Sighting, now: float) -> bool: ...


@dataclass(slots=True)
class Sighting:
    """What we remember of one name between looks. Times are of the monotonic clock, in seconds: mtime cannot be
    trusted, a copy may keep the old one while it is still being written (CAMEL-19378)."""

    look: Look
    path: Path
    first: float
    unchanged_since: float
    structure: bool | None = None  #: what the structural look said, until something changes


class QuietFor:
    """Size, mtime and inode unchanged between two looks `seconds` apart. Weakness: a stalled upload looks quiet."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __call__(self, sighting: Sighting, now: float) -> bool:
        patience = self.seconds if sighting.look.size else self.seconds * _EMPTY_PATIENCE
        return now - sighting.unchanged_since >= patience


class StructurallyWhole:
    """The content ends as its kind must end. Weakness: says nothing of kinds it does not know."""

    def __call__(self, sighting: Sighting, now: float) -> bool:
        if sighting.look.size == 0:
            return True
        if sighting.structure is None:
            try:
                sighting.structure = looks_whole(sighting.path)
            except OSError:
                return False
        return sighting.structure


class Watch:
    """Remembers one drop folder from look to look and says what may be taken."""

    def __init__(self, wishes: Completeness, monotonic: Callable[[], float]) -> None:
        self.wishes = wishes
        self._monotonic = monotonic
        self._predicates: tuple[Predicate, ...] = (QuietFor(wishes.quiet_s), StructurallyWhole())
        self._seen: dict[bytes, Sighting] = {}

    def sort(self, folder: Path, looks: Iterable[Look]) -> list[tuple[Look, Readiness]]:
        """The names to be taken, whole or given up, oldest sighting first; the others are remembered."""
        now = self._monotonic()
        seen = {look.name: self._sighted(folder, look, now) for look in looks}
        self._seen = seen
        ready = []
        for sighting in seen.values():
            readiness = self._ready(sighting, now)
            if readiness is not Readiness.WAIT:
                ready.append((sighting.first, sighting.look, readiness))
        return [(look, readiness) for _, look, readiness in sorted(ready, key=lambda r: (r[0], r[1].mtime_ns))]

    def forget(self, name: bytes) -> None:
        """The name was taken; another file may come under it."""
        self._seen.pop(name, None)

    @property
    def waiting(self) -> int:
        """How many names were seen and not taken."""
        return len(self._seen)

    @property
    def settling(self) -> int:
        """How many of them another look may find whole: changed a moment ago, or not asked for their end yet."""
        now = self._monotonic()
        return sum(self._may_settle(sighting, now) for sighting in self._seen.values())

    def _may_settle(self, sighting: Sighting, now: float) -> bool:
        asked = sighting.structure is not None or sighting.look.size == 0
        return not asked or not QuietFor(self.wishes.quiet_s)(sighting, now)

    def _sighted(self, folder: Path, look: Look, now: float) -> Sighting:
        known = self._seen.get(look.name)
        if known is None:
            return Sighting(look, join(folder, look.name), now, now)
        if known.look != look:
            first = known.first if known.look.inode == look.inode else now
            return Sighting(look, known.path, first, now)
        return known

    def _ready(self, sighting: Sighting, now: float) -> Readiness:
        if sighting.look.nature is not Nature.FILE:
            return Readiness.TAKE  # to be refused; waiting makes no file of it
        if sighting.look.size > self.wishes.limit_bytes:
            return Readiness.TAKE if self._predicates[0](sighting, now) else Readiness.WAIT
        if all(predicate(sighting, now) for predicate in self._predicates):
            return Readiness.TAKE
        # Since the last change: a large file that still comes in over a slow line is left alone.
        given_up = now - sighting.unchanged_since >= self.wishes.give_up_s
        return Readiness.INCOMPLETE if given_up else Readiness.WAIT
