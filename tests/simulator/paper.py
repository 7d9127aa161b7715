"""Invoices for the simulator's tests, made here from nothing: UBL, CII, Factur-X, and flows of them."""

from __future__ import annotations

import base64
import gzip
import io
import tarfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass

import pikepdf

SUPPLIER, SECOND_SUPPLIER, OTHER_ACCOUNTS_SUPPLIER = "90000001900019", "90000002700012", "90000003500015"
PUBLIC_SUPPLIER = "90000004300019"
STATE, DEMANDS_SERVICE, DEMANDS_EJ = "11000201100044", "12345678200028", "12345678200036"
DEMANDS_EITHER, DEMANDS_NOTHING = "12345678200044", "12345678200051"
DISSOLVED, TELLS_NO_PAYMENT = "12345678200069", "12345678200077"


@dataclass(frozen=True)
class Paper:
    """What an invoice says. The defaults make one that Chorus Pro takes."""

    number: str = "F-1"
    seller: str = SUPPLIER
    buyer: str = DEMANDS_NOTHING
    service: str = ""
    ej: str = ""
    day: str = "2026-03-01"
    cadre: str = "A1"
    means: str = "30"
    attachment: bytes = b""
    net: str = "100.00"
    gross: str = "120.00"

    def ubl(self) -> bytes:
        service = f"<cbc:BuyerReference>{self.service}</cbc:BuyerReference>" if self.service else ""
        ej = f"<cac:OrderReference><cbc:ID>{self.ej}</cbc:ID></cac:OrderReference>" if self.ej else ""
        means = (
            f"<cac:PaymentMeans><cbc:PaymentMeansCode>{self.means}</cbc:PaymentMeansCode></cac:PaymentMeans>"
            if self.means
            else ""
        )
        attached = ""
        if self.attachment:
            data = base64.b64encode(self.attachment).decode()
            attached = (
                "<cac:AdditionalDocumentReference><cbc:ID>facture.pdf</cbc:ID><cac:Attachment>"
                '<cbc:EmbeddedDocumentBinaryObject mimeCode="application/pdf" filename="facture.pdf">'
                f"{data}</cbc:EmbeddedDocumentBinaryObject></cac:Attachment></cac:AdditionalDocumentReference>"
            )
        return f"""<?xml version="1.0" encoding="UTF-8"?>
<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
 xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
 xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
<cbc:ProfileID>{self.cadre}</cbc:ProfileID><cbc:ID>{self.number}</cbc:ID><cbc:IssueDate>{self.day}</cbc:IssueDate>
<cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode><cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>
{service}{ej}{attached}
<cac:AccountingSupplierParty><cac:Party><cac:PartyIdentification><cbc:ID schemeID="1">{self.seller}</cbc:ID>
</cac:PartyIdentification></cac:Party></cac:AccountingSupplierParty>
<cac:AccountingCustomerParty><cac:Party><cac:PartyIdentification><cbc:ID schemeID="1">{self.buyer}</cbc:ID>
</cac:PartyIdentification></cac:Party></cac:AccountingCustomerParty>
{means}
<cac:LegalMonetaryTotal><cbc:TaxExclusiveAmount currencyID="EUR">{self.net}</cbc:TaxExclusiveAmount>
<cbc:TaxInclusiveAmount currencyID="EUR">{self.gross}</cbc:TaxInclusiveAmount>
<cbc:PayableAmount currencyID="EUR">{self.gross}</cbc:PayableAmount></cac:LegalMonetaryTotal>
<cac:InvoiceLine><cbc:ID>1</cbc:ID><cbc:InvoicedQuantity unitCode="C62">1</cbc:InvoicedQuantity>
<cbc:LineExtensionAmount currencyID="EUR">{self.net}</cbc:LineExtensionAmount>
<cac:Item><cbc:Name>Article fictif</cbc:Name></cac:Item></cac:InvoiceLine>
</Invoice>""".encode()

    def cii(self) -> bytes:
        service = f"<ram:BuyerReference>{self.service}</ram:BuyerReference>" if self.service else ""
        ej = (
            "<ram:BuyerOrderReferencedDocument><ram:IssuerAssignedID>"
            f"{self.ej}</ram:IssuerAssignedID></ram:BuyerOrderReferencedDocument>"
            if self.ej
            else ""
        )
        means = (
            "<ram:SpecifiedTradeSettlementPaymentMeans><ram:TypeCode>"
            f"{self.means}</ram:TypeCode></ram:SpecifiedTradeSettlementPaymentMeans>"
            if self.means
            else ""
        )
        return f"""<?xml version="1.0" encoding="UTF-8"?>
<rsm:CrossIndustryInvoice xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
 xmlns:ram="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
 xmlns:udt="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100">
<rsm:ExchangedDocumentContext><ram:BusinessProcessSpecifiedDocumentContextParameter><ram:ID>{self.cadre}</ram:ID>
</ram:BusinessProcessSpecifiedDocumentContextParameter></rsm:ExchangedDocumentContext>
<rsm:ExchangedDocument><ram:ID>{self.number}</ram:ID><ram:TypeCode>380</ram:TypeCode><ram:IssueDateTime>
<udt:DateTimeString format="102">{self.day.replace("-", "")}</udt:DateTimeString></ram:IssueDateTime>
</rsm:ExchangedDocument>
<rsm:SupplyChainTradeTransaction><ram:ApplicableHeaderTradeAgreement>{service}
<ram:SellerTradeParty><ram:SpecifiedLegalOrganization><ram:ID schemeID="1">{self.seller}</ram:ID>
</ram:SpecifiedLegalOrganization></ram:SellerTradeParty>
<ram:BuyerTradeParty><ram:SpecifiedLegalOrganization><ram:ID schemeID="0002">{self.buyer}</ram:ID>
</ram:SpecifiedLegalOrganization></ram:BuyerTradeParty>{ej}</ram:ApplicableHeaderTradeAgreement>
<ram:ApplicableHeaderTradeDelivery/>
<ram:ApplicableHeaderTradeSettlement><ram:InvoiceCurrencyCode>EUR</ram:InvoiceCurrencyCode>{means}
<ram:SpecifiedTradeSettlementHeaderMonetarySummation><ram:TaxBasisTotalAmount>{self.net}</ram:TaxBasisTotalAmount>
<ram:GrandTotalAmount>{self.gross}</ram:GrandTotalAmount><ram:DuePayableAmount>{self.gross}</ram:DuePayableAmount>
</ram:SpecifiedTradeSettlementHeaderMonetarySummation></ram:ApplicableHeaderTradeSettlement>
</rsm:SupplyChainTradeTransaction></rsm:CrossIndustryInvoice>""".encode()

    def facturx(self, name: str = "factur-x.xml") -> bytes:
        out = io.BytesIO()
        with pikepdf.new() as pdf:
            pdf.add_blank_page()
            pdf.attachments[name] = pikepdf.AttachedFileSpec(pdf, self.cii(), mime_type="text/xml")
            pdf.save(out)
        return out.getvalue()


def tar_gz(files: Iterable[tuple[str, bytes]]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(out.getvalue(), 1, mtime=0)


def zipped(files: Iterable[tuple[str, bytes]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return out.getvalue()


def flow_of(papers: Iterable[Paper]) -> bytes:
    return tar_gz((f"{number}.xml", paper.ubl()) for number, paper in enumerate(papers))
