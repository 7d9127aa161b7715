"""Follow, second half: what became of live invoices. `live` ⇄ `to-amend`, and the ends.

One search an issuer, on the period since the last one with an overlap; the history is asked only for invoices whose
status is news to us (domain facts 3.5). The watermark moves only when the whole search was read. Any move of the
platform is accepted: one that our table does not foresee is told and noted, never a crash.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from gateway.domain.ack import Action, Event, Level, Source
from gateway.domain.finding import Text
from gateway.domain.issuer import Issuer
from gateway.domain.reason_text import recognise
from gateway.domain.reasons import CATALOGUE, action_for, remedy_for
from gateway.domain.states import DOCUMENT_MOVES, DocumentState
from gateway.domain.statuses import ChorusStatus, Turn, status
from gateway.ledger.moves import AuditLine, Move
from gateway.ledger.rows import DocumentRow
from gateway.ledger.unit import Unit
from gateway.routes.protocol import PlatformInvoice, RouteTrouble, StatusEvent
from gateway.steps.house import House
from gateway.steps.receipts import document_ack
from gateway.steps.trouble import Patience

#: How far the first search of an issuer looks back.
_FIRST_LOOK: Final = timedelta(days=7)
_GROUP: Final = 100
#: Statuses after which a buyer that never tells payment will say nothing more.
_LAST_WORDS: Final = frozenset({"MANDATEE", "COMPTABILISEE"})
#: Histories that may fail in one search before it counts as an outage.
_UNTOLD: Final = 3
_NO_PAYMENT_TOLD: Final = Text(
    "Ce destinataire ne communique jamais la mise en paiement : ce statut est le dernier attendu.",
    "This recipient never tells of payment: this status is the last to be expected.",
)
_ASK_THE_BUYER: Final = Text(
    "Aucune nouvelle de cette facture depuis longtemps : demandez au destinataire où elle en est. S'il répond à "
    "Chorus Pro, la suite vous sera transmise.",
    "No news of this invoice for a long time: ask the recipient where it stands. If it answers Chorus Pro, you will "
    "be told what follows.",
)


@dataclass(slots=True)
class _Heard:
    """What one search brought."""

    news: int = 0  #: documents whose news is written down
    untold: int = 0  #: documents whose history could not be read


class FollowStatuses:
    """Searches for changes of status, issuer by issuer."""

    name = "follow"

    def __init__(self, house: House, patience: Patience) -> None:
        self._house = house
        self._patience = patience
        self._log = structlog.get_logger("gateway.follow")

    def run(self, go_on: Callable[[], bool] = lambda: True) -> int:
        """One search for every issuer that has something alive, as long as we may `go_on`; how many documents had
        news."""
        house = self._house
        with house.ledger.reading() as unit:
            alive = unit.issuers_alive()
        news = 0
        searched = []
        for siret in alive:
            issuer = house.settings.issuers.get(siret)
            if issuer is None or not go_on():
                continue
            found, whole = self._search(issuer)
            news += found
            if whole:
                searched.append(siret)
        return news + self._silent(searched)

    def _search(self, issuer: Issuer) -> tuple[int, bool]:
        """How many documents of one issuer had news, and whether all of them were heard."""
        house = self._house
        now = house.clock.now()
        client = house.routes.get(issuer.route)
        if client is None or self._patience.waits(issuer.siret, now):
            return 0, False
        with house.ledger.reading() as unit:
            until = unit.watermark(str(issuer.route), issuer.siret)
        since = until - house.settings.follow.overlap if until else now - _FIRST_LOOK
        heard = _Heard()
        try:
            group: list[PlatformInvoice] = []
            for invoice in client.changed(issuer, since, now):
                group.append(invoice)
                if len(group) == _GROUP:
                    self._learn(issuer, group, heard)
                    group = []
            self._learn(issuer, group, heard)
        except RouteTrouble as trouble:
            self._patience.after(issuer.siret, trouble, now)
            self._log.warning("unreachable", issuer=issuer.siret, reason=trouble.text.en)
            return heard.news, False
        self._patience.recovered(issuer.siret)
        if heard.untold:
            return heard.news, False  # the watermark stays: the next search meets them again
        with house.ledger.writing(self.name) as unit:
            unit.set_watermark(str(issuer.route), issuer.siret, now)
        return heard.news, True

    def _learn(self, issuer: Issuer, invoices: Sequence[PlatformInvoice], heard: _Heard) -> None:
        if not invoices:
            return
        by_id = {invoice.platform_id: invoice for invoice in invoices}
        with self._house.ledger.reading() as unit:
            documents = unit.documents_by_platform_id(by_id)
        changed = [d for d in documents if d.platform_id and _is_news(d, by_id[d.platform_id])]
        client = self._house.routes[issuer.route]
        for document in changed:
            assert document.platform_id is not None
            try:
                events = client.history(issuer, document.platform_id)
            except RouteTrouble as trouble:
                # One history that Chorus Pro cannot give must not hide the others' news; several are an outage.
                heard.untold += 1
                self._log.warning("history_untold", document_id=document.id, reason=trouble.text.en)
                if heard.untold >= _UNTOLD:
                    raise
                continue
            with self._house.ledger.writing(self.name) as unit:
                self._record(unit, document, by_id[document.platform_id], events)
            heard.news += 1

    def _record(
        self, unit: Unit, document: DocumentRow, invoice: PlatformInvoice, events: Sequence[StatusEvent]
    ) -> None:
        """Write down the passages that are new, tell those that are to be told, and move the document."""
        known = unit.status_ids(document.id)
        for event in events:
            event_id = f"{event.platform_id}:{event.event_id}"
            if event_id in known:
                continue
            known.add(event_id)
            native = status(event.status)
            reason = recognise(event.comment, event.status).reason
            unit.add_status(event_id, document.id, event.status, event.at, reason or "", event.comment)
            if self._wanted(document, native):
                self._tell(unit, document, native, event)
            if native.alert or not native.known:
                self._log.error("status_to_look_at", document_id=document.id, native_code=native.code)
        current = status(invoice.status)
        columns: dict[str, Any] = {
            "native_status": invoice.status,
            "native_status_at": invoice.status_at or unit.now,
            "changed_at": unit.now,
        }
        after = self._state_after(document, current)
        if after is DocumentState.FINAL and document.state is not after and not current.terminal:
            self._tell_end(unit, document, current, invoice)
        if after is None or after is document.state:
            unit.set_document(document.id, **columns)
        elif after in DOCUMENT_MOVES[document.state]:
            unit.move([Move(document.id, document.state, after, invoice.status, columns)])
        else:
            unit.set_document(document.id, **columns)
            unit.note([AuditLine("unforeseen", document.id, f"{document.state} and {invoice.status}")])
            self._log.error("unforeseen_status", document_id=document.id, native_code=invoice.status)

    def _state_after(self, document: DocumentRow, native: ChorusStatus) -> DocumentState | None:
        if native.code in _LAST_WORDS:
            buyer = self._house.buyers.facts_for(document.terms, document.partner).buyer
            if buyer is not None and buyer.never_tells_payment:
                return DocumentState.FINAL
        return native.state

    def _wanted(self, document: DocumentRow, native: ChorusStatus) -> bool:
        """`DEPOSEE` was told as the decision `deposited`; the others as the partner wishes, some always."""
        partner = self._house.partner(document.partner)
        wished = partner.acks.statuses if partner else frozenset()
        if native.always_told or not native.known:
            return True
        return native.code in wished or ("*" in wished and native.code != "DEPOSEE")

    def _tell(self, unit: Unit, document: DocumentRow, native: ChorusStatus, event: StatusEvent) -> None:
        asks = native.turn is Turn.SUPPLIER or native.terminal
        reason = recognise(event.comment, event.status).reason if asks else None
        entry = CATALOGUE[reason] if reason else None
        language = self._house.language(document.partner)
        self._owe(
            unit,
            document,
            about=f"lifecycle:{event.platform_id}:{event.event_id}",
            source=native.source,
            occurred_at=event.at,
            native_code=native.code,
            native_label=native.label.in_language(language),
            reason_code=str(reason or ""),
            reason=entry.label.in_language(language) if entry else "",
            retransmittable=native.retransmittable,
            action=action_for(reason, native) if asks else native.action,
            remedy=remedy_for(reason, native).in_language(language) if asks else "",
            comment=event.comment,
        )

    def _tell_end(self, unit: Unit, document: DocumentRow, native: ChorusStatus, invoice: PlatformInvoice) -> None:
        """The last word of a buyer that never tells payment is told whatever the partner wishes: it is the end."""
        language = self._house.language(document.partner)
        self._owe(
            unit,
            document,
            about=f"lifecycle:{document.id}:final:{native.code}",
            source=Source.GATEWAY,
            occurred_at=invoice.status_at,
            native_code=native.code,
            native_label=native.label.in_language(language),
            reason=_NO_PAYMENT_TOLD.in_language(language),
            action=Action.NONE,
            comment=str(DocumentState.FINAL),
        )

    def _silent(self, issuers: Sequence[str]) -> int:
        """Documents of which nothing was heard for too long: told once, and heard again if the buyer wakes up."""
        since = self._house.clock.now() - self._house.settings.follow.silent_after
        with self._house.ledger.reading() as unit:
            documents = unit.silent_since(since, issuers, _GROUP)
        if not documents:
            return 0
        with self._house.ledger.writing(self.name) as unit:
            for document in documents:
                language = self._house.language(document.partner)
                move = Move(document.id, document.state, DocumentState.SILENT, "", {"changed_at": unit.now})
                unit.move([move])
                self._owe(
                    unit,
                    document,
                    about=f"lifecycle:{document.id}:silent:{_stamp(document.native_status_at)}",
                    source=Source.GATEWAY,
                    native_code=status(document.native_status).code,
                    native_label=status(document.native_status).label.in_language(language),
                    action=Action.CONTACT,
                    remedy=_ASK_THE_BUYER.in_language(language),
                    comment=str(DocumentState.SILENT),
                )
        return len(documents)

    def _owe(self, unit: Unit, document: DocumentRow, *, about: str, source: Source, **cells: Any) -> None:
        file = unit.interchange(document.interchange_id)
        assert file is not None
        flow = unit.flow(document.flow_id) if document.flow_id else None
        cells.setdefault("flow_number", (flow.number or "") if flow else "")
        unit.owe(
            [
                document_ack(
                    self._house, file, document, Level.LIFECYCLE, Event.STATUS, about=about, source=source, **cells
                )
            ]
        )


def _is_news(document: DocumentRow, invoice: PlatformInvoice) -> bool:
    if document.native_status != invoice.status:
        return True
    return invoice.status_at is not None and invoice.status_at != document.native_status_at


def _stamp(at: datetime | None) -> str:
    return at.isoformat() if at else ""
