"""Asserts that are asked only where something stands: where they are not asked they hold, and Saxon can compute them.

An assert that is passed over where Saxon fails would be told as valid: it has to be not judged.
"""

from __future__ import annotations

import pytest

from gateway.rules.rulebook.compiler.failing import may_fail
from gateway.rules.rulebook.compiler.guards import guard_of
from gateway.rules.rulebook.compiler.parser import parse
from gateway.rules.rulebook.engine import load_rulebook
from tests.rules.rulebook.both import run
from tests.rules.rulebook.sheets import EN16931_UBL, NAMESPACES, Check, Rule

CASES = [
    "",
    "<a>x</a>",
    "<a>1.1</a>",
    "<b>1</b>",
    "<b>abc</b>",
    "<a>x</a><b>1</b>",
    "<a>1</a><b>abc</b>",
    "<a>x</a><a>y</a>",
    "<a>1<b/></a>",
    "<a>abc</a><a>2</a><b/><b/>",
    "<a><b>x</b><b>x</b></a>",
    "<a><b>x</b><b>y</b><c/></a>",
    "<c/><d/>",
]
FAILING = [
    "not(xs:decimal(a) > b)",
    "not(a > xs:decimal(b))",
    "not(b > xs:decimal(a))",
    "not(number(a) > b)",
    "not(xs:decimal(a) = xs:decimal(b))",
    "not(a[xs:decimal(.) > 1] = b[xs:decimal(.) > 1])",
    "not(a[xs:decimal(.) > 1] and b)",
    "not(b and a[xs:decimal(.) > 1])",
    "not(a[xs:decimal(.) > 1]) or b",
    "not(a[xs:decimal(.) > 1]/b)",
    "not(.[xs:decimal(a) > 1]/c)",
    "not(a/b[upper-case(../c) = 'X']/c)",
    "not(a[normalize-space(b) = 'x']/c)",
    "count(a[xs:decimal(.) > 1]) <= 1",
    "count(a[xs:decimal(.) > 1]/b) <= 1",
    "count(a[normalize-space(b) = 'x']/c) <= 1",
    "count(a[b/upper-case(.) = 'X']/c) <= 1",
    "count(a[xs:date(.) > xs:date('2020-01-01')]) <= 2",
    "every $x in a[xs:decimal(.) > 1]/b satisfies $x = 'x'",
    "count(a[b/contains(., 'x')]) <= 1",
    "count(a[some $x in b satisfies xs:decimal($x) > 1]) <= 2",
]
#: They look around in the document.
FAILING_ELSEWHERE = [
    "not(//a[xs:decimal(.) > 1]/c)",
    "not(../*[xs:decimal(a) > 1]/c)",
    "not(/r/a[xs:decimal(.) > 1]/c | b)",
    "count(a[/r/c/upper-case(b) = 'X']/c) < 3",
    "count(//a[xs:decimal(.) > 1]) <= 1",
]
OF_BOOLEANS = [
    "empty(a = 'x')",
    "not(exists(a = 'x'))",
    "empty(a and b)",
    "empty(exists(a))",
    "empty(not(a))",
    "every $x in (a = 'x') satisfies $x",
    "every $x in not(a) satisfies not($x)",
    "exists(a = 'x')",
    "exists(a and b)",
    "exists(count(a) > 0)",
    "exists(exists(a))",
    "count(a = 'x') > 0",
    "count(a = 'x') = 1",
    "count(empty(a)) > 0",
    "boolean(a = 'x')",
    "not(boolean(a))",
]


@pytest.mark.parametrize("expressions", [FAILING, OF_BOOLEANS], ids=["failing", "booleans"])
def test_an_assert_that_is_not_asked_holds_and_does_not_fail(both, expressions):
    assert both.differences([form for test in expressions for form in (f"!{test}!", f"?{test}?")], CASES) == []


def test_the_same_where_it_looks_around_in_the_document(both):
    forms = [form for test in FAILING_ELSEWHERE for form in (f"!{test}!", f"?{test}?")]
    assert both.differences_on_documents(forms, [f"<r>{case}</r>" for case in CASES]) == []


@pytest.mark.parametrize(
    "test",
    ["not(//c | a)", "not(/r/c | a)", "not(../c | a)", "not(a | //c)", "not(*/c | a)", "not(a/b) and not(//c)"],
)
def test_an_assert_is_asked_once_of_an_element(both, test):
    documents = ["<r><a/><c/></r>", "<r><a/></r>", "<r><c/></r>", "<r><a><b/><c/></a></r>", "<r/>"]
    for ours, theirs in both.outcomes([[Rule("r", [Check(test)])]], documents):
        assert ours == theirs


def test_an_official_rule_that_cannot_be_computed_is_told():
    """UBL-SR-12 asks `cac:TaxScheme/upper-case(cbc:ID)` of each tax scheme, also where the seller has one number."""
    cbc, cac = (f"urn:oasis:names:specification:ubl:schema:xsd:Common{kind}Components-2" for kind in KINDS)
    scheme = "<a:TaxScheme><b:ID>VAT</b:ID><b:ID>VAT</b:ID></a:TaxScheme>"
    party = f"<a:Party><a:PartyTaxScheme><b:CompanyID>FR1</b:CompanyID>{scheme}</a:PartyTaxScheme></a:Party>"
    document = (
        f'<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2" xmlns:a="{cac}" xmlns:b="{cbc}">'
        f"<a:AccountingSupplierParty>{party}</a:AccountingSupplierParty></Invoice>"
    )
    assert {"UBL-SR-12", "UBL-SR-13"} <= {abort.rule for abort in run(load_rulebook(EN16931_UBL), document).aborts}


KINDS = ("Basic", "Aggregate")


@pytest.mark.parametrize(
    ("test", "guard"),
    [
        ("not(a/b[c = 'x']/d)", {(("a", "b", "d"), 0, "")}),
        ("not(a/b[c = 1]/d)", {(("a", "b"), 0, "")}),
        ("count(a/b[c = 'x']) <= 2", {(("a", "b"), 2, "")}),
        ("count(a/b[c = 1]) <= 2", {(("a", "b"), 0, "")}),
        ("count(a[normalize-space(.) = 'x']/@b) <= 1", {(("a",), 1, "b")}),
        ("count(a[normalize-space(b) = 'x']/@b) <= 1", {(("a",), 0, "")}),
        ("not(a = 'x')", {(("a",), 0, "")}),
        ("not(a = xs:decimal(b))", None),
        ("not(a = b[c = 1])", {(("b",), 0, "")}),
        ("not(//a[b = 1]/c)", {(("//", "a"), 0, "")}),
        ("not(.[b = 1]/c)", None),
        ("not(a | //b)", {(("//", "a"), 0, ""), (("//", "b"), 0, "")}),
        ("empty(a = 'x')", None),
        ("empty(a)", {(("a",), 0, "")}),
    ],
)
def test_what_must_stand(test, guard):
    found = guard_of(parse(test, NAMESPACES), report=False)
    assert (None if found is None else set(found)) == guard


@pytest.mark.parametrize(
    ("expression", "fails"),
    [
        ("a[b = 'x'][1]/c | @d", False),
        ("a/normalize-space(.)", False),
        ("concat(@x, 'y', string())", False),
        ("count(a[not(b) or contains(., 'x')]) > 1", False),
        ("some $x in a satisfies b = ('x', 'y')", False),
        ("matches(., 'x')", False),
        ("string-length() = 2", False),
        ("$x", True),
        ("a = 1", True),
        ("a = $x", True),
        ("custom:f(.)", True),
        ("normalize-space(a)", True),
        ("xs:decimal(.)", True),
        ("a/xs:decimal(.)", True),
        ("a[b/normalize-space(.)]", True),
        ("1 + 1", True),
        ("some $x in a satisfies $x = 'y'", True),
        ("if (a) then 'b' else 'c'", True),
    ],
)
def test_what_may_fail(expression, fails):
    assert may_fail(parse(expression, NAMESPACES)) is fails
