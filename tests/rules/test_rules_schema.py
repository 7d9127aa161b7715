"""The schema packs on the corpus, and what their findings tell."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import pytest
from lxml import etree

from gateway.domain.document import Document, Kind
from gateway.domain.finding import Severity
from gateway.domain.verdict import Judgement, Missing, Verdict
from gateway.parsers.read import read_document
from gateway.rules.pack import Pack, PackResult
from gateway.rules.packs import PackRegistry
from gateway.rules.samples import sample
from gateway.rules.schema.messages import fault_of
from gateway.rules.schema.pack import FINDINGS_LIMIT

UBL = """<?xml version="1.0" encoding="UTF-8"?>
<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
 xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
 xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
<cbc:ID>FA-1</cbc:ID>
<cbc:IssueDate>{date}</cbc:IssueDate>
<cac:AccountingSupplierParty/>
<cac:AccountingCustomerParty/>
<cac:LegalMonetaryTotal>
<cbc:PayableAmount currencyID="EUR">{amount}</cbc:PayableAmount>
</cac:LegalMonetaryTotal>
{lines}
</Invoice>"""
LINE = (
    "<cac:InvoiceLine><cbc:ID>1</cbc:ID><cbc:LineExtensionAmount currencyID='EUR'>{}</cbc:LineExtensionAmount>"
    "<cac:Item/></cac:InvoiceLine>"
)


def checked(registry: PackRegistry, text: str, kind: Kind = Kind.UBL_INVOICE) -> PackResult:
    shown = sample(kind=kind)
    (pack,) = registry.for_document(shown.document, shown.facts, frozenset({"xsd"}))
    return pack.run(shown.document, etree.ElementTree(etree.fromstring(text.encode())), shown.facts)


def ubl(date: str = "2026-11-20", amount: str = "12.00", lines: str = LINE.format("12.00")) -> str:
    return UBL.format(date=date, amount=amount, lines=lines)


def test_the_verdicts_on_the_corpus_are_those_that_were_measured(
    corpus: Path, judged: Callable[[bytes], Judgement]
) -> None:
    differing: list[str] = []
    compared = 0
    for line in (corpus / "measured.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        measured = row.get("xsd_d22b", row.get("xsd"))
        if row.get("root") not in ("cii", "ubl-invoice", "ubl-creditnote"):
            continue
        verdicts = {p.name: p.verdict for p in judged((corpus / row["path"]).read_bytes()).packs}
        if "xsd" not in verdicts:  # refused at intake as no invoice that we read; then it must not be a valid one
            assert measured is not True, row["path"]
            continue
        compared += 1
        if (verdicts["xsd"] is Verdict.VALID) is not (measured is True):
            differing.append(row["path"])

    assert not differing
    assert compared > 1600


def test_all_but_one_of_the_states_own_samples_pass_the_schema(
    corpus: Path, judged: Callable[[bytes], Judgement]
) -> None:
    samples = sorted((corpus / "aife-chorus-pro").rglob("FSO*"))

    failing = [
        path.name
        for path in samples
        if any(f.layer == "xsd" and f.severity is Severity.FATAL for f in judged(path.read_bytes()).findings)
    ]

    assert len(samples) == 33
    assert failing == ["FSO1116A_P01.xml"]


def test_the_states_own_samples_meet_no_fatal_rule_but_that_of_their_cadre(
    corpus: Path, judged: Callable[[bytes], Judgement]
) -> None:
    rules = {
        f.rule
        for path in (corpus / "aife-chorus-pro").rglob("FSO*")
        for f in judged(path.read_bytes()).findings
        if f.layer == "chorus" and f.severity is Severity.FATAL
    }

    assert rules == {"CHORUS-CADRE-NOT-SERVED"}


def test_every_schema_fault_of_the_corpus_is_told_in_our_words(
    corpus: Path, judged: Callable[[bytes], Judgement]
) -> None:
    raw: set[str] = set()
    for path in corpus.rglob("*.xml"):
        if path.stat().st_size < 300_000:
            for finding in judged(path.read_bytes()).findings:
                if finding.rule in ("ERR_XSD_001", "FACTURX-XSD") and "XML schema fault" in finding.message.en:
                    raw.add(finding.message.en)

    assert not raw


def test_a_decimal_comma_is_told_with_its_value_line_and_term(registry: PackRegistry) -> None:
    result = checked(registry, ubl(amount="-1 324,60"))

    (finding,) = result.findings
    assert result.verdict is Verdict.INVALID
    assert (finding.rule, finding.term, finding.line) == ("ERR_XSD_001", "BT-115", 10)
    assert finding.location == "/Invoice/cac:LegalMonetaryTotal/cbc:PayableAmount"
    assert finding.message.fr == (
        "La valeur « -1 324,60 » de l'élément cbc:PayableAmount n'est pas un nombre décimal "
        "(point décimal, ni espace ni exposant)."
    )


def test_an_element_out_of_place_is_told_with_what_was_expected(registry: PackRegistry) -> None:
    text = ubl().replace("<cac:AccountingCustomerParty/>", "")

    (finding,) = checked(registry, text).findings

    assert finding.message.en.startswith("The element cac:LegalMonetaryTotal is out of place: here the schema expects")
    assert "cac:AccountingCustomerParty" in finding.message.en
    assert finding.term == "BG-22"


def test_a_missing_child_is_told_under_the_term_that_is_missing(registry: PackRegistry) -> None:
    text = ubl().replace('<cbc:PayableAmount currencyID="EUR">12.00</cbc:PayableAmount>', "")

    (finding,) = checked(registry, text).findings

    assert finding.message.fr.startswith("L'élément cac:LegalMonetaryTotal est incomplet : il manque cbc:")
    assert finding.line == 9


def test_ten_thousand_faults_make_fifty_findings_and_a_count(registry: PackRegistry) -> None:
    result = checked(registry, ubl(lines=LINE.format("douze") * 2_000))

    assert len(result.findings) == FINDINGS_LIMIT + 1
    assert result.findings[-1].message.en == "… and 1950 more schema faults."
    assert result.findings[-1].severity is Severity.INFO


def test_a_hundred_thousand_faults_do_not_take_minutes(registry: PackRegistry) -> None:
    """Validating the tree took 47 s: libxml2 counts the siblings before each fault."""
    started = perf_counter()

    result = checked(registry, ubl(lines=LINE.format("douze") * 100_000))

    assert perf_counter() - started < 60, "a hang guard: it was minutes once"
    assert result.verdict is Verdict.INVALID
    assert len(result.findings) == FINDINGS_LIMIT + 1
    assert "cbc:LineExtensionAmount" in result.findings[0].message.en


def test_one_fault_in_a_large_invoice_keeps_its_line(registry: PackRegistry) -> None:
    lines = (LINE.format("1.00") + "\n") * 20_000 + LINE.format("douze")

    (finding,) = checked(registry, ubl(lines=lines)).findings

    assert finding.line == 12 + 20_000
    assert finding.location == "/Invoice/cac:InvoiceLine[20001]/cbc:LineExtensionAmount"
    assert checked(registry, ubl(lines=lines.replace("douze", "1.00"))).verdict is Verdict.VALID


def test_text_from_the_file_is_never_read_as_a_template(registry: PackRegistry) -> None:
    (finding,) = checked(registry, ubl(amount="{element.__class__}")).findings

    assert "« {element.__class__} »" in finding.message.fr


def test_an_invoice_without_a_tree_is_not_judged(registry: PackRegistry) -> None:
    shown = sample(kind=Kind.FACTURX, guideline="urn:cen.eu:en16931:2017")

    for pack in registry.for_document(shown.document, shown.facts, frozenset({"xsd", "facturx-en16931"})):
        result = pack.run(shown.document, None, shown.facts)
        assert (result.verdict, result.missing) == (Verdict.NOT_JUDGED, Missing.ENGINE)


def test_an_unknown_message_of_libxml2_is_told_as_it_is() -> None:
    fault = fault_of("Something that no version said so far.")

    assert fault.message.en.format(**fault.values) == "XML schema fault: Something that no version said so far."


@pytest.mark.parametrize(
    ("kind", "guideline", "pack"),
    [
        (Kind.FACTURX, "urn:factur-x.eu:1p0:minimum", "facturx-minimum"),
        (Kind.FACTURX, "urn:factur-x.eu:1p0:basicwl", "facturx-basicwl"),
        (Kind.FACTURX, "urn:cen.eu:en16931:2017#compliant#urn:factur-x.eu:1p0:basic", "facturx-basic"),
        (Kind.FACTURX, "urn:cen.eu:en16931:2017:compliant:factur-x.eu:1p0:basic", "facturx-basic"),
        (Kind.FACTURX, "urn:cen.eu:en16931:2017", "facturx-en16931"),
        (
            Kind.FACTURX,
            "urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0",
            "facturx-en16931",
        ),
        (Kind.FACTURX, "urn:cen.eu:en16931:2017#conformant#urn:factur-x.eu:1p0:extended", "facturx-extended"),
        (Kind.FACTURX, "urn:cen.eu:en16931:2017#conformant#urn:zugferd.de:2p0:extended", "facturx-extended"),
        (Kind.FACTURX, "urn:cen.eu:en16931:2017#conformant#urn.cpro.gouv.fr:1p0:extended-ctc-fr", None),
        (Kind.FACTURX, "urn:nobody:knows", None),
        (Kind.CII, "urn:factur-x.eu:1p0:minimum", "facturx-minimum"),
        (Kind.CII, "urn:cen.eu:en16931:2017", None),
        (Kind.UBL_INVOICE, "urn:cen.eu:en16931:2017", None),
    ],
)
def test_the_declared_guideline_chooses_the_profile_schema(
    registry: PackRegistry, kind: Kind, guideline: str, pack: str | None
) -> None:
    shown = sample(kind=kind, guideline=guideline)
    packs: list[Pack] = list(registry.for_document(shown.document, shown.facts))

    profile = [p.name for p in packs if p.name.startswith("facturx-") and not p.name.endswith("-rules")]
    assert profile == ([pack] if pack else [])


@pytest.mark.parametrize(("guideline", "told"), [("urn:nobody:knows", True), ("urn:cen.eu:en16931:2017", False)])
def test_a_facturx_of_a_profile_that_nobody_knows_is_told(registry: PackRegistry, guideline: str, told: bool) -> None:
    shown = sample(kind=Kind.FACTURX, guideline=guideline)
    (pack,) = registry.for_document(shown.document, shown.facts, frozenset({"facturx"}))

    rules = [f.rule for f in pack.run(shown.document, None, shown.facts).findings]

    assert rules == (["FACTURX-PROFILE-UNKNOWN"] if told else [])


def test_a_facturx_is_judged_by_the_data_inside_it(corpus: Path, judged: Callable[[bytes], Judgement]) -> None:
    content = (corpus / "akretion-factur-x" / "facturx-pdf" / "pdf__invoice_EN16931.pdf").read_bytes()
    document: Document = read_document(content).document

    verdicts = {p.name: p.verdict for p in judged(content).packs}

    assert document.kind is Kind.FACTURX
    assert verdicts["xsd"] is Verdict.VALID
    assert "facturx-en16931" in verdicts
