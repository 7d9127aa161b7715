"""Paths over documents that are hard to walk, in both engines."""

from __future__ import annotations

import pytest

from tests.rules.rulebook.texts import words

#: The same name inside itself, prefixes and default namespaces, comments, CDATA and blanks in the middle of texts.
DOCUMENTS = [
    "<r><a>1<a>2<a>3</a></a><b>x</b></a><b>y</b><a><b>z</b><c><a><b>w</b></a></c></a></r>",
    "<a><a><a/></a></a>",
    "<r/>",
    "<r x='1'><a x='2'><b x='3'/></a><a x='4'/></r>",
    "<n:r xmlns:n='urn:n'><n:a>1</n:a><a>2</a><m:a xmlns:m='urn:m'>3</m:a><x:a xmlns:x='urn:n'>4</x:a>"
    "<a xmlns='urn:n'>5<b>6</b></a></n:r>",
    "<r xmlns='urn:n'><a>1</a><b xmlns=''>2</b><a xmlns='urn:m'>3</a></r>",
    "<r><a>one<!-- c -->two<?p i?>three</a><a><![CDATA[<x>]]>&amp;</a><b> <c/> </b></r>",
    "<r xml:space='preserve'> <a> </a> <b xml:space='default'> </b> </r>",
    "<r><a><b>1</b></a><a><b>2</b><b>3</b></a><c><b>4</b></c><b>5</b></r>",
    "<r xmlns:n='urn:n' n:x='1' x='2'><a n:x='3' x='4'/></r>",
    "<r><a>é</a><a>𝄞</a>\n<b>\r\n</b><b>a&#13;b</b></r>",
    "<r><a id='1'><v>5</v></a><a id='2'><v>5</v></a><a id='3'><v>6</v></a><v>5</v></r>",
]
DOWN = words(
    "a //a //a/b //a//b .//a a//b a/a a//a //b /r/a /r / /r/a/b //a/a //a[a] //a[b] //a[not(b)] . ./a * */* *//b //* "
    "//*[b] @x a/@x //@x //a/@x //@n:x a/b/@x //*/@x //n:a n:a n:* //n:* m:a //m:a a/n:b /* /*/a /*/@x /n:r/n:a //r "
    "c/a/b a[c/a]/b a/(b|c) a/(b|c)/a a/(b) (a)/b ((a)) (a/b|b) a/b|b b|a/b */b "
    "./a/./v/. a/./v a[.//b] //a[.//b] /r/@x"
)
ELSEWHERE = words(
    "//a/.. a/.. .. ../.. //*[self::a] *[self::a] self::a self::r self::n:r //a/self::a //a/self::b (a|b)/c (//a|//b) "
    "//a|//b //a/ancestor::a //b/ancestor::a //b/ancestor::r ancestor::a //b/preceding::b //b[preceding::b] "
    "//a/preceding::a //b/../a a/../b //b/../../a a/b/.. //b[not(preceding::b)] //c/ancestor::a/b a/v/../@id "
    "//v[not(preceding::v/.=.)] //v[not(preceding::v=.)] //a[not(v=preceding::a/v)] //a[v=preceding::a/v]/@id"
)
POSITIONS = words(
    "a[1] a[2]/b a[1]/b[1] a/b[1] (a/b)[1] a/b[2] (a|b)[2] (//a)[1] (//a)[2] (//b|//a)[1] *[1] *[2] "
    "*[1][self::a] */b[1] "
    "a[v][1] a[v][2]/@id (//a[v])[1]/@id (a/b/..)[1] a[1][b] a[b][1] (a|b)[1][b] *[b][1]"
)
FILTERED = [
    *("//a[. = 1]", "//a[@id = '2']/v", "//a[v = 5]/@id", "//a[v = //v]/@id", "//a[@id = //a/@id]/v", "//v[. > 5]"),
    *(
        "//a[count(v) = 1]/@id",
        "//a[some $x in v satisfies $x = 5]/@id",
        "//a[@id][v]",
        "//a[@id and v]",
        "//v[../@id = 2]",
    ),
    *("//a[number(v) > 5]/@id", "//a[xs:decimal(v) > 5]/@id", "//a[@id > 1]/v", "//a/v[../@id = '2']", "a[not(@x)]"),
    *(
        "//*[name() = 'a']/@id",
        "//*[local-name() = 'a']",
        "//*[ends-with(name(), 'a')]",
        "//*[starts-with(name(), 'n:')]",
    ),
    *(
        "//*[@x]",
        "//*[not(@x)]/name()",
        "//*[not(*)]",
        "//*[not(*) and not(normalize-space())]/name()",
        "//a[v][@id]/v",
    ),
    *(
        "//a[string-length(@id) = 1]/v",
        "a[@x = ../@x]",
        "//a[../a/@id = @id]/@id",
        "//v[. = ../../v]",
        "//a[.//b = 'z']",
    ),
    *("for $x in //a return concat($x/@id, '=', $x/v)", "for $x in //v return count($x/..)", "//a[normalize-space(.)]"),
    *(
        "for $x in //a return count(//a[v = $x/v])",
        "for $x in //v return count($x/../../a[v = $x])",
        "//*[. = '']/name()",
    ),
    *(
        "every $x in //a satisfies $x/v = 5",
        "some $x in //v satisfies $x/.. = 5",
        "//a[@id != '2']/v",
        "//a[v != 5]/@id",
    ),
]
VALUES = [
    *("name()", "name(..)", "local-name(..)", "name(*[1])", "name((//a)[1])", "name((//b)[1])", "local-name((//*)[2])"),
    *("name((//n:a)[2])", "name((//n:a)[3])", "string()", "string(.)", "string(..)", "string(/)", "normalize-space(.)"),
    *("normalize-space(/)", "string(a[1])", "string((//a)[1])", "count(//a)", "count(//*)", "count(//a | //b)"),
    *("count(//@x)", "string-join(//text(), '')", "string-join(.//text(), '')", "string-join(//a/b, ',')", "sum(//v)"),
    *("distinct-values(//v)", "count(distinct-values(//v))", "//a/string()", "//a/normalize-space(.)", "//v/number()"),
    *("//v/number(.)", "//a/name()", "//v/xs:decimal(.)", "a/string(.)", "a/count(b)", "//a/count(v)", "*/name()"),
    *("*/local-name()", "sum(//v/xs:decimal(.))", "string-join(//a/name(), ',')", "//a/concat(@id, v)", "//a/(v * 2)"),
    *("string-length(.)", "upper-case(a[1])", "concat(a[1], '|', b[1])", "a[1]/@x + 1"),
]


@pytest.mark.parametrize("context", ["/*", "//a", "b"])
@pytest.mark.parametrize(
    "paths",
    [
        pytest.param(DOWN, id="down"),
        pytest.param(ELSEWHERE, id="elsewhere"),
        pytest.param(POSITIONS, id="positions"),
        pytest.param(FILTERED, id="filtered"),
        pytest.param(VALUES, id="values"),
    ],
)
def test_paths(both, paths, context):
    """Each shows what it selects, in order, each node once; and says whether it selects anything."""
    asked = [*paths, *(f"? not({path}) ?" for path in paths if not path.startswith(("name", "sum", "for", "every")))]
    assert both.differences_on_documents(_without_conditions_of_values(asked), DOCUMENTS, context=context) == []


@pytest.mark.parametrize("context", ["/*", "//a"])
def test_text_nodes_are_shown_without_blanks_between(both, context):
    """Unlike elements and attributes (XSLT 5.7.2)."""
    paths = ["//text()", ".//text()", "a//text()", "a", "a/@x", "? .//text() ?"]
    assert both.differences_on_documents(paths, DOCUMENTS, context=context) == []


def _without_conditions_of_values(asked: list[str]) -> list[str]:
    """Several values have no truth: such are refused."""
    several = ("()", "(.)", "distinct", "/count", "/concat", "v * 2", "return")
    return [one for one in asked if not (one.startswith("? not") and any(form in one for form in several))]
