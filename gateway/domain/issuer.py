"""An issuer: a supplier structure in whose name documents are sent, and the route they take."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Route(StrEnum):
    """Where documents go, and under which profile."""

    CHORUS_API = "chorus-api"  #: legacy profile, REST through PISTE
    CHORUS_EDI = "chorus-edi"  #: legacy profile, EDI flows
    PA = "pa"  #: reform profile, through a Plateforme Agréée


class Environment(StrEnum):
    """Live invoices count; test ones go to the qualification portal."""

    LIVE = "live"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Issuer:
    """One supplier structure. `account` names its Chorus Pro technical account, whose secret is elsewhere."""

    siret: str  #: 14 digits, or Chorus's identifier of a foreign supplier
    name: str
    route: Route
    partners: frozenset[str]  #: names of the partners that may send for it
    account: str
    environment: Environment = Environment.TEST
    public: bool = False  #: a public body itself: may use the service FACTURES_PUBLIQUES
    mandate_signed: date | None = None

    def allows(self, partner: str) -> bool:
        """May `partner` send in this issuer's name?"""
        return partner in self.partners
