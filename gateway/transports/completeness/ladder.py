"""The ladder of one partner: which rungs are asked of a file, and how their answers become one.

A file is whole when a proof of its sender says so: `done-file`, `checksum` or `control-file`. Else it must be finished:
`close-event` or `temporary-name` says so at once, or those of `quiet` and `minimum-age` that are named agree; and,
where `structure` is named, end as its kind must. A proof that contradicts (another hash, half a file beside its
marker, a batch that wants a file) outweighs all the rest: no other rung takes that file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from gateway.domain import intake
from gateway.domain.finding import Finding
from gateway.domain.partner import Completeness, Rung
from gateway.transports.completeness.checksum import Checksum
from gateway.transports.completeness.closed import SinceClosed
from gateway.transports.completeness.control_file import ControlFile
from gateway.transports.completeness.done_file import DoneFile
from gateway.transports.completeness.hashing import Hasher
from gateway.transports.completeness.minimum_age import OlderThan
from gateway.transports.completeness.quiet import QuietFor
from gateway.transports.completeness.sighting import Sighting, View
from gateway.transports.completeness.structure import StructurallyWhole
from gateway.transports.completeness.temporary_name import UnderItsFinalName
from gateway.transports.completeness.word import Says, Voucher, Word
from gateway.transports.local import Look, Nature, printable_name

_YES: Final = Word(Says.WHOLE)
_NOT_YET: Final = Word(Says.NOTHING)


class Predicate(Protocol):
    """One idea of wholeness."""

    def __call__(self, sighting: Sighting, now: float) -> bool: ...


class Settling(Predicate, Protocol):
    """A predicate whose answer may change although nothing comes any more."""

    def settles(self, sighting: Sighting, now: float) -> bool: ...


@dataclass(slots=True)
class Sorted:
    """The names of one look: files, and the companions of each voucher."""

    files: dict[bytes, Sighting]
    companions: list[dict[bytes, Sighting]]


class Ladder:
    """The rungs that one partner names."""

    def __init__(self, wishes: Completeness) -> None:
        self._wishes = wishes
        named = set(wishes.ladder)
        self.quiet = QuietFor(wishes.quiet_s)
        self._hasher = Hasher(wishes.quiet_s, wishes.limit_bytes)
        self.closed = SinceClosed()
        self.minutes = f"{round(wishes.give_up_s / 60, 1):g}"
        self._vouchers = [self._voucher(rung) for rung in wishes.ladder if rung in _VOUCHERS]
        finished: dict[Rung, Predicate] = {Rung.CLOSE_EVENT: self.closed, Rung.TEMPORARY_NAME: UnderItsFinalName()}
        waits: dict[Rung, Settling] = {Rung.QUIET: self.quiet, Rung.MINIMUM_AGE: OlderThan(wishes.minimum_age_s)}
        self._finished: list[Predicate] = [rung for name, rung in finished.items() if name in named]
        self._waits: list[Settling] = [rung for name, rung in waits.items() if name in named]
        self._ends: list[Settling] = [StructurallyWhole()] if Rung.STRUCTURE in named else []

    @property
    def vouchers(self) -> list[Voucher]:
        """The rungs that read the sender's proofs, in the order in which they were named."""
        return self._vouchers

    @property
    def proof_only(self) -> bool:
        """Nothing is taken without a proof, so that a file without one waits for more to come."""
        return bool(self._vouchers) and not self._waits

    def sort(self, seen: Mapping[bytes, Sighting]) -> Sorted:
        """Tell files and companions apart. A link or a pipe is no companion, whatever its name."""
        if not self._vouchers:
            return Sorted(dict(seen), [])
        files: dict[bytes, Sighting] = {}
        companions: list[dict[bytes, Sighting]] = [{} for _ in self._vouchers]
        for name, sighting in seen.items():
            into = files
            if sighting.look.nature is Nature.FILE:
                into = next((c for v, c in zip(self._vouchers, companions, strict=True) if v.companion(name)), files)
            into[name] = sighting
        return Sorted(files, companions)

    def begin(self, names: Sorted, taken: Mapping[bytes, float], now: float) -> None:
        """Let the vouchers take in one look."""
        self._hasher.begin()
        for voucher, companions in zip(self._vouchers, names.companions, strict=True):
            voucher.begin(View(now, names.files, companions, taken))

    def word(self, sighting: Sighting, now: float) -> Word:
        """Is it whole? `NOTHING`: not yet, and no proof is against it."""
        best = _NOT_YET
        for voucher in self._vouchers:
            word = voucher.word(sighting)
            if word.says is Says.NOT_WHOLE:
                return word
            if word.says is Says.WHOLE and not best.sha256:
                best = word
        if best.says is Says.NOTHING and self._stands(sighting, now):
            best = _YES
        return best

    def beside(self, name: bytes) -> tuple[Look, ...]:
        """All companions that are there for a file."""
        return tuple(look for voucher in self._vouchers for look in voucher.beside(name))

    def lacks_proof(self, name: bytes) -> bool:
        """A companion of this file may still come, after it was taken."""
        return any(not voucher.beside(name) for voucher in self._vouchers)

    def missing(self, name: bytes) -> Finding:
        """What is told of a file against which nothing speaks but that it was never whole."""
        if self._vouchers and not self._waits:
            return self._vouchers[0].missing(name)
        return intake.INCOMPLETE.at(minutes=self.minutes, name=printable_name(name))

    def may_settle(self, sighting: Sighting, now: float) -> bool:
        """May another look find it whole although nothing comes any more?"""
        if sighting.pending or (self._vouchers and self.quiet.settles(sighting, now)):
            return True
        return any(rung.settles(sighting, now) for rung in (*self._waits, *(self._ends if self._waits else ())))

    def _stands(self, sighting: Sighting, now: float) -> bool:
        finished = any(rung(sighting, now) for rung in self._finished)
        if not finished:
            finished = bool(self._waits) and all(rung(sighting, now) for rung in self._waits)
        return finished and all(rung(sighting, now) for rung in self._ends)

    def _voucher(self, rung: Rung) -> Voucher:
        wishes = self._wishes
        if rung is Rung.DONE_FILE:
            return DoneFile(wishes.done_name, wishes.quiet_s, self.minutes)
        if rung is Rung.CHECKSUM:
            return Checksum(self._hasher, self.minutes)
        return ControlFile(wishes.control_names, self._hasher, wishes.quiet_s, self.minutes)


_VOUCHERS: Final = frozenset({Rung.DONE_FILE, Rung.CHECKSUM, Rung.CONTROL_FILE})
