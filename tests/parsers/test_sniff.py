"""What a file is, by its content: invoices, containers, and what is dropped by mistake."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.document import Kind
from gateway.parsers.sniff import Form, sniff

CORPUS = Path(os.environ.get("GATEWAY_CORPUS", Path(__file__).resolve().parents[2] / ".." / "shared" / "corpus"))
UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
CII = "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:"


@pytest.mark.parametrize(
    ("xml", "kind"),
    [
        (f'<Invoice xmlns="{UBL}Invoice-2"/>', Kind.UBL_INVOICE),
        (f"<u:Invoice\n  a='1'\n  xmlns:u = '{UBL}Invoice-2'></u:Invoice>", Kind.UBL_INVOICE),
        (f'<CreditNote xmlns="{UBL}CreditNote-2"/>', Kind.UBL_CREDITNOTE),
        (f'<rsm:CrossIndustryInvoice xmlns:rsm="{CII}100"/>', Kind.CII),
        (f'<Invoice xmlns="{UBL}CreditNote-2"/>', Kind.UNKNOWN),
        (f'<x:Invoice xmlns="{UBL}Invoice-2" xmlns:x="urn:x"/>', Kind.UNKNOWN),
    ],
)
def test_an_invoice_is_known_by_its_root_and_namespace(xml: str, kind: Kind) -> None:
    for prolog in ("", '<?xml version="1.0"?>\n', "<!-- %PDF-1.7 --><?xsl x?>\r\n", "<!--" + "x" * 50_000 + "-->"):
        assert sniff((prolog + xml).encode()).kind is kind
    assert sniff(xml.encode("utf-8-sig")).kind is kind
    assert sniff(xml.encode("utf-16")).kind is kind


@pytest.mark.parametrize(
    ("root", "word"),
    [
        (
            '<StandardBusinessDocument xmlns="http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader">',
            "SBDH",
        ),
        (f'<Order xmlns="{UBL}Order-2">', "commande"),
        (f'<ApplicationResponse xmlns="{UBL}ApplicationResponse-2">', "ApplicationResponse"),
        (f'<Catalogue xmlns="{UBL}Catalogue-2">', "Catalogue"),
        ('<r:CrossIndustryDocument xmlns:r="urn:ferd:CrossIndustryDocument:invoice:1p0">', "ZUGFeRD 1"),
        (f'<r:CrossIndustryInvoice xmlns:r="{CII}12">', "autre version"),
        ('<r:CrossDomainAcknowledgementAndResponse xmlns:r="urn:un:unece:x:100">', "CDAR"),
        ('<p:FatturaElettronica xmlns:p="http://ivaservizi.agenziaentrate.gov.it/docs/xsd/fatture/v1.2">', "FatturaPA"),
        ("<CPPFacturePivot>", "pivot"),
        ("<Invoice>", "espace de noms"),
        ("<Facture>", "Facture"),
    ],
)
def test_what_is_no_invoice_is_named_with_what_to_send_instead(root: str, word: str) -> None:
    inside = f'<Invoice xmlns="{UBL}Invoice-2"/>'
    sniffed = sniff(f"{root}{inside}".encode())

    assert sniffed.kind is Kind.UNKNOWN
    assert sniffed.finding is not None and word in sniffed.finding.message.fr
    assert sniffed.finding.remedy.fr and sniffed.finding.remedy.en


def tar_of(content: bytes, compression: str = "") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=f"w:{compression}") as archive:
        member = tarfile.TarInfo("a.pdf")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def zip_of(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.pdf", content)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (b"%PDF-1.7\n", Form.PDF),
        (b"\xef\xbb\xbf\r\nX-Mail: 1\r\n" + b"%PDF-1.4\n", Form.PDF),
        (b"x" * 1025 + b"%PDF-1.4", Form.OTHER),
        (zip_of(b"%PDF-1.7"), Form.ZIP),
        (tar_of(b"%PDF-1.7"), Form.TAR),
        (tar_of(b"%PDF-1.7", "gz"), Form.GZIP),
        (gzip.compress(b"<a/>"), Form.GZIP),
        (b"", Form.EMPTY),
        (b" \n", Form.EMPTY),
        (b"\0" * 2000, Form.OTHER),
        (b"UNA:+.? 'UNB+UNOC:3", Form.OTHER),
        (b"\x89PNG\r\n", Form.OTHER),
        (b"<a", Form.XML),
    ],
)
def test_a_container_is_known_by_its_first_bytes_even_when_a_pdf_begins_within(content: bytes, form: Form) -> None:
    sniffed = sniff(content)
    assert sniffed.form is form
    if form in (Form.EMPTY, Form.OTHER):
        assert sniffed.finding is not None


def test_a_doctype_is_seen_before_any_parser_runs() -> None:
    finding = sniff(b'<!DOCTYPE Invoice [<!ENTITY a "b">]><Invoice/>').finding
    assert finding is not None and finding.rule == "INTAKE-XML-DOCTYPE"


@given(st.binary(max_size=600))
def test_any_bytes_are_sniffed(content: bytes) -> None:
    sniff(content)
    sniff(b"<" + content)
    sniff(b"<?xml " + content)


def test_every_xml_invoice_and_pdf_of_the_corpus_is_sniffed_as_what_the_manifest_says() -> None:
    import json

    manifest = CORPUS / "manifest.jsonl"
    if not manifest.exists():
        pytest.skip(f"no corpus at {CORPUS}")
    wrong = []
    for line in manifest.read_text().splitlines():
        entry = json.loads(line)
        expected = {"facturx-pdf": "pdf", "signed-pdf": "pdf", "encrypted-pdf": "pdf"}.get(entry["kind"], entry["kind"])
        if expected not in {"ubl-invoice", "ubl-creditnote", "cii", "pdf", "cdar"}:
            continue
        sniffed = sniff((CORPUS / entry["path"]).read_bytes())
        if sniffed.kind.value != ("unknown" if expected == "cdar" else expected):
            wrong.append(entry["path"])
    # XML-002 of facturx-cas-limites is a CII whose namespace says version 90: no invoice of ours.
    assert wrong == ["facturx-cas-limites/cii/XML-002__factur-x.xml"]
