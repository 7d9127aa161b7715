"""Decide: `judged` → `ready`, `held` or `refused`, from the findings and from what we hold under the same number.

Decisions are taken one after the other in one transaction, so that two copies in one night see each other. A
document that becomes `ready` takes its number, under two unique keys in the ledger (year of invoice, year of
deposit): the database itself makes a second sending impossible.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

import structlog

from gateway.domain.ack import Action, Event, Level
from gateway.domain.again import Outcome
from gateway.domain.finding import Finding, Layer, Severity
from gateway.domain.severities import decide
from gateway.domain.states import DocumentState
from gateway.domain.statuses import status
from gateway.domain.verdict import Decision
from gateway.ledger.codec import dump_findings
from gateway.ledger.moves import Move
from gateway.ledger.rows import DocumentRow, InterchangeRow
from gateway.ledger.unit import Unit
from gateway.steps.house import House
from gateway.steps.receipts import document_ack
from gateway.steps.rounds import Rotation, fair_share
from gateway.steps.same_invoice import ALREADY, NEW_NUMBER, REPLACED, WAITS, Repetition, repetition, replaced_by

_STATES: Final = {
    Decision.SEND: DocumentState.READY,
    Decision.HOLD: DocumentState.HELD,
    Decision.REFUSE: DocumentState.REFUSED,
}
_EVENTS: Final = {Decision.HOLD: Event.HELD, Decision.REFUSE: Event.REFUSED}
#: Outcomes after which held documents of the same number give way to the newcomer.
_TAKES_PLACE: Final = frozenset(
    {Outcome.REPLACES, Outcome.WAIT_UNTIL_SETTLED, Outcome.RECYCLE_OR_REFUSE, Outcome.COMPLETE_OR_REFUSE}
)
#: Rules after which the same number can never go again.
_NUMBER_IS_TAKEN: Final = frozenset({NEW_NUMBER.rule, ALREADY.rule})


class Decide:
    """Decides on judged documents in fair groups."""

    name = "decide"

    def __init__(self, house: House) -> None:
        self._house = house
        self._rotation = Rotation()
        self._log = structlog.get_logger("gateway.decide")

    def run(self) -> int:
        """Decide one group."""
        house = self._house
        with house.ledger.writing(self.name) as unit:
            rows = fair_share(
                self._rotation.order(house.settings.partners),
                house.settings.ledger.commit_size,
                lambda partner, limit: unit.documents(DocumentState.JUDGED, partner, limit),
            )
            files: dict[str, InterchangeRow] = {}
            for row in sorted(rows, key=lambda r: r.id):
                if row.interchange_id not in files:
                    found = unit.interchange(row.interchange_id)
                    assert found is not None
                    files[row.interchange_id] = found
                self._decide(unit, files[row.interchange_id], row)
        return len(rows)

    def _decide(self, unit: Unit, file: InterchangeRow, row: DocumentRow) -> None:
        year = self._house.today().year
        others = unit.same_invoice(row, year) if _may_ask(row) else []
        repeated = repetition(row, others)
        findings = row.findings + ((repeated.finding,) if repeated and repeated.finding else ())
        decision = decide(findings)
        if repeated and self._is_duplicate(repeated, decision):
            self._duplicate(unit, file, row, repeated)
            return
        columns: dict[str, Any] = {
            "decision": str(decision),
            "findings": dump_findings(findings),
            "deposit_year": year,
            "changed_at": unit.now,
        }
        if repeated and repeated.outcome in _TAKES_PLACE and decision is not Decision.REFUSE:
            for held in replaced_by(row, others):
                self._replace(unit, held)
        if repeated and repeated.outcome in (Outcome.REPLACES, Outcome.JUDGE_AGAIN):
            columns["replaces"] = repeated.first.id
        if repeated and repeated.outcome is Outcome.WAIT_UNTIL_SETTLED and decision is Decision.HOLD:
            columns["waits_for"] = repeated.first.id
        if decision is Decision.SEND:
            columns |= identity_keys(row, year)
        why = ", ".join(sorted({f.rule for f in findings}))[:500]
        unit.move([Move(row.id, row.state, _STATES[decision], why, columns)])
        # What is sent is told once more with its flow; fifty thousand lines a night would hide the others.
        log = self._log.debug if decision is Decision.SEND else self._log.info
        log("decided", interchange_id=file.id, document_id=row.id, decision=str(decision), rules=why)
        if decision in _EVENTS:
            self._tell(unit, file, row, decision, findings, repeated)
        elif row.decision == Decision.HOLD:
            self._released(unit, file, row, findings)

    def _tell(
        self,
        unit: Unit,
        file: InterchangeRow,
        row: DocumentRow,
        decision: Decision,
        findings: tuple[Finding, ...],
        repeated: Repetition | None,
    ) -> None:
        event = _EVENTS[decision]
        rules = {f.rule for f in findings}
        cells: dict[str, Any] = {}
        if repeated and repeated.finding:
            cells = _where_the_first_is(repeated.first)
        unit.owe(
            [
                document_ack(
                    self._house,
                    file,
                    row,
                    Level.DECISION,
                    event,
                    about=_about(row, event, findings),
                    findings=findings,
                    decision=str(decision),
                    retransmittable=not rules & _NUMBER_IS_TAKEN,
                    action=_action(rules, event),
                    **cells,
                )
            ]
        )

    def _released(self, unit: Unit, file: InterchangeRow, row: DocumentRow, findings: tuple[Finding, ...]) -> None:
        """It was told as held; now it goes."""
        ack = document_ack(
            self._house,
            file,
            row,
            Level.DECISION,
            Event.RELEASED,
            about=f"decision:{row.id}:{Event.RELEASED}",
            findings=findings,
            decision=str(Decision.SEND),
        )
        unit.owe([ack])

    def _is_duplicate(self, repeated: Repetition, decision: Decision) -> bool:
        if repeated.outcome is Outcome.DUPLICATE:
            return True
        same_answer = decision is Decision.REFUSE and repeated.first.state is DocumentState.REFUSED
        return repeated.outcome is Outcome.JUDGE_AGAIN and same_answer

    def _duplicate(self, unit: Unit, file: InterchangeRow, row: DocumentRow, repeated: Repetition) -> None:
        findings = (repeated.finding,) if repeated.finding else row.findings
        columns = {
            "decision": str(Decision.REFUSE),
            "findings": dump_findings(findings),
            "replaces": None,
            "deposit_year": None,
            "changed_at": unit.now,
        }
        first = repeated.first
        unit.move([Move(row.id, row.state, DocumentState.REFUSED, f"duplicate of {first.id}", columns)])
        unit.owe(
            [
                document_ack(
                    self._house,
                    file,
                    row,
                    Level.RECEIPT,
                    Event.DUPLICATE,
                    about=f"decision:{row.id}:duplicate",
                    findings=findings,
                    decision=str(Decision.REFUSE),
                    comment=f"first={first.id}; state={first.state}",
                    **_where_the_first_is(first),
                    action=Action.NONE if repeated.finding else Action.CORRECT_AND_REDROP,
                )
            ]
        )

    def _replace(self, unit: Unit, first: DocumentRow) -> None:
        """The newcomer takes the place of a held one; what was refused or bounced needs no move."""
        finding = REPLACED.at(number=first.terms.number)
        columns = {
            "decision": str(Decision.REFUSE),
            "findings": dump_findings((*first.findings, finding)),
            "waits_for": None,
            "changed_at": unit.now,
        }
        unit.move([Move(first.id, first.state, DocumentState.REFUSED, "replaced", columns)])
        file = unit.interchange(first.interchange_id)
        assert file is not None
        unit.owe(
            [
                document_ack(
                    self._house,
                    file,
                    first,
                    Level.DECISION,
                    Event.REFUSED,
                    about=f"decision:{first.id}:replaced",
                    findings=(finding,),
                    decision=str(Decision.REFUSE),
                    action=Action.NONE,
                )
            ]
        )


def identity_keys(row: DocumentRow, deposit_year: int) -> dict[str, str | None]:
    """The two unique keys that a document holds while it occupies its number."""
    terms = row.terms
    stem = f"{terms.issuer}|{terms.number}"
    return {
        "key_by_issue": f"{stem}|{terms.issued.year}" if terms.issued else None,
        "key_by_deposit": f"{stem}|{deposit_year}",
    }


#: What frees the number again: the document turned out to be no invoice at the platform.
NO_KEYS: Final = {"key_by_issue": None, "key_by_deposit": None}


def _may_ask(row: DocumentRow) -> bool:
    """What we hold under a number is no business of who may not send for its issuer: neither its status nor that
    it exists."""
    foreign = any(f.layer is Layer.ISSUER and f.severity is Severity.FATAL for f in row.findings)
    return row.terms.has_identity and not foreign


def _about(row: DocumentRow, event: Event, findings: tuple[Finding, ...]) -> str:
    """A document that is judged again and held for something else is told again; for the same, it is not."""
    if event is not Event.HELD:
        return f"decision:{row.id}:{event}"
    reasons = sorted(f"{f.rule} {f.term} {f.location}" for f in findings if f.severity is Severity.HOLD)
    return f"decision:{row.id}:{event}:{sha256('|'.join(reasons).encode()).hexdigest()[:16]}"


def _where_the_first_is(first: DocumentRow) -> dict[str, Any]:
    """The status that is told beside "it is there already"."""
    if not first.native_status:
        return {}
    return {"native_code": status(first.native_status).code, "platform_invoice_id": first.platform_id or ""}


def _action(rules: set[str], event: Event) -> Action:
    if rules & _NUMBER_IS_TAKEN:
        return Action.REISSUE
    if WAITS.rule in rules:
        return Action.NONE
    return Action.CORRECT_AND_REDROP if event is Event.REFUSED else Action.INSTRUCT
