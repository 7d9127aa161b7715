"""What could not be computed is told, counted where there is too much of it, and told in both languages."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

import gateway.rules.rulebook
from gateway.domain.document import Kind
from gateway.domain.issuer import Route
from gateway.domain.verdict import Missing, Verdict
from gateway.rules.pack import PackResult
from gateway.rules.packs import packs_file
from gateway.rules.rulebook.engine import load_rulebook
from gateway.rules.rulebook.outcome import Abort, Outcome
from gateway.rules.rulebook.pack import ABORTS_LIMIT, MORE_RULE, NOT_COMPUTED_RULE, RulebookPack
from gateway.rules.rulebook.texts.wording import reason_of
from gateway.rules.samples import sample
from gateway.rules.spec import read_specs
from tests.rules.rulebook.sheets import Check, Rule, write_sheet

INVOICE = '<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"/>'
(SPEC,) = (spec for spec in read_specs(packs_file()) if spec.name == "en16931-ubl")


class Made:
    """A rulebook that says what it is told to."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome

    def run(self, tree: object, seconds: float, most: int) -> Outcome:
        return self._outcome


def result_of(outcome: Outcome) -> PackResult:
    facts = replace(sample().facts, today=datetime.date(2026, 11, 1), route=Route.PA)
    pack = RulebookPack(SPEC, {Kind.UBL_INVOICE: Made(outcome)})
    document = replace(sample().document, kind=Kind.UBL_INVOICE)
    return pack.run(document, etree.ElementTree(etree.fromstring(INVOICE)), facts)


def aborts(number: int) -> tuple[Abort, ...]:
    return tuple(Abort("BR-27", "/Invoice[1]", i, "“abc” is not a number") for i in range(number))


def test_what_could_not_be_computed_and_is_not_told_is_counted():
    result = result_of(Outcome((), aborts(ABORTS_LIMIT + 41), omitted=7))

    assert (result.verdict, result.missing) == (Verdict.NOT_JUDGED, Missing.ENGINE)
    *told, more = result.findings
    assert [finding.rule for finding in told] == [NOT_COMPUTED_RULE] * ABORTS_LIMIT
    assert more.rule == MORE_RULE
    assert "48" in more.message.fr and "48" in more.message.en


def test_all_that_fits_is_told_and_nothing_counted():
    assert [f.rule for f in result_of(Outcome((), aborts(ABORTS_LIMIT))).findings] == [NOT_COMPUTED_RULE] * ABORTS_LIMIT


def test_a_run_that_ended_before_its_time_tells_what_could_not_be_computed():
    result = result_of(Outcome((), aborts(2), "more than 8 s"))
    assert (result.missing, [f.rule for f in result.findings]) == (Missing.CEILING, [NOT_COMPUTED_RULE] * 2)


def test_the_engine_counts_what_could_not_be_computed_beyond_the_limit(tmp_path: Path):
    rulebook = load_rulebook(write_sheet(tmp_path / "s.xsl", [[Rule("a", [Check("xs:decimal(.) > 1")])]]))
    tree = etree.ElementTree(etree.fromstring(f"<r>{'<a>x</a>' * 30}<a>0</a></r>"))

    outcome = rulebook.run(tree, most=10)
    assert (len(outcome.fired), len(outcome.aborts), outcome.omitted) == (1, 10, 20)
    assert rulebook.run(tree).omitted == 0


@pytest.mark.parametrize(
    ("reason", "french"),
    [
        ("“+15:00” is not a time zone", "« +15:00 » n'est pas un fuseau horaire"),
        ("the year of “1234567890-01-01”", "l'année de « 1234567890-01-01 » a trop de chiffres"),
        ("a condition of several values", "une condition qui a plusieurs valeurs"),
        ("“2020\n01” is not a date", "« 2020\n01 » n'est pas une date"),
        ("“a\nb” is not a decimal number", "« a\nb » n'est pas un nombre"),
        ("“\n” is neither true nor false", "« \n » n'est ni vrai ni faux (true ou false)"),
        ("2 PartyTax-Scheme.x where one is expected", "2 PartyTax-Scheme.x là où un seul est attendu"),
        ("3 values where one is expected", "3 valeurs là où une seule est attendue"),
        ("nan has no decimal value", "nan n'a pas de valeur décimale"),
        ("a value that has no text here", "une valeur qui n'a pas de texte ici"),
    ],
)
def test_a_reason_in_french(reason, french):
    assert reason_of(reason).fr == french
    assert reason_of(reason).en == reason


def test_every_reason_that_the_engine_knows_has_its_french():
    """As the source has them, with something filled in."""
    folder = Path(gateway.rules.rulebook.__file__).parent / "runtime"
    texts = [path.read_text("utf-8") for path in folder.glob("*.py")]
    reasons = [reason for text in texts for reason in re.findall(r'DynamicError\(f?"([^"]*)"\)', text)]
    assert len(reasons) > 12
    for reason in reasons:
        filled = re.sub(r"\{[^}]*\}", "2", reason)
        assert reason_of(filled).fr != filled
