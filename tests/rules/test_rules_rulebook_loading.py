"""Schematron packs from their files: which load, why others do not, and what the real engine says of real documents."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.domain.document import Kind
from gateway.domain.facts import Facts
from gateway.domain.issuer import Route
from gateway.domain.severities import decide, on_route
from gateway.domain.verdict import Decision, Judgement, Verdict
from gateway.parsers.read import read_document
from gateway.rules.pack import UnavailablePack
from gateway.rules.packs import PackRegistry
from gateway.rules.rulebook.pack import RulebookPack
from gateway.rules.spec import PackSpec
from tests.rules.made import DAY, DOCUMENT, SPECS, tree

# --- loading ------------------------------------------------------------------------------------------------------


def copied(spec: PackSpec, folder: Path, **edits: tuple[str, str]) -> PackSpec:
    """The files of a pack in a folder of ours; `edits` replaces text once, by the start of the file's name."""
    folder.mkdir(exist_ok=True)
    for pattern in spec.patterns:
        for file in spec.folder.glob(pattern):
            shutil.copy(file, folder / file.name)
    for start, (old, new) in edits.items():
        (file,) = folder.glob(f"{start}*")
        text = file.read_text("utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), "utf-8")
    return replace(spec, folder=folder)


def pinned(spec: PackSpec) -> PackSpec:
    return replace(spec, sha256=spec.digest())


@pytest.mark.parametrize(
    ("name", "edits"),
    [
        ("en16931-ubl", {"EN16931": ("BR-CO-15", "BR-CO-16")}),
        ("facturx-minimum-rules", {"FACTUR": ('value="380"', 'value="381"')}),
    ],
)
def test_a_sheet_or_code_list_edited_by_one_byte_does_not_load_and_says_why(
    tmp_path: Path, name: str, edits: dict[str, tuple[str, str]]
) -> None:
    untouched = PackRegistry([]).load(copied(SPECS[name], tmp_path / "one"))
    pack = PackRegistry([]).load(copied(SPECS[name], tmp_path / "two", **edits))

    assert not isinstance(untouched, UnavailablePack)
    assert isinstance(pack, UnavailablePack)
    assert "digest" in pack.reason
    assert pack.sha256 != SPECS[name].sha256


def test_an_unknown_xpath_function_keeps_the_whole_pack_from_loading_and_says_where(tmp_path: Path) -> None:
    edit = ('test="normalize-space(cbc:ID) !=', 'test="format-date(cbc:ID) !=')

    pack = PackRegistry([]).load(pinned(copied(SPECS["en16931-ubl"], tmp_path / "pack", EN16931=edit)))

    assert isinstance(pack, UnavailablePack)
    assert "format-date" in pack.reason
    assert "EN16931-UBL-validation.xslt" in pack.reason
    assert pack.run(DOCUMENT, tree(), Facts(today=DAY)).verdict is Verdict.NOT_JUDGED


def test_a_sheet_that_has_no_rules_for_a_kind_does_not_load_for_it() -> None:
    spec = SPECS["en16931-ubl"]
    sheet = spec.roots[Kind.UBL_INVOICE]

    pack = PackRegistry([]).load(replace(spec, name="wrong", roots={Kind.CII: sheet}))

    assert isinstance(pack, UnavailablePack)
    assert "no rules for documents of kind cii" in pack.reason


def test_memory_that_runs_out_while_a_pack_loads_is_not_held_against_the_pack() -> None:
    tries = [MemoryError(), None]

    def engine(spec: PackSpec) -> RulebookPack:
        error = tries.pop(0)
        if error:
            raise error
        return RulebookPack(spec, {})

    registry = PackRegistry([], engines={"rulebook": engine})
    with pytest.raises(MemoryError):
        registry.load(SPECS["en16931-ubl"])

    assert isinstance(registry.load(SPECS["en16931-ubl"]), RulebookPack)


def test_every_shipped_sheet_loads(registry: PackRegistry) -> None:
    packs = [registry.load(spec) for spec in SPECS.values()]

    assert {pack.name: pack.reason for pack in packs if isinstance(pack, UnavailablePack)} == {}
    assert len(packs) == 11  # ten sheets, one of them for two kinds of documents


# --- the real engine ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "pack", "rules"),
    [
        ("en16931-oracles/ubl-invoice/brfr__gaps-fr__ubl-vat-20-000.xml", "br-fr-ubl", {"BR-FR-16_BT-119"}),
        ("en16931-oracles/cii/brfr__gaps-fr__cii-siren-lettres.xml", "br-fr-cii", {"BR-FR-10_BT-30"}),
        ("facturx-cas-limites/facturx-pdf/CALC-002__facture.pdf", "facturx-basic-rules", {"BR-CO-10", "BR-CO-13"}),
        ("facturx-cas-limites/facturx-pdf/IDENT-003__facture.pdf", "facturx-basic-rules", {"BR-S-02"}),
    ],
)
def test_real_documents_fire_what_their_source_says(
    corpus: Path, judged: Callable[[bytes], Judgement], file: str, pack: str, rules: set[str]
) -> None:
    judgement = judged((corpus / file).read_bytes())

    assert rules <= {f.rule for f in judgement.findings if f.pack == pack}
    assert {p.name: p.verdict for p in judgement.packs}[pack] is Verdict.INVALID


def test_no_sample_of_aife_is_refused_or_held_by_modern_rules_on_a_chorus_route(
    corpus: Path, judged: Callable[[bytes], Judgement]
) -> None:
    seen = 0
    for path in sorted((corpus / "aife-chorus-pro").rglob("FSO*")):
        if read_document(path.read_bytes()).tree is None:
            continue
        seen += 1
        modern = [f for f in judged(path.read_bytes()).findings if f.layer in ("facturx", "en16931", "br-fr")]
        assert modern, path.name
        assert not {"br-fr-ubl", "br-fr-cii"} & {f.pack for f in modern}, "advice that legacy Chorus would reject"
        for route in (Route.CHORUS_API, Route.CHORUS_EDI):
            assert decide(on_route(modern, route)) is Decision.SEND, path.name
    assert seen >= 33


def test_a_document_that_stops_the_official_sheet_is_not_judged(
    corpus: Path, judged: Callable[[bytes], Judgement]
) -> None:
    content = (corpus / "cen-en16931" / "ubl-invoice" / "ubl__examples__guide-example1.xml").read_bytes()
    broken = re.sub(rb"(<cbc:PayableAmount[^>]*>)[^<]*", rb"\1twelve", content)

    judgement = judged(broken)

    verdict = {p.name: p for p in judgement.packs}["en16931-ubl"]
    assert verdict.verdict is Verdict.NOT_JUDGED
    assert "twelve" in verdict.reason
    assert any(f.rule == "PACK-RULE-NOT-COMPUTED" and f.line for f in judgement.findings)
