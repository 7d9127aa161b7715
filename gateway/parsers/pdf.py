"""Tells what a PDF is: a Factur-X with its invoice, or a PDF that says nothing to a machine.

A Factur-X is a PDF with a CII invoice attached under one of the names the standards gave it (Factur-X 1.x,
ZUGFeRD 2.x, XRechnung in ZUGFeRD), in any letter case. An Order-X, an attached UBL, a ZUGFeRD 1.0, or a CII under
another name is not: Chorus Pro would see a PDF without data. The PDF itself is never changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from gateway.domain.document import Attachment, Document, Kind
from gateway.domain.finding import Definition, Finding, Layer, Severity, Text, printable
from gateway.parsers import pdf_inside, skeleton
from gateway.parsers.cii import CII_NAMESPACE
from gateway.parsers.invoice_xml import read_invoice_xml
from gateway.parsers.pdf_inside import EmbeddedFile, PdfInside
from gateway.parsers.prolog import read_prolog
from gateway.parsers.reading import Reading

#: Attachment names of an invoice, the one to prefer first. All older names live on in archives of senders.
INVOICE_NAMES: Final = ("factur-x.xml", "zugferd-invoice.xml", "xrechnung.xml")

ENCRYPTED: Final = Definition(
    "INTAKE-PDF-ENCRYPTED",
    Layer.INTAKE,
    Severity.FATAL,
    Text(
        "Le PDF est protégé par un mot de passe : ni nous ni Chorus Pro ne pouvons l'ouvrir.",
        "The PDF is protected by a password: neither we nor Chorus Pro can open it.",
    ),
    Text(
        "Exportez le PDF sans mot de passe (une Factur-X, PDF/A-3, n'en a jamais), puis redéposez-le.",
        "Export the PDF without a password (a Factur-X, PDF/A-3, never has one), then drop it again.",
    ),
)
UNREADABLE: Final = Definition(
    "INTAKE-PDF-UNREADABLE",
    Layer.INTAKE,
    Severity.FATAL,
    Text(
        "Le PDF est endommagé ou incomplet et n'a pas pu être réparé ({detail}).",
        "The PDF is damaged or incomplete and could not be repaired ({detail}).",
    ),
    Text(
        "Vérifiez qu'il s'ouvre chez vous et que son transfert est allé à son terme, puis redéposez-le.",
        "Check that it opens on your side and that its transfer ran to the end, then drop it again.",
    ),
)
BOMB: Final = Definition(
    "INTAKE-PDF-TOO-LARGE",
    Layer.INTAKE,
    Severity.FATAL,
    Text(
        "Le PDF contient plus de données, une fois décompressées, que nous n'en acceptons (50 Mo par pièce, 120 Mo "
        "et 500 pièces en tout).",
        "Unpacked, the PDF holds more than we take (50 MB a file, 120 MB and 500 files in all).",
    ),
    Text(
        "Retirez les pièces jointes trop grosses ou allégez le PDF, puis redéposez-le.",
        "Remove the attachments that are too large or make the PDF lighter, then drop it again.",
    ),
)
RESTRICTED: Final = Definition(
    "INTAKE-PDF-RESTRICTED",
    Layer.INTAKE,
    Severity.WARNING,
    Text(
        "Le PDF est chiffré (restrictions d'impression ou de copie) bien qu'il s'ouvre sans mot de passe ; PDF/A "
        "et Factur-X l'interdisent et Chorus Pro peut le refuser.",
        "The PDF is encrypted (printing or copying restricted) although it opens without a password; PDF/A and "
        "Factur-X forbid it and Chorus Pro may refuse it.",
    ),
    Text("Exportez le PDF sans protection.", "Export the PDF without protection."),
)
DAMAGED: Final = Definition(
    "INTAKE-PDF-DAMAGED",
    Layer.INTAKE,
    Severity.WARNING,
    Text(
        "Le PDF est endommagé ; nous avons pu lire son contenu, mais il est transmis tel quel et Chorus Pro peut "
        "le refuser.",
        "The PDF is damaged; we could read what it holds, but it is sent as it is and Chorus Pro may refuse it.",
    ),
    Text("Regénérez le PDF dans votre logiciel.", "Generate the PDF again in your software."),
)
SIGNED: Final = Definition(
    "INTAKE-PDF-SIGNED",
    Layer.INTAKE,
    Severity.INFO,
    Text(
        "Le PDF porte une signature électronique ; ses octets ne seront pas modifiés.",
        "The PDF carries an electronic signature; its bytes will not be changed.",
    ),
)
ALONE: Final = Definition(
    "INTAKE-PDF-ALONE",
    Layer.INTAKE,
    Severity.HOLD,
    Text(
        "Le PDF « {name} » ne contient pas de données de facture (ce n'est pas une Factur-X) et aucune ligne "
        "d'index ne l'accompagne.",
        "The PDF “{name}” holds no invoice data (it is no Factur-X) and no index row comes with it.",
    ),
    Text(
        "Déposez une Factur-X, ou une archive zip avec ce PDF et un fichier index.csv de deux lignes, l'en-tête "
        "{header} puis, complétée, {row}",
        "Drop a Factur-X, or a zip archive with this PDF and a file index.csv of two lines, the header {header} "
        "and then, filled in, {row}",
    ),
)
ORDER: Final = Definition(
    "INTAKE-PDF-ORDER",
    Layer.INTAKE,
    Severity.FATAL,
    Text(
        "Le PDF contient une commande (Order-X, « {file} »), pas une facture.",
        "The PDF holds an order (Order-X, “{file}”), not an invoice.",
    ),
    Text(
        "Déposez la facture correspondante ; une commande ne se transmet pas par ce canal.",
        "Drop the invoice that belongs to it; orders do not go this way.",
    ),
)
OTHER_XML: Final = Definition(
    "INTAKE-PDF-OTHER-XML",
    Layer.INTAKE,
    Severity.WARNING,
    Text(
        "Le fichier « {file} » joint au PDF {what_fr} ; le PDF n'est donc pas une Factur-X.",
        "The file “{file}” attached to the PDF {what_en}; so the PDF is no Factur-X.",
    ),
    Text("{remedy_fr}", "{remedy_en}"),
)
AMBIGUOUS: Final = Definition(
    "INTAKE-PDF-TWO-INVOICES",
    Layer.INTAKE,
    Severity.FATAL,
    Text(
        "Le PDF contient plusieurs factures différentes ({files}) : rien ne dit laquelle est la bonne.",
        "The PDF holds several different invoices ({files}): nothing tells which one counts.",
    ),
    Text(
        "Ne joignez qu'un seul fichier factur-x.xml, puis redéposez le PDF.",
        "Attach one single file factur-x.xml, then drop the PDF again.",
    ),
)


class Content(Enum):
    """What an attached XML is, by its root element."""

    CII = auto()
    UBL = auto()
    ZUGFERD_1 = auto()
    ORDER = auto()
    BROKEN = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class _Xml:
    file: EmbeddedFile
    content: bytes
    what: Content

    @property
    def well_named(self) -> bool:
        return self.file.name.lower() in INVOICE_NAMES

    @property
    def is_invoice(self) -> bool:
        # A broken file under an invoice's name is a broken Factur-X: its sender wants to hear about the XML.
        return self.well_named and self.what in (Content.CII, Content.BROKEN)


def read_pdf(content: bytes) -> Reading:
    """The document in a PDF. Never raises for what stands in it."""
    try:
        inside = pdf_inside.look_inside(content)
    except pdf_inside.Encrypted:
        return _refused(ENCRYPTED.at())
    except pdf_inside.Unreadable as error:
        return _refused(UNREADABLE.at(detail=error))
    except (pdf_inside.Bomb, MemoryError):
        # The worker's memory ceiling is the second wall behind qpdf's own (object streams in LZW have no first).
        return _refused(BOMB.at())
    return _read(inside)


def alone(name: str) -> Finding:
    """The finding of a PDF without data, with the row to fill in."""
    return ALONE.at(name=name, header=skeleton.header(), row=skeleton.row(name))


def _refused(finding: Finding) -> Reading:
    return Reading(Document(kind=Kind.PDF), findings=(finding,))


def _read(inside: PdfInside) -> Reading:
    remarks = tuple(
        definition.at()
        for definition, applies in (
            (RESTRICTED, inside.restricted),
            (DAMAGED, inside.damaged),
            (SIGNED, inside.signed),
        )
        if applies
    )
    xmls = [_Xml(file, file.content, _what(file.content)) for file in inside.files if file.content is not None]
    invoices = sorted(
        (xml for xml in xmls if xml.is_invoice), key=lambda xml: INVOICE_NAMES.index(xml.file.name.lower())
    )
    if not invoices:
        document = Document(kind=Kind.PDF, attachments=_attachments(inside.files))
        return Reading(document, findings=(*_why_not(xmls), *remarks))
    chosen = invoices[0]
    if any(other.content != chosen.content for other in invoices[1:]):
        document = Document(kind=Kind.FACTURX, attachments=_attachments(inside.files))
        files = ", ".join(xml.file.name for xml in invoices)
        return Reading(document, findings=(AMBIGUOUS.at(files=files), *remarks))
    return _facturx(chosen, inside, remarks)


def _facturx(invoice: _Xml, inside: PdfInside, remarks: Sequence[Finding]) -> Reading:
    reading = read_invoice_xml(invoice.content)
    others = tuple(file for file in inside.files if file.content is None or file.content != invoice.content)
    document = replace(
        reading.document,
        kind=Kind.FACTURX,
        attachments=(*reading.document.attachments, *_attachments(others)),
        claimed_profile=printable(inside.xmp.conformance_level, 50),
    )
    return replace(reading, document=document, findings=(*reading.findings, *remarks))


def _what(xml: bytes) -> Content:
    prolog = read_prolog(xml)
    if prolog.fault is not None:
        return Content.BROKEN
    match prolog.local:
        case "CrossIndustryInvoice" if prolog.namespace == CII_NAMESPACE:
            return Content.CII
        case "Invoice" | "CreditNote" if prolog.namespace.startswith("urn:oasis:names:specification:ubl:"):
            return Content.UBL
        case "CrossIndustryDocument":
            return Content.ZUGFERD_1
        case local if local.startswith("SCRDMCCBDACIO"):
            return Content.ORDER
    return Content.OTHER


#: What an attached XML is instead of an invoice's data, and what to do.
_INSTEAD: Final = {
    Content.CII: (
        Text("est une facture CII, sous un autre nom que factur-x.xml", "is a CII invoice not named factur-x.xml"),
        Text("Joignez-la au PDF sous le nom factur-x.xml.", "Attach it to the PDF under the name factur-x.xml."),
    ),
    Content.UBL: (
        Text("est une facture UBL", "is a UBL invoice"),
        Text("Déposez le fichier UBL lui-même, ou une Factur-X.", "Drop the UBL file itself, or a Factur-X."),
    ),
    Content.ZUGFERD_1: (
        Text("est une facture ZUGFeRD 1.0 (ancien format)", "is a ZUGFeRD 1.0 invoice (an old format)"),
        Text("Exportez la facture en Factur-X 1.0.", "Export the invoice as Factur-X 1.0."),
    ),
}
_NO_INVOICE: Final = (
    Text("n'est pas une facture CII D16B ou D22B", "is no CII D16B or D22B invoice"),
    Text("Exportez la facture en Factur-X 1.0.", "Export the invoice as Factur-X 1.0."),
)


def _why_not(xmls: Sequence[_Xml]) -> tuple[Finding, ...]:
    """The findings of a PDF without a Factur-X invoice: what its attachments are instead."""
    orders = tuple(ORDER.at(file=xml.file.name) for xml in xmls if xml.what is Content.ORDER)
    if orders:
        return orders
    return (alone("facture.pdf"), *(_other(xml) for xml in xmls if xml.well_named or xml.what in _INSTEAD))


def _other(xml: _Xml) -> Finding:
    what, remedy = _INSTEAD.get(xml.what, _NO_INVOICE)
    return OTHER_XML.at(file=xml.file.name, what_fr=what.fr, what_en=what.en, remedy_fr=remedy.fr, remedy_en=remedy.en)


def _attachments(files: Sequence[EmbeddedFile]) -> tuple[Attachment, ...]:
    return tuple(
        Attachment(name=file.name, description=file.description, mime=file.mime, size=file.size) for file in files
    )
