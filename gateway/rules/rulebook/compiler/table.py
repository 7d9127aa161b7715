"""What a sheet becomes: the text of its module, and a table of its rules. Kept on disk and run by `engine.py`."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.rules.rulebook.runtime.kept import EmptyWithout

#: A chain of tags below the node, the assert, how many elements may stand there, the attribute that they must have.
Guarded = tuple[tuple[str, ...], int, int, str]


@dataclass(frozen=True, slots=True)
class Alternative:
    """One pattern of a template. `tests`: (namespace or None, local or "*") from the node upwards."""

    tests: tuple[tuple[str | None, str], ...]
    anchored: bool
    by_place: str  #: name of the function on a place; "" when there is none
    by_node: str  #: name of the function that picks among nodes; "" when there is none


@dataclass(frozen=True, slots=True)
class Rule:
    """One template."""

    mode: int
    priority: float
    alternatives: tuple[Alternative, ...]
    main: str  #: name of the function that asks the unguarded asserts; "" when all are guarded
    descends: bool
    guards: tuple[Guarded, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """One assert or report. `message` None: made by a function."""

    template: int
    mode: int
    rule: str
    flag: str
    report: bool
    test: str
    message: str | None


@dataclass(frozen=True, slots=True)
class Program:
    """What a sheet becomes."""

    source: str
    rules: tuple[Rule, ...]
    asserts: tuple[Asked, ...]
    kept: int  #: how many things are kept for a document
    variables: int  #: how many variables depend on a node
    looked_for: frozenset[str]  #: the tags whose elements are looked for in the whole document
    empties: tuple[EmptyWithout, ...]
