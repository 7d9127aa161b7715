"""What a rule may know beside the document: a frozen value, gathered before the rules run.

A buyer is a public body as Chorus Pro's directory describes it (domain facts 2.1). Missing facts are said, not
guessed: `Facts.directory` tells whether there is a snapshot and how old it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from gateway.domain.issuer import Issuer, Route


@dataclass(frozen=True, slots=True)
class Service:
    """A receiving department (SE) of a buyer."""

    code: str
    name: str = ""
    active: bool = True
    ej_mandatory: bool = False  #: parametres.numeroEngagement
    valid_from: date | None = None
    valid_to: date | None = None  #: last day included

    def open_on(self, day: date) -> bool:
        """Active, and `day` inside its dates."""
        starts = self.valid_from is None or self.valid_from <= day
        ends = self.valid_to is None or day <= self.valid_to
        return self.active and starts and ends


@dataclass(frozen=True, slots=True)
class Buyer:
    """A public body and what it demands."""

    siret: str
    name: str = ""
    active: bool = True
    ej_mandatory: bool = False  #: numeroEJDoitEtreRenseigne
    service_mandatory: bool = False  #: codeServiceDoitEtreRenseigne
    ej_or_service: bool = False  #: gestionNumeroEJOuCodeService
    never_tells_payment: bool = False  #: statutMiseEnPaiementNestPasRemonte
    has_active_service: bool = False  #: any service of the whole list is open

    @property
    def is_state(self) -> bool:
        """The State itself: its EJs are the ones Chorus Pro verifies (domain facts 8, S1)."""
        return self.siret == "11000201100044"


class Directory(StrEnum):
    """How far the directory snapshot can be trusted on the day of judging."""

    FRESH = "fresh"
    AGED = "aged"  #: older than one day, within the route's limit: send with a warning
    STALE = "stale"  #: older than the route's limit: hold
    MISSING = "missing"  #: none here


@dataclass(frozen=True, slots=True)
class Facts:
    """All that rules may ask about one document."""

    today: date  #: the day of deposit, Europe/Paris
    route: Route = Route.CHORUS_API
    partner: str = ""
    issuer: Issuer | None = None  #: None: the seller's SIRET is none of our issuers
    issuers_known: bool = True  #: False for `validate` outside a configuration: issuer rules cannot be judged
    directory: Directory = Directory.MISSING
    directory_age_days: int | None = None
    buyer: Buyer | None = None
    service: Service | None = None  #: the one whose code the document names
    sandbox: bool = False  #: qualification: fictitious SIRETs fail their check digits (domain facts 1.7)
