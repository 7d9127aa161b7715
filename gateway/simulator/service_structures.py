"""structures/v1: search, look at one, its services, one service. And the structures one is attached to.

No public OpenAPI names the fields of recuperer/rattachements; ours follow lister/rattachementsutilisateur.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

from gateway.simulator.asked import Call, Page, done, failed, without_nothing
from gateway.simulator.seed import PARAMETERS, Service, Structure
from gateway.simulator.times import iso, iso_day, to_us

STRUCTURE_UNKNOWN: Final = failed(20001, "GCU_MSG_01_008 : La structure est inconnue")
SERVICE_UNKNOWN: Final = failed(20002, "GCU_MSG_01_009 : Le service est inconnu")


def search(call: Call) -> dict[str, Any]:
    wanted = call.asked.object("structure")
    exact = wanted.text("identifiantStructure")
    type_, kind, status = (wanted.text(f"{n}Structure") for n in ("typeIdentifiant", "type", "statut"))
    name = (wanted.text("raisonSocialeStructure") or wanted.text("libelleStructure")).casefold()
    found = [
        structure
        for structure in call.platform.seed.structures.values()
        if (not exact or structure.identifier == exact)
        and (not type_ or structure.type == type_)
        and (not kind or structure.public == (kind == "PUBLIQUE"))
        and (not status or structure.active == (status == "ACTIF"))
        and name in structure.name.casefold()
        and not (call.asked.boolean("restreindreStructuresPrivees") and not structure.public)
    ]
    parameters = call.asked.object("parametres")
    if (column := parameters.text("triColonne")) in SORT_KEYS:
        found.sort(key=SORT_KEYS[column], reverse=parameters.text("triSens") == "Descendant")
    page = Page.asked(parameters)
    return done(
        listeStructures=[_listed(structure) for structure in page.of(found)],
        parametresRetour=page.returned(len(found)),
    )


def look(call: Call) -> dict[str, Any]:
    """One structure. When its technical account's password expires is told to its own account only."""
    structure = _structure(call, "idStructureCPP")
    if structure is None:
        return STRUCTURE_UNKNOWN
    expires = structure.password_expires if structure.identifier in call.account.structures else None
    return done(
        informationGenerales=without_nothing(
            {
                "idStructureCPP": structure.id,
                "identifiantStructure": structure.identifier,
                "typeIdentifiantStructure": structure.type,
                "raisonSocialeStructure": structure.name,
                "libelleStructure": structure.name,
                "structurePriveePublique": "PUBLIQUE" if structure.public else "PRIVEE",
                "estValideurDeleguee": structure.flag("estValideurDelegue"),
                "dateExpirationMotPasseCompteTech": _instant(expires),
            }
        ),
        adressePostaleDuSiege={"pays": "FR"},
        parametres={name: structure.flag(name) for name in PARAMETERS},
    )


def services(call: Call) -> dict[str, Any]:
    structure = _structure(call, "idStructure")
    if structure is None:
        return STRUCTURE_UNKNOWN
    page = Page.asked(call.asked.object("parametresRechercherServicesStructure"))
    today = _today(call)
    return done(
        listeServices=[_listed_service(service, today) for service in page.of(structure.services)],
        parametresRetour=page.returned(len(structure.services)),
    )


def look_at_service(call: Call) -> dict[str, Any]:
    structure = _structure(call, "idStructure")
    if structure is None:
        return STRUCTURE_UNKNOWN
    wanted = call.asked.integer("idService")
    service = next((one for one in structure.services if one.id == wanted), None)
    if service is None:
        return SERVICE_UNKNOWN
    return done(
        informationsGenerales={"codeService": service.code, "nomService": service.name},
        adressePostale={"pays": "FR"},
        parametres=without_nothing(
            {
                "numeroEngagement": service.demands_ej,
                "miseEnPaiement": service.tells_payment,
                "dateDebutValidite": _day(service.valid_from),
                "dateFinValidite": _day(service.valid_until),
            }
        ),
    )


def attachments(call: Call) -> dict[str, Any]:
    page = Page.asked(call.asked.object("parametresRecherche"))
    own = [one for one in call.platform.seed.structures.values() if one.identifier in call.account.structures]
    return done(
        listeRattachements=[
            {
                "idStructure": one.id,
                "identifiantStructure": one.identifier,
                "typeIdentifiantStructure": one.type,
                "designationStructure": one.name,
                "statutRattachement": "VALIDEE",
            }
            for one in page.of(own)
        ],
        parametresRetour=page.returned(len(own)),
    )


def _listed(structure: Structure) -> dict[str, Any]:
    return {
        "idStructureCPP": structure.id,
        "identifiantStructure": structure.identifier,
        "typeIdentifiantStructure": structure.type,
        "designationStructure": structure.name,
        "statut": "ACTIVE" if structure.active else "INACTIVE",
    }


def _listed_service(service: Service, today: date) -> dict[str, Any]:
    """`estActif` is the switch alone; the validity dates are told by consulter/service only."""
    return {
        "idService": service.id,
        "codeService": service.code,
        "libelleService": service.name,
        "estActif": service.active,
        "statutService": "ACTIF" if service.usable_on(today) else "INACTIF",
    }


def _structure(call: Call, field: str) -> Structure | None:
    id_ = call.asked.integer(field)
    return None if id_ is None else call.platform.seed.structure_by_id(id_)


def _today(call: Call) -> date:
    return datetime.fromisoformat(iso(call.platform.clock.now())).date()


def _day(day: date | None) -> str | None:
    return None if day is None else iso_day(day.isoformat())


def _instant(at: datetime | None) -> str | None:
    return None if at is None else iso(to_us(at))


SORT_KEYS: Final = {
    "IdentifiantStructure": lambda structure: structure.identifier,
    "DesignationStructure": lambda structure: structure.name,
    "TypeIdentifiantStructure": lambda structure: structure.type,
    "Statut": lambda structure: structure.active,
}
