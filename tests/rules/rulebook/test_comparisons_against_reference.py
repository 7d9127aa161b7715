"""Comparisons of one, none or several values of each type, in both engines."""

from __future__ import annotations

import pytest

from tests.rules.rulebook.texts import NUMBERS, elements, pairs

GENERAL = ["=", "!=", "<", "<=", ">", ">="]
VALUE = ["eq", "ne", "lt", "le", "gt", "ge"]
WORDS = ["", "a", "A", "aa", " a", "1", "1.0", "10", "9", "é", "true", "𝄞", "\uffee"]
HOW_MANY = [
    *("", "<a/>", "<b/>", "<a/><b/>", "<a>1</a>", "<b>1</b>", "<a>1</a><a>2</a>", "<a>1</a><b>1</b><b>2</b>"),
    *("<a>1</a><a>2</a><b>2</b>", "<a>1</a><a>1</a><b>1</b>", "<a>1</a><a>2</a><b>1</b><b>2</b>", "<a x='1'/>"),
    *("<a>1</a><a>2</a><b>3</b><b>4</b>", "<a x='2'/><b x='1'/>", "<a x='1'/><a x='2'/>", "<a>10</a><a>9</a><b>9</b>"),
]
#: What Saxon does with them when there is no type but a number to compare with is told in `compare_text`.
SPECIAL = ["NaN", "INF", "-INF", "0", "-0", "0.0", "-0.0", "-0.00", "0e0", "-0e0", "1", "-1", "0.1", "1e0"]


@pytest.mark.parametrize("operator", GENERAL)
def test_texts(both, operator):
    """What has no type is compared with its like, and with strings, as a string."""
    rights = ["b", "'a'", "'1'", "('a', 'b')", "()", "b/@x", "string(b)", "*", "normalize-space(b)", "''", "('1', '1')"]
    lefts = ["'a'", "('a', '1')", "()", "''", "b/@x", "*"]
    asked = [f"? a {operator} {right} ?" for right in rights] + [f"? {left} {operator} a ?" for left in lefts]
    asked += [f"? not(a {operator} b) ?", f"? a/@x {operator} '1' ?", f"? a/@x {operator} b/@x ?"]
    asked += [f"? a[. {operator} '1'] ?", f"? a[. {operator} ../b] ?", f"? count(a[. {operator} ('1', 'a')]) = 1 ?"]
    assert both.differences(asked, pairs(WORDS, WORDS)) == []
    one_each = [right.replace("(b)", "(b[1])") for right in asked]
    assert both.differences(one_each, HOW_MANY) == []


@pytest.mark.parametrize("operator", VALUE)
def test_single_texts(both, operator):
    asked = [f"? a {operator} b ?", f"? a {operator} 'a' ?", f"? '1' {operator} a ?", f"? not(a {operator} b) ?"]
    asked += [f"? string(a[1]) {operator} 'a' ?", f"? a/@x {operator} '1' ?", f"? normalize-space(a[1]) {operator} b ?"]
    assert both.differences(asked, [*pairs(WORDS, WORDS), *HOW_MANY]) == []


@pytest.mark.parametrize("operator", [*GENERAL, *VALUE])
def test_numbers_with_numbers(both, operator):
    rights = ["xs:decimal(b)", "number(b)", "xs:double(b)", "0", "0.1", "0.1e0", "-0e0", "count(b)", "b * 1"]
    lefts = ["xs:decimal(a)", "number(a)", "count(a)", "round(a)", "sum(a)", "-xs:decimal(a)"]
    asked = [f"? {left} {operator} {right} ?" for left in lefts for right in rights]
    numbers = ["-0", "0", "0.1", "0.10000000000000000001", "1", "0.1000000000000000055511151231257827", "-1", "99.99"]
    large = ["9007199254740993", "9007199254740992", "123456789012345678901234567890", "1e308"]
    assert both.differences(asked, pairs([*numbers, *large], ["0", "0.1", "9007199254740993", "1", "-0.0"])) == []
    alike = [expression for expression in asked if "xs:" not in expression and "round" not in expression]
    assert both.differences(alike, [*pairs(SPECIAL, ["NaN", "0"]), *elements(["", "x", " 1 "]), "<b>1</b>"]) == []


@pytest.mark.parametrize("operator", GENERAL)
def test_texts_with_one_number(both, operator):
    """The text "NaN" is greater than any number, "-0.0" less than 0, and no text is read when the number is NaN."""
    numbers = ["0", "0.0", "0e0", "-0e0", "1", "0.1", "0.1e0", "-1", "1e0 div 0", "0e0 div 0", "9007199254740992"]
    asked = [f"? a {operator} {number} ?" for number in numbers] + [f"? {number} {operator} a ?" for number in numbers]
    asked += [f"? {left} {operator} 0 ?" for left in ("a/@x", ".//a", "(a | b)", "distinct-values(a)", "a[1]", ".")]
    asked += [f"? a[. {operator} 0] ?", f"? every $x in * satisfies $x {operator} 0 ?", f"? $g {operator} a ?"][:2]
    broken = ["", " ", "x", "+INF", " 5 ", "+5", "5.", "05", "1e400", "-", "1,5", "\u00a01"]
    assert both.differences(asked, elements([*SPECIAL, *NUMBERS, *broken])) == []


@pytest.mark.parametrize("operator", GENERAL)
def test_texts_with_a_number_of_the_document(both, operator):
    rights = ["number(b)", "xs:decimal(b)", "xs:double(b)", "b * 1", "count(b)", "sum(b)", "round(b)", "-b"]
    asked = [f"? a {operator} {right} ?" for right in rights] + [f"? {left} {operator} a ?" for left in rights]
    lefts = [*SPECIAL, "x", "", "100", "1e2", "99.999999999999999999", "12345678901234567890", "-5", "0.3"]
    assert both.differences(asked, pairs(lefts, ["0.1", "-0", "-0.0", "9007199254740993", "1e2", "NaN", "5"])) == []
    assert both.differences(asked, [case for case in HOW_MANY if case.count("<b>") < 2 and "<b/>" not in case]) == []


@pytest.mark.parametrize("operator", GENERAL)
def test_several_numbers(both, operator):
    """Several are walked one by one until one decides: what is wrong behind it does no harm."""
    lists = ["(for $x in b return xs:decimal($x))", "b/xs:decimal(.)", "b/number(.)", "(for $x in b return number($x))"]
    asked = [f"? {some} {operator} {one} ?" for some in lists for one in ("1", "xs:decimal('1')", "count(b)", "1e0")]
    asked += [f"? {one} {operator} {some} ?" for some in lists[:2] for one in ("1", "xs:decimal('1')", "xs:decimal(c)")]
    asked += [f"? xs:decimal(c) {operator} (1, 3.5) ?", f"? b/number(.) {operator} b/number(.) ?"]
    texts = [
        ("1", "5"),
        ("NaN", "1"),
        ("1", "NaN"),
        ("0", "NaN", "5"),
        ("1", "x"),
        ("x", "1"),
        ("0", "x", "5"),
        ("5",),
        (),
    ]
    assert both.differences(asked, ["".join(elements(some, "b")) for some in texts] + ["<b>1</b><c>1</c>"]) == []


@pytest.mark.parametrize("operator", [*GENERAL, *VALUE])
def test_truths(both, operator):
    asked = [f"? exists(a) {operator} {right} ?" for right in ("exists(b)", "true()", "false()", "(a = b)", "not(b)")]
    assert both.differences([*asked, f"? (a = '1') {operator} (b = '1') ?"], HOW_MANY) == []
