"""What a rulebook says of one document, the same from our engine and from the reference engine.

Shaped after SVRL: every `failed-assert` and `successful-report` is a `Fired`, in the order of SVRL (pattern, then
document order, then the order of the asserts in their rule).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Fired(NamedTuple):
    """One assert that failed or report that succeeded. (A tuple: each invoice has some, and it is made faster.)"""

    rule: str  #: the published id
    flag: str  #: as published: fatal, warning, …; "" when the pack gives none
    report: bool  #: a successful-report
    location: str  #: XPath of the context node, as SVRL gives it
    line: int | None  #: source line of the context node; the reference engine does not know it
    test: str
    message: str  #: its `value-of` parts filled in, runs of blanks made one


@dataclass(frozen=True, slots=True)
class Abort:
    """A test that could not be computed on this document: the rule says neither yes nor no."""

    rule: str  #: "" when the engine stopped as a whole and did not say where
    location: str
    line: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """All of it. With an abort, or unfinished, what is missing from `fired` says nothing."""

    fired: tuple[Fired, ...]
    aborts: tuple[Abort, ...] = ()
    unfinished: str = ""  #: why not everything was asked; "" when it was
    omitted: int = 0  #: how many more fired, of the rules that are told, or could not be computed


class UncompilablePack(Exception):
    """The pack holds something that cannot be compiled exactly; the message says what and where."""
