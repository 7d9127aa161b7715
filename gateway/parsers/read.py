"""One payload, whatever it is, to a `Reading`. Archives are opened elsewhere and hand their members here.

Never raises for content: what is unknown or broken reads as `Kind.UNKNOWN` with a fatal finding and its remedy.
"""

from __future__ import annotations

from gateway.domain.document import Document, Kind
from gateway.parsers import refusals
from gateway.parsers.invoice_xml import read_invoice_xml
from gateway.parsers.pdf import read_pdf
from gateway.parsers.reading import Reading
from gateway.parsers.sniff import Form, sniff


def read_document(content: bytes) -> Reading:
    """The invoice in `content`: UBL, CII, Factur-X, or a PDF without data."""
    sniffed = sniff(content)
    if sniffed.form is Form.PDF:
        return read_pdf(content)
    if sniffed.form is Form.XML and sniffed.finding is None:
        return read_invoice_xml(content)
    finding = sniffed.finding or refusals.ARCHIVE_WITHIN.at(form=sniffed.form.value)
    return Reading(Document(Kind.UNKNOWN), findings=(finding,))
