"""Reading Chorus Pro's directory: what a public body demands, and its services, as the values that rules know.

Four services in a row (domain facts 1.3): search the SIRET, consult the structure, list its services, consult each
open one, because only there stands whether it demands an EJ. For a refresh of the snapshot, never while judging.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from gateway.domain.facts import Buyer, Service
from gateway.domain.issuer import Issuer
from gateway.routes.chorus_api.answers import BusinessError, Fields
from gateway.routes.chorus_api.paging import NO_PAGE, Listing, Page, page_of
from gateway.routes.chorus_api.session import Session
from gateway.routes.chorus_api.structures import NO_RESULT, Structures, is_active

CONSULT: Final = "structures/v1/consulter"
SERVICES: Final = "structures/v1/rechercher/services"
CONSULT_SERVICE: Final = "structures/v1/consulter/service"


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """A SIRET as the directory has it; `buyer` is None where it does not know it."""

    siret: str
    buyer: Buyer | None
    services: tuple[Service, ...] = ()


@dataclass(frozen=True, slots=True)
class DirectoryReader:
    """Reads under one issuer's technical account; any will do."""

    session: Session
    structures: Structures

    def entries(
        self, issuer: Issuer, sirets: Iterable[str], service_codes: Collection[str] | None = None
    ) -> Iterator[DirectoryEntry]:
        """One entry for each SIRET, in order. With `service_codes`, only those are consulted in detail: the State
        has hundreds. Raises `Unreachable` where one cannot be read whole; what was given before is true."""
        for siret in sirets:
            yield self._entry(issuer, siret, service_codes)

    def _entry(self, issuer: Issuer, siret: str, service_codes: Collection[str] | None) -> DirectoryEntry:
        found = self.structures.search(issuer, siret)
        structure_id = found.whole("idStructureCPP") if found else None
        if found is None or structure_id is None:
            return DirectoryEntry(siret, None)
        answer = self._read(CONSULT, {"idStructureCPP": structure_id, "codeLangue": "fr"}, issuer)
        services = tuple(self._services(issuer, structure_id, service_codes))
        rules = answer.part("parametres")
        general = answer.part("informationGenerales")
        buyer = Buyer(
            siret=siret,
            name=found.text("designationStructure", 200) or general.text("raisonSocialeStructure", 200),
            active=is_active(found),
            ej_mandatory=rules.flag("numeroEJDoitEtreRenseigne"),
            service_mandatory=rules.flag("codeServiceDoitEtreRenseigne"),
            ej_or_service=rules.flag("gestionNumeroEJOuCodeService"),
            never_tells_payment=rules.flag("statutMiseEnPaiementNestPasRemonte"),
            has_active_service=any(service.active for service in services),
        )
        return DirectoryEntry(siret, buyer, services)

    def _services(self, issuer: Issuer, structure_id: int, codes: Collection[str] | None) -> Iterator[Service]:
        limits = self.session.settings.limits
        listing = Listing(
            service=SERVICES,
            get=lambda number: self._services_page(issuer, structure_id, number),
            key=lambda item: f"{item.text('idService', 40)}\x1f{item.text('codeService', 200)}",
            page_size=limits.page_size,
            most_pages=limits.pages,
        )
        for item in listing:
            code, service_id = item.text("codeService", 200), item.whole("idService")
            active = item.flag("estActif", absent=item.text("statutService", 20).upper() in {"ACTIF", "ACTIVE"})
            if active and service_id is not None and (codes is None or code in codes):
                asked = {"idStructure": structure_id, "idService": service_id, "codeLangue": "fr"}
                detail = self._read(CONSULT_SERVICE, asked, issuer).part("parametres")
            else:
                detail = Fields({})
            yield Service(
                code=code,
                name=item.text("libelleService", 200),
                active=active,
                ej_mandatory=detail.flag("numeroEngagement"),
                valid_from=detail.day("dateDebutValidite") or item.day("dateDbtService"),
                valid_to=detail.day("dateFinValidite") or item.day("dateFinService"),
            )

    def _services_page(self, issuer: Issuer, structure_id: int, number: int) -> Page:
        asked = {
            "idStructure": structure_id,
            "parametresRechercherServicesStructure": {
                "pageResultatDemandee": number,
                "nbResultatsParPage": self.session.settings.limits.page_size,
                "triColonne": "CodeService",
                "triSens": "Ascendant",
            },
        }
        try:
            return page_of(self.session.read(SERVICES, asked, issuer), "listeServices")
        except BusinessError as error:
            if error.prefix == NO_RESULT:
                return NO_PAGE
            raise error.as_unreachable() from error

    def _read(self, service: str, asked: dict[str, object], issuer: Issuer) -> Fields:
        try:
            return self.session.read(service, asked, issuer)
        except BusinessError as error:
            raise error.as_unreachable() from error
