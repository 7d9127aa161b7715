"""The terms of an invoice that Chorus Pro looks at, read from UBL or CII where its legacy rules expect them (2.3).

A second reading, on purpose apart from the gateway's parsers: where both agree, they may both be right.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from lxml import etree

from gateway.simulator.schemas import CII_ROOT, UBL_CREDITNOTE_ROOT, UBL_INVOICE_ROOT

NAMES: Final = {
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
}
#: CII schemeID of a legal organisation → typeIdentifiant (chorus-pro.md 2.3).
TYPES: Final = {
    "": "SIRET",
    "1": "SIRET",
    "0002": "SIRET",
    "0009": "SIRET",
    "2": "UE_HORS_FRANCE",
    "3": "HORS_UE",
    "ETR": "HORS_UE",
    "4": "RIDET",
    "RIDET": "RIDET",
    "5": "TAHITI",
    "TAHITI": "TAHITI",
}
SIRET: Final = re.compile(r"\d{14}\Z")
CADRE: Final = re.compile(r"A\d{1,2}\Z")
LONGEST: Final = 200  #: no term that we keep is longer in a file that means well


@dataclass(frozen=True, slots=True)
class Party:
    """Seller or buyer, by the one identifier that legacy Chorus looks at."""

    identifier: str
    type: str


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice or credit note. An absent term is an empty string."""

    number: str
    issued: str  #: ISO day, or whatever stands there
    type_code: str
    cadre: str
    seller: Party
    buyer: Party
    service: str
    ej: str
    contract: str
    origin: str
    currency: str
    payment_means: str
    has_attachment: bool
    net: float | None
    gross: float | None
    due: float | None

    @property
    def is_credit(self) -> bool:
        return self.type_code == "381"


def read_invoice(root: etree._Element) -> Invoice | None:
    """The terms; None where the root element is no invoice."""
    if root.tag == CII_ROOT:
        return _cii(root)
    if root.tag in (UBL_INVOICE_ROOT, UBL_CREDITNOTE_ROOT):
        return _ubl(root)
    return None


def _cii(root: etree._Element) -> Invoice:
    agreement = "rsm:SupplyChainTradeTransaction/ram:ApplicableHeaderTradeAgreement/"
    settlement = "rsm:SupplyChainTradeTransaction/ram:ApplicableHeaderTradeSettlement/"
    sums = settlement + "ram:SpecifiedTradeSettlementHeaderMonetarySummation/"
    context = "rsm:ExchangedDocumentContext/ram:"
    cadre = _text(root, f"{context}BusinessProcessSpecifiedDocumentContextParameter/ram:ID")
    guideline = _text(root, f"{context}GuidelineSpecifiedDocumentContextParameter/ram:ID")
    if not cadre and CADRE.match(guideline):
        # Seen in gobl.cii: the cadre in the guideline's place.
        cadre = guideline
    day = _text(root, "rsm:ExchangedDocument/ram:IssueDateTime/udt:DateTimeString")
    return Invoice(
        number=_text(root, "rsm:ExchangedDocument/ram:ID"),
        issued=f"{day[:4]}-{day[4:6]}-{day[6:8]}" if day[:8].isdigit() else day,
        type_code=_text(root, "rsm:ExchangedDocument/ram:TypeCode"),
        cadre=cadre or "A1",
        seller=_cii_party(root, f"{agreement}ram:SellerTradeParty/"),
        buyer=_cii_party(root, f"{agreement}ram:BuyerTradeParty/"),
        service=_text(root, f"{agreement}ram:BuyerReference"),
        ej=_text(root, f"{agreement}ram:BuyerOrderReferencedDocument/ram:IssuerAssignedID"),
        contract=_text(root, f"{agreement}ram:ContractReferencedDocument/ram:IssuerAssignedID"),
        origin=_text(root, f"{settlement}ram:InvoiceReferencedDocument/ram:IssuerAssignedID"),
        currency=_text(root, f"{settlement}ram:InvoiceCurrencyCode"),
        payment_means=_text(root, f"{settlement}ram:SpecifiedTradeSettlementPaymentMeans/ram:TypeCode"),
        has_attachment=_has(root, f"{agreement}ram:AdditionalReferencedDocument/ram:AttachmentBinaryObject"),
        net=_amount(root, f"{sums}ram:TaxBasisTotalAmount"),
        gross=_amount(root, f"{sums}ram:GrandTotalAmount"),
        due=_amount(root, f"{sums}ram:DuePayableAmount"),
    )


def _cii_party(root: etree._Element, path: str) -> Party:
    found = root.find(f"{path}ram:SpecifiedLegalOrganization/ram:ID", NAMES)
    if found is None:
        return Party("", "")
    return Party(_clean(found.text), TYPES.get(_clean(found.get("schemeID")), "AUTRE"))


def _ubl(root: etree._Element) -> Invoice:
    sums = "cac:LegalMonetaryTotal/"
    is_credit = root.tag == UBL_CREDITNOTE_ROOT
    return Invoice(
        number=_text(root, "cbc:ID"),
        issued=_text(root, "cbc:IssueDate"),
        type_code=_text(root, "cbc:CreditNoteTypeCode") or "381" if is_credit else _text(root, "cbc:InvoiceTypeCode"),
        cadre=_text(root, "cbc:ProfileID") or "A1",
        seller=_ubl_party(root, "cac:AccountingSupplierParty/cac:Party/"),
        buyer=_ubl_party(root, "cac:AccountingCustomerParty/cac:Party/"),
        service=_text(root, "cbc:BuyerReference"),
        ej=_text(root, "cac:OrderReference/cbc:ID"),
        contract=_text(root, "cac:ContractDocumentReference/cbc:ID"),
        origin=_text(root, "cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID"),
        currency=_text(root, "cbc:DocumentCurrencyCode"),
        payment_means=_text(root, "cac:PaymentMeans/cbc:PaymentMeansCode"),
        has_attachment=_has(root, "cac:AdditionalDocumentReference/cac:Attachment/cbc:EmbeddedDocumentBinaryObject"),
        net=_amount(root, f"{sums}cbc:TaxExclusiveAmount"),
        gross=_amount(root, f"{sums}cbc:TaxInclusiveAmount"),
        due=_amount(root, f"{sums}cbc:PayableAmount"),
    )


def _ubl_party(root: etree._Element, path: str) -> Party:
    """PartyIdentification first: Chorus names that element when a VAT number stands there instead of the SIRET."""
    found = root.findall(f"{path}cac:PartyIdentification/cbc:ID", NAMES)
    found = found or root.findall(f"{path}cac:PartyLegalEntity/cbc:CompanyID", NAMES)
    if not found:
        return Party("", "")
    chosen = next((one for one in found if SIRET.match(_clean(one.text))), found[0])
    return Party(_clean(chosen.text), TYPES.get(_clean(chosen.get("schemeID")), "AUTRE"))


def _text(root: etree._Element, path: str) -> str:
    return _clean(root.findtext(path, "", NAMES))


def _has(root: etree._Element, path: str) -> bool:
    return any((found.text or "").strip() for found in root.iterfind(path, NAMES))


def _clean(text: str | bytes | None) -> str:
    return str(text or "").strip()[:LONGEST]


def _amount(root: etree._Element, path: str) -> float | None:
    try:
        return float(_text(root, path))
    except ValueError:
        return None
