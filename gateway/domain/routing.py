"""The terms that carry a document to the right desk, wherever the profile puts them.

SIRET of seller and buyer, service code (SE) and order number (EJ) sit in different terms in the legacy and the
reform profile (domain facts 2.3, 5.6); the first that looks right wins, and the term it was read from is kept
so that a message can name it. Users were hurt by readers that knew only one place (OCA #370, Dolibarr #678).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gateway.domain.document import Document, Identifier, Party

_SIRET: Final = re.compile(r"[0-9]{14}")
#: 1 and 0002 carry a 14-digit SIRET in legacy files; 0009 is the registered scheme; "" is common in UBL.
_SIRET_SCHEMES: Final = ("0009", "1", "0002", "", "SIRET", "FR:SIRET")
SERVICE_SCHEME: Final = "0224"


@dataclass(frozen=True, slots=True)
class Routed:
    """A value and the term it was read from; both empty where there is none."""

    value: str = ""
    term: str = ""

    def __bool__(self) -> bool:
        return bool(self.value)


def seller_siret(document: Document) -> Routed:
    """The issuer's 14-digit SIRET, from BT-30 (legacy) or BT-29."""
    return _siret(document.seller, "BT-30", "BT-29")


def buyer_siret(document: Document) -> Routed:
    """The buyer's 14-digit SIRET, from BT-47 (legacy) or BT-46."""
    return _siret(document.buyer, "BT-47", "BT-46")


def buyer_identifier(document: Document) -> Routed:
    """What the file says of the buyer when it is no SIRET: for messages."""
    party = document.buyer
    if party.legal:
        return Routed(party.legal.value, "BT-47")
    return Routed(party.identifiers[0].value, "BT-46") if party.identifiers else Routed()


def seller_identifier(document: Document) -> Routed:
    """What identifies the seller: its SIRET, else its SIREN, VAT number or any identifier given."""
    siret = seller_siret(document)
    if siret:
        return siret
    party = document.seller
    if party.legal:
        return Routed(party.legal.value, "BT-30")
    if party.vat:
        return Routed(party.vat, "BT-31")
    return Routed(party.identifiers[0].value, "BT-29") if party.identifiers else Routed()


def service_code(document: Document) -> Routed:
    """The service (SE): BT-46 with scheme 0224 where given, else BT-10."""
    for identifier in document.buyer.identifiers:
        if identifier.scheme == SERVICE_SCHEME and identifier.value:
            return Routed(identifier.value, "BT-46")
    return Routed(document.buyer_reference, "BT-10") if document.buyer_reference else Routed()


def ej(document: Document) -> Routed:
    """The commitment number (EJ): BT-13."""
    return Routed(document.order, "BT-13") if document.order else Routed()


def _siret(party: Party, legal_term: str, other_term: str) -> Routed:
    if party.legal and _is_siret(party.legal):
        return Routed(_digits(party.legal.value), legal_term)
    for scheme in _SIRET_SCHEMES:
        for identifier in party.identifiers:
            if identifier.scheme == scheme and _is_siret(identifier):
                return Routed(_digits(identifier.value), other_term)
    return Routed()


def _is_siret(identifier: Identifier) -> bool:
    return identifier.scheme in _SIRET_SCHEMES and _SIRET.fullmatch(_digits(identifier.value)) is not None


def _digits(value: str) -> str:
    return value.replace(" ", "").replace("\u00a0", "")
