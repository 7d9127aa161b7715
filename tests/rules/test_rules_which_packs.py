"""Which packs judge which document: by kind, guideline, profile and route, on real files; never by a name."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from gateway.domain.document import Document, Kind, Profile
from gateway.domain.facts import Facts
from gateway.domain.finding import Severity
from gateway.domain.issuer import Route
from gateway.domain.severities import decide, on_route
from gateway.domain.verdict import Decision, Judgement, Verdict
from gateway.parsers.read import read_document
from gateway.rules.facturx import FacturxDeclaration
from gateway.rules.guideline import GuidelineDeclaration
from gateway.rules.judge import judge
from gateway.rules.packs import PackRegistry
from gateway.rules.spec import packs_file, read_specs

DAY = date(2026, 11, 23)
EXTENDED_CTC_FR = "urn:cen.eu:en16931:2017#conformant#urn.cpro.gouv.fr:1p0:extended-ctc-fr"
RULEBOOKS = {spec.name for spec in read_specs(packs_file()) if spec.engine == "rulebook"}
#: Every document has exactly one of these; the others come on top.
BASE = RULEBOOKS - {"br-fr-ubl", "br-fr-cii"}


def names(registry: PackRegistry, document: Document, route: Route = Route.CHORUS_API) -> list[str]:
    packs = registry.for_document(document, Facts(today=DAY, route=route))
    return [pack.name for pack in packs if pack.name in RULEBOOKS]


@pytest.mark.parametrize(
    ("file", "packs"),
    [
        ("cen-en16931/ubl-invoice/ubl__examples__guide-example1.xml", "en16931-ubl"),
        ("en16931-oracles/ubl-creditnote/gaps__ubl-tc434-creditnote1-bt31-A.xml", "en16931-ubl"),
        ("cen-en16931/ubl-invoice/test__testfiles__BIS_Billing_30-Forskott_(ej_moms).xml", "en16931-ubl"),
        ("gobl-ubl/ubl-invoice/convert__xrechnung__out__invoice-due-date-with-notes.xml", "en16931-ubl"),
        ("phive-rules/ubl-invoice/peppol-pint__pint-eu__1.1.1__Allowance-example.xml", "en16931-ubl"),
        ("kosit-validator-config/ubl-invoice/instances__ubl006.xml", "en16931-ubl"),
        ("en16931-oracles/ubl-invoice/brfr__gaps-fr__ubl-bt24-garbage.xml", "en16931-ubl br-fr-ubl"),
        ("gobl-ubl/ubl-creditnote/convert__france-cius__out__credit-note-fr.xml", "en16931-ubl br-fr-ubl"),
        (
            "gobl-ubl/ubl-invoice/convert__france-extended__out__invoice-fr-extended-detailed.xml",
            "extended-ctc-fr-ubl br-fr-ubl",
        ),
        ("gobl-ubl/ubl-creditnote/convert__france-extended__out__credit-note.xml", "extended-ctc-fr-ubl br-fr-ubl"),
        ("cen-en16931/cii/cii__examples__CII_business_example_01.xml", "en16931-cii"),
        ("gobl-cii/cii/convert__peppol__out__credit-note.xml", "en16931-cii"),
        ("gobl-cii/cii/convert__choruspro__out__invoice-de-fr-choruspro.xml", "en16931-cii"),
        ("kosit-validator-config/cii/instances__cii001.xml", "en16931-cii"),
        ("akretion-factur-x/cii/xml__factur-x-en16931.xml", "en16931-cii br-fr-cii"),
        ("gobl-cii/cii/convert__peppol-france-facturx__out__credit-note.xml", "extended-ctc-fr-cii br-fr-cii"),
        ("akretion-factur-x/cii/xml__factur-x-minimum.xml", "facturx-minimum-rules br-fr-cii"),
        ("phive-rules/cii/zugferd__2.2__basicwl__factur-x-1.xml", "facturx-basicwl-rules"),
        ("zuv/cii/validV2Basic.xml", "facturx-basic-rules"),
        ("mustangproject/cii/library__src__test__resources__Extended_fremdwaehrung.xml", "facturx-extended-rules"),
        ("horstoeko-zugferd/facturx-pdf/tests__assets__pdf_fx_minimum_1.pdf", "facturx-minimum-rules"),
        ("securibox-facturx/facturx-pdf/BasicWL__Facture_FR_BASICWL.pdf", "facturx-basicwl-rules"),
        ("facturx-cas-limites/facturx-pdf/CALC-002__facture.pdf", "facturx-basic-rules br-fr-cii"),
        ("akretion-factur-x/facturx-pdf/pdf__invoice_EN16931.pdf", "facturx-en16931-rules br-fr-cii"),
        ("zugferd-corpus/facturx-pdf/XML-Rechnung__FX__XRECHNUNG_Einfach.pdf", "facturx-en16931-rules"),
        ("horstoeko-zugferd/facturx-pdf/tests__assets__pdf_fx_extended_1.pdf", "facturx-extended-rules"),
        ("facturx-cas-limites/facturx-pdf/XML-004__facture.pdf", "facturx-en16931-rules br-fr-cii"),
    ],
)
def test_kind_guideline_and_profile_choose_the_rules(
    corpus: Path, registry: PackRegistry, file: str, packs: str
) -> None:
    assert names(registry, read_document((corpus / file).read_bytes()).document) == packs.split()


def test_the_french_extension_in_a_pdf_is_judged_by_its_own_rules(registry: PackRegistry) -> None:
    document = Document(Kind.FACTURX, guideline=EXTENDED_CTC_FR)

    assert names(registry, document) == ["extended-ctc-fr-cii"]


@pytest.mark.parametrize("kind", [Kind.UBL_INVOICE, Kind.UBL_CREDITNOTE, Kind.CII, Kind.FACTURX])
@pytest.mark.parametrize("profile", list(Profile))
@pytest.mark.parametrize("route", list(Route))
@pytest.mark.parametrize("guideline", ["", "urn:nobody:knows", "urn:cen.eu:en16931:2017", EXTENDED_CTC_FR])
def test_a_document_has_one_set_of_base_rules_and_the_reforms_where_it_is_the_reforms(
    registry: PackRegistry, kind: Kind, profile: Profile, route: Route, guideline: str
) -> None:
    found = names(registry, Document(kind, profile, guideline=guideline), route)

    assert len(BASE.intersection(found)) == 1
    reform = profile is Profile.REFORM or route is Route.PA
    assert any(name.startswith("br-fr") for name in found) == reform


def test_every_document_of_the_corpus_has_one_set_of_base_rules(corpus: Path, registry: PackRegistry) -> None:
    seen = 0
    for line in (corpus / "manifest.jsonl").read_text("utf-8").splitlines():
        path = corpus / json.loads(line)["path"]
        document = read_document(path.read_bytes()).document if path.suffix == ".xml" else Document(Kind.UNKNOWN)
        if document.kind in (Kind.UBL_INVOICE, Kind.UBL_CREDITNOTE, Kind.CII):
            seen += 1
            assert len(BASE.intersection(names(registry, document))) == 1, path
    assert seen > 1_400


@pytest.mark.parametrize(
    ("kind", "guideline", "told"),
    [
        (Kind.UBL_INVOICE, "urn:cen.eu:en16931:2017", False),
        (Kind.UBL_INVOICE, "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0", False),
        (Kind.CII, "urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0", False),
        (Kind.UBL_CREDITNOTE, EXTENDED_CTC_FR, False),
        (Kind.CII, "urn:factur-x.eu:1p0:minimum", False),
        (Kind.UBL_INVOICE, "", False),  # BR-01 says it
        (Kind.UBL_INVOICE, "urn:factur-x.eu:1p0:minimum", True),
        (Kind.UBL_INVOICE, "urn:cen.eu:en16931:2017#conformant#urn:UBL.BE:1.0.0.20180214", True),
        (Kind.UBL_INVOICE, "urn:cen.eu:en16931:2017#compliant#urn:a:b#conformant#urn:c:d", True),
        (Kind.CII, "urn:peppol:pint:billing-1@eu-1", True),
    ],
)
def test_a_guideline_without_rules_of_its_own_here_is_told(kind: Kind, guideline: str, told: bool) -> None:
    pack = GuidelineDeclaration()
    document = Document(kind, guideline=guideline, source_lines={"BT-24": 7})

    result = pack.run(document, None, Facts(today=DAY))

    assert pack.applies(document, Facts(today=DAY))
    assert result.verdict is Verdict.VALID
    assert [(f.rule, f.severity, f.term, f.line) for f in result.findings] == (
        [("EN16931-GUIDELINE-UNKNOWN", Severity.WARNING, "BT-24", 7)] if told else []
    )


@pytest.mark.parametrize(
    ("claimed", "guideline", "told"),
    [
        ("", "urn:factur-x.eu:1p0:minimum", False),
        ("MINIMUM", "urn:factur-x.eu:1p0:minimum", False),
        ("BASIC WL", "urn:factur-x.eu:1p0:basicwl", False),
        ("basicwl", "urn:factur-x.eu:1p0:basicwl", False),
        ("BASIC", "urn:cen.eu:en16931:2017:compliant:factur-x.eu:1p0:basic", False),
        ("EN 16931", "urn:cen.eu:en16931:2017", False),
        ("EN16931", "urn:cen.eu:en16931:2017", False),
        ("XRECHNUNG", "urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0", False),
        ("EXTENDED", "urn:cen.eu:en16931:2017#conformant#urn:zugferd.de:2p0:extended", False),
        ("EXTENDED", EXTENDED_CTC_FR, False),
        ("MINIMUM", "urn:cen.eu:en16931:2017", True),
        ("BASIC", "urn:factur-x.eu:1p0:basicwl", True),
        ("EN 16931", "urn:cen.eu:en16931:2017#conformant#urn:factur-x.eu:1p0:extended", True),
        ("XRECHNUNG", "urn:cen.eu:en16931:2017", True),
        ("SOMETHING", "urn:cen.eu:en16931:2017", True),
    ],
)
def test_a_pdf_that_announces_another_profile_than_its_invoice_is_told(
    claimed: str, guideline: str, told: bool
) -> None:
    document = Document(Kind.FACTURX, guideline=guideline, claimed_profile=claimed)

    findings = FacturxDeclaration().run(document, None, Facts(today=DAY)).findings

    assert [f.rule for f in findings] == (["FACTURX-PROFILE-MISMATCH"] if told else [])


def test_the_claim_of_a_real_pdf_reaches_the_rules(corpus: Path, judged: Callable[[bytes], Judgement]) -> None:
    content = (corpus / "facturx-cas-limites" / "facturx-pdf" / "PDF-006__facture.pdf").read_bytes()

    (finding,) = (f for f in judged(content).findings if f.rule == "FACTURX-PROFILE-MISMATCH")

    assert "MINIMUM" in finding.message.fr
    assert "BASIC" in finding.message.en
    assert decide(on_route([finding], Route.PA)) is Decision.REFUSE
    assert decide(on_route([finding], Route.CHORUS_API)) is Decision.SEND


def test_a_facturx_without_a_profile_is_judged_by_the_base_rules_and_told(
    corpus: Path, judged: Callable[[bytes], Judgement]
) -> None:
    content = (corpus / "facturx-cas-limites" / "facturx-pdf" / "XML-004__facture.pdf").read_bytes()

    rules = {f.rule for f in judged(content).findings}

    assert {"FACTURX-PROFILE-UNKNOWN", "BR-01"} <= rules


def test_a_plain_cii_of_a_cius_is_not_held_to_the_profile_of_facturx(corpus: Path, registry: PackRegistry) -> None:
    content = (corpus / "gobl-cii" / "cii" / "convert__xrechnung__out__invoice-de-de.xml").read_bytes()
    reading = read_document(content)

    judgement = judge(reading.document, reading.tree, Facts(today=DAY, route=Route.PA), registry)

    severities = {f.rule: f.severity for f in judgement.findings if f.pack == "en16931-cii"}
    assert severities["FX-SCH-A-000556"] is Severity.INFO  # BT-24 names the CIUS
    assert {p.name: p.verdict for p in judgement.packs}["en16931-cii"] is Verdict.VALID


def test_a_pack_that_is_asked_for_by_name_judges_every_document_of_its_kinds(registry: PackRegistry) -> None:
    document = Document(Kind.UBL_INVOICE, Profile.LEGACY)
    facts = Facts(today=DAY)

    def asked(name: str, document: Document = document) -> list[str]:
        return [pack.name for pack in registry.for_document(document, facts, frozenset({name}))]

    assert asked("br-fr-ubl") == ["br-fr-ubl"]
    assert asked("br-fr-cii") == []
    assert asked("facturx-basic-rules", replace(document, kind=Kind.CII)) == ["facturx-basic-rules"]
