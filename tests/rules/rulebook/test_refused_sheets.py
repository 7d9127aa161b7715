"""A sheet of a form that is not known exactly is refused, and says what and where: no rule is ever passed over."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.rules.rulebook.engine import load_rulebook
from gateway.rules.rulebook.outcome import UncompilablePack
from tests.rules.rulebook.sheets import (
    BR_FR_UBL,
    EN16931_UBL,
    MINIMUM,
    NAMESPACES,
    Check,
    Function,
    Let,
    Rule,
    sheet_text,
)

#: A whole sheet, a part of it, what stands there instead, and a word of the reason.
ASSERT = Check("a").xsl()
ITEMS = [Let("v", "b"), Let("s", "b", "xs:string?"), Check("a"), Check("a", report=True)]
SMALL = sheet_text([[Rule("r", ITEMS)], [Rule("a", [Check("b")])]])
DESCENT = '<xsl:apply-templates mode="M0" select="*"/></xsl:template>\n<xsl:template match="text()"'
CHOOSE, OTHERWISE = '<xsl:choose><xsl:when test="a"/>', "<xsl:otherwise><svrl:failed-assert"
SECOND_ROOT = (
    '<xsl:template match="/"><svrl:schematron-output><xsl:apply-templates mode="M0" select="/"/>'
    '<xsl:apply-templates mode="M1" select="/"/></svrl:schematron-output></xsl:template>'
)
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
    ('<xsl:template match="/">', '<xsl:template match="/" priority="9">', "unknown attribute priority"),
    ('<xsl:template match="/">', '<xsl:template match="/" name="start">', "unknown attribute name"),
    ('<xsl:template match="/">', '<xsl:template match="/" mode="">', "unknown attribute mode"),
    ('priority="1001"', 'priority="1e2"', "a rule without a priority of its own"),
    ('priority="1001"', 'priority="inf"', "a rule without a priority of its own"),
    ('priority="1001"', 'priority="1_0"', "a rule without a priority of its own"),
    (TOP, '<xsl:variable name="g" select="1"/><xsl:variable name="g" select="2"/>', "two global variables"),
    (TOP, '<xsl:variable name="document-uri"/>' * 2, "two global variables"),
    ("</svrl:text>", "</svrl:text><svrl:text>more</svrl:text>", "something after the text of an assert"),
    ("</svrl:text>", '</svrl:text><xsl:attribute name="id">X</xsl:attribute>', "something after the text of an assert"),
    (f' xmlns:xs="{NAMESPACES["xs"]}"', "", "the type xs:string?, whose prefix means nothing"),
    (NAMESPACES["xs"], "urn:other", "the type xs:string?, whose prefix means nothing"),
    ("</xsl:stylesheet>", f"{SECOND_ROOT}</xsl:stylesheet>", "a second template for the document"),
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
    (Function("f", [("x", "xs:string")], "true()"), "b", "a function f, which is in no namespace of its own"),
    (Function("not", [("x", "xs:string")], "true()"), "b", "a function not, which is in no namespace of its own"),
    (Function("xs:f", [("x", "xs:string")], "true()"), "b", "a function xs:f, which is in no namespace of its own"),
    (Function("q:f", [("x", "xs:string")], "true()"), "b", "a function q:f, which is in no namespace of its own"),
    (Function("custom:f", [("x", "xs:string")] * 2, "true()"), "b", "with two parameters of one name"),
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


def test_two_functions_of_one_name(refusal):
    two = [Function("custom:f", [("x", "xs:string")], result) for result in ("true()", "false()")]
    assert "two functions, of one name" in refusal(sheet_text([[Rule("a", [Check("b")])]], functions=two))


@pytest.mark.parametrize("uri", ["", "urn:other"])
@pytest.mark.parametrize(
    ("prefix", "test"),
    [("fn", "fn:not(a)"), ("xs", "xs:decimal(a) = 1"), ("xs", "(a cast as xs:boolean)"), ("custom", "custom:f(a)")],
)
def test_a_prefix_that_means_nothing_or_another_thing(refusal, uri, prefix, test):
    text, declared = sheet_text([[Rule("a", [Check(test)])]]), f' xmlns:{prefix}="{NAMESPACES[prefix]}"'
    assert declared in text
    told = refusal(text.replace(declared, f' xmlns:{prefix}="{uri}"' if uri else ""))
    assert (f"the prefix {prefix}, which means" if prefix != "custom" or not uri else "the function custom:f()") in told


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
