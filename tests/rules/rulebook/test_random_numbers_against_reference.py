"""Numbers that nobody thought of, in both engines: hypothesis looks for those on which they differ."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rules.rulebook.both import BothEngines, Expressions

DECIMALS = [
    *("A", "-A", "abs(A)", "round(A)", "round(-A)", "A + B", "A - B", "A * B", "A div B", "B div A", "A mod B"),
    *("round(A * 100) div 100", "round(A * 10 * 10) div 100", "round(A * B div 100 * 100) div 100", "A * B div 100"),
    *(
        "(A + B) div 2",
        "(A - B) div (A + B)",
        "A div 3 * 3",
        "round(A div B)",
        "A - A mod 1",
        "sum((A, B))",
        "A * A * A",
    ),
    *("xs:decimal(a + b)", "xs:decimal(a * 100)", "number(A)", "A * 1e0", "A + b", "a - B", "string-length(string(A))"),
    *(
        "? A = B ?",
        "? A < B ?",
        "? A >= B + 0.01 ?",
        "? abs(A - B) <= 0.01 ?",
        "? A * 100 = round(A * 100) ?",
        "? A = 1 ?",
    ),
    *("? round(A * 100) div 100 = round(B * 100) div 100 ?", "? A = a ?", "? A = number(a) ?", "? A < b ?"),
]
DOUBLES = [
    *("a + 0", "-a", "abs(a)", "round(a)", "round(a * 100) div 100", "a + b", "a - b", "a * b", "a div b", "a mod b"),
    *("sum(*)", "sum(*) div 2", "number(a)", "number(a) * 1.1", "round(a div b)", "a * a * a", "a div 3", "1 div a"),
    *("string-length(string(number(a)))", "xs:double(a) + xs:double(b)", "round(-a)", "(a + b) * 100", "count(*) * a"),
    *("? a = b ?", "? a < b ?", "? number(a) = number(b) ?", "? number(a) < number(b) ?", "? number(a) >= b ?"),
    *("? a = 0 ?", "? a > 0 ?", "? a >= 0.5 ?", "? a < number(b) ?", "? b != number(a) ?", "? a = B ?", "? a <= B ?"),
    *("? a = round(a) ?", "? a + b = b + a ?", "? round(a * 100) = a * 100 ?", "? a * 1 = a ?", "? not(a = b) ?"),
]

amounts = st.integers(-10_000_000, 10_000_000).map(lambda cents: f"{Decimal(cents) / 100:f}")
halves = st.builds(
    lambda whole, tail: f"{whole}.{tail}",
    st.integers(-300, 300),
    st.sampled_from(["5", "50", "49", "4999999999999999999", "50000000000000000001", "005", "015", "995"]),
)
exact = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30).map(
    lambda d: f"{d:f}"
)
longer = st.from_regex(r"[+-]?[0-9]{0,25}\.?[0-9]{1,25}", fullmatch=True)
doubles = st.floats(allow_nan=False, allow_infinity=False).map(repr)
powers = st.builds(
    lambda base, power: repr(float(base**power)), st.sampled_from([2, 10, 0.5, 0.1]), st.integers(0, 300)
)
scientific = st.from_regex(r"[+-]?[0-9]{1,18}(\.[0-9]{1,5})?[eE][+-]?[0-9]{1,3}", fullmatch=True)
broken = st.text("0123456789+-.eEINFa \u00a0", max_size=6)

decimal_texts = st.one_of(amounts, halves, exact, longer)
double_texts = st.one_of(amounts, halves, longer, doubles, powers, scientific, doubles, scientific)


@pytest.fixture(scope="module")
def decimals(both: BothEngines) -> Iterator[Expressions]:
    yield both.asking([_written(expression) for expression in DECIMALS])


@pytest.fixture(scope="module")
def doubles_asked(both: BothEngines) -> Iterator[Expressions]:
    yield both.asking([_written(expression) for expression in DOUBLES])


@settings(max_examples=8)
@given(st.lists(st.tuples(decimal_texts, decimal_texts), min_size=25, max_size=25))
def test_decimals(decimals, texts):
    assert decimals.differences(_cases(texts)) == []


@settings(max_examples=8)
@given(st.lists(st.tuples(double_texts, double_texts), min_size=25, max_size=25))
def test_doubles(doubles_asked, texts):
    assert doubles_asked.differences(_cases(texts)) == []


@settings(max_examples=8)
@given(st.lists(st.tuples(broken, broken), min_size=2, max_size=2))
def test_whatever_a_text_may_be(decimals, doubles_asked, texts):
    """What is no number is none for both."""
    assert decimals.differences(_cases(texts)) == []
    assert doubles_asked.differences(_cases(texts)) == []


def _cases(texts: list[tuple[str, str]]) -> list[str]:
    return [f"<a>{left}</a><b>{right}</b>" for left, right in texts]


def _written(expression: str) -> str:
    """`A` stands for `xs:decimal(a)`, `B` for `xs:decimal(b)`."""
    return expression.replace("A", "xs:decimal(a)").replace("B", "xs:decimal(b)")
