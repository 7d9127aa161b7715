"""Comparisons (XPath 3.5), and what a single item or a truth is (XPath 2.4.3, 3.1.5).

Pairs are gone through by loops: `any` of a generator takes three times as long on the one value that there mostly is.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from gateway.rules.rulebook.runtime.numbers import same_kind
from gateway.rules.rulebook.runtime.values import DynamicError, Number, double, to_float

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


def compare_text(symbol: str, text: str | None, value: Number | None) -> bool:
    """An untyped value with one number, which Saxon does in its own way: NaN as a text is the greatest number and -0
    is less than 0, but a whole text with a whole number; and when the number is NaN, the text may be anything.
    """
    if text is None or value is None:
        return False
    if value != value:
        return symbol == "!="
    if value.__class__ is int and _WHOLE.fullmatch(text):
        return bool(_OPERATORS[symbol](int(text), value))
    left, right = double(text), to_float(value)
    if left == right == 0:
        left, right = math.copysign(1, left), math.copysign(1, right)
    elif left != left:
        left, right = 1, 0
    return bool(_OPERATORS[symbol](left, right))


_WHOLE: Final = re.compile(r"-?\d{1,15}", re.ASCII)


def any_texts(symbol: str, texts: Iterable[str], value: Number | None) -> bool:
    """Does that hold for one of the texts?"""
    if value is not None:
        for text in texts:
            if compare_text(symbol, text, value):
                return True
    return False


def any_numbers(symbol: str, lefts: Iterable[Number], rights: Sequence[Number]) -> bool:
    """Does the comparison hold for some pair? Without a right side, the left is not even looked at."""
    if rights:
        for left in lefts:
            for right in rights:
                if compare_numbers(symbol, left, right):
                    return True
    return False


def any_values(symbol: str, lefts: Iterable[object], rights: Sequence[object]) -> bool:
    """Does the comparison hold for some pair of strings, booleans or dates?"""
    holds = _OPERATORS[symbol]
    if rights:
        for left in lefts:
            for right in rights:
                if holds(left, right):
                    return True
    return False


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


def both(left: Callable[[], object], right: Callable[[], object]) -> bool:
    """`left and right` where the left may fail: false if the right is, as Saxon has it."""
    try:
        if not left():
            return False
    except DynamicError:
        if right():
            raise
        return False
    return bool(right())


def either(left: Callable[[], object], right: Callable[[], object]) -> bool:
    """`left or right` where the left may fail: true if the right is."""
    try:
        if left():
            return True
    except DynamicError:
        if not right():
            raise
        return True
    return bool(right())


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
