"""Remembers one drop folder from look to look, and says what is to be taken, refused or removed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.domain.finding import Finding
from gateway.domain.partner import Completeness
from gateway.transports.completeness.closed import Closed
from gateway.transports.completeness.in_hand import Batch, InHand
from gateway.transports.completeness.ladder import Ladder, Sorted
from gateway.transports.completeness.sighting import Sighting
from gateway.transports.completeness.word import Orphan, Says, Word
from gateway.transports.local import Look, Nature, join

#: While more comes into a folder, what lacks its other half is given this many times its patience: a nightly run may
#: send all files first and all markers, or the list of the batch, hours later.
_LONGEST: Final = 8
#: Files remembered as taken before a companion of theirs came.
_TAKEN: Final = 50_000


@dataclass(frozen=True, slots=True)
class Ready:
    """A name to be taken now. With `refusals` it is taken to be refused, the first being the reason."""

    look: Look
    refusals: tuple[Finding, ...] = ()
    batches: tuple[Batch, ...] = ()  #: the proofs that go with it
    sha256: str = ""  #: what its content must have, where its sender said so


class Watch:
    """One drop folder under one partner's wishes."""

    def __init__(
        self, wishes: Completeness, monotonic: Callable[[], float], in_hand: InHand, closed: Closed | None = None
    ) -> None:
        self.wishes = wishes
        self._monotonic = monotonic
        self._in_hand = in_hand
        self._closed = closed or Closed()
        self._ladder = Ladder(wishes)
        self._seen: dict[bytes, Sighting] = {}
        self._files: dict[bytes, Sighting] = {}
        self._orphans = 0
        self._taken: dict[bytes, float] = {}

    def sort(self, folder: Path, looks: Iterable[Look]) -> tuple[list[Ready], list[Look]]:
        """The names to be taken, whole or given up, oldest sighting first, and the proofs that came too late and are
        to be removed; all others are remembered."""
        now = self._monotonic()
        noted = self._closed.noted(folder)  # before the look: a note that comes during it counts the next time
        everything = {look.name: look for look in looks}
        self._closed.drop(folder, {name: look for name, look in noted.items() if everything.get(name) != look})
        self._ladder.closed.noted = noted
        self._in_hand.compare(everything)
        self._seen = {
            name: self._sighted(folder, look, now) for name, look in everything.items() if not self._in_hand.spent(look)
        }
        names = self._ladder.sort(self._seen)
        self._files = names.files
        self._forget_taken(now)
        self._ladder.begin(names, self._taken, now)
        return self._decide(names, now)

    def forget(self, folder: Path, name: bytes) -> None:
        """The name was taken; another file may come under it."""
        self._seen.pop(name, None)
        if self._files.pop(name, None) is not None and self._ladder.vouchers and self._ladder.lacks_proof(name):
            self._taken[name] = self._monotonic()
        self._closed.withdraw(folder, name)

    @property
    def waiting(self) -> int:
        """How many files, and proofs of no file, were seen and not taken."""
        return len(self._files) + self._orphans

    @property
    def settling(self) -> int:
        """How many of them another look may find whole, although nothing more comes."""
        now = self._monotonic()
        return sum(self._ladder.may_settle(sighting, now) for sighting in self._files.values())

    def _sighted(self, folder: Path, look: Look, now: float) -> Sighting:
        known = self._seen.get(look.name)
        if known is None:
            return Sighting(look, join(folder, look.name), now, now)
        if known.look != look:
            return known.changed(look, now)
        known.pending = False
        return known

    def _decide(self, names: Sorted, now: float) -> tuple[list[Ready], list[Look]]:
        ready: list[tuple[Sighting, Ready]] = []
        whole: list[tuple[Sighting, Word]] = []
        alone: list[Sighting] = []
        for sighting in names.files.values():
            word = self._word(sighting, now)
            if word.says is Says.WHOLE:
                whole.append((sighting, word))
            elif word.says is Says.NOT_WHOLE:
                if not word.pending and now - word.since >= self.wishes.give_up_s:
                    ready.append((sighting, Ready(sighting.look, tuple(word.tell()))))
            elif self._ladder.proof_only:
                alone.append(sighting)
            elif now - sighting.unchanged_since >= self.wishes.give_up_s:
                # Since the last change: a large file that still comes in over a slow line is left alone.
                ready.append((sighting, Ready(sighting.look, (self._ladder.missing(sighting.look.name),))))
        orphans = [orphan for voucher in self._ladder.vouchers for orphan in voucher.orphans()]
        self._orphans = sum(not orphan.late for orphan in orphans)
        ready += self._given_up(alone, orphans, now)
        ready = self._with_proofs(whole, ready)
        ready.sort(key=lambda r: (r[0].first, r[0].look.mtime_ns))
        return [r for _, r in ready], [orphan.sighting.look for orphan in orphans if orphan.late]

    def _word(self, sighting: Sighting, now: float) -> Word:
        if sighting.look.nature is not Nature.FILE or self._in_hand.vouched(sighting.look):
            return Word(Says.WHOLE)  # what is no file is to be refused; waiting makes no file of it
        word = self._ladder.word(sighting, now)
        if sighting.look.size > self.wishes.limit_bytes and word.says is not Says.NOT_WHOLE:
            return Word(Says.WHOLE if self._ladder.quiet(sighting, now) else Says.NOTHING)
        return word

    def _given_up(self, alone: list[Sighting], orphans: list[Orphan], now: float) -> list[tuple[Sighting, Ready]]:
        """What lacks its other half: its patience ends when nothing that waits like it has changed for a while."""
        lonely = [orphan for orphan in orphans if not orphan.late]
        waiting = [*alone, *(orphan.sighting for orphan in lonely if orphan.since is None)]
        last = max((sighting.unchanged_since for sighting in waiting), default=now)
        patience = self.wishes.give_up_s

        def ends(since: float, own: bool = False) -> bool:
            return now - since >= patience if own else now - last >= patience or now - since >= patience * _LONGEST

        given_up = [
            (sighting, Ready(sighting.look, (self._ladder.missing(sighting.look.name),)))
            for sighting in alone
            if ends(sighting.unchanged_since)
        ]
        for orphan in lonely:
            own = orphan.since is not None
            if ends(orphan.sighting.unchanged_since if orphan.since is None else orphan.since, own):
                given_up.append((orphan.sighting, Ready(orphan.sighting.look, tuple(orphan.tell()))))
        return given_up

    def _with_proofs(
        self, whole: list[tuple[Sighting, Word]], ready: list[tuple[Sighting, Ready]]
    ) -> list[tuple[Sighting, Ready]]:
        """Each file with the proofs that are there for it, whether it is taken as whole or given up."""
        if not self._ladder.vouchers:
            return ready + [(sighting, Ready(sighting.look)) for sighting, _ in whole]
        every = ready + [(sighting, Ready(sighting.look, sha256=word.sha256)) for sighting, word in whole]
        beside = {s.look.name: self._ladder.beside(s.look.name) for s, _ in every if s.look.name in self._files}
        files: dict[Look, list[Look]] = {}
        refused: dict[Look, list[Look]] = {}
        for sighting, one in every:
            for proof in beside.get(sighting.look.name, ()):
                (refused if one.refusals else files).setdefault(proof, []).append(sighting.look)
        batches = {
            proof: Batch(proof, tuple(files.get(proof, ())), tuple(refused.get(proof, ())))
            for proof in {**files, **refused}
        }
        return [
            (s, Ready(r.look, r.refusals, tuple(batches[p] for p in beside.get(s.look.name, ())), r.sha256))
            for s, r in every
        ]

    def _forget_taken(self, now: float) -> None:
        while self._taken:
            name, at = next(iter(self._taken.items()))
            if len(self._taken) <= _TAKEN and now - at < self.wishes.give_up_s:
                return
            del self._taken[name]
