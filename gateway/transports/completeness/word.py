"""What a sender's own proof says of a file, and what a rung that reads such proofs must be able to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from gateway.domain.finding import Finding
from gateway.domain.partner import Rung
from gateway.transports.completeness.sighting import Sighting, View
from gateway.transports.local import Look


class Says(StrEnum):
    """A proof may also contradict: then no other rung is asked."""

    WHOLE = "whole"
    NOT_WHOLE = "not-whole"
    NOTHING = "nothing"


#: Makes what is told when patience ends: only then, for 50,000 names may wait from look to look.
Tell = Callable[[], Sequence[Finding]]


@dataclass(frozen=True, slots=True)
class Word:
    """What is said. Of a file that is not whole: since when nothing changed (monotonic, seconds), and what is told
    when it is given up; `pending`: it may not be given up yet, for the proof was not looked at in full."""

    says: Says
    sha256: str = ""  #: that the content was found to have, where this was asked
    since: float = 0.0
    tell: Tell = tuple
    pending: bool = False


NOTHING: Final = Word(Says.NOTHING)
WHOLE: Final = Word(Says.WHOLE)


@dataclass(frozen=True, slots=True)
class Orphan:
    """A companion that vouches for nothing, and what is told of it when patience ends. `late`: for a file that was
    taken before; it is removed silently. `since`: its patience is its own and began then (monotonic, seconds); None:
    it ends when nothing more comes into the folder."""

    sighting: Sighting
    tell: Tell = tuple
    late: bool = False
    since: float | None = None


class Voucher(Protocol):
    """A rung that reads what the sender puts beside its files. `begin` comes first, once for each look."""

    rung: Rung

    def companion(self, name: bytes) -> bool:
        """Would this name be one of the sender's proofs?"""
        ...

    def begin(self, view: View) -> None: ...

    def word(self, sighting: Sighting) -> Word: ...

    def beside(self, name: bytes) -> tuple[Look, ...]:
        """The proofs that are there for this file: they go when it goes."""
        ...

    def missing(self, name: bytes) -> Finding:
        """What is told of a file for which no proof came."""
        ...

    def orphans(self) -> Iterator[Orphan]: ...
