"""Searching the invoices of an issuer (`rechercher/fournisseur`): by flow, by change of status, by number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gateway.clock import PARIS
from gateway.domain.issuer import Issuer
from gateway.routes.chorus_api.answers import BusinessError, Fields
from gateway.routes.chorus_api.dates import first_of_day, last_of_day, write_moment
from gateway.routes.chorus_api.paging import NO_PAGE, Listing, Page, page_of
from gateway.routes.chorus_api.session import Session
from gateway.routes.chorus_api.structures import NO_RESULT, Structures
from gateway.routes.protocol import PlatformInvoice

SERVICE: Final = "factures/v1/rechercher/fournisseur"
_FEW_NUMBERS: Final = 3


@dataclass(frozen=True, slots=True)
class Invoices:
    """The invoices of one platform's issuers."""

    session: Session
    structures: Structures

    def of_flow(self, issuer: Issuer, flow_number: str) -> tuple[PlatformInvoice, ...]:
        """Every invoice that a flow made."""
        found = self._all(issuer, {"numeroFluxDepot": flow_number})
        return tuple(one for one in found if one.flow_number in {flow_number, ""})

    def changed(self, issuer: Issuer, since: datetime, until: datetime) -> Iterator[PlatformInvoice]:
        """Every invoice whose status changed in the period."""
        period = {
            "periodeDateHeureEtatCourantDu": write_moment(since),
            "periodeDateHeureEtatCourantAu": write_moment(until),
        }
        return self._all(issuer, period)

    def with_numbers(
        self, issuer: Issuer, numbers: Sequence[str], since: datetime, until: datetime
    ) -> tuple[PlatformInvoice, ...]:
        """Those of these numbers deposited in the days of the period: by one search over the period, or by one for
        each number where that is fewer calls."""
        wanted = {number.strip() for number in numbers if number.strip()}
        period = {
            "periodeDateDepotDu": write_moment(first_of_day(since)),
            "periodeDateDepotAu": write_moment(last_of_day(until)),
        }
        if len(wanted) <= _FEW_NUMBERS or self._pages(issuer, period) > len(wanted):
            found: Iterable[PlatformInvoice] = (
                one for number in sorted(wanted) for one in self._all(issuer, {**period, "numeroFacture": number})
            )
        else:
            found = self._all(issuer, period)
        return tuple(one for one in found if one.number in wanted and _deposited_in(one, since, until))

    def _all(self, issuer: Issuer, criteria: Mapping[str, object]) -> Iterator[PlatformInvoice]:
        supplier = self.structures.id_of(issuer)
        limits = self.session.settings.limits
        listing = Listing(
            service=SERVICE,
            get=lambda number: self._page(issuer, {**criteria, "idFournisseur": supplier}, number),
            key=_key,
            page_size=limits.page_size,
            most_pages=limits.pages,
        )
        for item in listing:
            invoice = _invoice(item, issuer)
            if invoice is not None:
                yield invoice

    def _pages(self, issuer: Issuer, criteria: Mapping[str, object]) -> int:
        supplier = self.structures.id_of(issuer)
        return self._page(issuer, {**criteria, "idFournisseur": supplier}, 1).pages or 0

    def _page(self, issuer: Issuer, criteria: Mapping[str, object], number: int) -> Page:
        asked = {
            **criteria,
            "rechercheFactureParFournisseur": {
                "pageResultatDemandee": number,
                "nbResultatsParPage": self.session.settings.limits.page_size,
                # A stable order: sorted by status or time, an invoice that moves on would slip between two pages.
                "triColonne": "NumeroFacture",
                "triSens": "Ascendant",
            },
        }
        try:
            return page_of(self.session.read(SERVICE, asked, issuer), "listeFactures")
        except BusinessError as error:
            if error.prefix == NO_RESULT:
                return NO_PAGE
            raise error.as_unreachable() from error


def _key(item: Fields) -> str:
    """One entry of the listing. With its status: a change between two passes is told too."""
    return "\x1f".join(
        item.text(name, 200)
        for name in ("identifiantFactureCPP", "numeroFacture", "codeFournisseur", "statut", "dateHeureEtatCourant")
    )


def _invoice(item: Fields, issuer: Issuer) -> PlatformInvoice | None:
    """The entry as our value; None for another issuer's, or without an id."""
    platform_id = item.text("identifiantFactureCPP", 40)
    owner = item.text("codeFournisseur", 100) or issuer.siret
    if not platform_id or owner != issuer.siret:
        return None
    return PlatformInvoice(
        platform_id=platform_id,
        number=item.text("numeroFacture", 200),
        issuer=owner,
        flow_number=item.text("numeroFluxDepot", 100),
        status=item.text("statut", 100),
        status_at=item.moment("dateHeureEtatCourant"),
        issued=item.day("dateFacture"),
        deposited=item.day("dateDepot"),
        comment=item.text("commentaireEtatCourant"),
    )


def _deposited_in(invoice: PlatformInvoice, since: datetime, until: datetime) -> bool:
    """A day of grace on both sides: a date without an hour may be another country's day."""
    if invoice.deposited is None:
        return True
    day = timedelta(days=1)
    first, last = since.astimezone(PARIS).date() - day, until.astimezone(PARIS).date() + day
    return first <= invoice.deposited <= last
