"""Settle: find out what became of a deposit whose answer was lost, before anything is repeated (DESIGN 4.4).

At each of the configured moments after the intent the platform is searched for the flow's invoices. Found: the
flow is `sent`, under the number the platform gave. Not found at the last look: the same bytes are sent once more.
Not found after that either: it stays `unknown`, is looked for once a day, and a person is called.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from gateway.domain.states import DocumentState, FlowState
from gateway.ledger.moves import AuditLine, Move
from gateway.ledger.rows import FlowRow
from gateway.routes.protocol import PlatformInvoice, RouteTrouble
from gateway.steps.house import House
from gateway.steps.trouble import Patience

#: Times the same bytes are sent again before a person is asked.
_REPEATS: Final = 1
#: The platform stamps deposits with its own clock, and searches by day.
_CLOCK_SKEW: Final = timedelta(minutes=10)
_FORLORN: Final = timedelta(days=1)
_ISSUER_BACK: Final = timedelta(hours=1)
_GROUP: Final = 20


class Settle:
    """Looks for flows in `unknown`."""

    name = "settle"

    def __init__(self, house: House, patience: Patience) -> None:
        self._house = house
        self._patience = patience
        self._log = structlog.get_logger("gateway.settle")

    def run(self) -> int:
        """Look for the flows whose next look is due."""
        with self._house.ledger.reading() as unit:
            due = unit.flows_due(FlowState.UNKNOWN, _GROUP, self._patience.left_alone(unit.now))
        return sum(self._look(flow) for flow in due if not self._patience.waits(flow.issuer, self._house.clock.now()))

    def _look(self, flow: FlowRow) -> int:
        house = self._house
        issuer = house.settings.issuers.get(flow.issuer)
        if issuer is None or issuer.route not in house.routes or flow.intended_at is None:
            self._log.error("issuer_gone", flow_id=flow.id, issuer=flow.issuer)
            self._later(flow, house.clock.now() + _ISSUER_BACK)
            return 0
        with house.ledger.reading() as unit:
            numbers = [d.terms.number for d in unit.documents_of_flow(flow.id)]
        now = house.clock.now()
        try:
            # From the packing on: a repeat may have been begun since, and what arrived may be of the first call.
            since = flow.packed_at - _CLOCK_SKEW
            found = house.routes[issuer.route].find(issuer, numbers, since, now + _CLOCK_SKEW)
        except RouteTrouble as trouble:
            self._later(flow, self._patience.after(flow.issuer, trouble, now))
            self._log.warning("unreachable", flow_id=flow.id, reason=trouble.text.en)
            return 0
        self._patience.recovered(flow.issuer)
        number = _flow_number(found)
        if number:
            self._found(flow, number, len(found))
        else:
            self._not_found(flow)
        return 1

    def _later(self, flow: FlowRow, due: datetime) -> None:
        """Behind the others, so that a flow which cannot be looked for stands in nobody's way."""
        with self._house.ledger.writing(self.name) as unit:
            unit.set_flow(flow.id, due_at=due)

    def _found(self, flow: FlowRow, number: str, documents: int) -> None:
        with self._house.ledger.writing(self.name) as unit:
            columns = {"number": number, "sent_at": unit.now, "due_at": unit.now}
            why = f"found at the platform: {documents} of {flow.documents} documents, in {number}"
            unit.move([Move(flow.id, flow.state, FlowState.SENT, why, columns)])
        self._log.info("settled", flow_id=flow.id, number=number)

    def _not_found(self, flow: FlowRow) -> None:
        looks = flow.looks + 1
        moments = self._house.settings.sending.settle
        assert flow.intended_at is not None
        with self._house.ledger.writing(self.name) as unit:
            if looks < len(moments):
                due = flow.intended_at + moments[looks]
                unit.set_flow(flow.id, looks=looks, due_at=due)
                unit.note([AuditLine("not-found", flow.id, f"look {looks} of {len(moments)}")])
            elif flow.repeats < _REPEATS:
                columns = {"looks": 0, "repeats": flow.repeats + 1, "due_at": unit.now}
                unit.move([Move(flow.id, flow.state, FlowState.PACKED, "not found: same bytes again", columns)])
                unit.move(
                    Move(d.id, d.state, DocumentState.PACKED, flow.id, {"changed_at": unit.now})
                    for d in unit.documents_of_flow(flow.id)
                    if d.state is DocumentState.SENT
                )
            else:
                unit.set_flow(flow.id, looks=looks, due_at=unit.now + _FORLORN)
                unit.note([AuditLine("needs-a-person", flow.id, "not found after a repeat")])
                self._log.error(
                    "needs_a_person",
                    flow_id=flow.id,
                    remedy=f"look for flow {flow.name} on the portal; gateway show {flow.id} lists its documents",
                )


def _flow_number(found: Sequence[PlatformInvoice]) -> str:
    """The platform's flow that holds most of these invoices; one of them may be there by another way."""
    counted = Counter(invoice.flow_number for invoice in found if invoice.flow_number)
    return max(sorted(counted), key=counted.__getitem__, default="")
