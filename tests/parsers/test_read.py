"""Any payload to a reading: the whole corpus, what is broken, and what is no invoice."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.document import Kind
from gateway.domain.finding import Layer, Severity
from gateway.parsers.read import read_document

CORPUS = Path(os.environ.get("GATEWAY_CORPUS", Path(__file__).resolve().parents[2] / ".." / "shared" / "corpus"))
UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
LINES = (
    "{*}InvoiceLine",
    "{*}CreditNoteLine",
    "{*}SupplyChainTradeTransaction/{*}IncludedSupplyChainTradeLineItem",
)
INVOICE = (
    f'<Invoice xmlns="{UBL}Invoice-2" xmlns:cbc="{UBL}CommonBasicComponents-2">\n'
    "<cbc:ID>F-77</cbc:ID>\n<cbc:IssueDate>2026-01-31</cbc:IssueDate>\n</Invoice>"
).encode()


def test_every_xml_invoice_of_the_corpus_reads_without_exception(
    record_property: Callable[[str, object], None],
) -> None:
    manifest = CORPUS / "manifest.jsonl"
    if not manifest.exists():
        pytest.skip(f"no corpus at {CORPUS}")
    slowest, count = (0.0, ""), 0
    for line in manifest.read_text().splitlines():
        entry = json.loads(line)
        if entry["kind"] not in {"ubl-invoice", "ubl-creditnote", "cii"}:
            continue
        content = (CORPUS / entry["path"]).read_bytes()
        started = time.perf_counter()
        reading = read_document(content)
        slowest = max(slowest, (time.perf_counter() - started, entry["path"]))
        count += 1
        if entry["path"] == "facturx-cas-limites/cii/XML-002__factur-x.xml" or "__d16a1__" in entry["path"]:
            # CII of other releases (root :90, components :19): named, not read as an invoice without terms.
            assert reading.document.kind is Kind.UNKNOWN
            assert "autre version" in reading.findings[0].message.fr
            continue
        assert reading.document.kind.value == entry["kind"], entry["path"]
        assert reading.tree is not None
        assert all(finding.severity is not Severity.FATAL for finding in reading.findings), entry["path"]
        assert reading.document.line_count == sum(len(reading.tree.findall(path)) for path in LINES), entry["path"]
    record_property("slowest_ms", round(slowest[0] * 1000, 1))
    record_property("slowest", slowest[1])
    assert count > 1000


def test_other_xml_of_the_corpus_is_refused_by_name() -> None:
    manifest = CORPUS / "manifest.jsonl"
    if not manifest.exists():
        pytest.skip(f"no corpus at {CORPUS}")
    for line in manifest.read_text().splitlines():
        entry = json.loads(line)
        if entry["kind"] not in {"other", "cdar", "xml-attack"}:
            continue
        reading = read_document((CORPUS / entry["path"]).read_bytes())
        assert reading.document.kind is Kind.UNKNOWN, entry["path"]
        assert reading.tree is None
        (finding,) = reading.findings
        assert finding.severity is Severity.FATAL and finding.layer is Layer.INTAKE
        assert finding.message.fr and finding.remedy.fr, entry["path"]


def test_a_cut_invoice_is_refused_but_still_named() -> None:
    reading = read_document(INVOICE[:-12])

    assert reading.document.kind is Kind.UNKNOWN
    assert reading.document.number == "F-77"
    assert reading.tree is None
    assert [finding.rule for finding in reading.findings] == ["IRR_SYNTAX"]


def test_half_a_number_is_not_saved_of_a_value_that_an_unknown_entity_cuts() -> None:
    reading = read_document(INVOICE.replace(b"F-77", b"F&nbsp;77"))

    assert reading.document.number == ""
    assert [finding.rule for finding in reading.findings] == ["IRR_SYNTAX"]


def test_nothing_is_saved_of_a_file_with_a_doctype() -> None:
    reading = read_document(b"<!DOCTYPE Invoice>" + INVOICE)
    assert reading.document.number == "" and reading.tree is None


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "IRR_VIDE_F"),
        (b" \n", "IRR_VIDE_F"),
        (b"hello", "IRR_TYPE_F"),
        (b"PK\x03\x04", "INTAKE-ARCHIVE-WITHIN"),
        (b"<", "IRR_SYNTAX"),
        (b"<a b=", "IRR_SYNTAX"),
        (b"<a/>", "IRR_TYPE_F"),
    ],
)
def test_what_is_no_invoice_is_refused_with_a_remedy(content: bytes, rule: str) -> None:
    reading = read_document(content)
    assert reading.document.kind is Kind.UNKNOWN
    assert [finding.rule for finding in reading.findings] == [rule]
    assert reading.findings[0].remedy.fr and reading.findings[0].remedy.en


@given(st.integers(0, len(INVOICE)), st.binary(max_size=8), st.integers(0, 8))
def test_a_damaged_invoice_reads_or_is_refused_but_never_raises(place: int, inserted: bytes, removed: int) -> None:
    reading = read_document(INVOICE[:place] + inserted + INVOICE[place + removed :])
    assert reading.document.kind is not Kind.UNKNOWN or reading.findings
