"""Arithmetic (F&O 6.2 to 6.4): decimals are exact, and anything with a double is a double."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from decimal import ROUND_FLOOR, ROUND_HALF_DOWN, Context, Decimal, Inexact, InvalidOperation, Overflow
from typing import Final

from gateway.rules.rulebook.runtime.values import DIGITS, DynamicError, Number, to_float

_EXACT: Final = Context(prec=DIGITS, traps=[InvalidOperation, Overflow, Inexact])
_ROUGH: Final = Context(prec=DIGITS, traps=[InvalidOperation, Overflow])
#: Places after the point to which Saxon divides decimals at least.
_DIVISION_SCALE: Final = 18


def same_kind(left: Number, right: Number) -> tuple[Number, Number]:
    """Both as doubles if one is."""
    if left.__class__ is float:
        return left, to_float(right)
    return (to_float(left), right) if right.__class__ is float else (left, right)


def _exact(compute: Callable[[Decimal, Decimal], Decimal], left: Number, right: Number) -> Decimal:
    try:
        return compute(Decimal(left), Decimal(right))
    except (Inexact, Overflow, InvalidOperation):
        raise DynamicError(f"a number of more than {DIGITS} digits") from None


def add(left: Number | None, right: Number | None) -> Number | None:
    """`left + right`."""
    if left is None or right is None:
        return None
    left, right = same_kind(left, right)
    if left.__class__ is right.__class__ is not Decimal:
        return left + right  # type: ignore[operator]
    return _exact(_EXACT.add, left, right)


def subtract(left: Number | None, right: Number | None) -> Number | None:
    """`left - right`."""
    if left is None or right is None:
        return None
    left, right = same_kind(left, right)
    if left.__class__ is right.__class__ is not Decimal:
        return left - right  # type: ignore[operator]
    return _exact(_EXACT.subtract, left, right)


def multiply(left: Number | None, right: Number | None) -> Number | None:
    """`left * right`."""
    if left is None or right is None:
        return None
    left, right = same_kind(left, right)
    if left.__class__ is right.__class__ is not Decimal:
        return left * right  # type: ignore[operator]
    return _exact(_EXACT.multiply, left, right)


def divide(left: Number | None, right: Number | None) -> Number | None:
    """`left div right`: decimals to 18 places at least, half down (Saxon's choice)."""
    if left is None or right is None:
        return None
    left, right = same_kind(left, right)
    if right.__class__ is float:
        return _divide_doubles(left, right)  # type: ignore[arg-type]
    if right == 0:
        raise DynamicError("a division by zero")
    upper, lower = Decimal(left), Decimal(right)
    scale = max(_DIVISION_SCALE, _scale(upper), _scale(lower))
    quotient = _exact(_ROUGH.divide, upper, lower)
    return quotient.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_DOWN, _ROUGH)


def _divide_doubles(left: float, right: float) -> float:
    if right != 0:
        return left / right
    if left == 0 or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def _scale(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def modulo(left: Number | None, right: Number | None) -> Number | None:
    """`left mod right`: the sign of the left operand."""
    if left is None or right is None:
        return None
    left, right = same_kind(left, right)
    if right.__class__ is float:
        return math.nan if right == 0 or math.isinf(left) or left != left else math.fmod(left, right)
    if right == 0:
        raise DynamicError("a division by zero")
    if left.__class__ is int and right.__class__ is int:
        return int(math.fmod(left, right)) if abs(left) < 2**53 else abs(left) % abs(right) * (1 if left > 0 else -1)
    return _exact(_ROUGH.remainder, left, right)


def negative(value: Number | None) -> Number | None:
    """`-value`."""
    return None if value is None else -value


def absolute(value: Number | None) -> Number | None:
    """`abs(value)`."""
    if value is None:
        return None
    return value.copy_abs() if isinstance(value, Decimal) else abs(value)


def round_half_up(value: Number | None) -> Number | None:
    """`round(value)`: half towards positive infinity (F&O 6.4.4)."""
    if value is None or value.__class__ is int:
        return value
    if isinstance(value, Decimal):
        floor = value.quantize(Decimal(1), ROUND_FLOOR, _ROUGH)
        return floor + 1 if value - floor >= _HALF else floor
    if not math.isfinite(value) or value == 0:
        return value
    whole = math.floor(value)
    rounded = whole + 1 if value - whole >= 0.5 else whole
    return math.copysign(float(rounded), value) if rounded == 0 else float(rounded)


_HALF: Final = Decimal("0.5")


def total(values: Iterable[Number]) -> Number:
    """`sum(values)`: integer 0 for none. One after the other: the built-in sum compensates doubles from 3.12 on."""
    found: Number | None = None
    for value in values:
        found = value if found is None else add(found, value)
    return 0 if found is None else found
