"""Judge: run the rule packs on a document in the light of the facts. `opened` → `judged`.

The facts (buyer, service, issuer, day of deposit) are gathered here, before the rules run; the rules run in the
examiner's processes. Severities are those of the document's route.
"""

from __future__ import annotations

from typing import Final

from gateway.domain import intake
from gateway.domain.document import Kind
from gateway.domain.facts import Facts
from gateway.domain.severities import on_route
from gateway.domain.states import DocumentState
from gateway.domain.verdict import Judgement
from gateway.ledger.codec import dump_findings, dump_packs
from gateway.ledger.moves import Move
from gateway.ledger.rows import DocumentRow
from gateway.ledger.unit import Unit
from gateway.steps.house import Died, House, JudgeJob
from gateway.steps.open import DEATHS
from gateway.steps.rounds import Rotation, fair_share

#: Kinds that carry data a pack can judge; a PDF alone has its finding from its opening.
_JUDGEABLE: Final = frozenset({Kind.UBL_INVOICE, Kind.UBL_CREDITNOTE, Kind.CII, Kind.FACTURX})


class Judge:
    """Judges opened documents in fair groups."""

    name = "judge"

    def __init__(self, house: House) -> None:
        self._house = house
        self._rotation = Rotation()

    def run(self) -> int:
        """Judge one group."""
        house = self._house
        with house.ledger.reading() as unit:
            rows = fair_share(
                self._rotation.order(house.settings.partners),
                house.settings.ledger.commit_size,
                lambda partner, limit: unit.documents(DocumentState.OPENED, partner, limit),
            )
        if not rows:
            return 0
        house.buyers.learn([(row.terms, row.partner) for row in rows])
        facts = {row.id: house.buyers.facts_for(row.terms, row.partner) for row in rows}
        jobs = [
            JudgeJob(row.id, str(house.archive.path(row.payload_path)), facts[row.id])
            for row in rows
            if row.kind in _JUDGEABLE
        ]
        results = {job.id: result for job, result in house.examiner.judge(jobs)}
        with house.ledger.writing(self.name) as unit:
            moves = [self._judged(unit, row, facts[row.id], results.get(row.id, Judgement())) for row in rows]
            unit.move(move for move in moves if move)
        return len(rows)

    def _judged(self, unit: Unit, row: DocumentRow, facts: Facts, result: Judgement | Died) -> Move | None:
        if isinstance(result, Died):
            attempts = row.attempts + 1
            if attempts < DEATHS:
                unit.set_document(row.id, attempts=attempts)
                return None
            result = Judgement(findings=(intake.QUARANTINED.at(name=row.member or row.id, reason=result.reason),))
        findings = on_route((*row.opening_findings, *result.findings), facts.route)
        columns = {
            "route": str(facts.route),
            "packs": dump_packs(result.packs),
            "findings": dump_findings(findings),
            "changed_at": unit.now,
        }
        return Move(row.id, row.state, DocumentState.JUDGED, columns=columns)
