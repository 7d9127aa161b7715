"""Entries of packs.toml that could make a verdict lie: what is refused, and what is told apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from gateway.domain.document import Document, Kind
from gateway.domain.facts import Facts
from gateway.domain.finding import Severity
from gateway.domain.verdict import Missing, Verdict
from gateway.rules.judge import NOT_JUDGED_RULE, judge
from gateway.rules.packs import PackRegistry
from gateway.rules.rulebook.outcome import Outcome
from gateway.rules.rulebook.pack import RulebookPack
from gateway.rules.spec import BadPackFile, Gravest, PackSpec, read_specs
from tests.rules.made import DAY, DOCUMENT, SPECS, Made, fired, tree

ENTRY = """
[[pack]]
name = "{name}"
layer = "br-fr"
engine = "rulebook"
version = "{version}"
source = "test"
licence = "test"
folder = "."
files = {files}
roots = {{ ubl-invoice = "{root}" }}
covers = [{{ {covers} }}]
sha256 = "0"
valid_from = 2026-06-30
"""


def written(
    folder: Path,
    *,
    name: str = "ours",
    version: str = "1",
    files: str = '["*.xslt"]',
    root: str = "rules.xslt",
    covers: str = 'kinds = ["ubl-invoice"]',
) -> Path:
    """A packs.toml with one entry."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "packs.toml"
    file.write_text(ENTRY.format(name=name, version=version, files=files, root=root, covers=covers))
    return file


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


# --- kinds without a sheet ----------------------------------------------------------------------------------------


def test_a_kind_that_is_covered_but_has_no_sheet_stops_the_start(tmp_path: Path) -> None:
    file = written(tmp_path, covers='kinds = ["ubl-invoice", "ubl-creditnote"]')

    with pytest.raises(BadPackFile, match=r"ubl-creditnote.*expected a file to start from in roots") as raised:
        read_specs(file)

    assert str(raised.value).startswith(f"{file}: pack ours, version 1: ")


def test_a_pack_that_covers_a_document_but_does_not_apply_to_it_is_not_judged() -> None:
    registry = PackRegistry([SPECS["en16931-ubl"]], engines={"rulebook": lambda spec: RulebookPack(spec, {})})

    judgement = judge(DOCUMENT, tree(), Facts(today=DAY), registry)

    (verdict,) = judgement.packs
    assert (verdict.name, verdict.verdict, verdict.missing) == (
        "en16931-ubl",
        Verdict.NOT_JUDGED,
        Missing.UNAVAILABLE,
    )
    assert "ubl-invoice" in verdict.reason
    assert [finding.rule for finding in judgement.findings] == [NOT_JUDGED_RULE]


@pytest.mark.parametrize("kind", [Kind.UBL_INVOICE, Kind.CII])
def test_a_rule_of_ours_that_is_for_another_kind_is_passed_over(registry: PackRegistry, kind: Kind) -> None:
    judgement = judge(Document(kind), None, Facts(today=DAY), registry)

    assert "facturx" not in {verdict.name for verdict in judgement.packs}
