"""Comparisons (XPath 3.5), and what a single item or a truth is (XPath 2.4.3, 3.1.5)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from gateway.rules.rulebook.runtime.numbers import same_kind
from gateway.rules.rulebook.runtime.values import DynamicError, Number, to_float

Compare = Callable[[Any, Any], Any]

_OPERATORS: Final[dict[str, Compare]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compare_numbers(symbol: str, left: Number | None, right: Number | None) -> bool:
    """Decimal and double compare as doubles."""
    if left is None or right is None:
        return False
    left, right = same_kind(left, right)
    return bool(_OPERATORS[symbol](left, right))


def equal(left: Number | None, right: Number | None) -> bool:
    """`=` of two numbers."""
    if left is None or right is None:
        return False
    if left.__class__ is float or right.__class__ is float:
        return to_float(left) == to_float(right)
    return left == right


def any_numbers(symbol: str, lefts: Iterable[Number], rights: Sequence[Number]) -> bool:
    """Does the comparison hold for some pair?"""
    return any(compare_numbers(symbol, left, right) for left in lefts for right in rights)


def any_values(symbol: str, lefts: Iterable[object], rights: Sequence[object]) -> bool:
    """Does the comparison hold for some pair of strings, booleans or dates?"""
    holds = _OPERATORS[symbol]
    return any(holds(left, right) for left in lefts for right in rights)


def differs(lefts: Sequence[str], rights: Sequence[str]) -> bool:
    """`!=` of strings, in linear time: some pair differs unless all on both sides are one value."""
    return bool(lefts) and bool(rights) and len({*lefts, *rights}) > 1


def compare_values(symbol: str, left: Any, right: Any) -> bool | None:
    """`eq`, `le`, … of two single values: empty when one is."""
    if left is None or right is None:
        return None
    if isinstance(left, str | bool):
        return bool(_OPERATORS[symbol](left, right))
    return compare_numbers(symbol, left, right)


def one(items: Sequence[object]) -> object:
    """The only item, None for none; more is an error."""
    if len(items) > 1:
        raise DynamicError(f"{len(items)} values where one is expected")
    return items[0] if items else None


def truth(value: Number | None) -> bool:
    """The effective boolean value of a number: 0 and NaN are false."""
    return value is not None and value == value and value != 0


def truths(values: Sequence[bool]) -> bool:
    """That of a sequence of booleans: more than one has none."""
    if len(values) > 1:
        raise DynamicError("a condition of several values")
    return bool(values) and values[0]


def must(value: object) -> object:
    """One item, where an empty sequence is an error."""
    if value is None:
        raise DynamicError("no value where one is expected")
    return value
