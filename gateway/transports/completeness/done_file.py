"""The rung `done-file`: a marker beside the file says that it is finished."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import partial
from typing import Final

from gateway.domain import not_whole
from gateway.domain.finding import Finding
from gateway.domain.partner import Rung
from gateway.transports.completeness.bare_word import BareWord
from gateway.transports.completeness.sighting import Sighting, View, folder_of
from gateway.transports.completeness.word import NOTHING, Orphan, Word
from gateway.transports.local import Look, printable_name

_NAME: Final = "{name}"
_STEM: Final = "{stem}"


class DoneFile:
    """`x.xml.done`, or `x.done` for every file of that stem, vouches for what it names. Weakness: the sender's word,
    nothing is compared; orphans both ways; and a marker that comes before its file is worth no more than a quiet time
    and a structural end, so that a file of unknown kind may be taken half under it.

    The marker is never read, and removed once its file is durable (Camel's doneFileName, Spring Integration's marker
    filter; that nobody says who deletes it is what goes wrong there).
    """

    rung = Rung.DONE_FILE

    def __init__(self, template: str, quiet_s: float, minutes: str) -> None:
        self._by_stem = _STEM in template
        head, _, tail = template.partition(_STEM if self._by_stem else _NAME)
        self._template, self._minutes = template, minutes
        self._head, self._tail = head.encode(), tail.encode()
        self._bare_word = BareWord(quiet_s, minutes)
        self._view = View(0.0, {})
        self._stems: set[bytes] = set()

    def companion(self, name: bytes) -> bool:
        """A name of the configured form."""
        base = name[len(folder_of(name)) :]
        fits = len(base) > len(self._head) + len(self._tail)
        return fits and base.startswith(self._head) and base.endswith(self._tail)

    def begin(self, view: View) -> None:
        """Take in one look."""
        self._view = view
        if self._by_stem:
            self._stems = set(map(_stem, view.files))

    def word(self, sighting: Sighting) -> Word:
        """What its marker says, where there is one."""
        marker = self._view.companions.get(self._marker(sighting.look.name))
        return NOTHING if marker is None else self._bare_word.about(sighting, marker, self._view.now)

    def beside(self, name: bytes) -> tuple[Look, ...]:
        """Its marker, where there is one."""
        marker = self._view.companions.get(self._marker(name))
        return () if marker is None else (marker.look,)

    def missing(self, name: bytes) -> Finding:
        """The finding about a file whose marker never came."""
        return not_whole.FILE_WITHOUT_DONE.at(
            name=printable_name(name), other=printable_name(self._marker(name)), minutes=self._minutes
        )

    def orphans(self) -> Iterator[Orphan]:
        """Markers of no file that is there."""
        owners: Collection[bytes] = self._stems if self._by_stem else self._view.files
        taken: Collection[bytes] = set(map(_stem, self._view.taken)) if self._by_stem else self._view.taken
        for name, sighting in self._view.companions.items():
            owner = self._owner(name)
            if owner not in owners:
                yield Orphan(sighting, partial(self._alone, name, owner), late=owner in taken)

    def _alone(self, name: bytes, owner: bytes) -> Sequence[Finding]:
        shown = printable_name(owner) + (".*" if self._by_stem else "")
        return (not_whole.DONE_WITHOUT_FILE.at(name=printable_name(name), other=shown, minutes=self._minutes),)

    def _marker(self, name: bytes) -> bytes:
        folder = folder_of(name)
        middle = (_stem(name) if self._by_stem else name)[len(folder) :]
        return folder + self._head + middle + self._tail

    def _owner(self, marker: bytes) -> bytes:
        folder = folder_of(marker)
        return folder + marker[len(folder) + len(self._head) : len(marker) - len(self._tail)]


def _stem(name: bytes) -> bytes:
    folder = folder_of(name)
    base = name[len(folder) :]
    return folder + (base.rpartition(b".")[0] or base)
