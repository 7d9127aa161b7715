"""The rung `control-file`: a list names the files of a batch, and the batch is taken as one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import translate
from functools import partial
from typing import Final

from gateway.domain import not_whole
from gateway.domain.finding import Finding, Text
from gateway.domain.partner import Rung
from gateway.transports.completeness.bare_word import BareWord
from gateway.transports.completeness.bounded_text import Unusable
from gateway.transports.completeness.control_text import CONTROL_NAMES, Listed, read_control
from gateway.transports.completeness.hashing import Hasher
from gateway.transports.completeness.quiet import QuietFor
from gateway.transports.completeness.sighting import Sighting, View, folder_of
from gateway.transports.completeness.word import NOTHING, WHOLE, Orphan, Says, Word
from gateway.transports.local import Look, printable_name

#: Names of all control files that wait in one folder, at most in memory; those beyond are read when others are gone.
_NAMES_HELD: Final = 2 * CONTROL_NAMES
#: Files at fault that are named one by one to the sender.
_NAMED: Final = 200


@dataclass(slots=True)
class _Batch:
    """One shape of a control file, what it lists, and how far its batch has come."""

    sighting: Sighting
    listed: Mapping[bytes, Listed] = field(default_factory=dict)  #: by name with sub-folder
    wrong: Text | None = None  #: why it cannot be used
    stuck_at: bytes | None = None  #: the first name that was not whole: asked first the next time
    whole: bool = False
    since: float = 0.0  #: when the batch last changed


class ControlFile:
    """`batch.ctr` lists names, with sizes and hashes where the sender can; nothing of the batch is taken before all of
    it is there and whole. Weakness: one lost file holds up the whole batch until it is given up, and a list of bare
    names vouches as little for each content as a done-file.

    DDEX choreographies and bank gateways work so. The list itself must have been quiet: half a list is a list.
    """

    rung = Rung.CONTROL_FILE

    def __init__(self, patterns: Sequence[str], hasher: Hasher, quiet_s: float, minutes: str) -> None:
        self._pattern = re.compile("|".join(map(translate, patterns)), re.IGNORECASE)
        self._hasher = hasher
        self._quiet = QuietFor(quiet_s)
        self._bare_word = BareWord(quiet_s, minutes)
        self._minutes = minutes
        self._view = View(0.0, {})
        self._batches: dict[bytes, _Batch] = {}
        self._batch_of: dict[bytes, _Batch] = {}

    def companion(self, name: bytes) -> bool:
        """A name of one of the patterns."""
        base = name[len(folder_of(name)) :].decode("utf-8", "replace")
        return self._pattern.fullmatch(base) is not None

    def begin(self, view: View) -> None:
        """Take in one look; a list is read once for each shape of it, and only when it has been quiet."""
        self._view = view
        known, self._batches, self._batch_of = self._batches, {}, {}
        held = 0
        for name, sighting in view.companions.items():
            batch = known.get(name)
            if batch is None or batch.sighting.look != sighting.look:
                batch = self._read(sighting, _NAMES_HELD - held)
            if batch is None:
                continue
            self._batches[name] = batch
            held += len(batch.listed)
            batch.since = sighting.unchanged_since
            for listed in batch.listed:
                self._batch_of.setdefault(listed, batch)
                if (file := view.files.get(listed)) is not None and file.unchanged_since > batch.since:
                    batch.since = file.unchanged_since
            batch.whole = batch.wrong is None and self._all_there(batch)

    def word(self, sighting: Sighting) -> Word:
        """Whole with its whole batch; a file of a batch that waits is taken by no other rung."""
        batch = self._batch_of.get(sighting.look.name)
        if batch is None:
            return NOTHING
        if batch.whole:
            stated = batch.listed[sighting.look.name]
            return Word(Says.WHOLE, sha256=stated.digest) if stated.algorithm == "sha256" else WHOLE
        tell = partial(self._not_taken, batch, sighting.look.name)
        return Word(Says.NOT_WHOLE, since=batch.since, tell=tell, pending=batch.sighting.pending)

    def beside(self, name: bytes) -> tuple[Look, ...]:
        """The control file of its batch, once that is whole."""
        batch = self._batch_of.get(name)
        return (batch.sighting.look,) if batch and batch.whole else ()

    def missing(self, name: bytes) -> Finding:
        """The finding about a file that no control file lists."""
        return not_whole.FILE_NOT_LISTED.at(name=printable_name(name), minutes=self._minutes)

    def orphans(self) -> Iterator[Orphan]:
        """Control files that cannot be used, or whose batch is not whole, or was taken before."""
        for name, batch in self._batches.items():
            if batch.whole:
                if not any(listed in self._view.files for listed in batch.listed):
                    yield Orphan(batch.sighting, late=True)
            elif not batch.sighting.pending:
                yield Orphan(batch.sighting, partial(self._given_up, batch, name), since=batch.since)

    def _read(self, sighting: Sighting, room: int) -> _Batch | None:
        """None: not now (it may still be written, or too many others wait)."""
        if not self._quiet(sighting, self._view.now):
            sighting.pending = True
            return None
        folder = folder_of(sighting.look.name)
        try:
            names = read_control(sighting.path, sighting.look.name[len(folder) :])
        except Unusable as wrong:
            return _Batch(sighting, wrong=wrong.why)
        except OSError:
            return _Batch(sighting, wrong=Text("il n'a pas pu être lu", "it could not be read"))
        if len(names) > room:
            sighting.pending = True
            return None
        return _Batch(sighting, {folder + name: stated for name, stated in names.items()})

    def _all_there(self, batch: _Batch) -> bool:
        """Asks the name that was wanting the last time first: many lists of many names cost no more than few."""
        if batch.stuck_at is not None and self._fault(batch, batch.stuck_at) is not None:
            return False
        for name in batch.listed:
            if self._fault(batch, name) is not None:
                batch.stuck_at = name
                return False
        batch.stuck_at = None
        return True

    def _fault(self, batch: _Batch, name: bytes) -> Text | None:
        """What is wrong with a listed file now; None when it is whole, or was taken before its list came."""
        file = self._view.files.get(name)
        if file is None:
            return None if name in self._view.taken else Text("manque", "is missing")
        stated = batch.listed[name]
        if self._hasher.too_large(file):  # it will be refused by itself, and must not hold up the others
            return None if self._quiet(file, self._view.now) else Text("est en cours d'écriture", "is being written")
        if stated.size is not None and stated.size != file.look.size:
            return Text(
                f"a {file.look.size} octets au lieu de {stated.size}",
                f"has {file.look.size} bytes instead of {stated.size}",
            )
        if stated.algorithm:
            found = self._hasher.digest(file, stated.algorithm, self._view.now)
            if found is None:
                batch.sighting.pending = True
            if found != stated.digest:
                what = f"{stated.algorithm.upper()} {found} ≠ {stated.digest}"
                return Text(f"n'a pas l'empreinte annoncée ({what})", f"has not the hash listed ({what})")
        elif self._bare_word.about(file, batch.sighting, self._view.now).says is not Says.WHOLE:
            batch.sighting.pending = file.pending
            return Text("n'est pas entier", "is not whole")
        return None

    def _not_taken(self, batch: _Batch, name: bytes) -> Sequence[Finding]:
        """The finding about a batch, told of one of its files or of its list."""
        return (
            not_whole.BATCH_INCOMPLETE.at(
                name=printable_name(name),
                other=printable_name(batch.sighting.look.name),
                minutes=self._minutes,
                missing=printable_name(batch.stuck_at or b""),
            ),
        )

    def _given_up(self, batch: _Batch, name: bytes) -> Sequence[Finding]:
        """All that is told of a list: why it cannot be used, or each file at fault by name."""
        shown = printable_name(name)
        if batch.wrong is not None:
            return (not_whole.CONTROL_UNREADABLE.at(name=shown, why=batch.wrong.fr, why_en=batch.wrong.en),)
        faults = [(listed, why) for listed in batch.listed if (why := self._fault(batch, listed)) is not None]
        named = (
            not_whole.BATCH_FAULT.at(name=printable_name(listed), other=shown, why=why.fr, why_en=why.en)
            for listed, why in faults[:_NAMED]
        )
        return (*self._not_taken(batch, name), *named)
