"""Texts that a document may hold where a number, a date or a name belongs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final


def words(text: str) -> list[str]:
    """Texts without blanks, written one after the other."""
    return text.split()


BLANK: Final = ("", " ", "&#9;&#10;&#13;", "\u00a0", "\u2003")
WHOLE: Final = words(
    "0 1 -1 +1 -0 +0 007 -007 2 5 9 10 100 1000000 999999 15 -15 30 300 4503599627370497 9007199254740992 "
    "9007199254740993 300000000000000 3000000000000000 -300000000000000 +300000000000000 9223372036854775807 "
    "9223372036854775808 -9223372036854775808 18446744073709551616 123456789012345678901234567890"
)
DECIMAL: Final = words(
    "0.0 -0.0 -0.00 0.1 0.2 0.3 .5 -.5 +.5 1. -1. 1.0 1.10 1.5 -1.5 2.5 -2.5 0.5 -0.5 3.5 0.05 0.005 1.005 1.015 1.025 "
    "2.675 99.99 99.995 100.00 30.0 8.5 19.6 5.50 20.00 1000000.01 999999.9 123456789.12 0.30000000000000004 "
    "0.10000000000000000001 0.1000000000000000055511151231257827 0.49999999999999994 0.000001 0.0000001 0.00000099 "
    "33.333333333333333333 99.999999999999999999 4503599627370497.5 9007199254740992.5 "
    "123456789012345678901234567890.123456789"
)
DOUBLE: Final = words(
    "1e3 1E3 1e+3 1e-3 -1e3 1.5e2 .5e1 5.e-1 1e6 1e7 1e-7 1e21 1e22 1e23 -1e23 1e100 1e308 1e309 -1e309 1e-308 "
    "4.9e-324 1e-323 2.2250738585072014e-308 2.2250738585072011e-308 1.5e-310 1e-400 1.7976931348623157e308 0e0 -0e0 "
    "INF -INF +INF NaN"
)
BROKEN: Final = (
    *words("- + . -. +. 1,5 1.234,56 1_000 1'000 0x10 1e 1e1.5 e5 --1 +-1 1- 1+ 1.2.3 nan inf Infinity -NaN +NaN -Inf"),
    *words("x true 1.5EUR 10% ½ ٣ １２ 1٫5 −5 1\u200b2"),
    "1 2",
    "- 1",
    "1 000,00",
)
#: Around a number: the four blanks of XML are passed over, the others are not.
WITH_BLANKS: Final = (" 1 ", "&#9;1.5&#10;", "&#13;2", "\n-3\n", "\u00a01", "1\u00a0", "\u20031", "1\u200b", "\ufeff1")
LONG: Final = ("1" * 300, "0" * 300 + "1", "1" * 400 + ".5", "0." + "0" * 400 + "1", "1" + "0" * 310, "0." + "9" * 40)

NUMBERS: Final = (*WHOLE, *DECIMAL, *DOUBLE)
ANYTHING: Final = (*BLANK, *NUMBERS, *BROKEN, *WITH_BLANKS, *LONG)


def elements(texts: Iterable[str], name: str = "a") -> list[str]:
    """One element with each text."""
    return [f"<{name}>{text}</{name}>" for text in texts]


def pairs(lefts: Iterable[str], rights: Iterable[str]) -> list[str]:
    """`<a>` and `<b>` with each pair of texts."""
    return [f"<a>{left}</a><b>{right}</b>" for left in lefts for right in rights]
