"""Text as it stands in an invoice to a date, a decimal or a size; None where it is no such thing.

Strict as the schemas are (`xs:date`, `xs:decimal`, UNTDID 2379), and bounded: nothing here is guessed or repaired,
and no partner's text makes it slow.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Final

#: xs:decimal: no thousands separator, no comma, no exponent. 40 characters hold any sum of money.
_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_DECIMAL_LENGTH: Final = 40
#: xs:date; a time zone may follow (EN 16931 forbids it, the schema does not): the day is the one written.
_ISO_DATE: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:Z|[+-][0-9]{2}:[0-9]{2})?")
_ISO_DATE_TIME: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T[0-9:.]{5,20}(?:Z|[+-][0-9]{2}:[0-9]{2})?")
_COMPACT_DATE: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")


def decimal_of(text: str) -> Decimal | None:
    """`xs:decimal`, exact."""
    if len(text) > _DECIMAL_LENGTH or _DECIMAL.fullmatch(text) is None:
        return None
    return Decimal(text)


def iso_date_of(text: str) -> date | None:
    """`xs:date`, as UBL writes it."""
    return _day(_ISO_DATE.fullmatch(text))


def iso_date_time_of(text: str) -> date | None:
    """The day of an `xs:dateTime` (CII's `udt:DateTime`) or `xs:date`."""
    return _day(_ISO_DATE_TIME.fullmatch(text) or _ISO_DATE.fullmatch(text))


def compact_date_of(text: str) -> date | None:
    """CCYYMMDD: UNTDID 2379 format 102, the only one that EN 16931 knows."""
    return _day(_COMPACT_DATE.fullmatch(text))


def decoded_size(base64_text: str) -> int:
    """The number of bytes that a base64 text stands for, without decoding it."""
    blanks = sum(base64_text.count(blank) for blank in " \n\r\t")
    padding = min(base64_text.count("="), 2)
    return max((len(base64_text) - blanks) * 3 // 4 - padding, 0)


def _day(match: re.Match[str] | None) -> date | None:
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None
