"""Literals, and the type of a value that is one of several."""

from __future__ import annotations

from decimal import Decimal

from gateway.rules.rulebook.compiler.code import NUMBERS, ONE, STRINGS, Code, Kind
from gateway.rules.rulebook.compiler.xpath import Refused
from gateway.rules.rulebook.runtime.values import plain


def literal(value: str | int | Decimal | float) -> Code:
    """A literal."""
    if isinstance(value, str):
        return Code(Kind.STRING, ONE, repr(value), literals=(value,), cheap=True)
    if isinstance(value, Decimal):
        return Code(Kind.DECIMAL, ONE, f"Decimal({str(plain(value))!r})", cheap=True)
    kind = Kind.INTEGER if isinstance(value, int) else Kind.DOUBLE
    return Code(kind, ONE, repr(value), cheap=True)


def common_kind(codes: list[Code]) -> Kind:
    """The kind of a value that is one of several."""
    kinds = {code.kind for code in codes} - {Kind.EMPTY}
    if len(kinds) == 1:
        return kinds.pop()
    if not kinds:
        return Kind.EMPTY
    if kinds <= NUMBERS:
        return Kind.NUMBER
    if kinds <= STRINGS:
        return Kind.WORD
    raise Refused("a value that is now a " + ", now a ".join(sorted(kind.value for kind in kinds)))
