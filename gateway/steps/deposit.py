"""Deposit: flows leave for the platform, once. `packed` → `intended` → `sent`, `unknown`, `rejected` or `packed`.

The intent (name, bytes, hash) is committed before the call (DESIGN 4.4). Whatever interrupts the call, the flow is
then `intended` or `unknown`, and only `settle.py` may bring it back to `packed`, after it has looked for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Final

import structlog

from gateway.domain.states import DocumentState, FlowState
from gateway.ledger.moves import Move
from gateway.ledger.rows import FlowRow
from gateway.ledger.unit import Unit
from gateway.routes.protocol import (
    Deposited,
    Packet,
    Refused,
    RouteTrouble,
    Uncertain,
    Unreachable,
)
from gateway.steps.flow_ends import bounce
from gateway.steps.house import House
from gateway.steps.trouble import Patience

#: Calls in flight at once: network latency, not our processors, is what they wait for.
_CALLS: Final = 3

_Answer = Deposited | Refused | RouteTrouble


class Deposit:
    """Deposits packed flows, a few at once."""

    name = "deposit"

    def __init__(self, house: House, patience: Patience) -> None:
        self._house = house
        self._patience = patience
        self._calls = ThreadPoolExecutor(_CALLS, thread_name_prefix="deposit")
        self._log = structlog.get_logger("gateway.deposit")
        self.taken = 0  #: flows that the platform took since the start

    def recover(self) -> None:
        """After a start: a flow whose call was begun by a process that died may have arrived."""
        with self._house.ledger.writing(self.name) as unit:
            for flow in unit.flows_intended():
                self._unknown(unit, flow, "the gateway stopped during the call")

    def run(self) -> int:
        """Deposit one group of flows; how many were called for, whatever came of it."""
        flows = self._intend()
        for flow, answer in zip(flows, self._calls.map(self._call, flows), strict=True):
            self._answered(flow, answer)
        return len(flows)

    def close(self) -> None:
        """Wait for the calls in flight; nothing new is begun."""
        self._calls.shutdown(wait=True)

    def _intend(self) -> Sequence[FlowRow]:
        house = self._house
        with house.ledger.reading() as unit:
            due = unit.flows_due(FlowState.PACKED, _CALLS, self._patience.left_alone(unit.now))
            cut_off = unit.flows_intended()
        if not due and not cut_off:
            return ()
        with house.ledger.writing(self.name) as unit:
            for flow in cut_off:  # no call is under way here: the round that began it ended in a fault of ours
                self._unknown(unit, flow, "the gateway failed during the call")
            flows = due
            for flow in flows:
                columns = {"intended_at": unit.now, "looks": 0}
                unit.move([Move(flow.id, flow.state, FlowState.INTENDED, columns=columns)])
                unit.move(
                    Move(d.id, d.state, DocumentState.SENT, flow.id, {"changed_at": unit.now})
                    for d in unit.documents_of_flow(flow.id)
                    if d.state is DocumentState.PACKED
                )
        return flows

    def _call(self, flow: FlowRow) -> _Answer:
        house = self._house
        issuer = house.settings.issuers.get(flow.issuer)
        if issuer is None or issuer.route not in house.routes:
            return Unreachable(f"issuer {flow.issuer} is not configured any more")
        with house.ledger.reading() as unit:
            documents = tuple(d.id for d in unit.documents_of_flow(flow.id))
        try:
            content = house.archive.read(flow.content_path)
        except OSError as fault:
            return Unreachable(f"the flow's bytes cannot be read from the archive: {fault.strerror}")
        if sha256(content).hexdigest() != flow.sha256:
            return Unreachable("the flow's bytes in the archive are not those that were packed")
        try:
            return house.routes[issuer.route].deposit(Packet(flow.name, flow.syntax, content, documents, ()), issuer)
        except (Refused, RouteTrouble) as told:
            return told
        except Exception as fault:  # one flow's fault must not leave its neighbours without their answers
            self._log.exception("deposit_failed", flow_id=flow.id)
            return Uncertain(f"{type(fault).__name__} during the call")

    def _answered(self, flow: FlowRow, answer: _Answer) -> None:
        log = self._log.bind(flow_id=flow.id, documents=flow.documents)
        with self._house.ledger.writing(self.name) as unit:
            sent = unit.flow(flow.id)
            assert sent is not None
            if isinstance(answer, Deposited):
                self._patience.recovered(flow.issuer)
                self._deposited(unit, sent, answer)
                self.taken += 1
                log.info("deposited", number=answer.number, already=answer.already)
            elif isinstance(answer, Refused):
                self._patience.recovered(flow.issuer)
                bounce(self._house, unit, sent, (answer.refusal,))
                log.warning("refused", reason=answer.refusal.text)
            elif isinstance(answer, Uncertain):
                # Each call into a platform in this state leaves one more flow to be settled.
                self._patience.after(flow.issuer, answer, unit.now)
                self._unknown(unit, sent, answer.text.en)
                log.warning("unknown", reason=answer.text.en)
            else:
                self._back(unit, sent, answer)
                log.warning("unreachable", reason=answer.text.en)

    def _deposited(self, unit: Unit, flow: FlowRow, answer: Deposited) -> None:
        if not answer.number:
            self._unknown(unit, flow, "the platform says that it has this flow already, but not under which number")
            return
        columns = {"number": answer.number, "sent_at": unit.now, "due_at": unit.now}
        unit.move([Move(flow.id, flow.state, FlowState.SENT, answer.number, columns)])

    def _unknown(self, unit: Unit, flow: FlowRow, why: str) -> None:
        first_look = (flow.intended_at or unit.now) + self._house.settings.sending.settle[0]
        unit.move([Move(flow.id, flow.state, FlowState.UNKNOWN, why[:500], {"due_at": first_look})])

    def _back(self, unit: Unit, flow: FlowRow, trouble: RouteTrouble) -> None:
        """The call certainly had no effect: the flow waits, with its documents."""
        due = self._patience.after(flow.issuer, trouble, unit.now)
        unit.move([Move(flow.id, flow.state, FlowState.PACKED, trouble.text.en[:500], {"due_at": due})])
        unit.move(
            Move(d.id, d.state, DocumentState.PACKED, flow.id, {"changed_at": unit.now})
            for d in unit.documents_of_flow(flow.id)
            if d.state is DocumentState.SENT
        )
