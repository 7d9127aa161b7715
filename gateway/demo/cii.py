"""CII invoices and credit notes (valid against D22B and against Factur-X EN 16931), written as text."""

from __future__ import annotations

from datetime import date
from typing import Final
from xml.sax.saxutils import escape

from gateway.demo.spec import Company, InvoiceSpec, Line, Profile, VatGroup, plain

_GUIDELINE: Final = "urn:cen.eu:en16931:2017"


def cii_invoice(spec: InvoiceSpec) -> bytes:
    """A CII invoice, or a credit note where `spec.credits` is given."""
    notes = "".join(
        f"<ram:IncludedNote><ram:Content>{escape(text)}</ram:Content><ram:SubjectCode>{code}</ram:SubjectCode>"
        "</ram:IncludedNote>"
        for code, text in spec.notes
    )
    lines = "".join(_line(number, line) for number, line in enumerate(spec.lines, 1))
    groups = "".join(_vat_group(group) for group in spec.vat_groups)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<rsm:CrossIndustryInvoice xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
  xmlns:ram="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
  xmlns:qdt="urn:un:unece:uncefact:data:standard:QualifiedDataType:100"
  xmlns:udt="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100">
  <rsm:ExchangedDocumentContext>
    <ram:BusinessProcessSpecifiedDocumentContextParameter>
      <ram:ID>{escape(spec.cadre)}</ram:ID>
    </ram:BusinessProcessSpecifiedDocumentContextParameter>
    <ram:GuidelineSpecifiedDocumentContextParameter><ram:ID>{_GUIDELINE}</ram:ID>
    </ram:GuidelineSpecifiedDocumentContextParameter>
  </rsm:ExchangedDocumentContext>
  <rsm:ExchangedDocument>
    <ram:ID>{escape(spec.number)}</ram:ID>
    <ram:TypeCode>{"381" if spec.credits else "380"}</ram:TypeCode>
    <ram:IssueDateTime>{_day(spec.issued)}</ram:IssueDateTime>{notes}
  </rsm:ExchangedDocument>
  <rsm:SupplyChainTradeTransaction>{lines}
    <ram:ApplicableHeaderTradeAgreement>{_tag("BuyerReference", spec.service)}
      <ram:SellerTradeParty>{_party(spec.seller, spec.profile)}
      </ram:SellerTradeParty>
      <ram:BuyerTradeParty>{_party(spec.buyer, spec.profile)}
      </ram:BuyerTradeParty>{_reference("BuyerOrder", spec.ej)}{_reference("Contract", spec.contract)}
    </ram:ApplicableHeaderTradeAgreement>
    <ram:ApplicableHeaderTradeDelivery>
      <ram:ActualDeliverySupplyChainEvent>
        <ram:OccurrenceDateTime>{_day(spec.issued)}</ram:OccurrenceDateTime>
      </ram:ActualDeliverySupplyChainEvent>
    </ram:ApplicableHeaderTradeDelivery>
    <ram:ApplicableHeaderTradeSettlement>
      <ram:InvoiceCurrencyCode>EUR</ram:InvoiceCurrencyCode>{_payment(spec)}{groups}
      <ram:SpecifiedTradePaymentTerms>
        <ram:DueDateDateTime>{_day(spec.due)}</ram:DueDateDateTime>
      </ram:SpecifiedTradePaymentTerms>
      <ram:SpecifiedTradeSettlementHeaderMonetarySummation>
        <ram:LineTotalAmount>{spec.net}</ram:LineTotalAmount>
        <ram:TaxBasisTotalAmount>{spec.net}</ram:TaxBasisTotalAmount>
        <ram:TaxTotalAmount currencyID="EUR">{spec.vat}</ram:TaxTotalAmount>
        <ram:GrandTotalAmount>{spec.gross}</ram:GrandTotalAmount>
        <ram:DuePayableAmount>{spec.gross}</ram:DuePayableAmount>
      </ram:SpecifiedTradeSettlementHeaderMonetarySummation>{_credited(spec)}
    </ram:ApplicableHeaderTradeSettlement>
  </rsm:SupplyChainTradeTransaction>
</rsm:CrossIndustryInvoice>
""".encode()


def _day(day: date) -> str:
    return f'<udt:DateTimeString format="102">{day:%Y%m%d}</udt:DateTimeString>'


def _tag(name: str, value: str) -> str:
    return f"\n      <ram:{name}>{escape(value)}</ram:{name}>" if value else ""


def _reference(kind: str, number: str) -> str:
    if not number:
        return ""
    return f"""
      <ram:{kind}ReferencedDocument>
        <ram:IssuerAssignedID>{escape(number)}</ram:IssuerAssignedID>
      </ram:{kind}ReferencedDocument>"""


def _party(company: Company, profile: Profile) -> str:
    """Legacy: the SIRET as legal identifier. Reform: SIREN there, SIRET under 0009, electronic address."""
    reform = profile is Profile.REFORM
    siret = f'\n        <ram:GlobalID schemeID="0009">{company.siret}</ram:GlobalID>' if reform else ""
    legal = company.siren if reform else company.siret
    address = (
        "\n        <ram:URIUniversalCommunication>"
        f'<ram:URIID schemeID="0225">{company.siren}</ram:URIID></ram:URIUniversalCommunication>'
    )
    return f"""{siret}
        <ram:Name>{escape(company.name)}</ram:Name>
        <ram:SpecifiedLegalOrganization><ram:ID schemeID="0002">{legal}</ram:ID></ram:SpecifiedLegalOrganization>
        <ram:PostalTradeAddress>
          <ram:PostcodeCode>{company.postcode}</ram:PostcodeCode>
          <ram:LineOne>{escape(company.street)}</ram:LineOne>
          <ram:CityName>{escape(company.city)}</ram:CityName>
          <ram:CountryID>FR</ram:CountryID>
        </ram:PostalTradeAddress>{address if reform else ""}
        <ram:SpecifiedTaxRegistration><ram:ID schemeID="VA">{company.vat}</ram:ID></ram:SpecifiedTaxRegistration>"""


def _payment(spec: InvoiceSpec) -> str:
    if not spec.payment_means:
        return ""
    account = spec.seller.iban
    payee = (
        f"<ram:PayeePartyCreditorFinancialAccount><ram:IBANID>{account}</ram:IBANID>"
        "</ram:PayeePartyCreditorFinancialAccount>"
    )
    return f"""
      <ram:SpecifiedTradeSettlementPaymentMeans>
        <ram:TypeCode>{spec.payment_means}</ram:TypeCode>{payee if account else ""}
      </ram:SpecifiedTradeSettlementPaymentMeans>"""


def _vat_group(group: VatGroup) -> str:
    return f"""
      <ram:ApplicableTradeTax>
        <ram:CalculatedAmount>{group.tax}</ram:CalculatedAmount>
        <ram:TypeCode>VAT</ram:TypeCode>
        <ram:BasisAmount>{group.base}</ram:BasisAmount>
        <ram:CategoryCode>S</ram:CategoryCode>
        <ram:RateApplicablePercent>{plain(group.rate)}</ram:RateApplicablePercent>
      </ram:ApplicableTradeTax>"""


def _credited(spec: InvoiceSpec) -> str:
    if not spec.credits:
        return ""
    number, issued = spec.credits
    return f"""
      <ram:InvoiceReferencedDocument>
        <ram:IssuerAssignedID>{escape(number)}</ram:IssuerAssignedID>
        <ram:FormattedIssueDateTime><qdt:DateTimeString format="102">{issued:%Y%m%d}</qdt:DateTimeString>
        </ram:FormattedIssueDateTime>
      </ram:InvoiceReferencedDocument>"""


def _line(number: int, line: Line) -> str:
    return f"""
    <ram:IncludedSupplyChainTradeLineItem>
      <ram:AssociatedDocumentLineDocument><ram:LineID>{number}</ram:LineID></ram:AssociatedDocumentLineDocument>
      <ram:SpecifiedTradeProduct><ram:Name>{escape(line.item)}</ram:Name></ram:SpecifiedTradeProduct>
      <ram:SpecifiedLineTradeAgreement>
        <ram:NetPriceProductTradePrice><ram:ChargeAmount>{line.price}</ram:ChargeAmount></ram:NetPriceProductTradePrice>
      </ram:SpecifiedLineTradeAgreement>
      <ram:SpecifiedLineTradeDelivery>
        <ram:BilledQuantity unitCode="C62">{plain(line.quantity)}</ram:BilledQuantity>
      </ram:SpecifiedLineTradeDelivery>
      <ram:SpecifiedLineTradeSettlement>
        <ram:ApplicableTradeTax>
          <ram:TypeCode>VAT</ram:TypeCode>
          <ram:CategoryCode>S</ram:CategoryCode>
          <ram:RateApplicablePercent>{plain(line.vat_rate)}</ram:RateApplicablePercent>
        </ram:ApplicableTradeTax>
        <ram:SpecifiedTradeSettlementLineMonetarySummation>
          <ram:LineTotalAmount>{line.net}</ram:LineTotalAmount>
        </ram:SpecifiedTradeSettlementLineMonetarySummation>
      </ram:SpecifiedLineTradeSettlement>
    </ram:IncludedSupplyChainTradeLineItem>"""
