"""Casts of whatever a document may hold, and the values that messages show, in both engines."""

from __future__ import annotations

from tests.rules.rulebook.texts import ANYTHING, elements, pairs, words

TRUTHS = [*words("true false 1 0 TRUE True yes 01 1.0 t NaN -0 -1"), "", " true ", "&#9;1", "\u00a0true", "true false"]
#: No element, an empty one, several: casts and functions take one or none.
HOW_MANY = ["", "<a/>", "<a>1</a>", "<a>1</a><a>2</a>", "<a>1</a><a>1</a>", "<b/>", "<a x='1'/>", "<a>1<b>2</b>3</a>"]


def test_numbers_are_read_and_written_alike(both):
    """`string-length` shows the blanks and zeros that a message would hide."""
    casts = ["xs:decimal(a)", "xs:double(a)", "number(a)", "string-length(string(xs:decimal(a)))", "string(number(a))"]
    assert both.differences([*casts, "concat('', xs:decimal(a))", "concat(number(a), '|')"], elements(ANYTHING)) == []


def test_numbers_become_each_other_alike(both):
    casts = [
        "xs:decimal(number(a))",
        "xs:double(xs:decimal(a))",
        "number(xs:decimal(a))",
        "xs:decimal(xs:decimal(a))",
        "xs:decimal(string(xs:decimal(a)))",
    ]
    assert both.differences(casts, elements(ANYTHING)) == []


def test_numbers_are_true_alike(both):
    """0 and NaN are false."""
    numbers = [
        "number(a)",
        "xs:decimal(a)",
        "xs:double(a)",
        "string-length(a)",
        "a * 1",
        "count(a) - 1",
        "round(number(a))",
    ]
    asked = [*(f"? {number} ?" for number in numbers), *(f"not({number})" for number in numbers)]
    assert both.differences([*asked, "if (number(a)) then 1 else 2", "number(a) and a"], elements(ANYTHING)) == []


def test_booleans_are_read_alike(both):
    casts = [
        "xs:boolean(a)",
        "a cast as xs:boolean",
        "xs:boolean(string(a))",
        "? xs:boolean(a) ?",
        "? not(xs:boolean(a)) ?",
        "? a cast as xs:boolean = true() ?",
        "? a = true() ?",
        "? false() = a ?",
        "? a != exists(b) ?",
        "? xs:boolean(a) = exists(b) ?",
        "? xs:boolean(a) ne true() ?",
        "? xs:boolean(a) lt true() ?",
        "? a >= false() ?",
    ]
    cases = elements(TRUTHS) + pairs(["true", "0", "x"], ["x"]) + ["", "<a>true</a><a>false</a>", "<a>1</a><a>x</a>"]
    assert both.differences(casts, cases) == []


def test_a_function_of_one_value_gets_none_one_or_several(both):
    expressions = [
        *(
            "xs:decimal(a)",
            "xs:double(a)",
            "xs:boolean(a)",
            "? xs:date(a) = xs:date(a) ?",
            "number(a)",
            "string(a)",
            "-a",
            "abs(a)",
        ),
        *("round(a)", "a + 1", "1 - a", "a * a", "a div 2", "a mod 2", "normalize-space(a)", "string-length(a)"),
        *("upper-case(a)", "substring(a, 1, 1)", "concat(a, '|', b)", "? contains(a, '1') ?", "? a eq '1' ?"),
        *("name(a)", "local-name(a)", "a cast as xs:boolean", "string-join(a, '-')", "sum(a)", "count(a)"),
        *("distinct-values(a)", "a", "a/@x", "string(a/@x)", "number(a/@x)", "xs:decimal(a/@x)", "a/@x + 1"),
        *("exists(a)", "empty(a)", "not(a)", "boolean(a)", "? a ?", "? a/@x ?", "string()", "number()", "name()"),
    ]
    assert both.differences(expressions, HOW_MANY) == []


def test_messages_show_values_alike(both):
    shown = [
        *("0.10", "100.00", "1.0", "-0.0", ".5", "1.", "0.1 + 0.2", "0.1e0 + 0.2e0", "1e0", "1e6", "1e7", "0.1e-5"),
        *("1e21", "-1e-7", "123456789.12e0", "1 div 3", "2 div 3", "1e0 div 3", "-1 div 3.0", "1e0 div 0", "0e0 div 0"),
        *("-1e0 div 0", "0e0 * -1", "-0", "7 mod 2", "-7 mod 2", "7.5 mod 2", "10 div 5", "10 div 4", "100 * 1.10"),
        *("12 div 2 div 3", "2 + 3 * 4", "(2 + 3) * 4", "5 - 3 - 1", "- 3 + 5", "-(3 + 5)", "3 - -2", "3 -2"),
        *("true()", "exists(a)", "1 = 1.0", "0.1 = 0.1e0", "0.1 + 0.2 = 0.3", "0.1e0 + 0.2e0 = 0.3e0"),
        *("(1, 2.50, 3)", "('x', 'y')", "(1, 2)", "()", "('a', ())", "1 div 3 * 3", "round(-2.5)", "round(2.5e0)"),
        *("round(-0.4)", "round(-0.4e0)", "abs(-1.50)", "1.10 * 1.10", "count(*) * 1.5", "string(1.50)", "a", "a/@x"),
        *(
            "for $i in (1, 2.5) return $i * 2",
            "sum((1, 2.5))",
            "sum((1, 2))",
            "sum((1.5, 1e0))",
            "sum(c)",
            "sum(c) + 1",
        ),
        *(
            "if (a) then 1 else 2.50",
            "if (a) then 'x' else b",
            "concat(1, 2.50, 1e0, true(), a)",
            "12345678901234567890",
        ),
    ]
    assert both.differences(shown, ["", "<a>1</a>", "<a>x y</a><b> z </b>", "<a x='1'/><a x=' 2 '/><b/>"]) == []
