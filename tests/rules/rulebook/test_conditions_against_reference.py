"""Conditions, loops and what becomes of an error in the middle of them, in both engines."""

from __future__ import annotations

import pytest

#: `x` is no number. What decides may stand before it, after it, or nowhere.
BROKEN = [
    *("<a>x</a>", "<b>x</b>", "<a>x</a><b>1</b>", "<a>1</a><b>x</b>", "<a>x</a><b>2</b>", "<a>2</a><b>x</b>", ""),
    *("<a>x</a><b>x</b>", "<a>x</a><a>1</a><b>1</b>", "<a>1</a><a>x</a><b>1</b>", "<a>1</a><a>x</a><b>2</b>"),
    *("<a>1</a><b>1</b>", "<a>1</a><b>2</b>", "<a>2</a><a>x</a>", "<a>1</a><a>1</a><b>1</b><b>1</b>"),
]
SEVERAL = [
    *("", "<a>1</a>", "<a>1</a><a>2</a>", "<a>1</a><a>2</a><b>2</b>", "<b>1</b>", "<a>2</a><a>1</a><b>1</b><b>3</b>"),
    *("<a>1</a><a>1</a>", "<a><c>1</c></a><a><c>1</c><c>2</c></a><b>1</b>", "<a/><b/>", "<a>3</a><a>1</a><a>2</a>"),
]


@pytest.mark.parametrize("word", ["and", "or"])
def test_an_error_does_not_matter_where_the_other_operand_decides(both, word):
    """Whichever comes first: Saxon looks at the other operand before it gives up."""
    asked = [
        f"? a = 1 {word} b = 1 ?",
        f"? b = 1 {word} a = 1 ?",
        f"? not(a = 1 {word} b = 1) ?",
        f"? xs:decimal(a) = 1 {word} xs:decimal(b) = 1 ?",
        f"? not(xs:decimal(a) = 1) {word} not(xs:decimal(b) = 1) ?",
        f"? xs:decimal(a[1]) = 1 {word} count(b) = 1 ?",
        f"? count(b) = 1 {word} xs:decimal(a[1]) = 1 ?",
        f"? (a = 1 {word} b = 1) or c ?",
        f"? c {word} (a = 1 and b = 1) ?",
        f"? a = 1 {word} b = 1 {word} c = 1 ?",
        f"? a = 1 {word} (b = 1 or b = 2) ?",
        f"? sum(a) = 1 {word} b = 1 ?",
        f"? (some $x in a satisfies $x = 1) {word} b = 1 ?",
        f"? some $x in a satisfies ($x = 1 {word} $x/../b = 1) ?",
        f"? every $x in a satisfies ($x = 1 {word} $x/../b = 2) ?",
        f"? a[. = 1 {word} ../b = 1] ?",
        f"? exists(a[../b = 1 {word} . = 1]) ?",
        f"count(a[. = 1 {word} ../b = 1])",
        f"? matches(a, '1') {word} b = '1' ?",
        f"? string-length(a) = 1 {word} xs:decimal(b) = 1 ?",
        f"? boolean(a = 1) {word} boolean(b = 1) ?",
        f"a = 1 {word} b = 1",
        f"? round(a * 10 * 10) div 100 = 1 {word} string(b[1]) = '2' ?",
        f"? (if (a = 1) then true() else false()) {word} b = 1 ?",
    ]
    assert both.differences(asked, BROKEN) == []


def test_one_of_several_codes(both):
    """Each operand is read once for all codes that it is compared with; what else stands there decides as before."""
    asked = [
        *("? a = '1' or a = '2' ?", "? a = '1' or '2' = a or a = '3' ?", "? not(a = '1' or a = '3') ?"),
        *("? a = '1' or b = '1' or a = '2' or b = '3' ?", "? a = '1' or a or a = '2' ?", "? a or a = '1' or a = '2' ?"),
        *("? a = 'x' or xs:decimal(a[1]) = 2 or a = 'y' ?", "? xs:decimal(a[1]) = 2 or a = 'x' or a = 'y' ?"),
        *("? (a = '1' and b = '1') or a = '2' or a = '3' ?", "? a = '2' or (a = '3' or b = '3') or a = '2' ?"),
        *(
            "? a = 1 or a = '2' or a = '1' ?",
            "? string(a[1]) = '1' or string(a[1]) = '2' ?",
            "? a != '1' or a != '2' ?",
        ),
        *(
            "? a/c = '1' or a/c = '2' ?",
            "count(a[. = '1' or . = '2'])",
            "? some $x in a satisfies $x = '1' or $x = '3' ?",
        ),
        *("? normalize-space(a) = '1' or normalize-space(a) = '2' ?", "? (a = '1' or a = '3') and b = '1' ?"),
        *(
            "? a = '1' or 'a' = 'b' or a = '2' ?",
            "? 'a' = 'a' or 'a' = 'b' ?",
            "? concat(a, b) = '1' or concat(a, b) = '' ?",
        ),
    ]
    assert both.differences(asked, [*BROKEN, *SEVERAL]) == []


def test_an_error_matters_elsewhere(both):
    asked = [
        *("? a[. = 1][../b = 1] ?", "? a[../b = 1][. = 1] ?", "? exists(a[. = 1]) ?", "? a[. = 1] ?", "? a = 1 ?"),
        *("? not(a = 1) ?", "? not(a != 1) ?", "? a[1] = 1 ?", "? (a = 1) = (b = 1) ?"),
        *("? some $x in a satisfies $x = 1 ?", "? every $x in a satisfies $x = 1 ?", "count(a[. = 1])", "a[. = 1]"),
        *("if (a = 1) then 'x' else b", "? if (a = 1) then b = 1 else false() ?", "for $x in a return $x + 1"),
        *("? exists(a) and (if (a = 1) then true() else b = 2) ?", "? every $x in a[. = 1] satisfies b = 1 ?"),
        *("? some $x in a, $y in b satisfies $x = 1 and $y = 1 ?", "sum(a)", "sum(a[. = 1])", "? sum(a) = 1 ?"),
    ]
    assert both.differences(asked, BROKEN) == []


def test_an_empty_left_operand_leaves_the_right_one_alone(both):
    operators = ["=", "!=", "<", "<=", ">", ">=", "eq", "ne", "lt", "le", "gt", "ge"]
    asked = [f"? xs:decimal(a) {operator} xs:decimal(b) ?" for operator in operators]
    asked += [f"? xs:boolean(a) {operator} xs:boolean(b) ?" for operator in operators]
    asked += [f"? xs:date(a) {operator} xs:date(b) ?" for operator in operators]
    asked += [f"xs:decimal(a) {operator} xs:decimal(b)" for operator in ("+", "-", "*", "div", "mod")]
    asked += [f"a {operator} b" for operator in ("+", "-", "*", "div", "mod")]
    assert both.differences(asked, ["", "<a/>", "<b/>", "<a>x</a>", "<b>x</b>"]) == []


def test_some_and_every(both):
    asked = [
        *("some $x in a satisfies $x = 1", "every $x in a satisfies $x = 1", "some $x in () satisfies $x = 1"),
        *("every $x in () satisfies $x = 1", "not(some $x in a satisfies $x = 2)", "every $x in a satisfies $x = b"),
        *("some $x in a, $y in b satisfies $x = $y", "every $x in a, $y in b satisfies $x = $y"),
        *(
            "some $x in a satisfies some $y in b satisfies $x = $y",
            "some $x in a satisfies every $y in b satisfies $x = $y",
        ),
        *(
            "every $x in a, $y in $x/c satisfies $y = 1",
            "some $x in a satisfies $x/c = $x/../b",
            "every $x in * satisfies $x",
        ),
        *(
            "some $x in (1, 2, 3) satisfies $x = a",
            "every $x in ('1', '2') satisfies $x = a",
            "some $x in a[1] satisfies $x",
        ),
        *(
            "every $x in a satisfies not($x = 2)",
            "every $x in a satisfies exists($x/c)",
            "some $x in a satisfies $x > 1",
        ),
        *("every $x in a satisfies ($x = '1' or $x = '2')", "some $x in distinct-values(a) satisfies $x = '1'"),
        *("every $x in a satisfies count($x/../a[. = $x]) = 1", "some $x in a satisfies count(a[. = $x]) > 1"),
    ]
    assert both.differences([*asked, *(f"? {expression} ?" for expression in asked)], SEVERAL) == []


def test_for_and_if(both):
    asked = [
        *(
            "for $x in a return concat($x, '!')",
            "for $x in a return $x * 2",
            "for $x in a, $y in b return concat($x, $y)",
        ),
        *("for $x in a return for $y in b return concat($x, $y)", "for $x in () return 1", "for $x in a return ()"),
        *("for $x in a return count($x/c)", "sum(for $x in a return $x * 2)", "count(for $x in a return (1, 2))"),
        *("for $x in a return if ($x = 1) then 'one' else string($x)", "for $x in a/c return string($x)"),
        *("for $x in a return $x/c/string()", "for $x in distinct-values(a) return count(a[. = $x])"),
        *("for $x in (1, 2.5) return $x * 2", "for $x in a return number($x)", "for $x in a[1] return $x/c + 1"),
        *("if (a) then 1 else 2", "if (a = 1) then b else a", "if (a > 1) then 'x' else ()"),
        *("if (a) then if (b) then 1 else 2 else 3", "(if (a) then 1 else 2) + 1", "if (a[2]) then a[2] else a[1]"),
        *(
            "if (count(a) > 1) then sum(a) else count(b)",
            "if (xs:boolean('true')) then 1 else 2.50",
            "if (()) then 1 else 2",
        ),
        *("if (a = 1) then 1 else if (b = 1) then 2 else 3", "if (not(a)) then 'none' else a", "if ('') then 1 else 2"),
    ]
    cases = [case for case in SEVERAL if case != "<a/><b/>"]
    assert both.differences(asked, cases) == []
