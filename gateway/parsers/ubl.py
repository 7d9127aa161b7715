"""UBL 2.1 Invoice and CreditNote to a `Document`: the UBL column of the EN 16931 binding (EN 16931-3-2).

Legacy Chorus files put a SIRET into `PartyIdentification/ID` (domain facts 2.3); `domain/routing.py` looks there.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from lxml import etree

from gateway.domain.document import Document, Kind, Party
from gateway.domain.finding import Finding
from gateway.parsers import values
from gateway.parsers.binding import Binding, Found
from gateway.parsers.groups import attachments_of, preceding_of, totals_of, vat_lines_of
from gateway.parsers.profile import profile_of
from gateway.parsers.terms import TermReader, text_of

_COMPONENTS: Final = "urn:oasis:names:specification:ubl:schema:xsd:"
INVOICE_NAMESPACE: Final = _COMPONENTS + "Invoice-2"
CREDIT_NOTE_NAMESPACE: Final = _COMPONENTS + "CreditNote-2"
_NAMESPACES: Final = {
    "cac": _COMPONENTS + "CommonAggregateComponents-2",
    "cbc": _COMPONENTS + "CommonBasicComponents-2",
}

_SHARED: Final = {
    "BT-1": "cbc:ID",
    "BT-2": "cbc:IssueDate",
    "BT-5": "cbc:DocumentCurrencyCode",
    "BT-6": "cbc:TaxCurrencyCode",
    "BT-10": "cbc:BuyerReference",
    "BT-12": "cac:ContractDocumentReference/cbc:ID",
    "BT-13": "cac:OrderReference/cbc:ID",
    "BT-20": "cac:PaymentTerms/cbc:Note",
    "BT-23": "cbc:ProfileID",
    "BT-24": "cbc:CustomizationID",
    "BG-3": "cac:BillingReference/cac:InvoiceDocumentReference",
    "BG-4": "cac:AccountingSupplierParty/cac:Party",
    "BG-7": "cac:AccountingCustomerParty/cac:Party",
    "BT-72": "cac:Delivery/cbc:ActualDeliveryDate",
    "BT-73": "cac:InvoicePeriod/cbc:StartDate",
    "BT-74": "cac:InvoicePeriod/cbc:EndDate",
    "BT-81": "cac:PaymentMeans/cbc:PaymentMeansCode",
    "BT-84": "cac:PaymentMeans/cac:PayeeFinancialAccount/cbc:ID",
    "BT-106": "cac:LegalMonetaryTotal/cbc:LineExtensionAmount",
    "BT-107": "cac:LegalMonetaryTotal/cbc:AllowanceTotalAmount",
    "BT-108": "cac:LegalMonetaryTotal/cbc:ChargeTotalAmount",
    "BT-109": "cac:LegalMonetaryTotal/cbc:TaxExclusiveAmount",
    "BT-110": "cac:TaxTotal/cbc:TaxAmount",  # or BT-111: told apart by @currencyID
    "BT-112": "cac:LegalMonetaryTotal/cbc:TaxInclusiveAmount",
    "BT-113": "cac:LegalMonetaryTotal/cbc:PrepaidAmount",
    "BT-114": "cac:LegalMonetaryTotal/cbc:PayableRoundingAmount",
    "BT-115": "cac:LegalMonetaryTotal/cbc:PayableAmount",
    "BG-23": "cac:TaxTotal/cac:TaxSubtotal",
    "BG-24": "cac:AdditionalDocumentReference",
}
_INVOICE: Final = Binding(
    _NAMESPACES,
    {**_SHARED, "BT-3": "cbc:InvoiceTypeCode", "BT-9": "cbc:DueDate", "BG-25": "cac:InvoiceLine"},
)
#: UBL 2.1 gives the credit note no DueDate: EN 16931-3-2 puts BT-9 into the payment means.
_CREDIT_NOTE: Final = Binding(
    _NAMESPACES,
    {
        **_SHARED,
        "BT-3": "cbc:CreditNoteTypeCode",
        "BT-9": "cac:PaymentMeans/cbc:PaymentDueDate",
        "BG-25": "cac:CreditNoteLine",
    },
)


def _party(name: str, trading: str, identifier: str, legal: str, vat: str, endpoint: str) -> Binding:
    """Seller and buyer are bound alike, to their own terms."""
    return Binding(
        _NAMESPACES,
        {
            name: "cac:PartyLegalEntity/cbc:RegistrationName",
            trading: "cac:PartyName/cbc:Name",
            identifier: "cac:PartyIdentification/cbc:ID",
            legal: "cac:PartyLegalEntity/cbc:CompanyID",
            vat: "cac:PartyTaxScheme",
            endpoint: "cbc:EndpointID",
        },
    )


_SELLER_TERMS: Final = ("BT-27", "BT-28", "BT-29", "BT-30", "BT-31", "BT-34")
_BUYER_TERMS: Final = ("BT-44", "BT-45", "BT-46", "BT-47", "BT-48", "BT-49")
_SELLER: Final = _party(*_SELLER_TERMS)
_BUYER: Final = _party(*_BUYER_TERMS)
_TAX_SCHEME: Final = Binding(_NAMESPACES, {"number": "cbc:CompanyID", "scheme": "cac:TaxScheme/cbc:ID"})
_PRECEDING: Final = Binding(_NAMESPACES, {"BT-25": "cbc:ID", "BT-26": "cbc:IssueDate"})
_VAT_LINE: Final = Binding(
    _NAMESPACES,
    {
        "BT-116": "cbc:TaxableAmount",
        "BT-117": "cbc:TaxAmount",
        "BT-118": "cac:TaxCategory/cbc:ID",
        "BT-119": "cac:TaxCategory/cbc:Percent",
        "BT-120": "cac:TaxCategory/cbc:TaxExemptionReason",
        "BT-121": "cac:TaxCategory/cbc:TaxExemptionReasonCode",
    },
)
_ATTACHMENT: Final = Binding(
    _NAMESPACES,
    {
        "BT-122": "cbc:ID",
        "BT-123": "cbc:DocumentDescription",
        "BT-124": "cac:Attachment/cac:ExternalReference/cbc:URI",
        "BT-125": "cac:Attachment/cbc:EmbeddedDocumentBinaryObject",
        "type": "cbc:DocumentTypeCode",
    },
)
#: `PartyIdentification` also carries the creditor's SEPA identifier (BT-90).
_SEPA: Final = "SEPA"


def read_ubl(tree: etree._ElementTree) -> tuple[Document, tuple[Finding, ...]]:
    """The document in a UBL tree, and what of it could not be read."""
    root = tree.getroot()
    credit_note = root.tag == f"{{{CREDIT_NOTE_NAMESPACE}}}CreditNote"
    found = (_CREDIT_NOTE if credit_note else _INVOICE).read(root)
    read = TermReader()
    currency = read.text(found, "BT-5")
    accounting = read.text(found, "BT-6")
    vat, vat_accounting = read.vat_totals(found, currency, accounting)
    process = read.text(found, "BT-23")
    seller = _read_party(read, found, "BG-4", _SELLER, _SELLER_TERMS)
    buyer = _read_party(read, found, "BG-7", _BUYER, _BUYER_TERMS)
    document = Document(
        kind=Kind.UBL_CREDITNOTE if credit_note else Kind.UBL_INVOICE,
        profile=profile_of(process, seller, buyer),
        number=read.text(found, "BT-1"),
        issued=read.day(found, "BT-2", _day),
        type_code=read.text(found, "BT-3"),
        currency=currency,
        due=read.day(found, "BT-9", _day),
        buyer_reference=read.text(found, "BT-10"),
        contract=read.text(found, "BT-12"),
        order=read.text(found, "BT-13"),
        payment_terms=read.text(found, "BT-20"),
        process=process,
        guideline=read.text(found, "BT-24"),
        preceding=preceding_of(read, _PRECEDING, found, _day),
        seller=seller,
        buyer=buyer,
        delivered=read.day(found, "BT-72", _day),
        period_start=read.day(found, "BT-73", _day),
        period_end=read.day(found, "BT-74", _day),
        payment_means=read.texts(found, "BT-81"),
        accounts=read.texts(found, "BT-84"),
        totals=totals_of(read, found, vat, vat_accounting),
        vat_lines=vat_lines_of(read, _VAT_LINE, found),
        line_count=len(read.mark(found, "BG-25")),
        attachments=attachments_of(read, _ATTACHMENT, found),
        source_lines=read.lines,
    )
    return document, tuple(read.findings)


def _day(element: etree._Element) -> date | None:
    return values.iso_date_of(text_of(element))


def _read_party(read: TermReader, found: Found, group: str, binding: Binding, terms: tuple[str, ...]) -> Party:
    elements = read.mark(found, group)
    if not elements:
        return Party()
    name, trading, identifier, legal, vat, endpoint = terms
    parts = binding.read(elements[0])
    return Party(
        name=read.text(parts, name) or read.text(parts, trading),
        identifiers=tuple(i for i in read.identifiers(parts, identifier) if i.scheme != _SEPA),
        legal=read.identifier(parts, legal),
        vat=_vat_number(read, parts, vat),
        endpoint=read.identifier(parts, endpoint),
    )


def _vat_number(read: TermReader, parts: Found, term: str) -> str:
    for element in parts.get(term, ()):
        registration = _TAX_SCHEME.read(element)
        if [text_of(scheme).upper() for scheme in registration.get("scheme", ())] == ["VAT"]:
            number = read.text({term: registration.get("number", [])}, term)
            if number:
                return number
    return ""
