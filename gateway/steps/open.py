"""Open: an archived file becomes rows of documents. `archived` → `opened`, `duplicate`, `refused` or `quarantined`.

The bytes are opened by the examiner, in a process that may die of them; here only its results are written down. A
file that killed two workers is quarantined and told, never tried a third time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from gateway.domain import intake
from gateway.domain.ack import Event
from gateway.domain.finding import printable
from gateway.domain.partner import Partner
from gateway.domain.states import DocumentState, InterchangeState
from gateway.ledger.codec import dump_findings
from gateway.ledger.ids import new_ids
from gateway.ledger.moves import Move
from gateway.ledger.rows import DocumentRow, InterchangeRow, OwedAck
from gateway.ledger.unit import Unit
from gateway.steps.house import Died, House, OpenedFile, OpenJob, Seed
from gateway.steps.receipts import receipt
from gateway.steps.rounds import Rotation, fair_share

#: Workers that may die of one file before it is quarantined.
DEATHS: Final = 2
#: Bytes of which a document ended so are judged again, and told what holds now: no invoice came of them, or a
#: rejected one, which needs a new number (DESIGN 4.3).
_JUDGED_AGAIN: Final = frozenset({DocumentState.REFUSED, DocumentState.BOUNCED, DocumentState.REJECTED})


@dataclass(slots=True)
class _Outcome:
    """What a group comes to, to be written down in as few statements as possible."""

    moves: list[Move] = field(default_factory=list)
    documents: list[DocumentRow] = field(default_factory=list)
    receipts: list[OwedAck] = field(default_factory=list)


class Open:
    """Opens archived files in fair groups."""

    name = "open"

    def __init__(self, house: House) -> None:
        self._house = house
        self._rotation = Rotation()

    def run(self) -> int:
        """Open one group."""
        rows = self._next()
        if not rows:
            return 0
        with self._house.ledger.writing(self.name) as unit:
            fresh = self._without_repetitions(unit, rows)
        by_id = {row.id: row for row in fresh}
        jobs = [self._job(row) for row in fresh]
        results = [(by_id[job.id], result) for job, result in self._house.examiner.open(jobs)]
        results.sort(key=lambda r: r[0].id)
        seeds = sum(len(result.seeds) for _, result in results if isinstance(result, OpenedFile))
        ids = iter(new_ids(self._house.clock.now(), seeds))
        outcome = _Outcome()
        with self._house.ledger.writing(self.name) as unit:
            for row, result in results:
                if isinstance(result, Died):
                    self._died(unit, outcome, row, result)
                else:
                    self._opened(outcome, row, result, ids)
            unit.move(outcome.moves)
            unit.add_documents(outcome.documents)
            unit.owe(outcome.receipts)
        return len(rows) - len(fresh) + len(results)

    def _job(self, row: InterchangeRow) -> OpenJob:
        partner = self._house.partner(row.partner)
        path = str(self._house.archive.path(row.archive_path))
        return OpenJob(row.id, path, row.file_name, partner.reference_term if partner else "")

    def _next(self) -> list[InterchangeRow]:
        house = self._house
        with house.ledger.reading() as unit:
            return fair_share(
                self._rotation.order(house.settings.partners),
                house.settings.ledger.commit_size,
                lambda partner, limit: unit.interchanges(InterchangeState.ARCHIVED, partner, limit),
            )

    def _without_repetitions(self, unit: Unit, rows: Sequence[InterchangeRow]) -> list[InterchangeRow]:
        """Those to be opened now: no bytes twice, for the second must see what became of the first."""
        fresh: dict[tuple[str, str], InterchangeRow] = {}
        repeated = _Outcome()
        for row in sorted(rows, key=lambda r: r.id):
            key = (row.partner, row.sha256)
            if key in fresh:
                continue
            first = self._first(unit, row)
            if first is None:
                fresh[key] = row
            else:
                self._repeated(repeated, row, first)
        unit.move(repeated.moves)
        unit.owe(repeated.receipts)
        return list(fresh.values())

    def _first(self, unit: Unit, row: InterchangeRow) -> InterchangeRow | None:
        """The file that brought the same bytes, where all its documents are on their way or at the platform."""
        first = unit.same_bytes(row)
        if first is None or first.state is not InterchangeState.OPENED:
            return None
        documents = unit.documents_of_interchange(first.id)
        return first if documents and all(d.state not in _JUDGED_AGAIN for d in documents) else None

    def _repeated(self, outcome: _Outcome, row: InterchangeRow, first: InterchangeRow) -> None:
        finding = intake.DUPLICATE_FILE.at(
            name=row.file_name, first=first.file_name, day=first.seen_at.date().isoformat()
        )
        columns = {
            "first_id": first.id,
            "findings": dump_findings((finding,)),
            "ended_at": self._house.clock.now(),
        }
        outcome.moves.append(Move(row.id, row.state, InterchangeState.DUPLICATE, f"of {first.id}", columns))
        comment = f"first={first.id}; documents={first.documents}"
        outcome.receipts.append(receipt(self._house, row, Event.DUPLICATE, (finding,), comment=comment))

    def _died(self, unit: Unit, outcome: _Outcome, row: InterchangeRow, died: Died) -> None:
        attempts = row.attempts + 1
        if attempts < DEATHS:
            unit.set_interchange(row.id, attempts=attempts)
            return
        finding = intake.QUARANTINED.at(name=row.file_name, reason=died.reason)
        columns = {
            "attempts": attempts,
            "findings": dump_findings((finding,)),
            "ended_at": self._house.clock.now(),
        }
        outcome.moves.append(Move(row.id, row.state, InterchangeState.QUARANTINED, died.reason, columns))
        outcome.receipts.append(receipt(self._house, row, Event.QUARANTINED, (finding,)))

    def _opened(self, outcome: _Outcome, row: InterchangeRow, opened: OpenedFile, ids: Iterator[str]) -> None:
        documents = [self._document(row, next(ids), i, seed) for i, seed in enumerate(opened.seeds)]
        after = InterchangeState.OPENED if documents else InterchangeState.REFUSED
        columns = {
            "kind": str(opened.kind),
            "documents": len(documents),
            "findings": dump_findings(opened.findings),
            "ended_at": self._house.clock.now(),
        }
        why = f"{opened.kind}, {len(documents)} documents"
        outcome.moves.append(Move(row.id, row.state, after, why, columns))
        outcome.documents.extend(documents)
        outcome.receipts.append(self._receipt(row, opened, documents))

    def _receipt(self, row: InterchangeRow, opened: OpenedFile, documents: Sequence[DocumentRow]) -> OwedAck:
        event = Event.RECEIVED if documents else Event.UNREADABLE
        reference = documents[0].partner_reference if len(documents) == 1 else ""
        return receipt(
            self._house,
            row,
            event,
            opened.findings,
            comment=f"documents={len(documents)}",
            reference=reference,
        )

    def _document(self, row: InterchangeRow, id_: str, position: int, seed: Seed) -> DocumentRow:
        now = self._house.clock.now()
        return DocumentRow(
            id=id_,
            interchange_id=row.id,
            position=position,
            member=printable(seed.member, 512),  # no NUL, no half of a surrogate: databases refuse them
            partner=row.partner,
            state=DocumentState.OPENED,
            kind=seed.kind,
            profile=seed.profile,
            content_sha256=seed.content_sha256,
            payload_sha256=seed.payload_sha256,
            payload_path=seed.payload_path or row.archive_path,
            payload_size=seed.payload_size,
            transformation=seed.transformation,
            terms=seed.terms,
            index_row=dict(seed.index_row or {}),
            partner_reference=_reference(self._house.partner(row.partner), row.file_name, seed),
            opening_findings=seed.findings,
            opened_at=now,
            changed_at=now,
        )


def _reference(partner: Partner | None, file_name: str, seed: Seed) -> str:
    """The ERP's own key: from the index row, else a configured term, else a pattern on the file name."""
    if seed.index_row and (given := seed.index_row.get("partner_reference")):
        return printable(given)
    if seed.reference:
        return seed.reference
    if partner and partner.reference_pattern:
        found = _pattern(partner.reference_pattern).search(file_name[:255])
        if found:
            return found["ref"] or ""
    return ""


@lru_cache(maxsize=1024)
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
