"""What is not understood exactly makes a sheet refuse to load, and says what and where: no rule is ever passed over."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.rules.rulebook.engine import load_rulebook
from gateway.rules.rulebook.outcome import UncompilablePack
from tests.rules.rulebook.sheets import BR_FR_UBL, EN16931_UBL, MINIMUM, Check, Function, Let, Rule, Value, sheet_text

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


@pytest.fixture
def refusal(tmp_path):
    """What loading a sheet is refused with."""

    def load(text: str, name: str = "sheet.xsl") -> str:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        with pytest.raises(UncompilablePack) as refused:
            load_rulebook(path)
        return str(refused.value)

    return load


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


#: A whole sheet, a part of it, what stands there instead, and a word of the reason.
ASSERT = Check("a").xsl()
SMALL = sheet_text([[Rule("r", [Let("v", "b"), Check("a"), Check("a", report=True)])], [Rule("a", [Check("b")])]])
DESCENT = '<xsl:apply-templates mode="M0" select="*"/></xsl:template>\n<xsl:template match="text()"'
CHOOSE, OTHERWISE = '<xsl:choose><xsl:when test="a"/>', "<xsl:otherwise><svrl:failed-assert"
TOP = "<!--MODE: SCHEMATRON-SELECT-FULL-PATH-->"
EDITS = [
    ('version="2.0"', 'version="3.0"', "not an XSLT 2.0 stylesheet"),
    ('version="2.0"', 'version="2.0" default-validation="strip"', "unknown attribute default-validation"),
    ("<xsl:stylesheet", "<xsl:transform", "mismatch"),
    (TOP, '<xsl:include href="other.xsl"/>', "include: unknown at the top of a sheet"),
    (TOP, '<xsl:import href="other.xsl"/>', "import: unknown at the top of a sheet"),
    (TOP, '<xsl:key name="k" match="a" use="b"/>', "key: unknown at the top of a sheet"),
    (TOP, '<xsl:strip-space elements="*"/>', "strip-space: unknown at the top of a sheet"),
    (TOP, '<xsl:decimal-format decimal-separator=","/>', "decimal-format: unknown at the top of a sheet"),
    (TOP, '<xsl:param name="given" select="1"/>', "param: unknown at the top of a sheet"),
    (TOP, '<xsl:template name="called"/>', "template: a template without a mode"),
    (TOP, '<xsl:template match="a"/>', "template: a template without a mode"),
    (TOP, '<xsl:template match="a" mode="M9" priority="1"/>', "mode M9 never runs"),
    (TOP, '<xsl:template match="a" mode="#all" priority="1"/>', "mode #all never runs"),
    (TOP, '<xsl:template match="a" mode="schematron-select-full-path"/>', "not those of the skeleton"),
    ("1+ $preceding", "2+ $preceding", "not those of the skeleton"),
    ('match="r" mode="M0"', 'match="r" mode="M0" name="r"', "unknown attribute name"),
    ('match="r" mode="M0" priority="1001"', 'match="r" mode="M0"', "a rule without a priority of its own"),
    (
        'match="r" mode="M0" priority="1001"',
        'match="r" mode="M0" priority="-1"',
        "a rule without a priority of its own",
    ),
    ('mode="M0" select="/"', 'mode="M1" select="/"', "a mode that runs twice"),
    ('mode="M0" select="/"', 'mode="M0" select="/r"', "a pattern that does not start at the root"),
    ('<xsl:apply-templates mode="M1" select="/"/>', "", "mode M1 never runs"),
    ('<xsl:apply-templates mode="M1" select="/"/>', "<svrl:other/>", "other: unknown in the report"),
    (DESCENT, DESCENT.replace('select="*"', 'select="a"'), "in another way than into the child elements"),
    (DESCENT, DESCENT.replace('select="*"', 'select="node()"'), "in another way than into the child elements"),
    (DESCENT, DESCENT.replace(' select="*"', ""), "in another way than into the child elements"),
    (DESCENT, DESCENT.replace('mode="M0" select', 'mode="M1" select'), "in another way than into the child elements"),
    (DESCENT, DESCENT.replace("/></", '><xsl:with-param name="p"/></xsl:apply-templates></', 1), "in another way than"),
    (DESCENT, DESCENT.replace("/></", f"/>{ASSERT}</", 1), "something after apply-templates"),
    (CHOOSE, '<xsl:for-each select="b"/>' + CHOOSE, "for-each: unknown in a rule"),
    (CHOOSE, "<xsl:message>m</xsl:message>" + CHOOSE, "message: unknown in a rule"),
    (CHOOSE, "<svrl:failed-assert/>" + CHOOSE, "failed-assert: unknown in a rule"),
    (CHOOSE, CHOOSE.replace(">", ' use-when="false()">', 1), "unknown attribute use-when"),
    (OTHERWISE, OTHERWISE.replace(">", ' use-when="false()">', 1), "unknown attribute use-when"),
    ('<xsl:when test="a"/>', '<xsl:when test="a" use-when="false()"/>', "unknown attribute use-when"),
    ('<xsl:if test="a">', '<xsl:if test="a" use-when="false()">', "unknown attribute use-when"),
    ('<xsl:when test="a"/>', '<xsl:when test="a"/><xsl:when test="b"/>', "expected when, otherwise"),
    ('<xsl:when test="a"/>', '<xsl:when test="a">said</xsl:when>', "something in xsl:when"),
    ('<xsl:when test="a"/>', '<xsl:when test="a"><svrl:text/></xsl:when>', "something in xsl:when"),
    ("<svrl:text>", '<svrl:text xsl:use-when="false()">', "unknown attribute"),
    ("<svrl:text>", "<svrl:diagnostic-reference/><svrl:text>", "diagnostic-reference: unknown in an assert"),
    ("<xsl:text>said</xsl:text>", '<xsl:copy-of select="."/>', "copy-of: unknown in a message"),
    ("<xsl:text>said</xsl:text>", '<xsl:value-of select="a" separator=","/>', "unknown attribute separator"),
    ("<xsl:text>said</xsl:text>", '<xsl:text use-when="false()">said</xsl:text>', "unknown attribute use-when"),
    ("<xsl:text>said</xsl:text>", "<xsl:text>said<svrl:b/></xsl:text>", "unknown in a message"),
    ('<xsl:attribute name="id">', '<xsl:attribute name="other">', "unknown in an assert"),
    (
        'schematron-select-full-path" select="."',
        'schematron-select-full-path" select=".."',
        "a location of another form",
    ),
    ('<xsl:variable name="v" select="b"/>', '<xsl:variable name="v">b</xsl:variable>', "a variable without a select"),
    ('<xsl:variable name="v" select="b"/>', '<xsl:variable name="v" select="b" as="node()*"/>', "the type node()*"),
    ('<xsl:variable name="v" select="b"/>', '<xsl:variable name="v" select="b" as="xs:date"/>', "the type xs:date"),
    ('<xsl:variable name="v" select="b"/>', '<xsl:param name="v" select="b"/>', "param: unknown in a rule"),
    ('match="a" mode="M1"', 'match="n:a" xmlns:n="urn:other" mode="M1"', "the prefix n means two things"),
    ('match="a" mode="M1"', 'match="a" xpath-default-namespace="urn:n" mode="M1"', "xpath-default-namespace"),
    ("</xsl:stylesheet>", "", "sheet.xsl: "),
    ("<xsl:stylesheet", "<!DOCTYPE x [<!ENTITY e 'a'>]><xsl:stylesheet", "a DOCTYPE"),
]
FUNCTIONS = [
    (Function("custom:f", [("x", "xs:integer")], "true()"), "custom:f(1)", "a parameter of type xs:integer"),
    (Function("custom:f", [("x", "xs:string*")], "true()"), "custom:f(a)", "a parameter of type xs:string*"),
    (Function("custom:f", [("x", "node()")], "true()"), "custom:f(a)", "a parameter of type node()"),
    (Function("custom:f", [("x", "xs:string")], "1", "xs:integer"), "custom:f(a)", "the type xs:integer"),
    (Function("custom:f", [("x", "xs:string")], "$x", "xs:boolean"), "custom:f(a)", "where xs:boolean is expected"),
    (Function("custom:f", [("x", "xs:string")], "1 = 1"), "custom:f()", "custom:f() with 0 arguments"),
    (Function("custom:f", [("x", "xs:string")], "1 = 1"), "custom:f(a, b)", "custom:f() with 2 arguments"),
    (Function("custom:f", [("x", "xs:string")], "1 = 1"), "custom:f(1)", "where xs:string is expected"),
    (Function("custom:f", [("x", "element()?")], "1 = 1"), "custom:f('a')", "where an element is expected"),
    (Function("custom:f", [("x", "element()?")], "1 = 1"), "custom:f(..)", "where an element is expected"),
    (Function("custom:f", [("x", "xs:string")], "exists(a)"), "custom:f(a)", "a path where there is no context"),
    (Function("custom:f", [("x", "xs:string")], "string() = 'a'"), "custom:f(a)", "a path where there is no context"),
    (Function("custom:f", [("x", "xs:string")], "custom:f($x)"), "custom:f(a)", "the function custom:f()"),
    (Function("custom:f", [("x", "xs:string")], "$y"), "custom:f(a)", "the variable $y, which is not declared"),
]


@pytest.mark.parametrize(("part", "instead", "why"), EDITS)
def test_a_sheet_of_another_form(refusal, part, instead, why):
    assert part in SMALL
    told = refusal(SMALL.replace(part, instead, 1))
    assert why in told
    assert told.startswith("sheet.xsl")


@pytest.mark.parametrize(("function", "call", "why"), FUNCTIONS)
def test_a_function(refusal, function, call, why):
    assert why in refusal(sheet_text([[Rule("a", [Check(call)])]], functions=[function]))


def test_the_sheets_without_those_edits_load(tmp_path):
    """Else the tests above would show nothing."""
    (tmp_path / "sheet.xsl").write_text(SMALL, "utf-8")
    assert len(load_rulebook(tmp_path / "sheet.xsl").asserts) == 3


@pytest.mark.parametrize(
    ("sheet", "part", "instead", "why"),
    [
        (MINIMUM, '<xsl:when test="(ram:', '<xsl:when tset="(ram:', "unknown attribute tset"),
        (MINIMUM, "local-name()=local-name(current())", "name()=name(current())", "not those of the skeleton"),
        (MINIMUM, "document('", "document('no-", "the code list no-"),
        (MINIMUM, "/codedb/", "/other/", "a code list in a form that is not known"),
        (EN16931_UBL, "normalize-space(", "normalise-space(", "the function normalise-space() with"),
        (EN16931_UBL, "cac:Party", "cacc:Party", "the prefix cacc, which means nothing,"),
        (BR_FR_UBL, "<xsl:sequence select=", "<xsl:sequence as='item()' select=", "unknown attribute as"),
        (BR_FR_UBL, "custom:is-valid-id-format(", "custom:is-valid-id-formats(", "custom:is-valid-id-formats()"),
        (BR_FR_UBL, r"^\d{14}$", r"^\p{Nd}{14}$", r"the escape \p in the regular expression"),
        (BR_FR_UBL, "$isFormatValid and", "$isFormatvalid and", "the variable $isFormatvalid, which is not declared"),
    ],
)
def test_an_official_sheet_with_one_edit(refusal, sheet, part, instead, why):
    text = sheet.read_text("utf-8")
    assert part in text
    assert why in refusal(text.replace(part, instead, 1), sheet.name)


def test_a_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(UncompilablePack, match=r"^none\.xsl: "):
        load_rulebook(tmp_path / "none.xsl")
