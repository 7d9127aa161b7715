"""Tells an office document (docx, xlsx, odt) from a zip archive of invoices: both are zips by their first bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.domain.finding import Finding, Text
from gateway.parsers import refusals

#: Names of the first entry in what office programs write (ECMA-376 part 2, ODF 1.2 part 3) or Java packs.
_FIRST_ENTRIES: Final[Mapping[bytes, Text]] = {
    b"[Content_Types].xml": Text("un document Office (Word, Excel)", "an Office document (Word, Excel)"),
    b"_rels/": Text("un document Office (Word, Excel)", "an Office document (Word, Excel)"),
    b"docProps/": Text("un document Office (Word, Excel)", "an Office document (Word, Excel)"),
    b"mimetype": Text("un document LibreOffice ou un livre EPUB", "a LibreOffice document or an EPUB book"),
    b"META-INF/": Text("un paquet Java ou signé", "a Java or signed package"),
}
_NAME_AT: Final = 30


def what_office_document(content: bytes) -> Finding | None:
    """The finding that names the office document, None for anything else."""
    if not content.startswith(b"PK\x03\x04"):
        return None
    for name, what in _FIRST_ENTRIES.items():
        if content.startswith(name, _NAME_AT):
            return refusals.NOT_AN_INVOICE.at(
                what_fr=what.fr,
                what_en=what.en,
                remedy_fr="Déposez la facture en UBL, CII, Factur-X ou PDF.",
                remedy_en="Drop the invoice as UBL, CII, Factur-X or PDF.",
            )
    return None
