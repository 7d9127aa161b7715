"""An expression that is not understood exactly makes its sheet refuse to load, and says what and where."""

from __future__ import annotations

import pytest

from tests.rules.rulebook.sheets import Check, Let, Rule, Value, sheet_text

#: What a test, a message or a variable may not say, and a word of the reason.
EXPRESSIONS = [
    ("frobnicate(a)", "the function frobnicate() with 1 arguments"),
    ("fn:frobnicate(a)", "the function fn:frobnicate()"),
    ("custom:unknown(a)", "the function custom:unknown()"),
    ("substring(a)", "the function substring() with 1 arguments"),
    ("not(a, b)", "the function not() with 2 arguments"),
    ("count()", "the function count() with 0 arguments"),
    ("position() = 1", "position()"),
    ("a[position() = 1]", "position()"),
    ("a[last()]", "last()"),
    ("a[count(b)]", "a position that is computed"),
    ("a[1 + 1]", "a position that is computed"),
    ("a[number(.)]", "a position that is computed"),
    ("a[$n]", "a position that is computed"),
    ("a[1.5]", "a position that is no whole number"),
    ("a[0]", "a position that is no whole number"),
    ("a[b][1][2.0]", "a position that is no whole number"),
    ("//a[1]", "a position among descendants"),
    ("ancestor::a[1]", "a position on an axis that goes backwards"),
    ("preceding::a[1]", "a position on an axis that goes backwards"),
    ("following-sibling::a", "the axis following-sibling"),
    ("preceding-sibling::a", "the axis preceding-sibling"),
    ("following::a", "the axis following"),
    ("descendant::a", "the axis descendant"),
    ("ancestor-or-self::a", "the axis ancestor-or-self"),
    ("namespace::a", "the axis namespace"),
    ("comment()", "the test comment()"),
    ("processing-instruction()", "the test processing-instruction()"),
    ("element(a)", "expected before"),
    ("*:a", "a name in any namespace"),
    ("unknown:a", "the prefix unknown, which means nothing,"),
    ("@unknown:a", "the prefix unknown, which means nothing,"),
    ("$undeclared", "the variable $undeclared, which is not declared"),
    ("document('x.xml')", "document()"),
    ("document(a)/b", "document()"),
    ("document('x.xml')/codedb/cl[@id = $n]/enumeration[@value = 'a']", "a code list in a form that is not known"),
    ("document('x.xml')/codedb/cl[1]", "document()"),
    ("document('x.xml')/codedb/cl[@id=1]/enumeration[@value='a']", "the code list x.xml"),
    ("document('../x.xml')/codedb/cl[@id=1]/enumeration[@value='a']", "not beside the sheet"),
    ("doc('x.xml')", "the function doc()"),
    ("unparsed-text('x')", "the function unparsed-text()"),
    ("key('k', a)", "the function key()"),
    ("current()", "the function current()"),
    ("matches(a, '.')", "in the regular expression ."),
    (r"matches(a, '\w')", r"the escape \w"),
    (r"matches(a, '\p{L}')", r"the escape \p"),
    (r"matches(a, '\i\c*')", r"the escape \i"),
    (r"matches(a, '\S')", r"the escape \S"),
    (r"matches(a, '(a)\1')", r"the escape \1"),
    ("matches(a, '[a-z-[aeiou]]')", "a class in a class"),
    ("matches(a, 'a+?')", "in the regular expression a+?"),
    ("matches(a, '(?:a)')", "in the regular expression (?:a)"),
    ("matches(a, '[')", "the regular expression ["),
    ("matches(a, b)", "a regular expression that is computed"),
    ("matches(a, 'A', 'i')", "the function matches() with 3 arguments"),
    ("replace(a, 'x*', '')", "replace() of nothing"),
    ("replace(a, '(x)', '$1')", "replace() by something computed"),
    ("replace(a, 'x', b)", "replace() by something computed"),
    ("tokenize(a, '(x)')", "tokenize() at groups or at nothing"),
    ("tokenize(a, 'x*')", "tokenize() at groups or at nothing"),
    ("substring(a, b)", "substring() at a place"),
    ("substring(a, 1.5)", "substring() at a place"),
    ("string-join(.//text(), ',')", "string-join() of text nodes"),
    ("count(.//text())", "count() of text nodes"),
    ("name(@x)", "the name of something that is no element"),
    ("a/text()", "a child that is no element"),
    ("'a' = 1", "arithmetic with a string"),
    ("string(a) = 1", "arithmetic with a string"),
    ("string(a) < xs:decimal(b)", "arithmetic with a string"),
    ("true() = 1", "arithmetic with a boolean"),
    ("exists(a) = 'true'", "compared with a boolean"),
    ("xs:date(a) = string(b)", "compared with a date"),
    ("xs:date(a) = 1", "arithmetic with a date"),
    ("xs:date(a) = true()", "a"),
    ("a eq 1", "a untyped = a integer"),
    ("xs:date(a) lt b", "a date < a untyped"),
    ("a = (0, 1)", "several numbers"),
    ("a << b", "left over"),
    ("a is b", "left over"),
    ("a to b", "left over"),
    ("1 to 3", "left over"),
    ("a idiv b", "left over"),
    ("a intersect b", "left over"),
    ("a except b", "left over"),
    ("a instance of xs:string", "left over"),
    ("a castable as xs:decimal", "left over"),
    ("a treat as node()", "left over"),
    ("a cast as xs:decimal", "the function cast xs:decimal()"),
    ("a cast as xs:boolean?", "not understood"),
    ("xs:integer(a)", "the function xs:integer()"),
    ("xs:dateTime(a)", "the function xs:dateTime()"),
    ("xs:boolean(1)", "a cast of a integer to boolean"),
    ("xs:date(1)", "a cast of a integer to date"),
    ("string(xs:date(a))", "date"),
    ("concat(xs:date(a), '')", "date"),
    ("+a", "unary plus"),
    ("a + 'b'", "arithmetic with a string"),
    ("a + true()", "arithmetic with a boolean"),
    ("xs:date(a) - xs:date(b)", "arithmetic with a date"),
    ("sum(('a', 'b'))", "sum() of strings"),
    ("sum(distinct-values(//b/string()))", "sum() of strings"),
    ("upper-case(1)", "where a string is expected"),
    ("contains(a, 1)", "where a string is expected"),
    ("if (('a', 'b')) then 1 else 2", "a condition of several strings"),
    ("not((1, 2))", "a condition of several integers"),
    ("not(xs:date(a))", "a condition that is a date"),
    ("(1, 2)[1]", "a predicate on values"),
    ("(a, b)", "a sequence of nodes with commas"),
    ("for $x in a return $x", "a for that returns nodes"),
    ("(1, 'a')", "now a integer, now a string"),
    ("if (a) then 1 else 'x'", "now a"),
    ("a (: comment :)", "a comment"),
    ("a[", "expected"),
    ("a]", "left over"),
    ("a = ", "expected"),
    ("", "expected"),
    ("'open", "not understood"),
    ("a ! b", "not understood"),
    ("let $x := a return $x", "not understood"),
    ("a || b", "an operand expected"),
    ("map{}", "not understood"),
    ("function($x) { $x }", "not understood"),
    ("a => count()", "expected"),
    ("self::text()", "a text node that is the context"),
    ("//@*", "attributes without a name"),
    ("@*", "attributes without a name"),
    ("a//@x", "attributes below a node"),
    ("@x/..", "a step from a attribute"),
    ("@x/a", "a step from a attribute"),
    ("'a'/b", "a step from a string"),
    ("parent::r", "the axis"),
    ("ancestor::*", "the axis"),
    ("preceding::*", "the axis"),
]
#: What a rule may not be for.
PATTERNS = [
    ("@x", "a pattern with a step that is no child element"),
    ("a/@x", "a pattern with a step that is no child element"),
    ("a|@x", "a pattern with a step that is no child element"),
    ("text()", "a pattern with a step that is no child element"),
    ("a/text()", "a pattern with a step that is no child element"),
    ("node()", "a pattern with a step that is no child element"),
    ("/", "a pattern that matches the document node"),
    (".", "a pattern with a step that is no child element"),
    ("..", "a pattern with a step that is no child element"),
    ("a//b", "a pattern with two slashes inside"),
    ("a[1]", "a position in a pattern"),
    ("a[count(b)]", "a position in a pattern"),
    ("a[b][2]", "a position in a pattern"),
    ("a[position() = 1]", "position()"),
    ("a[frobnicate()]", "frobnicate()"),
    ("unknown:a", "the prefix unknown"),
    ("self::a", "a pattern with a step that is no child element"),
    ("ancestor::a", "a pattern with a step that is no child element"),
    ("key('k', 'v')", "a union of something that is no path"),
    ("count(a)", "a union of something that is no path"),
    ("'a'", "a union of something that is no path"),
]


@pytest.mark.parametrize(("expression", "why"), EXPRESSIONS)
def test_an_expression(refusal, expression, why):
    """In a test, whichever kind, in a message and in a variable: the reason, the line and the expression."""
    for item in (
        Check(expression),
        Check(expression, report=True),
        Check("true()", message=(Value(expression),)),
        Let("x", expression),
    ):
        text = sheet_text([[Rule("a", [Let("n", "count(a)"), item])]])
        if expression in ("", "(a, b)", "for $x in a return $x") and isinstance(item, Let):
            continue
        told = refusal(text)
        assert why in told
        assert told.startswith(f"sheet.xsl, line {line_of(text, item.xsl())}")


@pytest.mark.parametrize(("match", "why"), PATTERNS)
def test_a_pattern(refusal, match, why):
    text = sheet_text([[Rule(match, [Check("true()")])]])
    told = refusal(text)
    assert why in told
    assert told.startswith(f"sheet.xsl, line {line_of(text, '<svrl:fired-rule') - 1}")


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1
