"""The XPath 2.0 of the official sheets as a tree of frozen values; `xpath_parser.py` makes it.

Only what is here can be compiled; anything else is refused when it is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from gateway.rules.rulebook.outcome import UncompilablePack


class Refused(UncompilablePack):
    """An expression that is no XPath, or XPath that we do not compile exactly."""


class Axis(Enum):
    """The axes that the sheets use."""

    CHILD = "child"
    ATTRIBUTE = "attribute"
    SELF = "self"
    PARENT = "parent"
    ANCESTOR = "ancestor"
    PRECEDING = "preceding"


@dataclass(frozen=True, slots=True)
class NameTest:
    """`uri` None: any namespace (`*`); `local` "*": any name in it."""

    uri: str | None
    local: str

    @property
    def tag(self) -> str:
        """The name as lxml writes it."""
        return f"{{{self.uri}}}{self.local}" if self.uri else self.local

    @property
    def exact(self) -> bool:
        """Does it name one tag?"""
        return self.uri is not None and self.local != "*"


class KindTest(Enum):
    """`node()` and `text()`."""

    NODE = "node()"
    TEXT = "text()"


@dataclass(frozen=True, slots=True, eq=False)
class Literal:
    """A string or a number: int is xs:integer, Decimal xs:decimal, float xs:double.

    Equal ones are of one type: to Python 10, 10.0 and Decimal(10) are one, to XPath `x * 10` and `x * 1e1` are not.
    """

    value: str | int | Decimal | float

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Literal) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[type, str | int | Decimal | float]:
        return self.value.__class__, self.value


@dataclass(frozen=True, slots=True)
class Variable:
    """`$name`."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """`name(arguments)`; the name as written, with its prefix."""

    name: str
    arguments: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `deep`: two slashes before it. Either an axis with a test, or an expression per context node."""

    axis: Axis | None
    test: NameTest | KindTest | None
    predicates: tuple[Expr, ...] = ()
    deep: bool = False
    expr: Expr | None = None


@dataclass(frozen=True, slots=True)
class Path:
    """Steps; `absolute`: from the document node. No steps and absolute: the document node itself."""

    absolute: bool
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Binary:
    """`op` as written: or and = != < <= > >= eq ne lt le gt ge + - * div mod |."""

    op: str
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Negative:
    """Unary minus."""

    operand: Expr


@dataclass(frozen=True, slots=True)
class Sequence:
    """`(a, b, …)` and `()`."""

    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class If:
    """`if (condition) then … else …`."""

    condition: Expr
    then: Expr
    otherwise: Expr


@dataclass(frozen=True, slots=True)
class For:
    """`for $a in …, $b in … return …`."""

    bindings: tuple[tuple[str, Expr], ...]
    result: Expr


@dataclass(frozen=True, slots=True)
class Quantified:
    """`some` or `every` … `satisfies` …."""

    every: bool
    bindings: tuple[tuple[str, Expr], ...]
    condition: Expr


Expr = Literal | Variable | Call | Path | Binary | Negative | Sequence | If | For | Quantified

#: The context item, `.`.
CONTEXT = Path(False, (Step(Axis.SELF, KindTest.NODE),))
