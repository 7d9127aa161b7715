"""UBL 2.1 invoices and credit notes, written as text: fast enough for twenty thousand in a benchmark."""

from __future__ import annotations

from typing import Final, NamedTuple
from xml.sax.saxutils import escape

from gateway.demo.spec import Company, InvoiceSpec, Line, Profile, VatGroup, plain

_GUIDELINE: Final = "urn:cen.eu:en16931:2017"


class _Words(NamedTuple):
    """What differs between an invoice and a credit note."""

    root: str
    type_code: str
    line: str
    quantity: str


_INVOICE: Final = _Words("Invoice", "380", "InvoiceLine", "InvoicedQuantity")
_CREDIT_NOTE: Final = _Words("CreditNote", "381", "CreditNoteLine", "CreditedQuantity")


def ubl_invoice(spec: InvoiceSpec) -> bytes:
    """A UBL Invoice (380)."""
    return _document(spec, _INVOICE)


def ubl_credit_note(spec: InvoiceSpec) -> bytes:
    """A UBL CreditNote (381)."""
    return _document(spec, _CREDIT_NOTE)


def _document(spec: InvoiceSpec, words: _Words) -> bytes:
    invoice = words is _INVOICE
    due = f"\n  <cbc:DueDate>{spec.due}</cbc:DueDate>" if invoice else ""
    notes = "".join(f"\n  <cbc:Note>#{code}#{escape(text)}</cbc:Note>" for code, text in spec.notes)
    groups = "".join(_vat_group(group) for group in spec.vat_groups)
    lines = "".join(_line(number, line, words) for number, line in enumerate(spec.lines, 1))
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<{words.root} xmlns="urn:oasis:names:specification:ubl:schema:xsd:{words.root}-2"
  xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
  xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
  <cbc:CustomizationID>{_GUIDELINE}</cbc:CustomizationID>
  <cbc:ProfileID>{escape(spec.cadre)}</cbc:ProfileID>
  <cbc:ID>{escape(spec.number)}</cbc:ID>
  <cbc:IssueDate>{spec.issued}</cbc:IssueDate>{due}
  <cbc:{words.root}TypeCode>{words.type_code}</cbc:{words.root}TypeCode>{notes}
  <cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>{_references(spec)}
  <cac:AccountingSupplierParty>{_party(spec.seller, spec.profile)}
  </cac:AccountingSupplierParty>
  <cac:AccountingCustomerParty>{_party(spec.buyer, spec.profile)}
  </cac:AccountingCustomerParty>
  <cac:Delivery>
    <cbc:ActualDeliveryDate>{spec.issued}</cbc:ActualDeliveryDate>
  </cac:Delivery>{_payment(spec)}
  <cac:TaxTotal>
    <cbc:TaxAmount currencyID="EUR">{spec.vat}</cbc:TaxAmount>{groups}
  </cac:TaxTotal>
  <cac:LegalMonetaryTotal>
    <cbc:LineExtensionAmount currencyID="EUR">{spec.net}</cbc:LineExtensionAmount>
    <cbc:TaxExclusiveAmount currencyID="EUR">{spec.net}</cbc:TaxExclusiveAmount>
    <cbc:TaxInclusiveAmount currencyID="EUR">{spec.gross}</cbc:TaxInclusiveAmount>
    <cbc:PayableAmount currencyID="EUR">{spec.gross}</cbc:PayableAmount>
  </cac:LegalMonetaryTotal>{lines}
</{words.root}>
""".encode()


def _references(spec: InvoiceSpec) -> str:
    parts = []
    if spec.service:
        parts.append(f"<cbc:BuyerReference>{escape(spec.service)}</cbc:BuyerReference>")
    if spec.ej:
        parts.append(f"<cac:OrderReference><cbc:ID>{escape(spec.ej)}</cbc:ID></cac:OrderReference>")
    if spec.credits:
        number, issued = spec.credits
        parts.append(
            f"<cac:BillingReference><cac:InvoiceDocumentReference><cbc:ID>{escape(number)}</cbc:ID>"
            f"<cbc:IssueDate>{issued}</cbc:IssueDate></cac:InvoiceDocumentReference></cac:BillingReference>"
        )
    if spec.contract:
        parts.append(
            f"<cac:ContractDocumentReference><cbc:ID>{escape(spec.contract)}</cbc:ID></cac:ContractDocumentReference>"
        )
    return "".join(f"\n  {part}" for part in parts)


def _party(company: Company, profile: Profile) -> str:
    """Legacy: the SIRET where Chorus Pro looks for it. Reform: SIREN, SIRET under 0009, electronic address."""
    reform = profile is Profile.REFORM
    endpoint = f'\n      <cbc:EndpointID schemeID="0225">{company.siren}</cbc:EndpointID>' if reform else ""
    scheme, legal = ("0009", company.siren) if reform else ("0002", company.siret)
    return f"""
    <cac:Party>{endpoint}
      <cac:PartyIdentification><cbc:ID schemeID="{scheme}">{company.siret}</cbc:ID></cac:PartyIdentification>
      <cac:PostalAddress>
        <cbc:StreetName>{escape(company.street)}</cbc:StreetName>
        <cbc:CityName>{escape(company.city)}</cbc:CityName>
        <cbc:PostalZone>{company.postcode}</cbc:PostalZone>
        <cac:Country><cbc:IdentificationCode>FR</cbc:IdentificationCode></cac:Country>
      </cac:PostalAddress>
      <cac:PartyTaxScheme>
        <cbc:CompanyID>{company.vat}</cbc:CompanyID>
        <cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>
      </cac:PartyTaxScheme>
      <cac:PartyLegalEntity>
        <cbc:RegistrationName>{escape(company.name)}</cbc:RegistrationName>
        <cbc:CompanyID schemeID="0002">{legal}</cbc:CompanyID>
      </cac:PartyLegalEntity>
    </cac:Party>"""


def _payment(spec: InvoiceSpec) -> str:
    if not spec.payment_means:
        return ""
    account = spec.seller.iban
    payee = f"<cac:PayeeFinancialAccount><cbc:ID>{account}</cbc:ID></cac:PayeeFinancialAccount>" if account else ""
    return f"""
  <cac:PaymentMeans>
    <cbc:PaymentMeansCode>{spec.payment_means}</cbc:PaymentMeansCode>{payee}
  </cac:PaymentMeans>
  <cac:PaymentTerms><cbc:Note>Paiement à 30 jours</cbc:Note></cac:PaymentTerms>"""


def _vat_group(group: VatGroup) -> str:
    return f"""
    <cac:TaxSubtotal>
      <cbc:TaxableAmount currencyID="EUR">{group.base}</cbc:TaxableAmount>
      <cbc:TaxAmount currencyID="EUR">{group.tax}</cbc:TaxAmount>
      <cac:TaxCategory>
        <cbc:ID>S</cbc:ID>
        <cbc:Percent>{plain(group.rate)}</cbc:Percent>
        <cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>
      </cac:TaxCategory>
    </cac:TaxSubtotal>"""


def _line(number: int, line: Line, words: _Words) -> str:
    return f"""
  <cac:{words.line}>
    <cbc:ID>{number}</cbc:ID>
    <cbc:{words.quantity} unitCode="C62">{plain(line.quantity)}</cbc:{words.quantity}>
    <cbc:LineExtensionAmount currencyID="EUR">{line.net}</cbc:LineExtensionAmount>
    <cac:Item>
      <cbc:Name>{escape(line.item)}</cbc:Name>
      <cac:ClassifiedTaxCategory>
        <cbc:ID>S</cbc:ID>
        <cbc:Percent>{plain(line.vat_rate)}</cbc:Percent>
        <cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>
      </cac:ClassifiedTaxCategory>
    </cac:Item>
    <cac:Price><cbc:PriceAmount currencyID="EUR">{line.price}</cbc:PriceAmount></cac:Price>
  </cac:{words.line}>"""
