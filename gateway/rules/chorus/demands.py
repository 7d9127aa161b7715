"""What a buyer demands of EJ and service: Chorus Pro's decision table (chorus-pro.md 2.1), all eight rows, as "
"data."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from gateway.domain.facts import Buyer, Facts


class Demand(StrEnum):
    """What an invoice to a buyer must carry."""

    NOTHING = "nothing"
    EJ = "ej"
    SERVICE = "service"
    BOTH = "both"
    EITHER = "either"  #: an EJ or an active service code

    @property
    def asks_ej(self) -> bool:
        return self in (Demand.EJ, Demand.BOTH)

    @property
    def asks_service(self) -> bool:
        return self in (Demand.SERVICE, Demand.BOTH)


#: (gestionNumeroEJOuCodeService, numeroEJDoitEtreRenseigne, codeServiceDoitEtreRenseigne) → demand. The first flag
#: decides alone where it is set (OCA, trytond: it is checked first).
DECISION_TABLE: Final[Mapping[tuple[bool, bool, bool], Demand]] = {
    (True, True, True): Demand.EITHER,
    (True, True, False): Demand.EITHER,
    (True, False, True): Demand.EITHER,
    (True, False, False): Demand.EITHER,
    (False, True, True): Demand.BOTH,
    (False, True, False): Demand.EJ,
    (False, False, True): Demand.SERVICE,
    (False, False, False): Demand.NOTHING,
}


def demand_of(buyer: Buyer | None) -> Demand:
    """The buyer's demand. "EJ or service" of a body without any active service leaves the EJ (OCA)."""
    if buyer is None:
        return Demand.NOTHING
    demand = DECISION_TABLE[buyer.ej_or_service, buyer.ej_mandatory, buyer.service_mandatory]
    return Demand.EJ if demand is Demand.EITHER and not buyer.has_active_service else demand


def service_demands_ej(facts: Facts) -> bool:
    """The service named demands an EJ though its structure does not (consulter/service, numeroEngagement)."""
    return facts.service is not None and facts.service.ej_mandatory and not demand_of(facts.buyer).asks_ej


def named(buyer: Buyer | None) -> str:
    """The buyer for a message."""
    return "" if buyer is None else f"{buyer.name or buyer.siret} ({buyer.siret})"
