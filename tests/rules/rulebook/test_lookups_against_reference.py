"""What one line of an invoice asks about the others, which ours answers from indexes, in both engines."""

from __future__ import annotations

import pytest

from gateway.rules.rulebook.engine import load_rulebook
from tests.rules.rulebook.both import run
from tests.rules.rulebook.sheets import Check, Let, Rule, write_sheet


def line(number: str, parent: str = "", amount: str = "1", kind: str = "D", inside: str = "") -> str:
    above = f"<parent>{parent}</parent>" if parent else ""
    return f"<line n='{number}'><id>{number}</id>{above}<amount>{amount}</amount><kind>{kind}</kind>{inside}</line>"


DOCUMENTS = [
    f"<r><x>1</x>{line('1', kind='G')}{line('1.1', '1', '2.50')}{line('1.2', '1', '2.5')}{line('2', amount='10')}</r>",
    f"<r><x>2</x>{line('1', '1')}{line('2', '3')}{line('3', '2')}{line('3', '2', '01')}<y>3</y></r>",
    f"<r>{line('1', inside=line('1', '1', '1.0') + line('2', '1', '5'))}{line('2', '1', '1.00', 'G')}<x>2</x></r>",
    "<r><line/><line><id/></line><line><id>1</id><id>2</id><parent>2</parent><parent>7</parent></line><x/></r>",
    f"<r><x>2.50</x><g>{line('1')}<g>{line('2', '1', '2.50')}</g></g>{line('3', '1', '-0')}{line('4', '3', '0')}</r>",
    "<r><x>1</x></r>",
]
#: An amount that is no number, before, behind or between those that matter.
BROKEN = [
    f"<r><x>1</x>{line('1', amount='x')}{line('2', '1')}{line('3', '2', '2')}</r>",
    f"<r><x>2</x>{line('1')}{line('2', '1', '2')}{line('3', '1', 'x', 'G')}</r>",
    f"<r><x>x</x>{line('1')}{line('2', '1', '', 'G')}{line('3', '2')}</r>",
]
VARIABLES = [
    Let("id", "id"),
    Let("first", "string(id[1])"),
    Let("parent", "parent"),
    Let("amount", "xs:decimal(amount)"),
    Let("lines", "//line"),
    Let("children", "//line[parent = $first]"),
    Let("beside", "../line"),
]
TEXTS = [
    *("//line[parent = $id]/@n", "//line[id = $parent]/@n", "//line[$id = parent]/@n", "count(//line[id = $id])"),
    *(
        "count(//line[id = $id]) = 1",
        "//line[parent = $first]/id",
        "../line[parent = $id]/@n",
        "../line[id = $parent]/kind",
    ),
    *("//line[id = $id][kind = 'G']/@n", "//line[kind = 'G'][id = $id]/@n", "//line[id = $id and kind = 'D']/@n"),
    *("//line[kind = 'D' and parent = $id]/@n", "//line[not(id = $id)]/@n", "//line[id != $id]/@n", "//x[. = $id]"),
    *("//line[id = //x]/@n", "//line[@n = $id]/@n", "//line[@n = $first]/amount", "//line/id[. = $id]/../@n"),
    *(
        "//line[id = $id]/parent",
        "//line[id = ('1', '2')]/@n",
        "//line[id = $id or parent = $id]/@n",
        "$lines[id = $id]/@n",
    ),
    *(
        "$children/@n",
        "count($children)",
        "$children[kind = 'D']/@n",
        "$lines[parent = $id]/amount",
        "//line[.//id = $id]/@n",
    ),
    *(
        "//line[string(id[1]) = $first]/@n",
        "//line[normalize-space(id[1]) = $first]/@n",
        "//line[concat(@n, '') = $id]/@n",
    ),
    *(
        "some $l in //line satisfies $l/id = $parent",
        "some $l in //line satisfies $parent = $l/id",
        "//id[. = $parent]",
    ),
    *("every $l in //line satisfies $l/id = $id", "some $l in //line satisfies ($l/id = $id and $l/kind = 'G')"),
    *(
        "some $l in //line satisfies $l/@n = $first",
        "some $p in $parent satisfies $p = //line/id",
        "$parent = //line/id",
    ),
    *("not($parent = //line/id)", "some $i in //id satisfies $i = $parent", "//line[line/parent = $id]/@n"),
    *("for $p in parent return //line[id = $p]/kind/string()", "for $p in parent return count(//line[id = $p])"),
    *(
        "//g[line/parent = $id]/name()",
        "//g[line[parent = $id and kind = 'D']]/name()",
        "//r[line[id = $parent]]/name()",
    ),
    *(
        "id = preceding::id",
        ". = preceding::line",
        "id = preceding::line/id",
        "preceding::id = id",
        "preceding::line/@n",
    ),
    *("not(id = preceding::line/id)", "preceding::line[id = $id]/@n", "kind = preceding::line[kind = 'G']/kind"),
    *("//line[not(preceding::line/id = id)]/@n", "//id[not(preceding::id = .)]", "//id[not(preceding::id/. = .)]"),
    *("count(//line[not(preceding::line/kind = kind)])", "ancestor::line/id", "ancestor::line[id = $id]/@n"),
    *("$beside[id = $id]/@n", "$beside/id[. = $first]/../@n", "$beside/kind = 'G'", "kind = ../line/kind"),
    *("$beside/parent = $id", "../line/kind = 'G'", "'G' = ../line/kind and id = ../line/parent", "../line/id != '1'"),
    *("//line/id = //line/parent", "//line/id != //line/parent", "every $l in $beside satisfies $l/id = $l/@n"),
]
NUMBERS = [
    *(
        "//line[xs:decimal(amount) = $amount]/@n",
        "//line[amount/xs:decimal(.) = $amount]/@n",
        "//line[amount = $amount]/@n",
    ),
    *(
        "count(//line[xs:decimal(amount) = $amount])",
        "sum(//line[parent = $id]/amount)",
        "sum($children/amount) = $amount",
    ),
    *("sum(//line[parent = $id]/xs:decimal(amount)) = $amount", "sum(../line[kind = 'D']/xs:decimal(amount))"),
    *(
        "//line[number(amount) = number($amount)]/@n",
        "//line[id = $amount]/@n",
        "//line[xs:decimal(amount) > $amount]/@n",
    ),
    *(
        "some $l in //line satisfies xs:decimal($l/amount) = $amount",
        "//line[xs:decimal(amount) = $amount][id = $id]/@n",
    ),
    *(
        "some $l in //line satisfies $l/xs:decimal(amount) > $amount",
        "//line[id = $id][xs:decimal(amount) = $amount]/@n",
    ),
    *("every $l in //line satisfies xs:decimal($l/amount) >= 0", "//line[xs:decimal(amount) = 2.5 and id = '1.1']/@n"),
    *(
        "exists(//line[xs:decimal(amount) = $amount and id = $parent])",
        "not(//line[id = $parent and xs:decimal(amount) > 1])",
    ),
    *("//line[id = $parent and xs:decimal(amount) = 1]/@n", "count(//line[id = $id and xs:decimal(amount) = $amount])"),
    *(
        "(sum($children/xs:decimal(amount)) = $amount) or not($children)",
        "$amount = //line/xs:decimal(amount)",
        "$amount",
    ),
]


@pytest.mark.parametrize("context", ["line", "x"])
def test_texts(both, context):
    assert both.differences_on_documents(TEXTS, DOCUMENTS, context=context, lets=VARIABLES) == []


def test_names_and_texts_that_look_like_those_of_the_compiled_module(both):
    asked = [
        *("//a[@x1 = 'v2']/@x3", "count(//a[@x3 = 'x1'])", "//a[. = '{item}']/@x1", "../a[. = 'n.parent']/@x1"),
        *("../a/b[. = 'n.parent' or . = '{number}']/../@x1", "some $a in //a satisfies $a/@x3 = '{py}'"),
        *("//a[@x1 = 'x\"1']/@x3", """//a[@x1 = "x'1"]/@x3""", "//a[@x1 = 'x1\\']/@x3", "//a[@x1='\\']/@x1 = 'x1'"),
    ]
    document = (
        "<r><a x1='v2' x3='x1'>{item}</a><a x1='x\"1' x3='{py}'><b>n.parent</b></a><a x1='x1\\' x3='v2'>n.parent</a>"
        "<a x1=\"x'1\" x3='4'><b>{number}</b></a><a x1='\\'/></r>"
    )

    assert both.differences_on_documents(asked, [document], context="a") == []


@pytest.mark.parametrize("context", ["line[amount]", "line[not(amount)]"])
def test_numbers(both, context):
    assert both.differences_on_documents(NUMBERS, DOCUMENTS, context=context, lets=VARIABLES) == []


@pytest.mark.parametrize("number", ["1", "2", "3"])
def test_numbers_of_which_one_is_none(both, number):
    """An index reads more than a search that stops, or less: one engine may fail where the other does not, but what
    both know is the same.
    """
    asked = [*NUMBERS, *(f"? {expression} ?" for expression in NUMBERS if "sum(.." not in expression)]
    said = both.differences_on_documents(asked, BROKEN, context=f"line[@n = '{number}']", lets=VARIABLES)
    assert [difference for difference in said if " fail" not in difference] == []


def test_keys_that_cannot_be_made_do_not_matter_where_nothing_is_looked_for(both):
    """Found by a mutant of a VAT breakdown without a rate, beside an allowance whose rate is no number."""
    asked = [
        *("count(//line[amount/xs:decimal(.) = $amount])", "count(//line[$amount = amount/xs:decimal(.)])"),
        *("count(//line[kind = 'D' and amount/xs:decimal(.) = $amount])", "//line[amount/xs:decimal(.) = $amount]/@n"),
        *(
            "sum(/r/line[kind = 'D' and amount/xs:decimal(.) = $amount]/id)",
            "? //line[amount/xs:decimal(.) = $amount] ?",
        ),
        *("count(../line[amount/xs:decimal(.) = $amount])", "count(//line[amount/xs:decimal(.) = $amount][id = $id])"),
        *("count(//line[$amount = xs:decimal(amount)])", "count(//line[kind = 'D' and $amount = xs:decimal(amount)])"),
    ]
    none = Let("none", "../nothing/xs:decimal(.)")
    asked += [text.replace("$amount", "$none") for text in asked]
    assert both.differences_on_documents(asked, BROKEN, context="x", lets=[*VARIABLES, none]) == []


@pytest.mark.parametrize("context", ["line", "x"])
def test_truths(both, context):
    truths = [f"? {text} ?" for text in TEXTS if not text.startswith(("for ", "count")) and "string()" not in text]
    truths = [f"? exists({text[2:-2]}) ?" if "name()" in text else text for text in truths]
    assert both.differences_on_documents(truths, DOCUMENTS, context=context, lets=VARIABLES) == []


@pytest.mark.parametrize(
    "test",
    [
        "some $l in //line satisfies xs:decimal($l/amount) = 7",
        "exists(//line[xs:decimal(amount) = xs:decimal($seven)])",
        "exists(../line[xs:decimal(amount) = xs:decimal($seven)])",
        "some $l in //line satisfies xs:decimal($l/amount) = xs:decimal($seven)",
        "xs:decimal($seven) = //line/xs:decimal(amount)",
        "//line[xs:decimal(amount) = xs:decimal($seven)]/id = '3'",
    ],
)
def test_an_index_that_cannot_be_made_stays_unmade(tmp_path, test):
    """The first line hears that it fails; the others must not be answered from what there was of it."""
    rule = Rule("line", [Let("seven", "../line[3]/amount"), Check(test)])
    rulebook = load_rulebook(write_sheet(tmp_path / "sheet.xsl", [[rule]]))
    lines = line("1", amount="1") + line("2", amount="x") + line("3", amount="7") + line("4", amount="8")

    outcome = run(rulebook, f"<r>{lines}</r>")

    assert outcome.fired == (), "there is a line with 7, whatever the others are"
