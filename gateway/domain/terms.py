"""The terms of a document that follow it all its life: what identifies it, routes it, and is told in every ack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from gateway.domain import routing
from gateway.domain.document import Document


@dataclass(frozen=True, slots=True)
class KeyTerms:
    """A document in one row. Absent terms are "" or None; money is in `currency`."""

    number: str = ""  #: BT-1
    type_code: str = ""  #: BT-3
    issued: date | None = None  #: BT-2
    issuer: str = ""  #: SIRET where given, else what identifies the seller
    buyer: str = ""
    service_code: str = ""
    ej: str = ""
    contract: str = ""
    currency: str = ""
    net: Decimal | None = None
    vat: Decimal | None = None
    gross: Decimal | None = None
    mixed: bool = False  #: carries a readable PDF of itself (E2), beside the data

    @property
    def has_identity(self) -> bool:
        """Issuer and number are known, so that the same invoice can be recognised."""
        return bool(self.number and self.issuer)


def key_terms(document: Document) -> KeyTerms:
    """The terms of `document` that are kept in its row."""
    buyer = routing.buyer_siret(document) or routing.buyer_identifier(document)
    return KeyTerms(
        number=document.number,
        type_code=document.type_code,
        issued=document.issued,
        issuer=routing.seller_identifier(document).value,
        buyer=buyer.value,
        service_code=routing.service_code(document).value,
        ej=routing.ej(document).value,
        contract=document.contract,
        currency=document.currency,
        net=document.totals.net,
        vat=document.totals.vat,
        gross=document.totals.gross,
        mixed=any(a.embedded and a.mime == "application/pdf" for a in document.attachments),
    )


_TERMS: Final[Mapping[str, Callable[[Document], str]]] = {
    "BT-1": lambda d: d.number,
    "BT-3": lambda d: d.type_code,
    "BT-10": lambda d: d.buyer_reference,
    "BT-12": lambda d: d.contract,
    "BT-13": lambda d: d.order,
    "BT-23": lambda d: d.process,
    "BT-25": lambda d: d.preceding[0].number if d.preceding else "",
    "BT-29": lambda d: d.seller.identifiers[0].value if d.seller.identifiers else "",
    "BT-30": lambda d: d.seller.legal.value if d.seller.legal else "",
    "BT-46": lambda d: d.buyer.identifiers[0].value if d.buyer.identifiers else "",
    "BT-47": lambda d: d.buyer.legal.value if d.buyer.legal else "",
}

#: The terms that a partner may choose as its `partner_reference`.
REFERENCE_TERMS: Final = tuple(_TERMS)


def term_value(document: Document, term: str) -> str:
    """The value of one of `REFERENCE_TERMS`; "" for any other."""
    read = _TERMS.get(term)
    return read(document) if read else ""
