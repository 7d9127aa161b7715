"""A Schematron sheet as values: what `stylesheet.py` reads and `compiler/program.py` compiles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Variable:
    """`xsl:variable` with a `select`. `type` is its `as`, or ""."""

    name: str
    select: str
    type: str
    line: int


@dataclass(frozen=True, slots=True)
class Computed:
    """A part of a message that is computed: `xsl:value-of select`."""

    select: str


@dataclass(frozen=True, slots=True)
class Assertion:
    """An assert (fires when `test` is false) or a report (fires when it is true)."""

    rule: str  #: "" for the few that the sheets leave without an id
    flag: str
    report: bool
    test: str
    message: tuple[str | Computed, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Template:
    """One rule: what it matches, and what it asks, in order; variables count for what follows them."""

    match: str
    priority: float
    mode: str
    items: tuple[Variable | Assertion, ...]
    descends: bool  #: False: hand-edited, nothing below the node is visited in this mode
    line: int


@dataclass(frozen=True, slots=True)
class Function:
    """`xsl:function`: parameters with their types, local variables, one result."""

    name: str  #: with its prefix
    parameters: tuple[tuple[str, str], ...]
    type: str
    variables: tuple[Variable, ...]
    result: str
    line: int


@dataclass(frozen=True, slots=True)
class Stylesheet:
    """A whole pack."""

    path: Path
    namespaces: Mapping[str, str]
    variables: tuple[Variable, ...]
    functions: tuple[Function, ...]
    modes: tuple[str, ...]  #: in the order in which they run
    templates: tuple[Template, ...]

    @property
    def assertions(self) -> Iterator[Assertion]:
        """Every assert and report, in the order of the sheet."""
        return (item for template in self.templates for item in template.items if isinstance(item, Assertion))
