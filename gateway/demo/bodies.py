"""The public bodies of the demo, one for each way of demanding EJ and service (domain facts 2.1, 1.7).

Told once, and given to both sides: to our directory snapshot, and to the simulator as what Chorus Pro really knows.
Where the two differ on purpose (a service closed since the snapshot was taken), the difference is a field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from gateway.demo.spec import Company, made_up_siret


@dataclass(frozen=True, slots=True)
class Desk:
    """A service of a body."""

    code: str
    name: str
    demands_ej: bool = False
    active: bool = True
    until: date | None = None
    closed_since: bool = False  #: Chorus Pro closed it after our snapshot was taken


@dataclass(frozen=True, slots=True)
class Body:
    """A public body and what it demands."""

    company: Company
    demands_ej: bool = False
    demands_service: bool = False
    demands_either: bool = False
    active: bool = True
    never_tells_payment: bool = False
    desks: tuple[Desk, ...] = ()
    known_ejs: tuple[str, ...] | None = None  #: only the platform knows them; None: every EJ is taken

    def in_directory(self) -> Mapping[str, Any]:
        """Its line in a directory file (`gateway buyers import`)."""
        return {
            "siret": self.company.siret,
            "name": self.company.name,
            "active": self.active,
            "ej_mandatory": self.demands_ej,
            "service_mandatory": self.demands_service,
            "ej_or_service": self.demands_either,
            "never_tells_payment": self.never_tells_payment,
            "services": [
                {
                    "code": desk.code,
                    "name": desk.name,
                    "active": desk.active,
                    "ej_mandatory": desk.demands_ej,
                    "valid_to": desk.until.isoformat() if desk.until else None,
                }
                for desk in self.desks
            ],
        }

    def at_platform(self) -> Mapping[str, Any]:
        """Its entry in the simulator's seed."""
        told: dict[str, Any] = {
            "identifiantStructure": self.company.siret,
            "designationStructure": self.company.name,
            "structurePriveePublique": "PUBLIQUE",
            "statut": "ACTIVE" if self.active else "INACTIVE",
            "parametres": {
                "numeroEJDoitEtreRenseigne": self.demands_ej,
                "codeServiceDoitEtreRenseigne": self.demands_service,
                "gestionNumeroEJOuCodeService": self.demands_either,
                "statutMiseEnPaiementNestPasRemonte": self.never_tells_payment,
            },
            "services": [
                {
                    "codeService": desk.code,
                    "libelleService": desk.name,
                    "estActif": desk.active and not desk.closed_since,
                    "dateFinValidite": desk.until,
                    "numeroEngagement": desk.demands_ej,
                }
                for desk in self.desks
            ],
        }
        if self.known_ejs is not None:
            told["engagements"] = list(self.known_ejs)
        return told


_PUBLIC_TO_PUBLIC: Final = Desk("FACTURES_PUBLIQUES", "Service des factures publiques")

THE_STATE: Final = Body(
    Company("État", "11000201100044", "1 rue des Ministères", "75000", "Paris"),
    demands_ej=True,
    demands_service=True,
    desks=(Desk("SFACETAT", "Service facturier de l'État"),),
)
TOWN: Final = Body(
    Company("Commune d'Exempleville", "12345678200028", "Place de la Mairie"),
    demands_service=True,
    desks=(
        Desk("VOIRIE", "Voirie"),
        Desk("ECOLES", "Écoles", demands_ej=True),
        Desk("ANCIEN", "Ancien service", until=date(2020, 12, 31)),
        Desk("FERME", "Service fermé", active=False),
        Desk("CULTURE", "Culture", closed_since=True),
        _PUBLIC_TO_PUBLIC,
    ),
)
COUNTY: Final = Body(
    Company("Département du Modèle", "12345678200036", "2 cours de l'Assemblée"),
    demands_ej=True,
)
REGION: Final = Body(
    Company("Région Imaginaire", "12345678200044", "3 boulevard de la Région"),
    demands_either=True,
    desks=(Desk("ACHATS", "Achats"),),
)
SCHOOL: Final = Body(
    Company("Établissement sans paramètre", "12345678200051", "4 rue du Lycée"),
    desks=(Desk("INTENDANCE", "Intendance"), Desk("TRAVAUX", "Travaux", demands_ej=True)),
)
DISSOLVED: Final = Body(Company("Syndicat dissous", made_up_siret(901)), active=False)
HOSPITAL: Final = Body(
    Company("Hôpital sans retour de paiement", made_up_siret(902), "5 rue du Soin"),
    never_tells_payment=True,
)
AGENCY: Final = Body(
    Company("Agence sans service actif", made_up_siret(903), "6 rue de l'Agence"),
    demands_either=True,
    desks=(Desk("ARCHIVES", "Archives", active=False),),
)
UNIVERSITY: Final = Body(
    Company("Université Fictive", made_up_siret(904), "7 place du Savoir"),
    demands_ej=True,
    known_ejs=("4500012345",),
)
UNKNOWN: Final = Company("Commune que l'annuaire ne connaît pas", made_up_siret(999))

BODIES: Final = (THE_STATE, TOWN, COUNTY, REGION, SCHOOL, DISSOLVED, HOSPITAL, AGENCY, UNIVERSITY)
