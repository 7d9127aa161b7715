"""Tests are asked in a hasty form first, with operators of Python; what it cannot tell is asked again with care.

Here stand the forms that the hasty one has of its own (amounts that are missing, rounding to cents, implications, what
must stand somewhere in the document), in both engines.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import product

import pytest

from gateway.rules.rulebook.compiler.xpath import Literal
from tests.rules.rulebook.sheets import Check, Function, Rule
from tests.rules.rulebook.texts import pairs, words

AMOUNTS = words(
    "0 -0.0 1 -1 0.005 1.005 -1.005 2.675 99.995 12.5 12.50 -7.125 300000000000000 123456789012345678.905 x"
)


def totals() -> list[str]:
    """Totals of which one or another is missing, there twice, wrong, or no number."""
    choices = (["", "<a>10</a>", "<a>9.9</a>"], ["", "<b>8</b>", "<b>8.00</b><b>1</b>"], ["", "<c>2</c>", "<c>x</c>"])
    return ["".join(parts) for parts in product(*choices, ["", "<d>0.1</d>", "<d/>"])]


def test_an_amount_that_is_missing_makes_a_comparison_false(both):
    a, b, c, d = (f"xs:decimal({name})" for name in "abcd")
    asked = [f"? {a} {sign} {b} + {c} ?" for sign in ("=", "!=", "<", "<=", ">", ">=")]
    asked += [f"! {a} = {b} + {c} - {d} or ({a} = {b} + {c} and not(d)) or ({a} = {b} and not(c) and not(d)) !"]
    asked += [f"? {b} * {c} {sign} {a} - {d} ?" for sign in ("=", "!=", "<")]
    asked += [f"? not({a} = {b} + {c}) ?", f"? {a} - {b} = {a} - {b} ?", f"? {a} + {b} = 17.9 ?", f"? 1 != {a} - {b} ?"]
    asked += [
        f"? abs({a} - {b}) <= 2 ?",
        f"? abs({a}) = {b} + {c} ?",
        f"? {a} = sum(for $x in b return xs:decimal($x)) ?",
    ]
    assert both.differences(asked, totals()) == []


def test_rounding_to_cents(both):
    d = "xs:decimal(a)"
    rounded = [f"round({d} * 10 * 10) div 100", f"round({d} * 100) div 100", f"round(({d} - {d} * 0.2) * 100) div 100"]
    asked = [f"? {form} {sign} xs:decimal(b) ?" for form in rounded for sign in ("=", "<", ">=")]
    asked += [f"? {form} = round(xs:decimal(b) * 10 * 10) div 100 + 0.1 ?" for form in rounded]
    asked += [f"? 7.7 div ({form}) = 7.7 div {d} ?" for form in rounded]
    assert both.differences(asked, pairs(AMOUNTS, AMOUNTS)) == []


@pytest.mark.parametrize(
    "implication",
    [
        "(exists(a) and b = '1') or not(exists(a))",
        "not(a) or (a and b = '1' and c = '2')",
        "((a or b) and c = '1') or (not(a) and not(b))",
        "(a = '1' and xs:decimal(b) = 1) or not(a = '1')",
        "(xs:decimal(a) = 1 and b) or not(xs:decimal(a) = 1)",
        "(a and b) or not(c)",
        "(not(a) and b) or not(not(a))",
        "(a and a) or not(a)",
        "(exists(string(a)) and b) or not(string(a))",
        "(exists(a | c) and b) or not(c | a)",
    ],
)
def test_what_one_condition_implies(both, implication):
    cases = ["".join(parts) for parts in product(*(["", *(f"<{n}>{t}</{n}>" for t in "12x")] for n in "abc"))]
    assert both.differences([f"? {implication} ?", f"! {implication} !"], cases) == []


def test_what_must_stand_somewhere_in_the_document(both):
    asked = ["//@x", "//a/b/@x", "//a[b = '1']/c", "//a/*", "//a/../b", "a//b", "count(//b) > 1", "//b or //@y"]
    cases = ["<a><b x='1'/></a>", "<b x='1'/>", "<a><b>1</b><c/></a>", "<b/><c><a/><b y=''/></c>", "<c><c/></c>", ""]
    forms = [form for path in asked for form in (f"? {path} ?", f"! not({path}) !", f"? a and ({path}) ?")]
    assert both.differences(forms, cases) == []


def test_functions_of_strings_answer_the_same_when_asked_again(both):
    """Their answers are remembered from one document to the next, for each text apart from all others."""
    number = Function("custom:number", [("x", "xs:string?")], "xs:decimal($x) > 1")
    begins = Function("custom:begins", [("x", "xs:string?"), ("y", "xs:string")], "starts-with($y, string($x))")
    checks = [Check("custom:number(a[1])", "1"), Check("custom:begins(b[1], string(a[1]))", "2")]
    texts = ("2", "1", "", " 2", "12", "2" * 70, "2" * 70 + ".5")
    documents = [f'<n:r xmlns:n="urn:n"><a>{a}</a><b>{b}</b></n:r>' for a, b in product(texts, texts) if a] * 2

    for ours, reference in both.outcomes([[Rule("n:r", checks)]], documents, functions=[number, begins]):
        assert ours == reference


def test_an_empty_argument_is_not_the_empty_text(both):
    is_empty = Function("custom:missing", [("x", "xs:string?")], "empty($x)")
    documents = ["<r><a/></r>", "<r/>", "<r><a/></r>", "<r/>"]

    for ours, reference in both.outcomes(
        [[Rule("r", [Check("custom:missing(a)", "1")])]], documents, functions=[is_empty]
    ):
        assert ours == reference


def test_sums_that_asserts_of_one_rule_share_belong_to_their_own_variable(both):
    """Each is asked twice in a row of one variable, and looks the same for another one."""
    total = (
        "sum(//line[xs:decimal(rate) = $rate]/xs:decimal(net)) - sum(//off[xs:decimal(rate) = $rate]/xs:decimal(net))"
    )
    asks = "every $rate in xs:decimal({}) satisfies (({}) > {} and ({}) < {})"
    checks = [
        Check(asks.format(name, total, low, total, high), f"{name}-{low}")
        for name, low, high in (("a", 0, 5), ("b", 0, 5), ("b", 3, 9), ("c", -4, 0))
    ]
    documents = [
        f"<r>{tops}<line><rate>20</rate><net>4</net></line><line><rate>10</rate><net>{net}</net></line>{off}</r>"
        for tops in ("<a>20</a><b>10.0</b>", "<a>10</a><b>20</b><c>20</c>", "<b>x</b><c>10</c>", "<a/><b>10</b>")
        for net in ("6", "0.5", "-3", "x")
        for off in ("", "<off><rate>20.00</rate><net>7</net></off>", "<off><rate/><net>1</net></off>")
    ]
    said = list(both.outcomes([[Rule("r", checks)]], documents))

    assert [(ours.fired, bool(ours.aborts)) for ours, theirs in said if not theirs.aborts] == [
        (theirs.fired, False) for _, theirs in said if not theirs.aborts
    ]
    assert all(ours.aborts for ours, theirs in said if theirs.aborts)
    assert sum(not theirs.aborts for _, theirs in said) > 8


def test_cents_of_an_amount_that_is_missing(both):
    cents = "round(xs:decimal(a) * 100) div 100"
    asked = [
        f"{cents} = b",
        f"b = {cents}",
        f"not({cents} > b)",
        f"{cents} = number(b)",
        f"{cents} = sum(b)",
        f"{cents} eq 1",
        f"abs({cents}) = 1",
        "every $x in b satisfies $x = round(xs:decimal(../a) * 10 * 10) div 100",
        f"exists({cents})",
    ]
    cases = ["<b>1</b>", "<a>1</a><b>1</b>", "<a>1.005</a><b>1.01</b>", "", "<a>1</a>"]
    assert both.differences([form for test in asked for form in (f"? {test} ?", f"! {test} !")], cases) == []


def test_literals_of_different_types_are_different(both):
    """Times 100.0 is a decimal, times 1e2 a double, which rounds 1.005 to 1: only the former is `cents`."""
    d = "xs:decimal(a)"
    asked = [f"round({d} * {n}) div {n} = 1.01" for n in ("100", "1e2", "100.0", "100e0")]
    asked += [f"round({d} * {n} * {n}) div {m} = 1.01" for n in ("10", "10e0", "10.0") for m in ("100", "1e2", "100.0")]
    asked += [
        f"({d} * 1.1 = 1.21 and b) or not({d} * 1.1e0 = 1.21)",
        f"({d} * 1 = 1.1 and b) or not({d} * 1e0 = 1.1)",
        "count(b[1]) = 1e0",
    ]
    cases = ["<a>1.005</a>", "<a>1.1</a>", "<a>1.1</a><b>1</b>", "<a>1.115</a>", "<a>2.675</a>", ""]
    assert both.differences([form for test in asked for form in (f"? {test} ?", f"! {test} !")], cases) == []


def test_a_literal_is_one_of_its_type():
    integer, decimal, double = Literal(10), Literal(Decimal(10)), Literal(10.0)
    assert len({integer, decimal, double}) == 3
    assert integer == Literal(10) and hash(double) == hash(Literal(10.0)) and decimal != double
    assert Literal(0.0) == Literal(0.0)
