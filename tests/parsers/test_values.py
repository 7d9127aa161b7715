"""Dates, amounts and sizes as partners write them, hostile ones included."""

from __future__ import annotations

import base64
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.parsers.values import compact_date_of, decimal_of, decoded_size, iso_date_of, iso_date_time_of


@pytest.mark.parametrize(
    "text", ["-1 324,60", "1,5", "1e3", "NaN", "INF", "", "-", ".", "١٢", "0x10", "1_000", "9" * 41]
)
def test_what_is_no_xs_decimal_is_no_amount(text: str) -> None:
    assert decimal_of(text) is None


@pytest.mark.parametrize("text", ["0", "-1324.60", "+5", ".5", "5.", "00012.300"])
def test_an_xs_decimal_is_read_exactly(text: str) -> None:
    assert decimal_of(text) == Decimal(text)


@pytest.mark.parametrize(
    "text", ["2023-13-45", "2023-02-29", "23-01-01", "2023-1-1", "20230101", "0000-01-01", "２０２３-01-01"]
)
def test_what_is_no_xs_date_is_no_date(text: str) -> None:
    assert iso_date_of(text) is None


def test_dates_are_read_as_each_syntax_writes_them() -> None:
    day = date(2024, 2, 29)
    assert iso_date_of("2024-02-29") == iso_date_of("2024-02-29+01:00") == day
    assert iso_date_time_of("2024-02-29T23:59:59Z") == day
    assert compact_date_of("20240229") == day
    assert compact_date_of("20230229") is compact_date_of("2024-02-29") is compact_date_of("202402291200") is None


@given(st.binary(max_size=400), st.integers(0, 90), st.text(" \n\r\t", max_size=30))
def test_the_size_of_an_attachment_is_exact_however_its_base64_is_wrapped(
    content: bytes, width: int, around: str
) -> None:
    text = base64.b64encode(content).decode()
    wrapped = "\r\n".join(text[i : i + width] for i in range(0, len(text), width)) if width else text
    assert decoded_size(around + wrapped + around) == len(content)


@given(st.text(max_size=60))
def test_any_text_is_read_or_not(text: str) -> None:
    assert decoded_size(text) >= 0
    for read in (decimal_of, iso_date_of, iso_date_time_of, compact_date_of):
        read(text)
