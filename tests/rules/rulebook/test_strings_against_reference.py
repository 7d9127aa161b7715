"""Functions on strings, in both engines."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from tests.rules.rulebook.texts import elements, pairs

TEXTS = [
    *(
        "",
        "abc",
        "a",
        "é",
        "ß",
        "ı",
        "İ",
        "ﬁ",
        "𝄞",
        "a𝄞b",
        "Σας",
        "ΣΑΣ",
        "ǆ",
        "ŉ",
        "a b",
        "  a  b ",
        "&#9;a&#10;b&#13;",
    ),
    *("\u00a0a\u00a0", "\u2003", "a\u00a0b", "\u0085x", "\u2028", "aa", "aXbXc", "X", "Xa", "aX", "XX", "ab\ncd", "1"),
    *(
        "e\u0301",
        "&lt;&amp;",
        "'\"",
        "#PMT#x#PMT#",
        "BAR#B2B#",
        "380",
        "a-b_c",
        "\ufeffa",
        "a&#13;&#10;b",
        "a.b.",
        "ab ",
    ),
]
#: Comments and CDATA do not part a text, elements are passed over.
SPLIT = [
    *("", "<a>a<!-- c -->b</a>", "<a>a<![CDATA[<X>]]>b</a>", "<a>a<?p i?>b</a>", "<a><!-- only --></a>", "<b>a</b>"),
    *("<a>a<b>b</b>c</a><b>abc</b>", "<a> <b> x </b> </a>", "<a xml:space='preserve'> </a>", "<a><![CDATA[ ]]></a>"),
]
#: From the official sheets, and some like them.
REGEXES = [
    *(r"^[A-Za-z0-9+\-_/]+$", r"^[A-Za-z0-9+\-_.]+$", r"^\d{14}$", r"^\d{9}$", " ", r"^[-]?\d{1,19}(\.\d{1,2})?$"),
    *(r"^\d{1,4}(\.\d{1,2})?$", r"^20\d{2}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$", r"\s", r"^\s*$", r"^[^\s]+$"),
    r"^\s*(\d{4})(1[0-2]|0[1-9]){1}(3[01]|[12][0-9]|0[1-9]){1}\s*$",
    r"^\s*(\d{4})(1[0-2]|0[1-9])(3[01]|[12][0-9]|0[1-9])([01][0-9]|2[0-3])[0-5][0-9]\s*$",
    *(
        r"^20\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$",
        "a|b",
        "^a",
        "a$",
        "^$",
        "",
        r"[ab]+",
        r"(ab)*c",
        r"\.",
        r"a\$",
    ),
]
MATCHED = [
    *(
        "",
        "a",
        "abc",
        "a b",
        "123456789",
        "12345678901234",
        "1234567890",
        "2024-02-30",
        "2024-13-01",
        "20240230",
        "-1.5",
    ),
    *(
        "1.234",
        "123.45",
        "12345.6",
        "1e5",
        "+1",
        "A-b_c/+",
        "é",
        "１２３４５６７８９",
        "١٢٣٤٥٦٧٨٩",
        " 20240101 ",
        "202401012359",
    ),
    *(
        "123456789&#10;",
        "&#10;123456789",
        "123456789&#13;",
        "a&#10;",
        "a&#10;b",
        "\u00a0",
        "\u2003",
        "\u0085",
        "a$",
        ".",
    ),
]


def test_functions_of_one_string(both):
    asked = [
        *(
            "normalize-space(a)",
            "string-length(a)",
            "string-length(normalize-space(a))",
            "upper-case(a)",
            "lower-case(a)",
        ),
        *("lower-case(upper-case(a))", "concat('[', a, ']')", "concat(a, a, 1, 2.50, 1e0, true())", "string(a)", "a"),
        *("normalize-space()", "string-length()", "string()", "normalize-space(.)", "string-length(string(.))"),
        *("substring-before(a, 'X')", "substring-after(a, 'X')", "substring-before(a, '')", "substring-after(a, '')"),
        *("substring-before(a, a)", "substring-after(a, a)", "string-length(substring-after(a, '#'))", "count(a)"),
        *("? contains(a, '') ?", "? contains(a, 'X') ?", "? starts-with(a, 'a') ?", "? starts-with(a, '') ?"),
        *("? ends-with(a, '') ?", "? ends-with(a, 'b') ?", "? a ?", "? string(a) ?", "? normalize-space(a) ?"),
        *("? normalize-space(a) = '' ?", "? a != '' ?", "? upper-case(a) = 'SS' ?", "? not(normalize-space(a)) ?"),
        *("? string-length(a) ?", "? string-length(a) > 2 ?", "? contains(' a 1 X ', concat(' ', a, ' ')) ?"),
        *(
            "? contains(' a 1 X ', concat(' ', normalize-space(a), ' ')) ?",
            "string-length(a) * 2",
            "distinct-values(a)",
        ),
    ]
    assert both.differences(asked, [*elements(TEXTS), *SPLIT]) == []


def test_a_code_of_a_list_in_a_text(both):
    """As the EN 16931 sheets ask for it: a blank in what is looked for may span two codes, and no blank may."""
    texts = ["a", "1", "X", "a 1", "1 X", " a", "a ", "", " ", "a\u00a01", "\u00a0", "1\u00a0", "A", "a  1", "a1"]
    asked: list[str] = []
    for codes in (" a 1 X ", " a\u00a01 X ", " X ", "a 1 X", " a  1 ", "  ", " ", "", " \u00a0 "):
        for sought in ("a", "normalize-space(a)", "normalize-space(upper-case(a))"):
            listed = f"contains('{codes}', concat(' ', {sought}, ' '))"
            asked += [f"? {listed} ?", f"? not(contains({sought}, ' ')) and {listed} ?"]
            asked += [f"? not(contains(a, ' ')) and {listed} ?", f"? {listed} and not(contains({sought}, ' ')) ?"]
    assert both.differences(asked, [*elements(texts), "", "<b>x</b>", "<a>a</a><a>1</a>"]) == []


def test_functions_of_two_strings(both):
    texts = ["", "a", "ab", "b", "aXb", "X", " ", "𝄞", "a𝄞", "A", "1"]
    asked = [f"? {name}(a, b) ?" for name in ("contains", "starts-with", "ends-with")]
    asked += ["substring-before(a, b)", "substring-after(a, b)", "concat(a, b)"]
    assert both.differences(asked, [*pairs(texts, texts), "<a>x</a>", "<b>x</b>", ""]) == []


def test_parts_of_a_string(both):
    places = ["0", "1", "2", "3", "5", "6", "7", "-1", "-5", "100", "2 + 1", "string-length(a)", "string-length(a) - 1"]
    asked = [f"substring(a, {start})" for start in places]
    asked += [f"substring(a, {start}, {length})" for start in places for length in places]
    assert both.differences(asked, [*elements(["", "a", "abcde", "a𝄞bé"]), "", "<b>x</b>"]) == []


def test_texts_that_are_cut_up(both):
    asked = [
        *(rf"tokenize(a, '{regex}')" for regex in (" ", "X", r"\s", r"\s+", "#PMT#", r"\.")),
        *(rf"string-join(tokenize(a, '{regex}'), '|')" for regex in (" ", "X", r"\s", r"\s+")),
        *(rf"count(tokenize(a, '{regex}'))" for regex in ("X", r"\s+", "#PMT#")),
        *("replace(a, 'X', '')", "replace(a, 'X', 'yy')", r"replace(a, '\s', '_')", "replace(a, '[ab]', '-')"),
        *(r"string-length(replace(a, '\.', ''))", "replace(a, 'BAR#B2B#', '')", "replace(a, 'a+', 'A')"),
        *("count(tokenize(a, 'X')) - 1", "string-length(a) - string-length(replace(a, '#', ''))"),
        *(
            "count(tokenize('', ','))",
            "count(tokenize('a,', ','))",
            "exists(tokenize('', ' '))",
            "? a = tokenize('', ',') ?",
        ),
        *("count(tokenize(',', ','))", "string-join(tokenize('', ','), '|')", "? not(tokenize('', ',') = '') ?"),
        *("? a = tokenize('a 1 X', ' ') ?", r"? a = tokenize('a b\n1', '\s+') ?", "? tokenize(a, 'X') = 'b' ?"),
    ]
    assert both.differences(asked, [*elements(TEXTS), "", "<b>x</b>"]) == []


def test_regular_expressions(both):
    """A final line feed is no end of the text, unlike in Python; digits are those of all scripts."""
    asked = [f"? matches(a, '{regex}') ?" for regex in REGEXES]
    asked += [f"? matches(normalize-space(a), '{regex}') ?" for regex in REGEXES]
    assert both.differences(asked, [*elements(MATCHED), *SPLIT]) == []


def test_strings_of_several(both):
    cases = ["", "<a>x</a>", "<a>x</a><a>y</a><a>x</a>", "<a/><a/>", "<a>x</a><b>y</b><a>z</a>", "<a x='1'/><a x='1'/>"]
    asked = [
        *(
            "string-join(a, '-')",
            "string-join(a, '')",
            "string-join(*, ', ')",
            "string-join(a/@x, '+')",
            "distinct-values(a)",
        ),
        *("string-join(distinct-values(a), '|')", "count(distinct-values(*))", "string-join(('x', 'y'), '-')"),
        *(
            "string-join(for $x in a return concat($x, '!'), ' ')",
            "string-join(.//text(), '')",
            "distinct-values(a/@x)",
        ),
        *("for $x in distinct-values(a) return count(*[. = $x])", "string-join(tokenize(string(a[1]), 'X'), '')"),
        *("string-join((string(a[1]), 'z'), '-')", "? distinct-values(a) = 'x' ?"),
    ]
    assert both.differences(asked, cases) == []


@pytest.mark.parametrize("name", ["upper-case", "lower-case", "normalize-space", "string-length"])
def test_every_character(both, name):
    """Those that Unicode had in its version 3.2: of the newest, each library knows its own."""
    known = [
        character
        for character in map(chr, range(0x20, sys.maxunicode))
        if unicodedata.ucd_3_2_0.category(character) not in ("Cn", "Cs", "Co", "Cc")
    ]
    blocks = ["".join(f"&#{ord(c)}; " for c in known[i : i + 400]) for i in range(0, len(known), 400)]
    assert both.differences([f"{name}(a)"], elements(blocks)) == []


def test_every_digit_and_blank(both):
    known = [
        c for c in map(chr, range(0x20, sys.maxunicode)) if unicodedata.ucd_3_2_0.category(c) in ("Nd", "No", "Zs")
    ]
    blocks = ["".join(f"&#{ord(c)};x" for c in known[i : i + 100]) for i in range(0, len(known), 100)]
    assert both.differences([r"replace(a, '\d', 'D')", r"replace(a, '\s', 'S')"], elements(blocks)) == []
