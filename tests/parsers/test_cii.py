"""CII to terms: every field, the State's own samples read independently, and legacy habits."""

from __future__ import annotations

import os
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

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
from gateway.parsers.invoice_xml import read_invoice_xml

CORPUS = Path(os.environ.get("GATEWAY_CORPUS", Path(__file__).resolve().parents[2] / ".." / "shared" / "corpus"))
STANDARD = "urn:un:unece:uncefact:data:standard:"
NAMESPACES = {
    "rsm": f"{STANDARD}CrossIndustryInvoice:100",
    "ram": f"{STANDARD}ReusableAggregateBusinessInformationEntity:100",
    "udt": f"{STANDARD}UnqualifiedDataType:100",
    "qdt": f"{STANDARD}QualifiedDataType:100",
}


def cii(
    context: str = "", document: str = "", agreement: str = "", delivery: str = "", settlement: str = "", lines: int = 0
) -> bytes:
    declared = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())
    line = (
        "<ram:IncludedSupplyChainTradeLineItem><ram:SpecifiedLineTradeAgreement><ram:BuyerOrderReferencedDocument>"
        "<ram:IssuerAssignedID>LINE</ram:IssuerAssignedID></ram:BuyerOrderReferencedDocument>"
        "</ram:SpecifiedLineTradeAgreement></ram:IncludedSupplyChainTradeLineItem>"
    )
    return f"""<rsm:CrossIndustryInvoice {declared}>
<rsm:ExchangedDocumentContext>{context}</rsm:ExchangedDocumentContext>
<rsm:ExchangedDocument>{document}</rsm:ExchangedDocument>
<rsm:SupplyChainTradeTransaction>{line * lines}
<ram:ApplicableHeaderTradeAgreement>{agreement}</ram:ApplicableHeaderTradeAgreement>
<ram:ApplicableHeaderTradeDelivery>{delivery}</ram:ApplicableHeaderTradeDelivery>
<ram:ApplicableHeaderTradeSettlement>{settlement}</ram:ApplicableHeaderTradeSettlement>
</rsm:SupplyChainTradeTransaction></rsm:CrossIndustryInvoice>""".encode()


def day(tag: str, text: str, attributes: str = ' format="102"') -> str:
    return f"<ram:{tag}><udt:DateTimeString{attributes}>{text}</udt:DateTimeString></ram:{tag}>"


def test_every_term_of_an_invoice_is_read_from_its_place() -> None:
    content = cii(
        context="<ram:BusinessProcessSpecifiedDocumentContextParameter><ram:ID>S1</ram:ID>"
        "</ram:BusinessProcessSpecifiedDocumentContextParameter><ram:GuidelineSpecifiedDocumentContextParameter>"
        "<ram:ID>urn:cen.eu:en16931:2017</ram:ID></ram:GuidelineSpecifiedDocumentContextParameter>",
        document="<ram:ID>F1</ram:ID><ram:TypeCode>380</ram:TypeCode>" + day("IssueDateTime", "20260131"),
        agreement="<ram:BuyerReference>SERVICE1</ram:BuyerReference><ram:SellerTradeParty><ram:ID>S-1</ram:ID>"
        '<ram:GlobalID schemeID="0009">12345678200010</ram:GlobalID><ram:Name>Vendeur SA</ram:Name>'
        '<ram:SpecifiedLegalOrganization><ram:ID schemeID="0002">123456782</ram:ID></ram:SpecifiedLegalOrganization>'
        '<ram:URIUniversalCommunication><ram:URIID schemeID="0225">123456782</ram:URIID>'
        "</ram:URIUniversalCommunication>"
        '<ram:SpecifiedTaxRegistration><ram:ID schemeID="FC">LOCAL</ram:ID></ram:SpecifiedTaxRegistration>'
        '<ram:SpecifiedTaxRegistration><ram:ID schemeID="VA">FR12123456782</ram:ID></ram:SpecifiedTaxRegistration>'
        "</ram:SellerTradeParty><ram:BuyerTradeParty><ram:Name>Mairie</ram:Name></ram:BuyerTradeParty>"
        "<ram:BuyerOrderReferencedDocument><ram:IssuerAssignedID>1501966748</ram:IssuerAssignedID>"
        "</ram:BuyerOrderReferencedDocument><ram:ContractReferencedDocument>"
        "<ram:IssuerAssignedID>MARCHE-7</ram:IssuerAssignedID></ram:ContractReferencedDocument>"
        "<ram:AdditionalReferencedDocument><ram:IssuerAssignedID>OBJ</ram:IssuerAssignedID>"
        "<ram:TypeCode>130</ram:TypeCode></ram:AdditionalReferencedDocument>"
        "<ram:AdditionalReferencedDocument><ram:IssuerAssignedID>BL7</ram:IssuerAssignedID>"
        "<ram:TypeCode>916</ram:TypeCode><ram:Name>Bon</ram:Name>"
        '<ram:AttachmentBinaryObject mimeCode="application/pdf" filename="bl.pdf">QUJDRA==</ram:AttachmentBinaryObject>'
        "</ram:AdditionalReferencedDocument>",
        delivery="<ram:ActualDeliverySupplyChainEvent>"
        + day("OccurrenceDateTime", "20260130")
        + "</ram:ActualDeliverySupplyChainEvent>",
        settlement="<ram:TaxCurrencyCode>XPF</ram:TaxCurrencyCode><ram:InvoiceCurrencyCode>EUR</ram:InvoiceCurrencyCode>"
        "<ram:SpecifiedTradeSettlementPaymentMeans><ram:TypeCode>30</ram:TypeCode>"
        "<ram:PayeePartyCreditorFinancialAccount><ram:IBANID>FR7630006000011234567890189</ram:IBANID>"
        "<ram:ProprietaryID>other</ram:ProprietaryID></ram:PayeePartyCreditorFinancialAccount>"
        "</ram:SpecifiedTradeSettlementPaymentMeans><ram:SpecifiedTradeSettlementPaymentMeans>"
        "<ram:PayeePartyCreditorFinancialAccount><ram:ProprietaryID>4711</ram:ProprietaryID>"
        "</ram:PayeePartyCreditorFinancialAccount></ram:SpecifiedTradeSettlementPaymentMeans>"
        "<ram:ApplicableTradeTax><ram:CalculatedAmount>0</ram:CalculatedAmount>"
        "<ram:ExemptionReason>Exonération</ram:ExemptionReason><ram:BasisAmount>100.00</ram:BasisAmount>"
        "<ram:CategoryCode>E</ram:CategoryCode><ram:ExemptionReasonCode>VATEX-X</ram:ExemptionReasonCode>"
        "<ram:RateApplicablePercent>0</ram:RateApplicablePercent></ram:ApplicableTradeTax>"
        f"<ram:BillingSpecifiedPeriod>{day('StartDateTime', '20260101')}{day('EndDateTime', '20260131')}"
        "</ram:BillingSpecifiedPeriod><ram:SpecifiedTradePaymentTerms><ram:Description>30 jours</ram:Description>"
        f"{day('DueDateDateTime', '20260302')}</ram:SpecifiedTradePaymentTerms>"
        "<ram:SpecifiedTradeSettlementHeaderMonetarySummation><ram:LineTotalAmount>90.00</ram:LineTotalAmount>"
        "<ram:ChargeTotalAmount>15</ram:ChargeTotalAmount><ram:AllowanceTotalAmount>5</ram:AllowanceTotalAmount>"
        "<ram:TaxBasisTotalAmount>100.00</ram:TaxBasisTotalAmount>"
        '<ram:TaxTotalAmount currencyID="XPF">7</ram:TaxTotalAmount>'
        '<ram:TaxTotalAmount currencyID="EUR">0</ram:TaxTotalAmount>'
        "<ram:RoundingAmount>0.01</ram:RoundingAmount><ram:GrandTotalAmount>100.00</ram:GrandTotalAmount>"
        "<ram:TotalPrepaidAmount>1</ram:TotalPrepaidAmount><ram:DuePayableAmount>99.01</ram:DuePayableAmount>"
        "</ram:SpecifiedTradeSettlementHeaderMonetarySummation><ram:InvoiceReferencedDocument>"
        "<ram:IssuerAssignedID>F0</ram:IssuerAssignedID><ram:FormattedIssueDateTime>"
        '<qdt:DateTimeString format="102">20251201</qdt:DateTimeString></ram:FormattedIssueDateTime>'
        "</ram:InvoiceReferencedDocument>",
        lines=2,
    )

    reading = read_invoice_xml(content)

    assert reading.findings == ()
    assert reading.document == Document(
        kind=Kind.CII,
        profile=Profile.REFORM,
        number="F1",
        issued=date(2026, 1, 31),
        type_code="380",
        currency="EUR",
        due=date(2026, 3, 2),
        buyer_reference="SERVICE1",
        contract="MARCHE-7",
        order="1501966748",
        payment_terms="30 jours",
        process="S1",
        guideline="urn:cen.eu:en16931:2017",
        preceding=(Preceding("F0", date(2025, 12, 1)),),
        seller=Party(
            "Vendeur SA",
            (Identifier("S-1"), Identifier("12345678200010", "0009")),
            Identifier("123456782", "0002"),
            "FR12123456782",
            Identifier("123456782", "0225"),
        ),
        buyer=Party("Mairie"),
        delivered=date(2026, 1, 30),
        period_start=date(2026, 1, 1),
        period_end=date(2026, 1, 31),
        payment_means=("30",),
        accounts=("FR7630006000011234567890189", "4711"),
        totals=Totals(*map(Decimal, ("90.00", "5", "15", "100.00", "0", "7", "100.00", "1", "0.01", "99.01"))),
        vat_lines=(VatLine(Decimal("100.00"), Decimal("0"), "E", Decimal("0"), "Exonération"),),
        line_count=2,
        attachments=(Attachment("bl.pdf", "BL7", "Bon", "application/pdf", 4),),
        source_lines=dict(reading.document.source_lines),
    )


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (day("IssueDateTime", "20260131", ""), date(2026, 1, 31)),
        ("<ram:IssueDateTime><udt:DateTime>2026-01-31T10:00:00</udt:DateTime></ram:IssueDateTime>", date(2026, 1, 31)),
        (day("IssueDateTime", "202601", ' format="610"'), None),
        (day("IssueDateTime", "2026-01-31"), None),
        (day("IssueDateTime", "20260231"), None),
    ],
)
def test_a_date_is_read_without_format_as_the_state_writes_it_and_never_guessed(
    written: str, read: date | None
) -> None:
    reading = read_invoice_xml(cii(document=written))

    assert reading.document.issued == read
    assert [finding.rule for finding in reading.findings] == ([] if read else ["INTAKE-TERM-UNREADABLE"])


def test_a_cadre_written_as_guideline_is_the_process_unless_the_process_is_given() -> None:
    guideline, process = (
        f"<ram:{kind}SpecifiedDocumentContextParameter><ram:ID>{code}</ram:ID>"
        f"</ram:{kind}SpecifiedDocumentContextParameter>"
        for kind, code in (("Guideline", "A2"), ("BusinessProcess", "A1"))
    )

    alone = read_invoice_xml(cii(context=guideline)).document
    both = read_invoice_xml(cii(context=process + guideline)).document

    assert (alone.process, alone.guideline) == ("A2", "")
    assert (both.process, both.guideline) == ("A1", "")


def test_an_attachment_without_file_name_is_named_by_its_reference_as_the_state_does() -> None:
    reading = read_invoice_xml(
        cii(
            agreement="<ram:AdditionalReferencedDocument><ram:IssuerAssignedID>aa.pdf</ram:IssuerAssignedID>"
            '<ram:Name>ZZZ</ram:Name><ram:AttachmentBinaryObject mimeCode="application/pdf">\n QUJD\n'
            "</ram:AttachmentBinaryObject></ram:AdditionalReferencedDocument>"
        )
    )
    assert reading.document.attachments == (Attachment("aa.pdf", "aa.pdf", "ZZZ", "application/pdf", 3),)


def test_a_cii_of_an_older_release_under_the_same_root_is_named_not_read_as_empty() -> None:
    older = cii(document="<ram:ID>F1</ram:ID>").replace(
        b"BusinessInformationEntity:100", b"BusinessInformationEntity:19"
    )

    reading = read_invoice_xml(older)

    assert reading.document.kind is Kind.UNKNOWN and reading.tree is None
    assert "autre version" in reading.findings[0].message.fr


def test_ten_thousand_lines_are_counted_and_nothing_in_them_is_taken_for_a_header_term() -> None:
    document = read_invoice_xml(cii(document="<ram:ID>F1</ram:ID>", lines=10_000)).document
    assert (document.line_count, document.number, document.order) == (10_000, "F1", "")


#: Independent of the code: the absolute place of each term in a legacy sample, asked by plain XPath.
AGREEMENT = "/rsm:CrossIndustryInvoice/rsm:SupplyChainTradeTransaction/ram:ApplicableHeaderTradeAgreement/"
PLACES = {
    "number": "/rsm:CrossIndustryInvoice/rsm:ExchangedDocument/ram:ID",
    "seller": AGREEMENT + "ram:SellerTradeParty/ram:SpecifiedLegalOrganization/ram:ID",
    "buyer": AGREEMENT + "ram:BuyerTradeParty/ram:SpecifiedLegalOrganization/ram:ID",
    "service": AGREEMENT + "ram:BuyerReference",
    "ej": AGREEMENT + "ram:BuyerOrderReferencedDocument/ram:IssuerAssignedID",
    "contract": AGREEMENT + "ram:ContractReferencedDocument/ram:IssuerAssignedID",
}


def test_every_sample_of_the_state_gives_issuer_number_and_buyer_and_what_routes_it() -> None:
    samples = sorted((CORPUS / "aife-chorus-pro" / "cii").glob("*.xml"))
    if not samples:
        pytest.skip(f"no corpus at {CORPUS}")
    seen = dict.fromkeys(PLACES, 0)

    for sample in samples:
        root = etree.parse(sample).getroot()
        plain = {
            name: "".join(root.xpath(f"string(({place})[1])", namespaces=NAMESPACES)).strip()
            for name, place in PLACES.items()
        }
        reading = read_invoice_xml(sample.read_bytes())
        document = reading.document

        assert reading.findings == (), sample.name
        assert document.number == plain["number"] != "", sample.name
        if len(plain["seller"]) == 14:
            assert routing.seller_siret(document).value == plain["seller"], sample.name
        assert routing.seller_identifier(document).value == plain["seller"] != "", sample.name
        assert routing.buyer_siret(document).value == plain["buyer"] != "", sample.name
        assert routing.service_code(document).value == plain["service"], sample.name
        assert routing.ej(document).value == plain["ej"], sample.name
        assert document.contract == plain["contract"], sample.name
        assert document.issued is not None and document.totals.gross is not None, sample.name
        assert document.profile is Profile.LEGACY, sample.name
        for name, value in plain.items():
            seen[name] += bool(value)

    assert min(seen.values()) > 0, seen
