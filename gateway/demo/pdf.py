"""PDFs: a page of plain text written by hand, and the Factur-X made of it by factur-x.

factur-x stamps the moment of making in four places; they are set to the day of the invoice, so that the same
invoice always gives the same bytes (a demo, a benchmark and a kill test compare hashes).
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Final

import facturx
import pikepdf

from gateway.demo.cii import cii_invoice
from gateway.demo.spec import InvoiceSpec

_STAMP: Final = re.compile(rb"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}[+-]\d{2}:\d{2}")
_ESCAPED: Final = str.maketrans({"\\": r"\\", "(": r"\(", ")": r"\)"})


def page(lines: Sequence[str]) -> bytes:
    """A one-page PDF with these lines of text."""
    shown = "".join(f"({line.translate(_ESCAPED)}) Tj T*\n" for line in lines)
    text = f"BT /F1 11 Tf 56 780 Td 16 TL\n{shown}ET".encode("cp1252", "replace")
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    )
    out = io.BytesIO()
    out.write(b"%PDF-1.6\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    table = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.write(b"".join(b"%010d 00000 n \n" % place for place in places))
    out.write(b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table))
    return out.getvalue()


def readable(spec: InvoiceSpec) -> bytes:
    """The invoice for eyes only: a PDF without data."""
    lines = [f"Facture {spec.number} du {spec.issued:%d/%m/%Y}", "", spec.seller.name, f"SIRET {spec.seller.siret}"]
    lines += ["", f"À : {spec.buyer.name}", f"SIRET {spec.buyer.siret}", ""]
    lines += [f"{line.item} : {line.quantity} x {line.price} = {line.net} €" for line in spec.lines]
    lines += ["", f"Total HT {spec.net} €", f"TVA {spec.vat} €", f"Total TTC {spec.gross} €"]
    return page(lines)


def facturx_pdf(spec: InvoiceSpec) -> bytes:
    """A Factur-X of profile EN 16931."""
    made: bytes = facturx.generate_from_binary(
        readable(spec),
        cii_invoice(spec),
        flavor="factur-x",
        level="en16931",
        check_xsd=False,
        lang="fr-FR",
        xmp_compression=False,
    )
    return _undated(made, spec)


def _undated(made: bytes, spec: InvoiceSpec) -> bytes:
    day = pikepdf.String(f"D:{spec.issued:%Y%m%d}000000+00'00'")
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(made)) as pdf:
        for key in ("/CreationDate", "/ModDate"):
            pdf.trailer.Info[key] = day
        for name in pdf.Root.Names.EmbeddedFiles.Names[1::2]:
            name.EF.F.Params.ModDate = day
        metadata = pdf.Root.Metadata
        stamp = f"{spec.issued}T00:00:00+00:00".encode()
        metadata.write(_STAMP.sub(stamp, metadata.read_bytes()))
        pdf.save(out, deterministic_id=True)
    return out.getvalue()
