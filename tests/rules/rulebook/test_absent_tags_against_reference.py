"""Lists that are empty in a document that has no element of some tag: they are not made there, and both engines agree.

What fails before the missing tag is come to is told all the same.
"""

from __future__ import annotations

import pytest

from gateway.rules.rulebook.compiler.emptiness import tags_needed
from gateway.rules.rulebook.engine import load_rulebook
from gateway.rules.rulebook.runtime.kept import UNSET, EmptyWithout
from tests.rules.rulebook.both import run
from tests.rules.rulebook.sheets import Check, Let, Rule, Value, write_sheet

TAGS = {"T1": "invoice", "T2": "line", "T3": "charge"}
DOCUMENTS = [
    "<r><line><id>1</id><amount>2</amount></line><line><id>2</id><amount>3</amount></line></r>",
    "<r><line><id>1</id><charge><amount>5</amount><code>S</code></charge></line><charge><code>S</code></charge></r>",
    "<r><charge><on>true</on><code> S </code><amount>1</amount></charge><charge><code>Z</code></charge><line/></r>",
    "<r><line><id>1</id></line><code>S</code><on>maybe</on></r>",
    "<r><line/></r>",
]
#: An indicator that is neither true nor false, an amount that is none, two codes where one may stand.
BROKEN = [
    "<r><line><id>1</id></line><charge><on>maybe</on></charge></r>",
    "<r><line><id>1</id></line><charge><on>true</on><code>S</code><code>Z</code></charge></r>",
    "<r><line><id>1</id><amount>x</amount></line><charge><on>true</on></charge></r>",
]
ASKED = [
    "count(//charge[normalize-space(code) = 'S'])",
    "count(/r/charge[xs:boolean(on)]/code[. = 'S'])",
    "count(//charge[xs:boolean(on)][normalize-space(code) = 'S']/amount)",
    "//charge[xs:boolean(on)]/amount/xs:decimal(.)",
    "sum(//line/charge[code = 'S']/xs:decimal(amount)) + sum(../line/charge/xs:decimal(amount))",
    "count(../charge[normalize-space(code) = 'S'][xs:boolean(on)]/amount)",
    "exists(//charge[normalize-space(code) = $id])",
    "//line[charge/code = $id]/id",
    "//line[xs:decimal(amount) = $amount]/charge/code",
    "count(../line[xs:decimal(amount) = $amount]/charge)",
    "some $c in //charge/code satisfies $c = $id",
    "id = preceding::charge/code",
    "(//charge/code | //line/id)",
    "not(//charge/code = 'S') and not(../charge[xs:boolean(on)])",
]
VARIABLES = [Let("id", "id"), Let("amount", "amount[1]/xs:decimal(.)")]


@pytest.mark.parametrize("documents", [DOCUMENTS, BROKEN], ids=["sound", "broken"])
def test_what_stands_nowhere_is_found_nowhere(both, documents):
    assert both.differences_on_documents(ASKED, documents, context="line", lets=VARIABLES) == []


def test_an_error_before_the_missing_tag_is_told(tmp_path):
    check = Check("1 + count(//charge[xs:boolean(on)]/amount) < 7", "R")
    rulebook = load_rulebook(write_sheet(tmp_path / "s.xsl", [[Rule("/r", [check])]]))

    assert [abort.rule for abort in run(rulebook, "<r><charge><on>maybe</on></charge></r>").aborts] == ["R"]
    assert run(rulebook, "<r><charge><on>true</on></charge></r>").aborts == ()
    assert run(rulebook, "<r><amount/></r>").fired == ()


def test_a_list_of_what_stands_nowhere_is_not_made(tmp_path):
    check = Check("count(//charge[code = 'S']/amount) > 0", "R", (Value("count(//charge[code = 'S']/amount)"),))
    rulebook = load_rulebook(write_sheet(tmp_path / "s.xsl", [[Rule("/r", [check])]]))
    assert [fired.message for fired in run(rulebook, "<r><line/></r>").fired] == ["0"]
    (agenda,) = rulebook._plans._agendas.values()
    assert [each for each in agenda.kept if each is not UNSET] == [{}, []]

    charged = "<r><charge><code>S</code><amount/><amount/></charge></r>"
    assert [fired.message for fired in run(rulebook, charged).fired] == []


@pytest.mark.parametrize(
    ("loops", "needed"),
    [
        (["for x1 in d.by_tag.get(T1, ())", "for x2 in x1.by_tag.get(T2, ())"], {"invoice", "line"}),
        (["for x1 in d.by_tag.get(T1, ())", "if is_sound(x1)", "for x2 in x1.by_tag.get(T2, ())"], {"invoice", "line"}),
        (["for x1 in d.by_tag.get(T1, ())", "if fails(x1)", "for x2 in x1.by_tag.get(T2, ())"], {"invoice"}),
        (["for x1 in k7(d).get('S', ())", "for x2 in x1.by_tag.get(T2, ())"], {"charge"}),  # k7 may fail
        (["for x1 in k8(d, n.parent)", "for x2 in x1.by_tag.get(T2, ())"], {"charge", "line"}),
        (["for x1 in k9(d)", "for x2 in x1.by_tag.get(T2, ())"], {"line"}),  # nothing is known of k9
        (["for x1 in parents(x0)", "for x2 in x1.parent.by_tag.get(T2, ())"], {"line"}),
        (["for x1 in union(x0.by_tag.get(T1, ()), x0.by_tag.get(T2, ()))"], set()),
    ],
)
def test_a_tag_counts_up_to_what_may_fail(loops, needed):
    known = {number: EmptyWithout(number, False, "dict", frozenset({"charge"})) for number in (7, 8)}
    found = tags_needed(loops, TAGS, known, lambda text: "fails(" in text or "k7(" in text)

    assert found == needed
