"""Dates as whatever a document may hold, in both engines."""

from __future__ import annotations

from tests.rules.rulebook.texts import elements, pairs, words

DATES = words(
    "2024-01-01 2024-02-29 2000-02-29 2023-12-31 2024-12-31 2025-01-01 0001-01-01 0000-01-01 0000-02-29 -0001-01-01 "
    "-0004-02-29 -2024-01-01 10000-01-01 99999-12-31 999999999-01-01 2024-01-01Z 2024-01-01+00:00 2024-01-01-00:00 "
    "2024-01-01+01:00 2024-01-01-01:00 2024-01-01+14:00 2024-01-01-14:00 2024-01-01+14:30 2024-01-02+14:00 "
    "2023-12-31-10:00 2024-01-01-12:00 2024-01-01+12:00 2024-01-01+13:59"
)
BROKEN = [
    *words("2023-02-29 1900-02-29 2024-02-30 2024-13-01 2024-00-01 2024-01-00 2024-01-32 2024-04-31 -0001-02-29"),
    *words("010000-01-01 9999999999-01-01 123456789012-01-01 2024-1-1 24-01-01 +2024-01-01 20240101 2024/01/01 x"),
    *words("2024-01-01+15:00 2024-01-01+13:60 2024-01-01+1:00 2024-01-01+0100 2024-01-01z 2024-01-01T00:00:00"),
    *words("2024-01 2024 ２０２４-01-01 2024-01-01Z+01:00"),
    *("", " ", "2024- 01-01", "\u00a02024-01-01", "2024-01-01 Z"),
]
BLANKS = [" 2024-01-01 ", "&#9;2024-01-01&#10;", "&#13;2024-01-01Z"]
OPERATORS = ["=", "!=", "<", "<=", ">", ">=", "eq", "ne", "lt", "le", "gt", "ge"]


def test_dates_are_read_alike(both):
    asked = ["? xs:date(a) = xs:date('2024-01-01') ?", "? xs:date(a) > xs:date('2024-01-01') ?"]
    assert both.differences(asked, elements([*DATES, *BROKEN, *BLANKS])) == []


def test_dates_are_compared_alike(both):
    """One without a time zone counts as one of Greenwich: the reference engine takes the zone of its process."""
    asked = [f"? xs:date(a) {operator} xs:date(b) ?" for operator in OPERATORS]
    assert both.differences(asked, pairs(DATES, DATES)) == []


def test_what_has_no_type_is_compared_as_a_date_with_a_date(both):
    asked = [f"? a {operator} xs:date('2024-01-01') ?" for operator in OPERATORS[:6]]
    asked += [f"? xs:date('2024-01-01') {operator} * ?" for operator in OPERATORS[:6]]
    assert both.differences(asked, elements([*DATES, *BROKEN, *BLANKS])) == []


def test_none_or_several_dates(both):
    cases = [
        "",
        "<a>2024-01-01</a>",
        "<b>2024-01-01</b>",
        "<a>2024-01-02</a><a>2024-01-01</a>",
        "<a>2024-01-01</a><a>x</a>",
        "<a>2024-01-02</a><a>2024-01-03</a><b>2024-01-02</b>",
    ]
    asked = [
        "? xs:date(a) = xs:date(b) ?",
        "? not(xs:date(a) < xs:date(b)) ?",
        "? xs:date(a) ge xs:date(b) ?",
        "? a = xs:date('2024-01-01') ?",
        "? every $x in a satisfies xs:date($x) >= xs:date('2024-01-02') ?",
        "? some $x in a satisfies xs:date($x) >= xs:date('2024-01-02') ?",
    ]
    assert both.differences(asked, cases) == []
