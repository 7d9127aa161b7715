"""Follow, first half: what became of deposited flows. `sent` → `integrated`, `partial`, `rejected` or `incident`.

A flow ends here only when each of its documents is accounted for: listed by the platform with an id, or refused by
number. A report that says "integrated" before the invoices can be found is asked again later (OCA #571: ids of ten
invoices only).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from gateway.domain.flow_states import FlowOutcome, flow_state
from gateway.domain.issuer import Issuer
from gateway.domain.states import DocumentState, FlowState
from gateway.ledger.moves import AuditLine, Move
from gateway.ledger.rows import FlowRow
from gateway.routes.protocol import FlowReport, PlatformInvoice, Refusal, RouteTrouble
from gateway.steps.flow_ends import bounce, integrate, is_double, unaccounted
from gateway.steps.house import House
from gateway.steps.trouble import Patience

_GROUP: Final = 20
#: Times a flow that the platform lost is sent again before a person is asked.
_RESENDS: Final = 2
_FORLORN: Final = timedelta(days=1)
#: A flow of which nothing final is heard for so long is told to a person, and asked about less often.
_LATE: Final = timedelta(days=1)
_SLOWLY: Final = timedelta(hours=1)
#: The platform stamps deposits with its own clock.
_CLOCK_SKEW: Final = timedelta(minutes=10)


class FollowFlows:
    """Asks for the reports of deposited flows."""

    name = "follow"

    def __init__(self, house: House, patience: Patience) -> None:
        self._house = house
        self._patience = patience
        self._log = structlog.get_logger("gateway.follow")

    def run(self) -> int:
        """Ask for one group of reports; how many flows ended."""
        with self._house.ledger.reading() as unit:
            due = unit.flows_due(FlowState.SENT, _GROUP, self._patience.left_alone(unit.now))
        return sum(self._follow(flow) for flow in due)

    def _follow(self, flow: FlowRow) -> int:
        house = self._house
        issuer = house.settings.issuers.get(flow.issuer)
        now = house.clock.now()
        if issuer is None or issuer.route not in house.routes or flow.number is None:
            self._log.error("issuer_gone", flow_id=flow.id, issuer=flow.issuer)
            self._later(flow, flow.native_state, now + _SLOWLY)
            return 0
        if self._patience.waits(flow.issuer, now):
            return 0
        try:
            report = house.routes[issuer.route].report(issuer, flow.number, flow.syntax)
            ended = self._reported(flow, issuer, report)
        except RouteTrouble as trouble:
            # Behind the others: one flow that cannot be asked about must not hide those that can.
            self._later(flow, flow.native_state, self._patience.after(flow.issuer, trouble, now))
            self._log.warning("unreachable", flow_id=flow.id, reason=trouble.text.en)
            return 0
        self._patience.recovered(flow.issuer)
        return ended

    def _reported(self, flow: FlowRow, issuer: Issuer, report: FlowReport) -> int:
        if report.outcome in (FlowOutcome.INTEGRATED, FlowOutcome.PARTIAL):
            return self._integrated(flow, issuer, report)
        if report.outcome is FlowOutcome.REJECTED:
            return self._rejected(flow, issuer, report)
        if report.outcome is FlowOutcome.INCIDENT:
            return self._incident(flow, report)
        if flow_state(report.native_state).alert and report.native_state != flow.native_state:
            known = report.outcome is not FlowOutcome.UNKNOWN_STATE
            event = "flow_state_to_look_at" if known else "unknown_flow_state"
            self._log.error(event, flow_id=flow.id, number=flow.number, native_state=report.native_state)
        self._later(flow, report.native_state)
        return 0

    def _rejected(self, flow: FlowRow, issuer: Issuer, report: FlowReport) -> int:
        there = self._there_from_before(flow, issuer, report.refusals)
        with self._house.ledger.writing(self.name) as unit:
            lost = unaccounted(unit.documents_of_flow(flow.id), there, _unless_double(flow, report.refusals))
            doubles = {refusal.number for refusal in report.refusals if is_double(refusal)}
            missing = [d for d in lost if d.terms.number in doubles]
            if not missing:
                bounce(self._house, unit, flow, report.refusals, report.native_state, there)
                return 1
        return self._not_all_listed(flow, report, len(missing))

    def _integrated(self, flow: FlowRow, issuer: Issuer, report: FlowReport) -> int:
        assert flow.number is not None
        listed = self._house.routes[issuer.route].invoices_of(issuer, flow.number)
        invoices = (*self._there_from_before(flow, issuer, report.refusals), *listed)
        refusals = _unless_double(flow, report.refusals)
        after = FlowState.INTEGRATED if report.outcome is FlowOutcome.INTEGRATED else FlowState.PARTIAL
        with self._house.ledger.writing(self.name) as unit:
            missing = unaccounted(unit.documents_of_flow(flow.id), invoices, refusals)
            if not missing:
                integrate(self._house, unit, flow, after, invoices, refusals, report.native_state)
                return 1
        return self._not_all_listed(flow, report, len(missing))

    def _there_from_before(
        self, flow: FlowRow, issuer: Issuer, refusals: Sequence[Refusal]
    ) -> Sequence[PlatformInvoice]:
        """Of a flow that was sent twice: what the platform refuses as a double is what arrived the first time."""
        numbers = [refusal.number for refusal in refusals if refusal.number and is_double(refusal)]
        if not flow.repeats or not numbers:
            return ()
        until = self._house.clock.now() + _CLOCK_SKEW
        return self._house.routes[issuer.route].find(issuer, numbers, flow.packed_at - _CLOCK_SKEW, until)

    def _not_all_listed(self, flow: FlowRow, report: FlowReport, missing: int) -> int:
        self._log.warning("not_all_listed", flow_id=flow.id, missing=missing, native_state=report.native_state)
        self._later(flow, report.native_state)
        return 0

    def _incident(self, flow: FlowRow, report: FlowReport) -> int:
        """The platform lost the flow: nothing was integrated, and it asks for the whole flow again."""
        with self._house.ledger.writing(self.name) as unit:
            if flow.repeats >= _RESENDS:
                unit.set_flow(flow.id, due_at=unit.now + _FORLORN, native_state=report.native_state)
                unit.note([AuditLine("needs-a-person", flow.id, f"{report.native_state} after {flow.repeats} repeats")])
                self._log.error("needs_a_person", flow_id=flow.id, native_state=report.native_state)
                return 0
            native = {"native_state": report.native_state}
            unit.move([Move(flow.id, flow.state, FlowState.INCIDENT, report.native_state, native)])
            again = {"repeats": flow.repeats + 1, "due_at": unit.now, "number": None}
            unit.move([Move(flow.id, FlowState.INCIDENT, FlowState.PACKED, "the whole flow again", again)])
            unit.move(
                Move(d.id, d.state, DocumentState.PACKED, flow.id, {"changed_at": unit.now})
                for d in unit.documents_of_flow(flow.id)
                if d.state is DocumentState.SENT
            )
        return 1

    def _later(self, flow: FlowRow, native_state: str, due: datetime | None = None) -> None:
        with self._house.ledger.writing(self.name) as unit:
            late = flow.sent_at is not None and unit.now - flow.sent_at > _LATE
            if due is None:
                due = unit.now + (_SLOWLY if late else self._house.settings.follow.flow_poll)
            unit.set_flow(flow.id, due_at=due, native_state=native_state)
        if late:
            self._log.error(
                "needs_a_person",
                flow_id=flow.id,
                number=flow.number,
                native_state=native_state,
                remedy=f"ask Chorus Pro about flow {flow.number}; gateway show {flow.id} lists its documents",
            )


def _unless_double(flow: FlowRow, refusals: Sequence[Refusal]) -> Sequence[Refusal]:
    """The refusals that end a document: of a flow sent twice, a double is no such one."""
    return [refusal for refusal in refusals if not (flow.repeats and is_double(refusal))]
