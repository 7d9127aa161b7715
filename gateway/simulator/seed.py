"""Who exists in this Chorus Pro: OAuth clients, technical accounts, structures, services.

The built-in seed has four fictitious suppliers (well-formed SIRETs of no company), the five public bodies of the
qualification set (chorus-pro.md 1.7) and two more. Own seeds are added to it, from a mapping or a TOML file, with
the field names of the API; `only = true` leaves the built-in ones out.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

STATE_SIRET = "11000201100044"
PUBLIC_TO_PUBLIC = "FACTURES_PUBLIQUES"
FIRST_STRUCTURE_ID = 25_000_001
FIRST_SERVICE_ID = 5_100_001


@dataclass(frozen=True, slots=True)
class Service:
    """A service of a public body (service exécutant)."""

    id: int
    code: str
    name: str
    active: bool = True
    valid_from: date | None = None
    valid_until: date | None = None
    demands_ej: bool = False  #: parametres.numeroEngagement
    tells_payment: bool = True  #: parametres.miseEnPaiement

    def usable_on(self, day: date) -> bool:
        begun = self.valid_from is None or self.valid_from <= day
        return self.active and begun and (self.valid_until is None or day <= self.valid_until)


@dataclass(frozen=True, slots=True)
class Structure:
    """A supplier or a public body."""

    id: int
    identifier: str
    name: str
    type: str = "SIRET"
    public: bool = False
    active: bool = True
    parameters: Mapping[str, bool] = field(default_factory=dict)  #: `parametres` of structures/consulter
    services: tuple[Service, ...] = ()
    known_ejs: frozenset[str] | None = None  #: where given, another EJ does not exist (S1: only for the State)
    password_expires: datetime | None = None

    def flag(self, name: str) -> bool:
        return self.parameters.get(name, False)

    def service(self, code: str) -> Service | None:
        return next((service for service in self.services if service.code == code), None)


@dataclass(frozen=True, slots=True)
class Account:
    """A technical account and the structures it is attached to."""

    login: str
    password: str
    structures: frozenset[str]


PARAMETERS = (
    "codeServiceDoitEtreRenseigne",
    "connexionEDI",
    "estMoaUniquement",
    "estValideurDelegue",
    "gestionNumeroEJOuCodeService",
    "getaMoa",
    "nonDiffusibleInsee",
    "numeroEJDoitEtreRenseigne",
    "recevoirDonneesViaEDI",
    "statutMiseEnPaiementNestPasRemonte",
)

SUPPLIER_1, SUPPLIER_2, SUPPLIER_3, PUBLIC_SUPPLIER = (
    "90000001900019",
    "90000002700012",
    "90000003500015",
    "90000004300019",
)

BUILT_IN: Mapping[str, Any] = {
    "clients": [{"id": "simulator-app", "secret": "simulator-secret"}],
    "accounts": [
        {"login": "TECH_1_000001@cpro.fr", "password": "Simulateur-1", "structures": [SUPPLIER_1, SUPPLIER_2]},
        {"login": "TECH_2_000002@cpro.fr", "password": "Simulateur-2", "structures": [SUPPLIER_3]},
        {"login": "TECH_3_000003@cpro.fr", "password": "Simulateur-3", "structures": [PUBLIC_SUPPLIER]},
    ],
    "structures": [
        {"identifiantStructure": SUPPLIER_1, "designationStructure": "PAPETERIE FICTIVE DU PONANT"},
        {"identifiantStructure": SUPPLIER_2, "designationStructure": "ATELIERS IMAGINAIRES DU LEVANT"},
        {"identifiantStructure": SUPPLIER_3, "designationStructure": "SERVICES SUPPOSES DU SUD"},
        {
            "identifiantStructure": PUBLIC_SUPPLIER,
            "designationStructure": "REGIE PUBLIQUE INVENTEE",
            "structurePriveePublique": "PUBLIQUE",
        },
        {
            "identifiantStructure": STATE_SIRET,
            "designationStructure": "ETAT",
            "structurePriveePublique": "PUBLIQUE",
            "parametres": {"numeroEJDoitEtreRenseigne": True, "codeServiceDoitEtreRenseigne": True},
            "services": [
                {"codeService": "SFACETAT", "libelleService": "Service facturier de l'Etat"},
                {"codeService": "FERME", "libelleService": "Service fermé", "estActif": False},
            ],
        },
        {
            "identifiantStructure": "12345678200028",
            "designationStructure": "COMMUNE SERVICE OBLIGATOIRE",
            "structurePriveePublique": "PUBLIQUE",
            "parametres": {"codeServiceDoitEtreRenseigne": True},
            "services": [
                {"codeService": "SERVICE1", "libelleService": "Voirie"},
                {"codeService": "SERVICEEJ", "libelleService": "Ecoles", "numeroEngagement": True},
                {
                    "codeService": "ANCIEN",
                    "libelleService": "Ancien service",
                    "dateFinValidite": date(2020, 12, 31),
                },
                {"codeService": "FERME", "libelleService": "Service fermé", "estActif": False},
                {"codeService": PUBLIC_TO_PUBLIC, "libelleService": "Service des factures publiques"},
            ],
        },
        {
            "identifiantStructure": "12345678200036",
            "designationStructure": "DEPARTEMENT EJ OBLIGATOIRE",
            "structurePriveePublique": "PUBLIQUE",
            "parametres": {"numeroEJDoitEtreRenseigne": True},
        },
        {
            "identifiantStructure": "12345678200044",
            "designationStructure": "REGION EJ OU SERVICE",
            "structurePriveePublique": "PUBLIQUE",
            "parametres": {"gestionNumeroEJOuCodeService": True},
            "services": [{"codeService": "SERVICE1", "libelleService": "Achats"}],
        },
        {
            "identifiantStructure": "12345678200051",
            "designationStructure": "ETABLISSEMENT SANS PARAMETRE",
            "structurePriveePublique": "PUBLIQUE",
            "services": [
                {"codeService": "SERVICE1", "libelleService": "Intendance"},
                {"codeService": "SERVICEEJ", "libelleService": "Travaux", "numeroEngagement": True},
            ],
        },
        {
            "identifiantStructure": "12345678200069",
            "designationStructure": "SYNDICAT DISSOUS",
            "structurePriveePublique": "PUBLIQUE",
            "statut": "INACTIVE",
        },
        {
            "identifiantStructure": "12345678200077",
            "designationStructure": "HOPITAL SANS RETOUR DE PAIEMENT",
            "structurePriveePublique": "PUBLIQUE",
            "parametres": {"statutMiseEnPaiementNestPasRemonte": True},
        },
    ],
}


@dataclass(frozen=True, slots=True)
class Seed:
    """All of it, with the look-ups that the services need."""

    clients: Mapping[str, str]
    accounts: Mapping[str, Account]
    structures: Mapping[str, Structure]  #: by identifier, in order

    def structure_by_id(self, id_: int) -> Structure | None:
        return next((structure for structure in self.structures.values() if structure.id == id_), None)


def load_seed(given: Mapping[str, Any] | Path | None = None) -> Seed:
    """The built-in seed with the given one on top; the same identifier or login replaces."""
    if isinstance(given, Path):
        given = tomllib.loads(given.read_text(encoding="utf-8"))
    given = given or {}
    if unknown := sorted(set(given) - {"only", "clients", "accounts", "structures"}):
        raise ValueError(f"unknown keys in simulator seed: {unknown}")
    sources = (given,) if given.get("only") else (BUILT_IN, given)
    clients: dict[str, str] = {}
    accounts: dict[str, Account] = {}
    rows: dict[str, Mapping[str, Any]] = {}
    for source in sources:
        clients |= {row["id"]: row["secret"] for row in source.get("clients", ())}
        for row in source.get("accounts", ()):
            accounts[row["login"]] = Account(row["login"], row["password"], frozenset(row["structures"]))
        rows |= {row["identifiantStructure"]: row for row in source.get("structures", ())}
    return Seed(clients, accounts, _structures(rows))


def _structures(rows: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Structure]:
    structures: dict[str, Structure] = {}
    service_id = FIRST_SERVICE_ID
    for number, (identifier, row) in enumerate(rows.items()):
        parameters = row.get("parametres", {})
        if unknown := sorted(set(parameters) - set(PARAMETERS)):
            raise ValueError(f"unknown parametres of {identifier} in simulator seed: {unknown}")
        services = []
        for given in row.get("services", ()):
            services.append(_service(service_id, given))
            service_id += 1
        ejs = row.get("engagements")
        structures[identifier] = Structure(
            id=FIRST_STRUCTURE_ID + number,
            identifier=identifier,
            name=row.get("designationStructure", identifier),
            type=row.get("typeIdentifiantStructure", "SIRET"),
            public=row.get("structurePriveePublique", "PRIVEE") == "PUBLIQUE",
            active=row.get("statut", "ACTIVE") == "ACTIVE",
            parameters=parameters,
            services=tuple(services),
            known_ejs=None if ejs is None else frozenset(ejs),
            password_expires=row.get("dateExpirationMotPasseCompteTech"),
        )
    return structures


def _service(id_: int, row: Mapping[str, Any]) -> Service:
    return Service(
        id=id_,
        code=row["codeService"],
        name=row.get("libelleService", row["codeService"]),
        active=row.get("estActif", True),
        valid_from=row.get("dateDebutValidite"),
        valid_until=row.get("dateFinValidite"),
        demands_ej=row.get("numeroEngagement", False),
        tells_payment=row.get("miseEnPaiement", True),
    )
