"""Files of every kind made by code, good and hostile: invoices, PDFs, archives that lie. All data is fictitious.

Nothing here is read from outside: a fixture that attacks is a recipe of a few lines, so that one sees what it does.
"""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Mapping

import pikepdf

UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
UN = "urn:un:unece:uncefact:data:standard:"


# Invoices, valid against their schemas.


def ubl(number: str = "FA-1", references: str = "", before_supplier: str = "") -> bytes:
    """A small UBL invoice; `references` are AdditionalDocumentReference elements."""
    return _ubl("Invoice", number, references, before_supplier)


def ubl_credit_note(number: str = "AV-1", references: str = "", before_supplier: str = "") -> bytes:
    return _ubl("CreditNote", number, references, before_supplier)


def _ubl(root: str, number: str, references: str, before_supplier: str) -> bytes:
    quantity = "InvoicedQuantity" if root == "Invoice" else "CreditedQuantity"
    code = "InvoiceTypeCode>380" if root == "Invoice" else "CreditNoteTypeCode>381"
    party = (
        "<cac:Party><cac:PartyLegalEntity><cbc:RegistrationName>{}</cbc:RegistrationName>"
        '<cbc:CompanyID schemeID="0002">{}</cbc:CompanyID></cac:PartyLegalEntity></cac:Party>'
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<!-- made by the tests -->
<{root} xmlns="{UBL}{root}-2" xmlns:cac="{UBL}CommonAggregateComponents-2"
 xmlns:cbc='{UBL}CommonBasicComponents-2'>
  <cbc:ID>{number}</cbc:ID><cbc:IssueDate>2026-01-31</cbc:IssueDate>
  <cbc:{code}</cbc:{code.split(">")[0]}>
  <cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>
  {references}{before_supplier}
  <cac:AccountingSupplierParty>{party.format("Fournisseur é", "12345678200010")}</cac:AccountingSupplierParty>
  <cac:AccountingCustomerParty>{party.format("Acheteur", "11000201100044")}</cac:AccountingCustomerParty>
  <cac:LegalMonetaryTotal><cbc:PayableAmount currencyID="EUR">12.00</cbc:PayableAmount></cac:LegalMonetaryTotal>
  <cac:{root}Line><cbc:ID>1</cbc:ID><cbc:{quantity}>1</cbc:{quantity}>
    <cbc:LineExtensionAmount currencyID="EUR">10.00</cbc:LineExtensionAmount>
    <cac:Item><cbc:Name>Câble</cbc:Name></cac:Item></cac:{root}Line>
</{root}>
""".encode()


def cii(number: str = "FA-1", references: str = "", behind: str = "") -> bytes:
    """A small CII invoice; `references` stand where AdditionalReferencedDocument does, `behind` after it."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<rsm:CrossIndustryInvoice xmlns:rsm="{UN}CrossIndustryInvoice:100"
  xmlns:ram="{UN}ReusableAggregateBusinessInformationEntity:100" xmlns:udt="{UN}UnqualifiedDataType:100">
 <rsm:ExchangedDocumentContext><ram:GuidelineSpecifiedDocumentContextParameter>
  <ram:ID>urn:cen.eu:en16931:2017</ram:ID></ram:GuidelineSpecifiedDocumentContextParameter></rsm:ExchangedDocumentContext>
 <rsm:ExchangedDocument><ram:ID>{number}</ram:ID><ram:TypeCode>380</ram:TypeCode>
  <ram:IssueDateTime><udt:DateTimeString format="102">20260131</udt:DateTimeString></ram:IssueDateTime>
 </rsm:ExchangedDocument>
 <rsm:SupplyChainTradeTransaction>
  <ram:ApplicableHeaderTradeAgreement>
   <ram:SellerTradeParty><ram:Name>Fournisseur</ram:Name></ram:SellerTradeParty>
   <ram:BuyerTradeParty><ram:Name>Acheteur</ram:Name></ram:BuyerTradeParty>
   {references}{behind}
  </ram:ApplicableHeaderTradeAgreement>
  <ram:ApplicableHeaderTradeDelivery/>
  <ram:ApplicableHeaderTradeSettlement><ram:InvoiceCurrencyCode>EUR</ram:InvoiceCurrencyCode>
   <ram:SpecifiedTradeSettlementHeaderMonetarySummation><ram:DuePayableAmount>12.00</ram:DuePayableAmount>
   </ram:SpecifiedTradeSettlementHeaderMonetarySummation></ram:ApplicableHeaderTradeSettlement>
 </rsm:SupplyChainTradeTransaction>
</rsm:CrossIndustryInvoice>
""".encode()


def order_x() -> bytes:
    return f'<rsm:SCRDMCCBDACIOMessageStructure xmlns:rsm="{UN}SCRDMCCBDACIOMessageStructure:100"/>'.encode()


# PDFs.


def pdf(
    files: Iterable[tuple[str, bytes]] = (), *, tree: bool = True, encryption: Mapping[str, str] | None = None
) -> bytes:
    """A one-page PDF with attached files, in the name tree or only in /AF."""
    document = pikepdf.new()
    document.add_blank_page()
    specs = pikepdf.Array()
    names = pikepdf.Array()
    for name, content in files:
        stream = pikepdf.Stream(document, content)
        spec = document.make_indirect(
            pikepdf.Dictionary(
                Type=pikepdf.Name.Filespec, F=name, UF=name, EF=pikepdf.Dictionary(F=document.make_indirect(stream))
            )
        )
        specs.append(spec)
        names.append(pikepdf.String(name))
        names.append(spec)
    document.Root.AF = specs
    if tree:
        document.Root.Names = pikepdf.Dictionary(EmbeddedFiles=pikepdf.Dictionary(Names=names))
    out = io.BytesIO()
    lock = pikepdf.Encryption(**encryption) if encryption else False
    document.save(out, encryption=lock, deterministic_id=not encryption)
    return out.getvalue()


def raw_pdf(objects: Iterable[bytes], version: bytes = b"1.7") -> bytes:
    """A PDF of the objects as they are, the first being the catalog; no writer would make some of them."""
    out = io.BytesIO()
    out.write(b"%PDF-" + version + b"\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n" % number + body + b"\nendobj\n")
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1))
    out.writelines(b"%010d 00000 n \n" % place for place in places)
    out.write(b"trailer<</Root 1 0 R/Size %d>>\nstartxref\n%d\n%%%%EOF\n" % (len(places) + 1, start))
    return out.getvalue()


_PAGES = b"<</Type/Pages/Kids[<</Type/Page/MediaBox[0 0 9 9]>>]/Count 1>>"


def _stream(dictionary: bytes, content: bytes) -> bytes:
    return b"<<" + dictionary + b"/Length %d>>stream\n" % len(content) + content + b"\nendstream"


def pdf_bomb(unpacked: int = 400_000_000, name: bytes = b"factur-x.xml", layers: int = 1) -> bytes:
    """An attachment of a few hundred kilobytes that unpacks to `unpacked` bytes; layers: deflated again."""
    content = _deflated_zeros(unpacked)
    for _ in range(layers - 1):
        content = zlib.compress(content, 9)
    filters = b"[" + b"/FlateDecode " * layers + b"]"
    return raw_pdf(
        [
            b"<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles<</Names[(a)3 0 R]>>>>>>",
            _PAGES,
            b"<</Type/Filespec/F(" + name + b")/EF<</F 4 0 R>>>>",
            _stream(b"/Type/EmbeddedFile/Params<</Size 10>>/Filter" + filters, content),
        ]
    )


def pdf_metadata_bomb(unpacked: int = 400_000_000) -> bytes:
    return raw_pdf(
        [
            b"<</Type/Catalog/Pages 2 0 R/Metadata 3 0 R>>",
            _PAGES,
            _stream(b"/Type/Metadata/Subtype/XML/Filter/FlateDecode", _deflated_zeros(unpacked)),
        ]
    )


def pdf_object_stream_bomb(unpacked: int = 400_000_000) -> bytes:
    """The bomb sits where qpdf must unpack it to read the catalog at all."""
    deflate = zlib.compressobj(9)
    start = b"1 0 2 40 ".ljust(20) + b"<</Type/Catalog/Pages 2 0 R>>".ljust(40) + _PAGES
    packed = deflate.compress(start) + b"".join(
        deflate.compress(b" " * 1_000_000) for _ in range(unpacked // 1_000_000)
    )
    packed += deflate.flush()
    out = io.BytesIO()
    out.write(b"%PDF-1.5\n")
    place = out.tell()
    out.write(b"3 0 obj" + _stream(b"/Type/ObjStm/N 2/First 20/Filter/FlateDecode", packed) + b"\nendobj\n")
    table = out.tell()
    rows = [(0, 0, 0), (2, 3, 0), (2, 3, 1), (1, place, 0), (1, table, 0)]
    entries = b"".join(struct.pack(">BIB", *row) for row in rows)
    out.write(b"4 0 obj" + _stream(b"/Type/XRef/Size 5/W[1 4 1]/Root 1 0 R", entries) + b"\nendobj\n")
    out.write(b"startxref\n%d\n%%%%EOF\n" % table)
    return out.getvalue()


def pdf_with_cyclic_names() -> bytes:
    return raw_pdf([b"<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles 3 0 R>>>>", _PAGES, b"<</Kids[3 0 R 3 0 R]>>"])


def pdf_with_wrong_types() -> bytes:
    return raw_pdf([b"<</Type/Catalog/Pages 2 0 R/Names[1]/AF 3/Metadata(x)/AcroForm<</Fields<<>>>>/Perms 7>>", _PAGES])


def _deflated_zeros(count: int) -> bytes:
    deflate = zlib.compressobj(9)
    million = bytes(1_000_000)
    return b"".join(deflate.compress(million) for _ in range(count // 1_000_000)) + deflate.flush()


# Archives.


def zipped(files: Iterable[tuple[str | zipfile.ZipInfo, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return out.getvalue()


def tarred(files: Iterable[tuple[str | tarfile.TarInfo, bytes]]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in files:
            entry = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            if entry.isreg():
                entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def tgz(files: Iterable[tuple[str | tarfile.TarInfo, bytes]]) -> bytes:
    return gzip.compress(tarred(files), mtime=0)


def link(name: str, kind: bytes, target: str = "/etc/passwd") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry


def zip_link(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.create_system, entry.external_attr = 3, 0o120777 << 16
    return entry


def zip_with_flags(content: bytes, flags: int) -> bytes:
    """Every entry with more flags set, in its header and in the directory."""
    out = bytearray(content)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = -1
        while (place := out.find(signature, place + 1)) >= 0:
            (old,) = struct.unpack_from("<H", out, place + offset)
            struct.pack_into("<H", out, place + offset, old | flags)
    return bytes(out)


def zip_overlapping(copies: int = 50, unpacked: int = 5_000_000) -> bytes:
    """One packed body claimed by many entries of the directory: small to read, large to unpack."""
    body = zlib.compressobj(9, zlib.DEFLATED, -15)
    plain = bytes(unpacked)
    packed = body.compress(plain) + body.flush()
    crc = zlib.crc32(plain)
    name = b"a.xml"
    header = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 8, 0, 33, crc, len(packed), unpacked, len(name), 0)
    file = header + name + packed
    entry = struct.pack(
        "<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 8, 0, 33, crc, len(packed), unpacked, len(name), 0, 0, 0, 0, 0, 0
    )
    directory = (entry + name) * copies
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, copies, copies, len(directory), len(file), 0)
    return file + directory + end


def zip_with_lying_size(stated: int = 10, unpacked: int = 3_000_000) -> bytes:
    """An entry that says it is small and is not."""
    out = bytearray(zipped([("FA-1.xml", b" " * unpacked)]))
    struct.pack_into("<L", out, 22, stated)
    struct.pack_into("<L", out, out.rfind(b"PK\x01\x02") + 24, stated)
    return bytes(out)


def zip64(files: Iterable[tuple[str, bytes]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            with archive.open(name, "w", force_zip64=True) as entry:
                entry.write(content)
    return out.getvalue()


def tar_with_negative_size(name: str = "FA-1.xml") -> bytes:
    """A size below zero in base 256, which made old readers go round for ever (CVE-2025-8194)."""
    block = bytearray(tarfile.TarInfo(name).tobuf(tarfile.GNU_FORMAT))
    block[124:136] = b"\xff" * 10 + b"\xfe\x00"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + bytes(1024)


def tar_of_long_names(depth: int = 20_000) -> bytes:
    """A chain of GNU long-name headers, each read by recursion."""
    entry = tarfile.TarInfo("././@LongLink")
    entry.type, entry.size = tarfile.GNUTYPE_LONGNAME, 5
    return (entry.tobuf(tarfile.GNU_FORMAT) + b"x.xml".ljust(512, b"\0")) * depth + bytes(1024)
