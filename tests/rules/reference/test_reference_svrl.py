"""SVRL, as the official sheets write it, read into an outcome."""

from __future__ import annotations

from gateway.rules.reference.svrl import read_svrl
from gateway.rules.rulebook.outcome import Fired, Outcome

HEAD = '<svrl:schematron-output xmlns:svrl="http://purl.oclc.org/dsdl/svrl">'
TAIL = "</svrl:schematron-output>"


def test_asserts_that_failed_and_reports_that_succeeded_come_in_their_order():
    outcome = read_svrl(f"""{HEAD}
        <!-- the sheet speaks -->
        <svrl:active-pattern document="" id="model"/>
        <svrl:fired-rule context="/a"/>
        <svrl:failed-assert test="b" id="R-2" flag="fatal" location="/*:a[1]"><svrl:text>no b</svrl:text>
        </svrl:failed-assert>
        <svrl:successful-report test="@c &gt; 1" location="/*:a[1]"><svrl:text>a c</svrl:text></svrl:successful-report>
        <svrl:failed-assert test="b" id="R-1" flag="warning" location="/*:a[1]"><svrl:text/></svrl:failed-assert>
    {TAIL}""")

    assert outcome == Outcome(
        (
            Fired("R-2", "fatal", False, "/*:a[1]", None, "b", "no b"),
            Fired("", "", True, "/*:a[1]", None, "@c > 1", "a c"),
            Fired("R-1", "warning", False, "/*:a[1]", None, "b", ""),
        )
    )


def test_runs_of_blanks_are_made_one_and_a_no_break_space_is_no_blank():
    text = "<svrl:text>\n\t[R-1]-The  sum&#13;\n is 1\u00a0000 € \u00a0\n</svrl:text>"
    (fired,) = read_svrl(f"{HEAD}<svrl:failed-assert>{text}</svrl:failed-assert>{TAIL}").fired
    assert fired.message == "[R-1]-The sum is 1\u00a0000 € \u00a0"


def test_a_text_in_parts_is_one_and_other_texts_are_none_of_it():
    reference = "<svrl:diagnostic-reference>d</svrl:diagnostic-reference>"
    body = f"{reference}<svrl:text>a<b>c</b><!--x-->d</svrl:text> e "
    (fired,) = read_svrl(f"{HEAD}<svrl:failed-assert>{body}</svrl:failed-assert>{TAIL}").fired
    assert fired.message == "acd"


def test_a_report_without_findings_is_an_outcome_without_any():
    assert read_svrl(f"{HEAD}<svrl:fired-rule context='/a'/>{TAIL}") == Outcome(())
