"""UBL to terms: every field of the document, hostile values, and ten thousand lines."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from gateway.domain import routing
from gateway.domain.document import (
    Attachment,
    Document,
    Identifier,
    Kind,
    Party,
    Preceding,
    Profile,
    Totals,
    VatLine,
)
from gateway.domain.finding import Finding, Severity
from gateway.parsers.invoice_xml import read_invoice_xml

SCHEMA = "urn:oasis:names:specification:ubl:schema:xsd:"
NAMESPACES = f'xmlns:cac="{SCHEMA}CommonAggregateComponents-2" xmlns:cbc="{SCHEMA}CommonBasicComponents-2"'


def ubl(body: str, root: str = "Invoice") -> bytes:
    declaration = '<?xml version="1.0" encoding="UTF-8"?>'
    return f'{declaration}\n<{root} xmlns="{SCHEMA}{root}-2" {NAMESPACES}>\n{body}</{root}>'.encode()


def read(body: str, root: str = "Invoice") -> Document:
    reading = read_invoice_xml(ubl(body, root))
    assert reading.tree is not None
    return reading.document


def findings(body: str) -> tuple[Finding, ...]:
    return read_invoice_xml(ubl(body)).findings


FULL = """<cbc:CustomizationID>urn:cen.eu:en16931:2017</cbc:CustomizationID>
<cbc:ProfileID>A9</cbc:ProfileID>
<cbc:ID> F-2026-001 </cbc:ID>
<cbc:IssueDate>2026-01-31</cbc:IssueDate>
<cbc:DueDate>2026-03-02</cbc:DueDate>
<cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode>
<cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>
<cbc:TaxCurrencyCode>XPF</cbc:TaxCurrencyCode>
<cbc:BuyerReference>SERVICE1</cbc:BuyerReference>
<cac:InvoicePeriod><cbc:StartDate>2026-01-01</cbc:StartDate><cbc:EndDate>2026-01-31</cbc:EndDate></cac:InvoicePeriod>
<cac:OrderReference><cbc:ID>1501966748</cbc:ID><cbc:SalesOrderID>no</cbc:SalesOrderID></cac:OrderReference>
<cac:BillingReference><cac:InvoiceDocumentReference><cbc:ID>F-1</cbc:ID><cbc:IssueDate>2025-12-01</cbc:IssueDate>
</cac:InvoiceDocumentReference></cac:BillingReference>
<cac:ContractDocumentReference><cbc:ID>MARCHE-7</cbc:ID></cac:ContractDocumentReference>
<cac:AdditionalDocumentReference><cbc:ID>INV-OBJ</cbc:ID><cbc:DocumentTypeCode>130</cbc:DocumentTypeCode>
</cac:AdditionalDocumentReference>
<cac:AdditionalDocumentReference><cbc:ID>BL7</cbc:ID><cbc:DocumentDescription>Bon</cbc:DocumentDescription>
<cac:Attachment><cbc:EmbeddedDocumentBinaryObject mimeCode="application/pdf" filename="bl.pdf">
QUJDRA==</cbc:EmbeddedDocumentBinaryObject></cac:Attachment></cac:AdditionalDocumentReference>
<cac:AdditionalDocumentReference><cbc:ID>EXT</cbc:ID><cac:Attachment><cac:ExternalReference>
<cbc:URI>https://example.org/x.pdf</cbc:URI></cac:ExternalReference></cac:Attachment></cac:AdditionalDocumentReference>
<cac:AccountingSupplierParty><cac:Party><cbc:EndpointID schemeID="0225">123456782</cbc:EndpointID>
<cac:PartyIdentification><cbc:ID schemeID="0009">12345678200010</cbc:ID></cac:PartyIdentification>
<cac:PartyIdentification><cbc:ID schemeID="SEPA">FR00ZZZ123</cbc:ID></cac:PartyIdentification>
<cac:PartyName><cbc:Name>Enseigne</cbc:Name></cac:PartyName>
<cac:PartyTaxScheme><cbc:CompanyID>LOCAL</cbc:CompanyID><cac:TaxScheme><cbc:ID>TAX</cbc:ID></cac:TaxScheme>
</cac:PartyTaxScheme>
<cac:PartyTaxScheme><cbc:CompanyID>FR12123456782</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>
</cac:PartyTaxScheme><cac:PartyLegalEntity><cbc:RegistrationName>Vendeur SA</cbc:RegistrationName>
<cbc:CompanyID schemeID="0002">123456782</cbc:CompanyID></cac:PartyLegalEntity></cac:Party>
</cac:AccountingSupplierParty>
<cac:AccountingCustomerParty><cac:Party><cac:PartyName><cbc:Name>Mairie</cbc:Name></cac:PartyName>
</cac:Party></cac:AccountingCustomerParty>
<cac:Delivery><cbc:ActualDeliveryDate>2026-01-30</cbc:ActualDeliveryDate></cac:Delivery>
<cac:PaymentMeans><cbc:PaymentMeansCode>30</cbc:PaymentMeansCode>
<cac:PayeeFinancialAccount><cbc:ID>FR7630006000011234567890189</cbc:ID></cac:PayeeFinancialAccount></cac:PaymentMeans>
<cac:PaymentMeans><cbc:PaymentMeansCode>30</cbc:PaymentMeansCode></cac:PaymentMeans>
<cac:PaymentTerms><cbc:Note>30 jours</cbc:Note></cac:PaymentTerms>
<cac:TaxTotal><cbc:TaxAmount currencyID="XPF">2386.63</cbc:TaxAmount></cac:TaxTotal>
<cac:TaxTotal><cbc:TaxAmount currencyID="EUR">20.00</cbc:TaxAmount><cac:TaxSubtotal>
<cbc:TaxableAmount currencyID="EUR">100.00</cbc:TaxableAmount><cbc:TaxAmount currencyID="EUR">20.00</cbc:TaxAmount>
<cac:TaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>20</cbc:Percent>
<cbc:TaxExemptionReasonCode>VATEX-X</cbc:TaxExemptionReasonCode></cac:TaxCategory></cac:TaxSubtotal></cac:TaxTotal>
<cac:LegalMonetaryTotal><cbc:LineExtensionAmount>90.00</cbc:LineExtensionAmount>
<cbc:TaxExclusiveAmount>100.00</cbc:TaxExclusiveAmount><cbc:TaxInclusiveAmount>120.00</cbc:TaxInclusiveAmount>
<cbc:AllowanceTotalAmount>5</cbc:AllowanceTotalAmount><cbc:ChargeTotalAmount>15</cbc:ChargeTotalAmount>
<cbc:PrepaidAmount>1</cbc:PrepaidAmount><cbc:PayableRoundingAmount>0.01</cbc:PayableRoundingAmount>
<cbc:PayableAmount>119.01</cbc:PayableAmount></cac:LegalMonetaryTotal>
<cac:InvoiceLine><cbc:ID>1</cbc:ID></cac:InvoiceLine><cac:InvoiceLine/>"""


def test_every_term_of_an_invoice_is_read_from_its_place() -> None:
    document = read(FULL)

    lines = dict(document.source_lines)
    assert document == Document(
        kind=Kind.UBL_INVOICE,
        profile=Profile.LEGACY,
        number="F-2026-001",
        issued=date(2026, 1, 31),
        type_code="380",
        currency="EUR",
        due=date(2026, 3, 2),
        buyer_reference="SERVICE1",
        contract="MARCHE-7",
        order="1501966748",
        payment_terms="30 jours",
        process="A9",
        guideline="urn:cen.eu:en16931:2017",
        preceding=(Preceding("F-1", date(2025, 12, 1)),),
        seller=Party(
            "Vendeur SA",
            (Identifier("12345678200010", "0009"),),
            Identifier("123456782", "0002"),
            "FR12123456782",
            Identifier("123456782", "0225"),
        ),
        buyer=Party("Mairie"),
        delivered=date(2026, 1, 30),
        period_start=date(2026, 1, 1),
        period_end=date(2026, 1, 31),
        payment_means=("30",),
        accounts=("FR7630006000011234567890189",),
        totals=Totals(
            *map(Decimal, ("90.00", "5", "15", "100.00", "20.00", "2386.63", "120.00", "1", "0.01", "119.01"))
        ),
        vat_lines=(VatLine(Decimal("100.00"), Decimal("20.00"), "S", Decimal("20"), "VATEX-X"),),
        line_count=2,
        attachments=(
            Attachment("bl.pdf", "BL7", "Bon", "application/pdf", 4),
            Attachment("https://example.org/x.pdf", "EXT", embedded=False),
        ),
        source_lines=lines,
    )


def test_the_line_of_each_term_is_where_it_stands_in_the_file() -> None:
    document = read(FULL)
    text = ubl(FULL).decode().splitlines()

    for term, word in {"BT-1": "F-2026-001", "BT-13": "1501966748", "BT-112": "120.00", "BT-110": "20.00"}.items():
        line = document.line_of(term)
        assert line is not None and word in text[line - 1]
    assert document.line_of("BT-47") is None


def test_a_credit_note_has_its_own_places_for_type_due_date_and_lines() -> None:
    document = read(
        "<cbc:ID>A1</cbc:ID><cbc:CreditNoteTypeCode>381</cbc:CreditNoteTypeCode><cac:PaymentMeans>"
        "<cbc:PaymentDueDate>2026-02-01</cbc:PaymentDueDate></cac:PaymentMeans><cac:CreditNoteLine/>",
        root="CreditNote",
    )
    assert (document.kind, document.type_code, document.due, document.line_count) == (
        Kind.UBL_CREDITNOTE,
        "381",
        date(2026, 2, 1),
        1,
    )
    assert document.is_credit_note


def test_a_legacy_siret_in_party_identification_reaches_routing() -> None:
    identifier = '<cbc:ID schemeID="1">12345678200010</cbc:ID>'
    party = f"<cac:Party><cac:PartyIdentification>{identifier}</cac:PartyIdentification></cac:Party>"
    document = read(
        f"<cac:AccountingSupplierParty>{party}</cac:AccountingSupplierParty>"
        f"<cac:AccountingCustomerParty>{party}</cac:AccountingCustomerParty>"
    )
    assert routing.seller_siret(document).value == routing.buyer_siret(document).value == "12345678200010"
    assert document.profile is Profile.LEGACY


@pytest.mark.parametrize(
    ("body", "term", "raw"),
    [
        ("<cbc:IssueDate>2023-13-45</cbc:IssueDate>", "BT-2", "2023-13-45"),
        (
            "<cac:LegalMonetaryTotal><cbc:PayableAmount>-1 324,60</cbc:PayableAmount></cac:LegalMonetaryTotal>",
            "BT-115",
            "-1 324,60",
        ),
    ],
)
def test_a_value_that_cannot_be_read_leaves_the_term_empty_and_is_told(body: str, term: str, raw: str) -> None:
    (finding,) = findings(f"<cbc:ID>F1</cbc:ID>\n{body}")

    assert (finding.rule, finding.severity, finding.term) == ("INTAKE-TERM-UNREADABLE", Severity.WARNING, term)
    assert raw in finding.message.fr and raw in finding.message.en
    assert finding.line == 4
    document = read(body)
    assert document.issued is None and document.totals.due is None


def test_hostile_values_make_no_forged_and_no_endless_message() -> None:
    (finding,) = findings("<cbc:IssueDate>x\n1;2;3\u202e" + "y" * 1_000_000 + "</cbc:IssueDate>")

    assert "\n" not in finding.message.fr and "\u202e" not in finding.message.fr
    assert len(finding.message.fr) < 500


def test_a_file_of_nothing_but_faults_makes_a_bounded_report() -> None:
    subtotal = "<cac:TaxSubtotal><cbc:TaxAmount>x</cbc:TaxAmount></cac:TaxSubtotal>"
    assert len(findings(f"<cac:TaxTotal>{subtotal * 5000}</cac:TaxTotal>")) == 50


def test_a_routing_term_given_twice_with_different_values_is_told() -> None:
    body = "".join(f"<cac:OrderReference><cbc:ID>{ej}</cbc:ID></cac:OrderReference>" for ej in ("EJ1", "EJ1", "EJ2"))

    (finding,) = findings(body)

    assert (finding.rule, finding.term) == ("INTAKE-TERM-REPEATED", "BT-13")
    assert read(body).order == "EJ1"


def test_a_vat_total_in_neither_currency_is_no_vat_total() -> None:
    document = read(
        "<cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>"
        '<cac:TaxTotal><cbc:TaxAmount currencyID="USD">1</cbc:TaxAmount></cac:TaxTotal>'
    )
    assert document.totals.vat is None and document.totals.vat_accounting is None


def test_ten_thousand_lines_are_counted_and_nothing_in_them_is_taken_for_a_header_term() -> None:
    line = (
        "<cac:InvoiceLine><cbc:ID>1</cbc:ID><cac:OrderLineReference><cac:OrderReference><cbc:ID>LINE</cbc:ID>"
        "</cac:OrderReference></cac:OrderLineReference><cac:TaxTotal><cbc:TaxAmount>9</cbc:TaxAmount></cac:TaxTotal>"
        "</cac:InvoiceLine>"
    )
    document = read("<cbc:ID>F1</cbc:ID>" + line * 10_000)

    assert (document.line_count, document.number, document.order, document.totals.vat) == (10_000, "F1", "", None)


def test_an_empty_invoice_reads_as_absent_terms() -> None:
    assert read("") == Document(kind=Kind.UBL_INVOICE)
