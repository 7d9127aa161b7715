"""Which EN 16931 term a place in the XML is, for the places that schema faults of invoices fall on.

Keys are the ends of paths, local names only. A small table on purpose: a term that is not here is told by its path.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from gateway.domain.document import Kind

_CII: Final[Mapping[str, str]] = {
    "ExchangedDocument/ID": "BT-1",
    "ExchangedDocument/IssueDateTime": "BT-2",
    "ExchangedDocument/TypeCode": "BT-3",
    "ExchangedDocument/IncludedNote": "BG-1",
    "ExchangedDocumentContext": "BG-2",
    "BusinessProcessSpecifiedDocumentContextParameter": "BT-23",
    "GuidelineSpecifiedDocumentContextParameter": "BT-24",
    "ApplicableHeaderTradeAgreement/BuyerReference": "BT-10",
    "BuyerOrderReferencedDocument": "BT-13",
    "ContractReferencedDocument": "BT-12",
    "ApplicableHeaderTradeAgreement/AdditionalReferencedDocument": "BG-24",
    "SellerTradeParty": "BG-4",
    "SellerTradeParty/Name": "BT-27",
    "SellerTradeParty/ID": "BT-29",
    "SellerTradeParty/GlobalID": "BT-29",
    "SellerTradeParty/SpecifiedLegalOrganization": "BT-30",
    "SellerTradeParty/SpecifiedTaxRegistration": "BT-31",
    "SellerTradeParty/URIUniversalCommunication": "BT-34",
    "SellerTradeParty/PostalTradeAddress": "BG-5",
    "SellerTradeParty/DefinedTradeContact": "BG-6",
    "BuyerTradeParty": "BG-7",
    "BuyerTradeParty/Name": "BT-44",
    "BuyerTradeParty/ID": "BT-46",
    "BuyerTradeParty/GlobalID": "BT-46",
    "BuyerTradeParty/SpecifiedLegalOrganization": "BT-47",
    "BuyerTradeParty/SpecifiedTaxRegistration": "BT-48",
    "BuyerTradeParty/URIUniversalCommunication": "BT-49",
    "BuyerTradeParty/PostalTradeAddress": "BG-8",
    "PayeeTradeParty": "BG-10",
    "ApplicableHeaderTradeDelivery": "BG-13",
    "ActualDeliverySupplyChainEvent": "BT-72",
    "ApplicableHeaderTradeSettlement/InvoiceCurrencyCode": "BT-5",
    "SpecifiedTradeSettlementPaymentMeans": "BG-16",
    "SpecifiedTradeSettlementPaymentMeans/TypeCode": "BT-81",
    "PayeePartyCreditorFinancialAccount": "BT-84",
    "ApplicableHeaderTradeSettlement/ApplicableTradeTax": "BG-23",
    "ApplicableHeaderTradeSettlement/BillingSpecifiedPeriod": "BG-14",
    "SpecifiedTradePaymentTerms/Description": "BT-20",
    "SpecifiedTradePaymentTerms/DueDateDateTime": "BT-9",
    "SpecifiedTradeSettlementHeaderMonetarySummation": "BG-22",
    "SpecifiedTradeSettlementHeaderMonetarySummation/LineTotalAmount": "BT-106",
    "SpecifiedTradeSettlementHeaderMonetarySummation/AllowanceTotalAmount": "BT-107",
    "SpecifiedTradeSettlementHeaderMonetarySummation/ChargeTotalAmount": "BT-108",
    "SpecifiedTradeSettlementHeaderMonetarySummation/TaxBasisTotalAmount": "BT-109",
    "SpecifiedTradeSettlementHeaderMonetarySummation/TaxTotalAmount": "BT-110",
    "SpecifiedTradeSettlementHeaderMonetarySummation/GrandTotalAmount": "BT-112",
    "SpecifiedTradeSettlementHeaderMonetarySummation/TotalPrepaidAmount": "BT-113",
    "SpecifiedTradeSettlementHeaderMonetarySummation/RoundingAmount": "BT-114",
    "SpecifiedTradeSettlementHeaderMonetarySummation/DuePayableAmount": "BT-115",
    "InvoiceReferencedDocument": "BG-3",
    "IncludedSupplyChainTradeLineItem": "BG-25",
    "AssociatedDocumentLineDocument/LineID": "BT-126",
    "SpecifiedLineTradeDelivery/BilledQuantity": "BT-129",
    "NetPriceProductTradePrice/ChargeAmount": "BT-146",
    "GrossPriceProductTradePrice": "BT-148",
    "SpecifiedTradeProduct/Name": "BT-153",
    "SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount": "BT-131",
    "SpecifiedLineTradeSettlement/ApplicableTradeTax": "BG-30",
    "ApplicableTradeTax/CategoryCode": "BT-118",
    "ApplicableTradeTax/RateApplicablePercent": "BT-119",
}
_UBL: Final[Mapping[str, str]] = {
    "Invoice/ID": "BT-1",
    "CreditNote/ID": "BT-1",
    "Invoice/IssueDate": "BT-2",
    "CreditNote/IssueDate": "BT-2",
    "InvoiceTypeCode": "BT-3",
    "CreditNoteTypeCode": "BT-3",
    "Invoice/Note": "BG-1",
    "CreditNote/Note": "BG-1",
    "DocumentCurrencyCode": "BT-5",
    "TaxCurrencyCode": "BT-6",
    "Invoice/DueDate": "BT-9",
    "BuyerReference": "BT-10",
    "ContractDocumentReference": "BT-12",
    "OrderReference": "BT-13",
    "PaymentTerms": "BT-20",
    "ProfileID": "BT-23",
    "CustomizationID": "BT-24",
    "BillingReference": "BG-3",
    "AccountingSupplierParty": "BG-4",
    "AccountingSupplierParty/Party/PartyIdentification": "BT-29",
    "AccountingSupplierParty/Party/PartyLegalEntity/CompanyID": "BT-30",
    "AccountingSupplierParty/Party/PartyTaxScheme": "BT-31",
    "AccountingSupplierParty/Party/EndpointID": "BT-34",
    "AccountingSupplierParty/Party/PostalAddress": "BG-5",
    "AccountingCustomerParty": "BG-7",
    "AccountingCustomerParty/Party/PartyIdentification": "BT-46",
    "AccountingCustomerParty/Party/PartyLegalEntity/CompanyID": "BT-47",
    "AccountingCustomerParty/Party/PartyTaxScheme": "BT-48",
    "AccountingCustomerParty/Party/EndpointID": "BT-49",
    "AccountingCustomerParty/Party/PostalAddress": "BG-8",
    "PayeeParty": "BG-10",
    "TaxRepresentativeParty": "BG-11",
    "Delivery": "BG-13",
    "Delivery/ActualDeliveryDate": "BT-72",
    "Invoice/InvoicePeriod": "BG-14",
    "CreditNote/InvoicePeriod": "BG-14",
    "PaymentMeans": "BG-16",
    "PaymentMeans/PaymentMeansCode": "BT-81",
    "PayeeFinancialAccount/ID": "BT-84",
    "Invoice/TaxTotal": "BT-110",
    "CreditNote/TaxTotal": "BT-110",
    "TaxSubtotal": "BG-23",
    "TaxSubtotal/TaxableAmount": "BT-116",
    "TaxSubtotal/TaxAmount": "BT-117",
    "TaxCategory/Percent": "BT-119",
    "LegalMonetaryTotal": "BG-22",
    "LegalMonetaryTotal/LineExtensionAmount": "BT-106",
    "LegalMonetaryTotal/AllowanceTotalAmount": "BT-107",
    "LegalMonetaryTotal/ChargeTotalAmount": "BT-108",
    "LegalMonetaryTotal/TaxExclusiveAmount": "BT-109",
    "LegalMonetaryTotal/TaxInclusiveAmount": "BT-112",
    "LegalMonetaryTotal/PrepaidAmount": "BT-113",
    "LegalMonetaryTotal/PayableRoundingAmount": "BT-114",
    "LegalMonetaryTotal/PayableAmount": "BT-115",
    "AdditionalDocumentReference": "BG-24",
    "InvoiceLine": "BG-25",
    "CreditNoteLine": "BG-25",
    "InvoiceLine/ID": "BT-126",
    "CreditNoteLine/ID": "BT-126",
    "InvoicedQuantity": "BT-129",
    "CreditedQuantity": "BT-129",
    "InvoiceLine/LineExtensionAmount": "BT-131",
    "CreditNoteLine/LineExtensionAmount": "BT-131",
    "Price/PriceAmount": "BT-146",
    "Item/Name": "BT-153",
}
_TABLES: Final[Mapping[Kind, Mapping[str, str]]] = {
    Kind.CII: _CII,
    Kind.FACTURX: _CII,
    Kind.UBL_INVOICE: _UBL,
    Kind.UBL_CREDITNOTE: _UBL,
}
_STEP: Final = re.compile(r"(?:[^/:]*:)?([^/\[]+)(?:\[[0-9]+\])?")
_LONGEST_KEY: Final = max(key.count("/") + 1 for table in (_CII, _UBL) for key in table)


def term_at(kind: Kind, path: str, child: str = "") -> str:
    """The term at `path` (with `child` inside, when that is what is missing), or of what stands around it; "" else.

    >>> term_at(Kind.UBL_INVOICE, "/*/cac:LegalMonetaryTotal/cbc:PayableAmount")
    'BT-115'
    """
    table = _TABLES.get(kind, {})
    steps = _STEP.findall(path) + ([child] if child else [])
    for end in range(len(steps), max(len(steps) - 3, 0), -1):  # the place itself, else its near surroundings
        for start in range(max(end - _LONGEST_KEY, 0), end):
            term = table.get("/".join(steps[start:end]))
            if term:
                return term
    return ""
