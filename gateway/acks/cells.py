"""Values of a row as text: one spelling for each kind of value, fit for a cell, a JSON string and an XML element.

Texts may come from a partner, a buyer or an attacker: no line break, control or direction mark survives, and none
is longer than its limit. Money keeps its digits; dates are ISO, times ISO in UTC with Z.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from gateway.domain.finding import printable

#: Texts of ours and comments; keys and labels are shorter.
_LONG: Final = frozenset({"remedy", "comment", "message", "location"})
LIMIT: Final = 300
LONG_LIMIT: Final = 1000

#: Not printable for Python, but French typography ("1 210,00 €", "motif :").
_FRENCH_BLANKS: Final = "\u00a0\u202f"

#: Digits before or after the point beyond which a number is an attack: 1E+999999999 would print a gigabyte.
_DIGITS: Final = 40


def text(column: str, value: str) -> str:
    """`value` on one line, without what is not printable."""
    limit = LONG_LIMIT if column in _LONG else LIMIT
    if value.isprintable() and len(value) <= limit:
        return value
    flat = "".join(c if c in _FRENCH_BLANKS else printable(c) for c in value[: limit + 1])
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def money(value: Decimal) -> str:
    """The number with its digits as they came, never in exponents; empty for what is no amount at all."""
    if not value.is_finite():
        return ""
    _, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    if len(digits) > _DIGITS or abs(exponent) > _DIGITS:
        return ""
    return f"{value:f}"


def day(value: date) -> str:
    return value.isoformat()


def moment(value: datetime) -> str:
    """2026-11-23T14:42:16Z; fractions of a second only where there are any."""
    assert value.tzinfo is not None
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def truth(value: bool) -> str:
    return "true" if value else "false"


def shown(column: str, value: object) -> str | None:
    """Any value of a row as text; None where there is none."""
    match value:
        case None:
            return None
        case bool():
            return truth(value)
        case str():
            return text(column, value)
        case Decimal():
            return money(value) or None
        case datetime():
            return moment(value)
        case date():
            return day(value)
        case int():
            return str(value)
        case _:
            raise TypeError(f"{column}: no spelling for {type(value).__name__}")
