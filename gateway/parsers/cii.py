"""UN/CEFACT CrossIndustryInvoice (D16B, D22B) to a `Document`: the CII column of the EN 16931 binding (part 3-3).

Reads what AIFE's own legacy samples do (domain facts 2.3): dates without `@format`, SIRET under schemeID "1", no
currency, an attachment named by `IssuerAssignedID`. One public generator writes the cadre (A1…) into the guideline:
there it counts as BT-23.
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
from gateway.parsers.profile import LEGACY_CADRE, profile_of
from gateway.parsers.terms import TermReader, text_of

CII_NAMESPACE: Final = "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
_DATE_TIME_TAG: Final = "{urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100}DateTime"
_ANY_COMPONENTS: Final = "{urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:"
_COMPONENTS: Final = _ANY_COMPONENTS + "100}"
_NAMESPACES: Final = {
    "rsm": CII_NAMESPACE,
    "ram": _COMPONENTS.strip("{}"),
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
    "qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
}
_TRANSACTION: Final = "rsm:SupplyChainTradeTransaction"
_AGREEMENT: Final = _TRANSACTION + "/ram:ApplicableHeaderTradeAgreement"
_DELIVERY: Final = _TRANSACTION + "/ram:ApplicableHeaderTradeDelivery"
_SETTLEMENT: Final = _TRANSACTION + "/ram:ApplicableHeaderTradeSettlement"
_TOTALS: Final = _SETTLEMENT + "/ram:SpecifiedTradeSettlementHeaderMonetarySummation"
_MEANS: Final = _SETTLEMENT + "/ram:SpecifiedTradeSettlementPaymentMeans"


def _dated(path: str) -> tuple[str, str]:
    """CII writes a date as a formatted string or as an xs:dateTime."""
    return (f"{path}/udt:DateTimeString", f"{path}/udt:DateTime")


_HEADER: Final = Binding(
    _NAMESPACES,
    {
        "BT-1": "rsm:ExchangedDocument/ram:ID",
        "BT-2": _dated("rsm:ExchangedDocument/ram:IssueDateTime"),
        "BT-3": "rsm:ExchangedDocument/ram:TypeCode",
        "BT-5": _SETTLEMENT + "/ram:InvoiceCurrencyCode",
        "BT-6": _SETTLEMENT + "/ram:TaxCurrencyCode",
        "BT-9": _dated(_SETTLEMENT + "/ram:SpecifiedTradePaymentTerms/ram:DueDateDateTime"),
        "BT-10": _AGREEMENT + "/ram:BuyerReference",
        "BT-12": _AGREEMENT + "/ram:ContractReferencedDocument/ram:IssuerAssignedID",
        "BT-13": _AGREEMENT + "/ram:BuyerOrderReferencedDocument/ram:IssuerAssignedID",
        "BT-20": _SETTLEMENT + "/ram:SpecifiedTradePaymentTerms/ram:Description",
        "BT-23": "rsm:ExchangedDocumentContext/ram:BusinessProcessSpecifiedDocumentContextParameter/ram:ID",
        "BT-24": "rsm:ExchangedDocumentContext/ram:GuidelineSpecifiedDocumentContextParameter/ram:ID",
        "BG-3": _SETTLEMENT + "/ram:InvoiceReferencedDocument",
        "BG-4": _AGREEMENT + "/ram:SellerTradeParty",
        "BG-7": _AGREEMENT + "/ram:BuyerTradeParty",
        "BT-72": _dated(_DELIVERY + "/ram:ActualDeliverySupplyChainEvent/ram:OccurrenceDateTime"),
        "BT-73": _dated(_SETTLEMENT + "/ram:BillingSpecifiedPeriod/ram:StartDateTime"),
        "BT-74": _dated(_SETTLEMENT + "/ram:BillingSpecifiedPeriod/ram:EndDateTime"),
        "BT-81": _MEANS + "/ram:TypeCode",
        "account": _MEANS + "/ram:PayeePartyCreditorFinancialAccount",
        "BT-106": _TOTALS + "/ram:LineTotalAmount",
        "BT-107": _TOTALS + "/ram:AllowanceTotalAmount",
        "BT-108": _TOTALS + "/ram:ChargeTotalAmount",
        "BT-109": _TOTALS + "/ram:TaxBasisTotalAmount",
        "BT-110": _TOTALS + "/ram:TaxTotalAmount",  # or BT-111: told apart by @currencyID
        "BT-112": _TOTALS + "/ram:GrandTotalAmount",
        "BT-113": _TOTALS + "/ram:TotalPrepaidAmount",
        "BT-114": _TOTALS + "/ram:RoundingAmount",
        "BT-115": _TOTALS + "/ram:DuePayableAmount",
        "BG-23": _SETTLEMENT + "/ram:ApplicableTradeTax",
        "BG-24": _AGREEMENT + "/ram:AdditionalReferencedDocument",
        "BG-25": _TRANSACTION + "/ram:IncludedSupplyChainTradeLineItem",
    },
)


def _party(name: str, identifier: str, legal: str, vat: str, endpoint: str) -> Binding:
    """Seller and buyer are bound alike, to their own terms."""
    return Binding(
        _NAMESPACES,
        {
            name: "ram:Name",
            identifier: ("ram:ID", "ram:GlobalID"),
            legal: "ram:SpecifiedLegalOrganization/ram:ID",
            vat: "ram:SpecifiedTaxRegistration/ram:ID",
            endpoint: "ram:URIUniversalCommunication/ram:URIID",
        },
    )


_SELLER_TERMS: Final = ("BT-27", "BT-29", "BT-30", "BT-31", "BT-34")
_BUYER_TERMS: Final = ("BT-44", "BT-46", "BT-47", "BT-48", "BT-49")
_SELLER: Final = _party(*_SELLER_TERMS)
_BUYER: Final = _party(*_BUYER_TERMS)
_ACCOUNT: Final = Binding(_NAMESPACES, {"iban": "ram:IBANID", "other": "ram:ProprietaryID"})
_PRECEDING: Final = Binding(
    _NAMESPACES,
    {
        "BT-25": "ram:IssuerAssignedID",
        "BT-26": ("ram:FormattedIssueDateTime/qdt:DateTimeString", "ram:FormattedIssueDateTime/udt:DateTimeString"),
    },
)
_VAT_LINE: Final = Binding(
    _NAMESPACES,
    {
        "BT-116": "ram:BasisAmount",
        "BT-117": "ram:CalculatedAmount",
        "BT-118": "ram:CategoryCode",
        "BT-119": "ram:RateApplicablePercent",
        "BT-120": "ram:ExemptionReason",
        "BT-121": "ram:ExemptionReasonCode",
    },
)
_ATTACHMENT: Final = Binding(
    _NAMESPACES,
    {
        "BT-122": "ram:IssuerAssignedID",
        "BT-123": "ram:Name",
        "BT-124": "ram:URIID",
        "BT-125": "ram:AttachmentBinaryObject",
        "type": "ram:TypeCode",
    },
)
#: VAT numbers; FC marks BT-32, a local tax number.
_VAT_SCHEMES: Final = frozenset({"VA", "VAT"})


def read_cii(tree: etree._ElementTree) -> tuple[Document, tuple[Finding, ...]]:
    """The document in a CII tree, and what of it could not be read."""
    found = _HEADER.read(tree.getroot())
    _cadre_out_of_guideline(found)
    read = TermReader()
    currency = read.text(found, "BT-5")
    accounting = read.text(found, "BT-6")
    vat, vat_accounting = read.vat_totals(found, currency, accounting)
    process = read.text(found, "BT-23")
    seller = _read_party(read, found, "BG-4", _SELLER, _SELLER_TERMS)
    buyer = _read_party(read, found, "BG-7", _BUYER, _BUYER_TERMS)
    document = Document(
        kind=Kind.CII,
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
        accounts=_accounts(read, found),
        totals=totals_of(read, found, vat, vat_accounting),
        vat_lines=vat_lines_of(read, _VAT_LINE, found),
        line_count=len(read.mark(found, "BG-25")),
        attachments=attachments_of(read, _ATTACHMENT, found),
        source_lines=read.lines,
    )
    return document, tuple(read.findings)


def is_other_version(root: etree._Element) -> bool:
    """A CII of the same root whose components are of another release (D16A: `…Entity:19`): no term can be read."""
    for part in root:
        for component in part:
            return component.tag.startswith(_ANY_COMPONENTS) and not component.tag.startswith(_COMPONENTS)
    return False


def _cadre_out_of_guideline(found: Found) -> None:
    """A cadre written as guideline becomes BT-23, unless BT-23 is there."""
    guidelines = found.get("BT-24", [])
    cadres = [element for element in guidelines if LEGACY_CADRE.fullmatch(text_of(element))]
    if cadres:
        found["BT-24"] = [element for element in guidelines if element not in cadres]
        if not any(text_of(element) for element in found.get("BT-23", ())):
            found["BT-23"] = cadres


def _day(element: etree._Element) -> date | None:
    if element.tag == _DATE_TIME_TAG:
        return values.iso_date_time_of(text_of(element))
    if element.get("format", "102") != "102":
        return None
    return values.compact_date_of(text_of(element))


def _read_party(read: TermReader, found: Found, group: str, binding: Binding, terms: tuple[str, ...]) -> Party:
    elements = read.mark(found, group)
    if not elements:
        return Party()
    name, identifier, legal, vat, endpoint = terms
    parts = binding.read(elements[0])
    numbers = [number for number in parts.get(vat, ()) if (number.get("schemeID") or "").strip() in _VAT_SCHEMES]
    return Party(
        name=read.text(parts, name),
        identifiers=read.identifiers(parts, identifier),
        legal=read.identifier(parts, legal),
        vat=read.text({vat: numbers}, vat),
        endpoint=read.identifier(parts, endpoint),
    )


def _accounts(read: TermReader, found: Found) -> tuple[str, ...]:
    """BT-84: the IBAN of each account, else its own number."""
    chosen: list[etree._Element] = []
    for element in found.get("account", ()):
        numbers = _ACCOUNT.read(element)
        chosen.extend((numbers.get("iban") or numbers.get("other") or [])[:1])
    return read.texts({"BT-84": chosen}, "BT-84")
