"""Arithmetic on whatever a document may hold, in both engines."""

from __future__ import annotations

import pytest

from tests.rules.rulebook.texts import ANYTHING, NUMBERS, elements, pairs, words

OPERANDS = words(
    "0 1 -1 7 100 0.1 -0.0 2.5 1e3 NaN INF -INF 1e308 33.333333333333333333 1.10 0.005 -7.7 "
    "9007199254740993 300000000000000 3000000000000000 12345678901234567890.12"
)


@pytest.mark.parametrize(
    "expressions",
    [
        pytest.param(["a + 0", "0 - a", "-a", "- -a", "a * 1", "a * 100", "a - 0.1", "abs(a)", "sum(a)"], id="plain"),
        pytest.param(["a div 3", "3 div a", "a mod 7", "7 mod a", "a div 0.3", "a mod 0.3"], id="divided"),
        pytest.param(["round(a)", "round(-a)", "round(a * 100) div 100", "round(a * 10 * 10) div 100"], id="rounded"),
    ],
)
def test_doubles(both, expressions):
    """Arithmetic on what has no type is arithmetic on doubles."""
    assert both.differences(expressions, elements(ANYTHING)) == []


@pytest.mark.parametrize(
    "expressions",
    [
        "-D abs(D) D+1 D-0.1 D*D D*0.01 D*1.10 D+D-D",
        "round(D) round(-D) round(D*100)div100 round(D*10*10)div100 round(D*D)",
        "D_mod7 D_mod-0.3 7_modD 0.7_modD",
        "D_div3 D_div3.0 D_div0.003 1_divD 1.1_divD -1.10_divD D_divD D_div1000000000000000000000",
        "D_div2000000000000000000 -D_div2000000000000000000 3_div2097152.0_*D D_div524288 D_div-524288 round(D_div8)",
        "D*1e0 D+number(a) D-a sum(for_$x_in_a_return_D) number(D)_div3",
    ],
)
def test_decimals(both, expressions):
    """The same with `xs:decimal(a)` for D."""
    written = [_written(expression) for expression in expressions.split()]
    assert both.differences(written, elements(ANYTHING)) == []


@pytest.mark.parametrize(
    "divisors",
    [
        "D*10 D+10 D+30 D*1.0 D*1.5 D-0.5 -D abs(D) round(D) D_mod100 D_div1 D_div0.1 sum(for_$x_in_a_return_D)",
        "xs:decimal(number(a)) round(xs:decimal(number(a))) xs:decimal(number(a))*10 xs:decimal(number(a))+1",
        "3000 3000.0 30.00 0.30 300000000000000.0",
    ],
)
def test_the_places_of_a_quotient(both, divisors):
    """They depend on where its operands come from: Saxon strips zeros from some decimals and not from others."""
    written = [f"7.7 div ({_written(divisor)})" for divisor in divisors.split()]
    assert both.differences(written, elements(NUMBERS)) == []


def test_two_operands(both):
    doubles = ["a + b", "a - b", "a * b", "a div b", "a mod b", "sum((a | b))", "sum(*)", "round(a * b)"]
    decimals = [f"xs:decimal(a) {sign} xs:decimal(b)" for sign in ("+", "-", "*", "div", "mod")]
    mixed = ["xs:decimal(a) * b", "a - xs:decimal(b)", "xs:decimal(a) div b", "a mod xs:decimal(b)"]
    rounded = ["round(xs:decimal(a) * xs:decimal(b) div 100 * 100) div 100", "sum(for $x in * return xs:decimal($x))"]
    assert both.differences([*doubles, *decimals, *mixed, *rounded], pairs(OPERANDS, OPERANDS)) == []


def test_sums_are_added_one_after_the_other(both):
    """From 3.12 on Python's own sum compensates what doubles lose."""
    cases = [
        "<a>0.1</a>" * 10,
        "<a>1e16</a><a>1</a><a>-1e16</a><a>1</a>",
        "<a>0.1</a><a>0.2</a><a>0.3</a><b>0.3</b><b>0.2</b><b>0.1</b>",
        "<a>1.10</a><a>2.2</a><b>3</b>",
        "<a>INF</a><a>-INF</a>",
        "",
    ]
    sums = ["sum(a)", "sum(*)", "sum(a | b)", "sum(a) - sum(b)", "sum(for $x in a return xs:decimal($x))", "sum(a) = 1"]
    assert both.differences([*sums, "sum(a[. > 1])", "sum(b) + sum(c)", "sum(a) div count(a)"], cases[:-1]) == []
    assert both.differences(sums, cases[-1:]) == []


def _written(expression: str) -> str:
    """`D` stands for `xs:decimal(a)`, `_` for a blank."""
    spaced = expression.replace("_", " ").replace("div", " div ").replace("mod", " mod ")
    return spaced.replace("D", "xs:decimal(a)")
