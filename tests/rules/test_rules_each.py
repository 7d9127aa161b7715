"""Every rule is held to its own samples, and its texts to what they promise."""

from __future__ import annotations

import re
import string
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.facts import Directory
from gateway.domain.finding import Severity
from gateway.rules.chorus.ej import bare
from gateway.rules.handbook import ALL_RULES, find, markdown
from gateway.rules.rule import Need, Rule
from gateway.rules.samples import sample

each_rule = pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.id)


@each_rule
def test_a_rule_fires_on_the_invoice_that_it_shows_as_bad(rule: Rule) -> None:
    findings = list(rule.run(rule.fires.document, rule.fires.facts))

    assert [finding.rule for finding in findings] == [rule.id]
    assert findings[0].severity is rule.severity
    assert findings[0].term in rule.terms


@each_rule
def test_a_rule_is_silent_on_the_invoice_that_it_shows_as_good(rule: Rule) -> None:
    assert not list(rule.run(rule.passes.document, rule.passes.facts))


@each_rule
def test_a_rule_tells_in_both_languages_what_is_wrong_and_what_to_do(rule: Rule) -> None:
    (finding,) = rule.run(rule.fires.document, rule.fires.facts)

    for text in (finding.message, finding.remedy):
        assert text.fr.endswith(".") and text.en.endswith(".")
        assert "{" not in text.fr + text.en, "a template was left unfilled"
        assert text.fr != text.en


@each_rule
def test_both_languages_of_a_rule_tell_the_same_values(rule: Rule) -> None:
    def fields(template: str) -> set[str]:
        return {re.sub("_(fr|en)$", "", name) for _, name, _, _ in string.Formatter().parse(template) if name}

    assert fields(rule.message.fr) == fields(rule.message.en)
    assert fields(rule.remedy.fr) == fields(rule.remedy.en)


def test_rule_ids_are_unique_and_carry_their_layer() -> None:
    ids = [rule.id for rule in ALL_RULES]

    assert len(ids) == len(set(ids))
    assert all(rule.id.startswith(rule.layer.value.upper() + "-") for rule in ALL_RULES)
    assert find("chorus-ej-missing") is not None


def test_the_page_of_rules_is_the_one_that_the_code_writes() -> None:
    page = Path(__file__).parents[2] / "docs" / "rules.md"

    assert page.read_text(encoding="utf-8") == markdown(), "run: python -m gateway.rules.handbook > docs/rules.md"


def test_the_page_can_be_written_by_the_command_that_it_names() -> None:
    command = [sys.executable, "-m", "gateway.rules.handbook"]

    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == markdown()


@each_rule
def test_a_rule_that_needs_facts_says_nothing_without_them(rule: Rule) -> None:
    if rule.needs is Need.NOTHING:
        return
    facts = replace(rule.fires.facts, directory=Directory.MISSING, buyer=None, issuers_known=False, partner="")

    assert not rule.known(facts)
    assert not list(rule.run(rule.fires.document, facts))


@each_rule
def test_a_stale_directory_refuses_nothing(rule: Rule) -> None:
    if rule.needs not in (Need.DIRECTORY, Need.BUYER):
        return
    facts = replace(rule.fires.facts, directory=Directory.STALE, directory_age_days=30)

    assert all(f.severity is not Severity.FATAL for f in rule.run(rule.fires.document, facts))


@pytest.mark.parametrize(
    ("rule_id", "aged"),
    [
        ("CHORUS-BUYER-UNKNOWN", Severity.HOLD),
        ("CHORUS-BUYER-INACTIVE", Severity.HOLD),
        ("CHORUS-SERVICE-UNKNOWN", Severity.HOLD),
        ("CHORUS-EJ-MISSING", Severity.FATAL),
    ],
)
def test_what_an_aged_directory_may_not_know_yet_is_held(rule_id: str, aged: Severity) -> None:
    rule = find(rule_id)
    assert rule is not None
    facts = replace(rule.fires.facts, directory=Directory.AGED, directory_age_days=3)

    assert [f.severity for f in rule.run(rule.fires.document, facts)] == [aged]


def test_fictitious_sirets_of_the_sandbox_only_warn() -> None:
    rule = find("CHORUS-BUYER-SIRET-CHECK")
    assert rule is not None
    facts = replace(rule.fires.facts, sandbox=True)

    assert [f.severity for f in rule.run(rule.fires.document, facts)] == [Severity.WARNING]


@pytest.mark.parametrize("siret", ["35600000049837", "35600000000048"])
def test_the_establishments_of_la_poste_have_their_own_check_digits(siret: str) -> None:
    rule = find("CHORUS-BUYER-SIRET-CHECK")
    assert rule is not None
    shown = sample(buyer=None, buyer_siret=siret)

    assert not list(rule.run(shown.document, shown.facts))


@pytest.mark.parametrize(
    ("given_ej", "proposed"),
    [
        ("EJ 1501966748", "1501966748"),
        ("EJ n° 15 0196 6748", "1501966748"),
        ("N° EJ : 1501966748", "1501966748"),
        ("Engagement juridique 1501966748", "1501966748"),
        ("1501 966 748", "1501966748"),
        ("Commande CDE234", "Commande CDE234"),
        ("CDE234", "CDE234"),
        ("BC-2026-7", "2026-7"),
        ("2026 MARCHE 12", "2026 MARCHE 12"),
    ],
)
def test_a_label_before_the_ej_is_seen(given_ej: str, proposed: str) -> None:
    assert bare(given_ej) == proposed


@given(st.text(max_size=300))
def test_no_text_in_the_place_of_an_ej_breaks_the_proposal(text: str) -> None:
    assert bare(bare(text)) == bare(text) or len(text) > 200


@given(st.dates(min_value=date(2000, 1, 1), max_value=date(2099, 12, 31)))
def test_every_date_of_the_century_is_seen_as_a_number(day: date) -> None:
    rule = find("CHORUS-NUMBER-IS-DATE")
    assert rule is not None
    shown = sample(number=day.strftime("%Y%m%d"))

    assert len(list(rule.run(shown.document, shown.facts))) == 1
