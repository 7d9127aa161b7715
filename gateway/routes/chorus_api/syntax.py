"""Chorus Pro's name for what a flow holds (`syntaxeFlux`), derived from the documents, as a table.

E1 is data only, E2 is data with its readable PDF (domain facts 1.4). The EDI code starts the names of flows, as in
the platform's own reports (FSO1117A_…). UBL credit notes travel under the UBL invoice syntax.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.domain.document import Document, Kind


@dataclass(frozen=True, slots=True)
class Syntax:
    """One row: the platform's word, its EDI interface, the extension of a file."""

    name: str
    edi_code: str
    extension: str


E1_UBL: Final = Syntax("IN_DP_E1_UBL_INVOICE", "FSO1100A", "xml")
E1_CII: Final = Syntax("IN_DP_E1_CII_16B", "FSO1106A", "xml")
E2_CII: Final = Syntax("IN_DP_E2_CII_MIN_16B", "FSO1116A", "xml")
E2_FACTURX: Final = Syntax("IN_DP_E2_CII_FACTURX", "FSO1117A", "pdf")

SYNTAXES: Final = {syntax.name: syntax for syntax in (E1_UBL, E1_CII, E2_CII, E2_FACTURX)}

#: By kind, and whether the XML carries the invoice's PDF. Other kinds go in no flow.
_BY_KIND: Final = {
    (Kind.UBL_INVOICE, False): E1_UBL,
    (Kind.UBL_INVOICE, True): E1_UBL,
    (Kind.UBL_CREDITNOTE, False): E1_UBL,
    (Kind.UBL_CREDITNOTE, True): E1_UBL,
    (Kind.CII, False): E1_CII,
    (Kind.CII, True): E2_CII,
    (Kind.FACTURX, False): E2_FACTURX,
    (Kind.FACTURX, True): E2_FACTURX,
}


def syntax_of(kind: Kind, mixed: bool = False) -> Syntax | None:
    """The syntax of a document; None where no flow takes it."""
    return _BY_KIND.get((kind, mixed))


def carries_its_pdf(document: Document) -> bool:
    """Does an XML invoice carry a PDF inside, as all of AIFE's own FSO1116A samples do? (`Sendable.mixed`)"""
    return document.kind is not Kind.FACTURX and any(
        attachment.embedded and (attachment.mime == "application/pdf" or attachment.name.lower().endswith(".pdf"))
        for attachment in document.attachments
    )
