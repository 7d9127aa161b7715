"""Entries of packs.toml that could make a verdict lie: what is refused, and what is told apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from gateway.domain.facts import Facts
from gateway.domain.finding import Severity
from gateway.domain.verdict import Verdict
from gateway.rules.judge import judge
from gateway.rules.packs import PackRegistry
from gateway.rules.rulebook.outcome import Outcome
from gateway.rules.rulebook.pack import RulebookPack
from gateway.rules.spec import Gravest, PackSpec
from tests.rules.made import DOCUMENT, SPECS, Made, fired, tree

# --- two entries with the same files ------------------------------------------------------------------------------


def says_br_02(spec: PackSpec) -> RulebookPack:
    """An engine whose every sheet finds one fatal fault."""
    return RulebookPack(spec, dict.fromkeys(spec.roots, Made(Outcome((fired(),)))))


def test_two_entries_with_the_same_files_each_judge_in_their_own_way_whichever_was_loaded_first() -> None:
    until, since = date(2026, 9, 30), date(2026, 10, 1)
    warns = replace(SPECS["en16931-ubl"], valid_to=until, gravest=(Gravest(Severity.WARNING),))
    refuses = replace(SPECS["en16931-ubl"], valid_from=since)

    def said(registry: PackRegistry, day: date) -> tuple[Verdict, Severity]:
        judgement = judge(DOCUMENT, tree(), Facts(today=day), registry)
        return judgement.packs[0].verdict, judgement.findings[0].severity

    for days in ((until, since), (since, until)):
        registry = PackRegistry([warns, refuses], engines={"rulebook": says_br_02})
        told = {day: said(registry, day) for day in days}

        assert told == {until: (Verdict.VALID, Severity.WARNING), since: (Verdict.INVALID, Severity.FATAL)}


def test_an_entry_is_loaded_once() -> None:
    registry = PackRegistry([SPECS["en16931-ubl"]], engines={"rulebook": says_br_02})

    assert registry.load(SPECS["en16931-ubl"]) is registry.load(replace(SPECS["en16931-ubl"]))
