"""One XML invoice to a `Reading`, whatever its syntax and wherever it came from: a file, an archive or a PDF.

Never raises for what stands in the bytes. A file that is broken or no invoice reads as `Kind.UNKNOWN` with a fatal
finding; of a broken one, what could be saved is kept, so that the refusal can name the invoice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from lxml import etree

from gateway.domain.document import Document, Kind
from gateway.domain.finding import Finding
from gateway.parsers import refusals
from gateway.parsers.cii import CII_NAMESPACE, is_other_version, read_cii
from gateway.parsers.reading import Reading
from gateway.parsers.ubl import CREDIT_NOTE_NAMESPACE, INVOICE_NAMESPACE, read_ubl
from gateway.parsers.xml import XmlRefused, parse_xml, salvage_xml
from gateway.parsers.xml_kinds import not_an_invoice

_READERS: Final[Mapping[str, Callable[[etree._ElementTree], tuple[Document, tuple[Finding, ...]]]]] = {
    f"{{{INVOICE_NAMESPACE}}}Invoice": read_ubl,
    f"{{{CREDIT_NOTE_NAMESPACE}}}CreditNote": read_ubl,
    f"{{{CII_NAMESPACE}}}CrossIndustryInvoice": read_cii,
}


def read_invoice_xml(xml: bytes) -> Reading:
    """UBL Invoice, UBL CreditNote or CII; a `Document` of kind CII also for the XML of a Factur-X."""
    try:
        tree = parse_xml(xml)
    except XmlRefused as refused:
        return Reading(_salvaged(xml, refused.finding), findings=(refused.finding,))
    root = tree.getroot()
    reader = _READERS.get(root.tag)
    if reader is None:
        name = etree.QName(root)
        return Reading(Document(Kind.UNKNOWN), findings=(not_an_invoice(name.namespace or "", name.localname),))
    if reader is read_cii and is_other_version(root):
        return Reading(Document(Kind.UNKNOWN), findings=(not_an_invoice("", "CrossIndustryInvoice"),))
    document, findings = reader(tree)
    return Reading(document, tree, findings)


def _salvaged(xml: bytes, finding: Finding) -> Document:
    """The terms that a file not well-formed still shows. It stays unknown, has no tree, and is never sent."""
    if finding.rule != refusals.NOT_WELL_FORMED.rule:
        return Document(Kind.UNKNOWN)
    tree = salvage_xml(xml)
    reader = None if tree is None else _READERS.get(tree.getroot().tag)
    if tree is None or reader is None:
        return Document(Kind.UNKNOWN)
    return replace(reader(tree)[0], kind=Kind.UNKNOWN)
