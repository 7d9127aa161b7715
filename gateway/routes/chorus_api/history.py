"""Every status an invoice passed (`consulter/historique`). Who did it stands beside: that is never read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from gateway.domain.issuer import Issuer
from gateway.routes.chorus_api.answers import BusinessError, Fields
from gateway.routes.chorus_api.paging import Listing, Page
from gateway.routes.chorus_api.session import Session
from gateway.routes.protocol import StatusEvent

SERVICE: Final = "factures/v1/consulter/historique"


@dataclass(frozen=True, slots=True)
class Histories:
    """The histories of one platform's invoices."""

    session: Session

    def of(self, issuer: Issuer, platform_id: str) -> tuple[StatusEvent, ...]:
        """Oldest first. A passage without a readable time or code is left out."""
        limits = self.session.settings.limits
        number = ""

        def get(page: int) -> Page:
            nonlocal number
            answer = self._answer(issuer, platform_id, page)
            number = answer.text("numeroFacture", 200) or number
            part = answer.part("historiquesDesStatuts")
            return Page(
                tuple(part.items("histoStatut")), part.whole("pagesHistoStatut"), part.whole("totalHistoStatut")
            )

        listing = Listing(SERVICE, get, _key, limits.page_size, limits.pages)
        events = [event for item in listing if (event := _event(item, platform_id, number))]
        return tuple(sorted(events, key=lambda event: event.at))

    def _answer(self, issuer: Issuer, platform_id: str, page: int) -> Fields:
        asked = {
            "idFacture": int(platform_id) if platform_id.isascii() and platform_id.isdigit() else platform_id,
            "paramRechercheHistoStatuts": {
                "pageResultatDemandeeListeHistoStatut": page,
                "nbResultatsParPageListeHistoStatut": self.session.settings.limits.page_size,
                "triColonneListeHistoStatut": "HistoStatutDatePassage",
                "triSensListeHistoStatut": "Ascendant",
            },
        }
        try:
            return self.session.read(SERVICE, asked, issuer)
        except BusinessError as error:
            raise error.as_unreachable() from error


def _key(item: Fields) -> str:
    names = ("histoStatutId", "histoStatutCode", "histoStatutDatePassage")
    return "\x1f".join(item.text(name, 100) for name in names)


def _event(item: Fields, platform_id: str, number: str) -> StatusEvent | None:
    status, at = item.text("histoStatutCode", 100), item.moment("histoStatutDatePassage")
    if not status or at is None:
        return None
    derived = hashlib.sha256(f"{platform_id}|{status}|{at.isoformat()}".encode()).hexdigest()[:32]
    return StatusEvent(
        event_id=item.text("histoStatutId", 40) or derived,
        platform_id=platform_id,
        number=number,
        status=status,
        at=at,
        comment=item.text("histoStatutCommentaire"),
    )
