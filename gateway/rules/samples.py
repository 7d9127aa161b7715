"""The invoices and buyers that rules are shown with: one ordinary invoice, and `sample(...)` to change one thing.

All fictitious: made SIRETs whose check digits are right, no name of a person.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from gateway.domain.document import Document, Identifier, Kind, Party, Profile, Totals
from gateway.domain.facts import Buyer, Directory, Facts, Service
from gateway.domain.issuer import Issuer, Route
from gateway.rules.rule import Sample

TODAY: Final = date(2026, 11, 23)
SELLER: Final = "81234567600017"
BUYER: Final = "21987654700015"
STATE: Final = "11000201100044"

FREE: Final = Buyer(BUYER, "la Ville d'Exempleville", has_active_service=True)
EJ_MANDATORY: Final = replace(FREE, ej_mandatory=True)
SERVICE_MANDATORY: Final = replace(FREE, service_mandatory=True)
BOTH_MANDATORY: Final = replace(FREE, ej_mandatory=True, service_mandatory=True)
EITHER_MANDATORY: Final = replace(FREE, ej_or_service=True)
THE_STATE: Final = Buyer(STATE, "l'État", ej_mandatory=True, service_mandatory=True, has_active_service=True)

OPEN: Final = Service("SERV1", "Service des achats")
CLOSED: Final = replace(OPEN, active=False)
WITH_EJ: Final = replace(OPEN, ej_mandatory=True)
EXPIRED: Final = replace(OPEN, valid_to=date(2025, 12, 31))

ISSUER: Final = Issuer(SELLER, "Fournitures Exemple SAS", Route.CHORUS_API, frozenset({"erp"}), "default")


def _legal(siret: str | None) -> Identifier | None:
    return None if siret is None else Identifier(siret, "1")


def sample(
    *,
    ej: str | None = None,
    service: str | Service | None = None,
    buyer: Buyer | None = FREE,
    buyer_siret: str | None = "",
    seller_siret: str | None = SELLER,
    facts: dict[str, Any] | None = None,
    **terms: Any,
) -> Sample:
    """An ordinary legacy invoice with something changed. A `Service` is named by the invoice and known; a `str` is
    named and unknown. `buyer=None` is not in the directory. Other keywords are fields of `Document`."""
    known = service if isinstance(service, Service) else None
    named = known.code if known else service
    siret = buyer_siret if buyer_siret != "" else (buyer.siret if buyer else BUYER)
    document = Document(
        kind=Kind.UBL_INVOICE,
        profile=Profile.LEGACY,
        number="FA-2026-000123",
        issued=date(2026, 11, 20),
        type_code="380",
        currency="EUR",
        process="A1",
        buyer_reference=str(named or ""),
        order=ej or "",
        payment_means=("30",),
        seller=Party("Fournitures Exemple SAS", legal=_legal(seller_siret)),
        buyer=Party("Exempleville", legal=_legal(siret)),
        totals=Totals(net=Decimal("100.00"), vat=Decimal("20.00"), gross=Decimal("120.00"), due=Decimal("120.00")),
        line_count=1,
    )
    around = Facts(
        today=TODAY,
        partner="erp",
        issuer=ISSUER,
        directory=Directory.FRESH,
        directory_age_days=0,
        buyer=buyer,
        service=known,
    )
    return Sample(replace(document, **terms), replace(around, **(facts or {})))
