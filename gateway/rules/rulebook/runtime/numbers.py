"""Arithmetic (F&O 6.2 to 6.4): decimals are exact, and anything with a double is a double.

The functions here are for every case. Where a hasty form uses Python's own operators, they compute in the context
`EXACT`, which the engine sets: by itself Python would round to 28 digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Context, Decimal, Inexact, InvalidOperation, Overflow
from typing import Final

from gateway.rules.rulebook.runtime.values import DIGITS, ROOMY, DynamicError, Number, plain, to_float

EXACT: Final = Context(prec=DIGITS, traps=[InvalidOperation, Overflow, Inexact])
#: Places after the point to which Saxon divides decimals at least.
_DIVISION_PLACES: Final = 18


def same_kind(left: Number, right: Number) -> tuple[Number, Number]:
    """Both as doubles if one is."""
    if left.__class__ is float:
        return left, to_float(right)
    return (to_float(left), right) if right.__class__ is float else (left, right)


def _exact(compute: Callable[[Decimal | int, Decimal | int], Decimal], left: Number, right: Number) -> Decimal:
    """Of decimals and integers, one a decimal at least."""
    try:
        return plain(compute(left, right))  # type: ignore[arg-type]  # no double gets here
    except (Inexact, Overflow, InvalidOperation):
        raise DynamicError(f"a number of more than {DIGITS} digits") from None


def add(left: Number | None, right: Number | None) -> Number | None:
    """`left + right`."""
    if left is None or right is None:
        return None
    left, right = same_kind(left, right)
    if left.__class__ is right.__class__ is not Decimal:
        return left + right  # type: ignore[operator]
    return _exact(EXACT.add, left, right)


def subtract(left: Number | None, right: Number | None) -> Number | None:
    """`left - right`."""
    if left is None or right is None:
        return None
    left, right = same_kind(left, right)
    if left.__class__ is right.__class__ is not Decimal:
        return left - right  # type: ignore[operator]
    return _exact(EXACT.subtract, left, right)


def multiply(left: Number | None, right: Number | None) -> Number | None:
    """`left * right`."""
    if left is None or right is None:
        return None
    left, right = same_kind(left, right)
    if left.__class__ is right.__class__ is not Decimal:
        return left * right  # type: ignore[operator]
    return _exact(EXACT.multiply, left, right)


def divide(left: Number | None, right: Number | None) -> Number | None:
    """`left div right`: of decimals half down to 18 places at least, more if they have more (Saxon's choice)."""
    if left is None or right is None:
        return None
    left, right = same_kind(left, right)
    if right.__class__ is float:
        return _divide_doubles(left, right)  # type: ignore[arg-type]
    if right == 0:
        raise DynamicError("a division by zero")
    if left == 0:
        return _ZERO
    if right.__class__ is int and right == 100:  # how the sheets round to cents; it moves the point, no more
        return _exact(EXACT.scaleb, left, -2)
    places = _DIVISION_PLACES + max(0, _places(left) - _places(right))
    upper, lower = left.as_integer_ratio(), right.as_integer_ratio()
    whole, rest = divmod(abs(upper[0]) * lower[1] * 10**places, divisor := abs(lower[0]) * upper[1])
    found = Decimal(whole + (2 * rest > divisor))
    return _exact(EXACT.scaleb, found if (left < 0) == (right < 0) else found.copy_negate(), -places)


def cents(value: Decimal | int | None) -> Decimal | int:
    """`round(value * 10 * 10) div 100` of a decimal, without the care for zeros at its end. Only in haste: of an amount
    that is missing it fails as an operator of Python does, and the careful form is asked.
    """
    if value.__class__ is int:
        return value
    if value is None:
        raise TypeError
    return value.quantize(_CENT, _half_up(value), ROOMY)  # type: ignore[union-attr]


def _divide_doubles(left: float, right: float) -> float:
    if right != 0:
        return left / right
    if left == 0 or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def _places(value: Number) -> int:
    """After the point; less than none for a decimal that ends in zeros, but none for an integer."""
    exponent = value.as_tuple().exponent if isinstance(value, Decimal) else 0
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
        return abs(left) % abs(right) * (1 if left > 0 else -1)
    return _exact(EXACT.remainder, left, right)


def negative(value: Number | None) -> Number | None:
    """`-value`."""
    if isinstance(value, Decimal):
        return value.copy_negate() if value else value
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
        nearest = value.to_integral_value(_half_up(value))
        return value if value.same_quantum(nearest) else plain(nearest)  # a quotient of it depends on zeros at its end
    if not math.isfinite(value) or value == 0:
        return value
    whole = math.floor(value)
    rounded = whole + 1 if value - whole >= 0.5 else whole
    return math.copysign(float(rounded), value) if rounded == 0 else float(rounded)


def _half_up(value: Decimal | int) -> str:
    """The rounding of Python that is towards positive infinity at halves."""
    return ROUND_HALF_UP if value > 0 else ROUND_HALF_DOWN


_CENT: Final = Decimal("0.01")
_ZERO: Final = Decimal(0)


def total(values: Iterable[Number]) -> Number:
    """`sum(values)`: integer 0 for none. One after the other: the built-in sum compensates doubles from 3.12 on."""
    found: Number | None = None
    for value in values:
        found = value if found is None else add(found, value)
    return 0 if found is None else found
