"""The values of XPath 2.0 as compiled rules hold them, and casts between them (F&O 17).

A string or an untyped value is a `str`, xs:integer an `int`, xs:decimal a `Decimal` without trailing zeros or an `int`,
xs:double a `float`, xs:boolean a `bool`, xs:date a `Date`; the empty sequence, where one item may stand, is None.
Section numbers here and in the modules beside are those of XQuery 1.0 and XPath 2.0 Functions and Operators (F&O);
where the specification leaves a choice, or Saxon departs from it, Saxon is followed, since Saxon is what the publishers
of the rules run. The tests in tests/rules/rulebook ask both.
"""

from __future__ import annotations

import math
import re
import sys
from decimal import Context, Decimal, InvalidOperation
from functools import lru_cache
from typing import Final

Number = int | Decimal | float
#: Minutes since an arbitrary midnight at Greenwich; a date without a time zone counts as one of Greenwich.
Date = int

#: Digits that a number may have here. Saxon has no limit; more than this is no amount, and costs time.
DIGITS: Final = 2_000
BLANKS: Final = " \t\r\n"
_DECIMAL: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)", re.ASCII)
_DOUBLE: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
#: Saxon takes some years with ten digits and compares them wrongly.
_YEAR_DIGITS: Final = 9
_DATE: Final = re.compile(r"(-?(?:[1-9]\d{4,}|\d{4}))-(\d\d)-(\d\d)(Z|[+-]\d\d:\d\d)?", re.ASCII)
#: Saxon takes "+INF" too, as XML Schema 1.1 does.
_SPECIAL: Final = {"INF": math.inf, "+INF": math.inf, "-INF": -math.inf, "NaN": math.nan}
#: Saxon holds a decimal as an integer if its text has no more characters than this, and no point.
_SHORT: Final = 15
#: Room for every number here, and for what two of them make.
ROOMY: Final = Context(prec=2 * DIGITS, traps=[InvalidOperation])


class DynamicError(Exception):
    """An expression that has no value on this document. The message says why."""


def decimal(value: str | Number | None) -> Decimal | int | None:
    """`xs:decimal(value)`."""
    if value.__class__ is str:
        return _short_decimal(value) if len(value) <= _SHORT else _decimal(value)
    if value.__class__ is float:
        if not math.isfinite(value):
            raise DynamicError(f"{value} has no decimal value")
        return Decimal(value)
    return value  # type: ignore[return-value]


def _decimal(value: str) -> Decimal | int:
    text = value.strip(BLANKS)
    if _DECIMAL.fullmatch(text) is None:
        raise DynamicError(f"“{_short(text)}” is not a decimal number")
    if len(text) > DIGITS:
        raise DynamicError(f"a number of {len(text)} characters")
    if "." not in text and len(text) - (text[0] == "+") <= _SHORT:
        return int(text)
    return plain(Decimal(text))


#: Several rules read each amount, and the same amounts come again.
_short_decimal: Final = lru_cache(maxsize=10_000)(_decimal)


def plain(value: Decimal) -> Decimal:
    """Without trailing zeros, even before the point, as Saxon holds decimals: division looks at them (F&O 6.2.4)."""
    return ROOMY.normalize(value) if value else _ZERO


_ZERO: Final = Decimal(0)


def double(value: str | Number | None) -> float | None:
    """`xs:double(value)`, and what untyped values become in arithmetic."""
    if value.__class__ is str:
        return _short_double(value) if len(value) <= _SHORT else _double(value)
    return None if value is None else to_float(value)  # type: ignore[arg-type]


def _double(value: str) -> float:
    text = value.strip(BLANKS)
    if _DOUBLE.fullmatch(text) is None:
        if text in _SPECIAL:
            return _SPECIAL[text]
        raise DynamicError(f"“{_short(text)}” is not a number")
    if len(text) > DIGITS:
        raise DynamicError(f"a number of {len(text)} characters")
    return float(text)


_short_double: Final = lru_cache(maxsize=10_000)(_double)


def number(value: str | Number | None) -> float:
    """`number(value)`: NaN where a cast would fail (F&O 14.4)."""
    try:
        found = double(value)
    except DynamicError:
        return math.nan
    return math.nan if found is None else found


def boolean(value: str | None) -> bool | None:
    """`xs:boolean(value)` of a string or an untyped value."""
    if value is None:
        return None
    text = value.strip(BLANKS)
    if text in ("true", "1"):
        return True
    if text in ("false", "0"):
        return False
    raise DynamicError(f"“{_short(text)}” is neither true nor false")


def to_date(value: str | None) -> Date | None:
    """`xs:date(value)` of a string or an untyped value."""
    if value is None:
        return None
    return _short_date(value) if len(value) <= _SHORT else _date(value)


def _date(value: str) -> Date:
    text = value.strip(BLANKS)
    match = _DATE.fullmatch(text)
    if match is None:
        raise DynamicError(f"“{_short(text)}” is not a date")
    if len(match[1].lstrip("-")) > _YEAR_DIGITS:
        raise DynamicError(f"the year of “{_short(text)}”")
    year, month, day = int(match[1]), int(match[2]), int(match[3])
    if not 1 <= month <= 12 or not 1 <= day <= _days_of(year, month):
        raise DynamicError(f"“{_short(text)}” is not a date")
    return (_days_before(year, month) + day) * 1440 - _zone(match[4])


_short_date: Final = lru_cache(maxsize=1_000)(_date)


def _zone(text: str | None) -> int:
    if text is None or text == "Z":
        return 0
    hours, minutes = int(text[1:3]), int(text[4:6])
    if hours > 14 or minutes > 59:  # Saxon takes +14:30, which XML Schema does not
        raise DynamicError(f"“{text}” is not a time zone")
    return (hours * 60 + minutes) * (-1 if text[0] == "-" else 1)


def _days_of(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def _days_before(year: int, month: int) -> int:
    """Days from the first of March of year 0 to the first of a month (Gregorian; the year begins in March)."""
    if month < 3:
        year, month = year - 1, month + 12
    return year * 365 + year // 4 - year // 100 + year // 400 + (153 * (month - 3) + 2) // 5


def to_float(value: Number) -> float:
    """A number as a double."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def text_of(value: object) -> str:
    """`string(value)` of an atomic value."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return _decimal_text(value)
    if isinstance(value, float):
        return _double_text(value)
    raise DynamicError("a value that has no text here")


def _decimal_text(value: Decimal) -> str:
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def _double_text(value: float) -> str:
    """F&O 17.1.2: plain between a millionth and a million, else with an exponent."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("INF" if value > 0 else "-INF")
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    sign, size = "-" if value < 0 else "", abs(value)
    if size < sys.float_info.min:
        return sign + _denormal_text(size)
    digits, power = _digits(size)
    if 1e-6 <= size < 1e6:
        return sign + _decimal_text(Decimal(int(digits)).scaleb(power - len(digits) + 1))
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{power}"


def _digits(value: float) -> tuple[str, int]:
    """The digits that Saxon writes, and the power of ten of the first.

    The free-format algorithm of Steele and White (1990): digits until the rest is less than half of the distance to
    the next double. Unlike Python's it takes the distance downwards from a power of two to be that upwards, and a rest
    of just a half is too much: 2^64 loses a digit and 1e23 begins with a 0.
    """
    mantissa, exponent = int(math.ldexp(math.frexp(value)[0], 53)), math.frexp(value)[1] - 53
    rest, whole, half = mantissa << max(exponent, 0), 1 << max(-exponent, 0), 1 << max(exponent, 0)
    rest, whole = 2 * rest, 2 * whole  # so that `half` is half of the distance
    power = 0
    while rest * 10 < whole:
        power, rest, half = power - 1, rest * 10, half * 10
    while rest + half >= whole:
        power, whole = power + 1, whole * 10
    digits: list[int] = []
    while True:
        digit, rest = divmod(rest * 10, whole)
        half *= 10
        if rest < half or rest > whole - half:
            break
        digits.append(digit)
    up = rest > whole - half and (rest >= half or 2 * rest > whole)
    return "".join(map(str, [*digits, digit + up])), power - 1


def _denormal_text(value: float) -> str:
    """As Java writes it: the shortest that reads as the same double, but two digits at least."""
    short = f"{value:.1e}"
    digits, _, power = (short if float(short) == value else f"{Decimal(repr(value)):e}").partition("e")
    return f"{digits}E{int(power)}"


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}…"
