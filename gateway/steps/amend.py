"""Amend: held documents whose wait is over are judged again. `held` → `opened`.

A document that was dropped while another of the same number was on its way waits until that one is settled. One
that could not be judged for want of a directory, or whose issuer was taken out of the configuration, waits for that:
it is judged again when the snapshot on disk, or the configuration, has changed; meanwhile its buyer is asked for now
and then. What partners may tell us of documents at the platform (recycle, complete) will be performed here too.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from gateway.buyers.snapshot import stamp
from gateway.domain.finding import Severity
from gateway.domain.states import DocumentState
from gateway.ledger.moves import Move
from gateway.ledger.rows import DocumentRow
from gateway.ledger.unit import Unit
from gateway.steps.house import House
from gateway.steps.pack import ISSUER_GONE

#: The rules whose remedy promises another judgement (`rules/chorus/directory.py`); both ids begin like this.
_DIRECTORY: Final = "CHORUS-DIRECTORY-"
#: How often the buyers of waiting documents are asked for.
_ASK_EVERY: Final = timedelta(minutes=1)


class Amend:
    """Brings held documents back to judging."""

    name = "amend"

    def __init__(self, house: House) -> None:
        self._house = house
        self._directory = _Waiting(house, _DIRECTORY)
        self._issuers = _Waiting(house, ISSUER_GONE.rule)
        self._asked_behind = ""
        self._asked_at: datetime | None = None

    def run(self) -> int:
        """Release one group."""
        house = self._house
        limit = house.settings.ledger.commit_size
        with house.ledger.reading() as unit:
            settled = unit.waits_ended(limit)
        if settled:
            with house.ledger.writing(self.name) as unit:
                _release(unit, settled, "what it waits for is settled")
        self._ask(limit)
        released = self._directory.look(stamp(house.settings.snapshot), limit)
        return len(settled) + released + self._issuers.look(house.settings.fingerprint, limit)

    def _ask(self, limit: int) -> None:
        """Ask for buyers that could not be asked for when their documents were judged; an answer changes the
        snapshot, and the documents are then judged again."""
        now = self._house.clock.now()
        if self._asked_at is not None and timedelta(0) <= now - self._asked_at < _ASK_EVERY:
            return
        self._asked_at = now
        with self._house.ledger.reading() as unit:
            rows = unit.held_by_rule(_DIRECTORY, self._asked_behind, limit)
        self._asked_behind = rows[-1].id if len(rows) == limit else ""
        waiting = [(row.terms, row.partner) for row in rows if _waits_only_for(_DIRECTORY, row)]
        if waiting:
            self._house.buyers.learn(waiting)


class _Waiting:
    """Documents held by rules that begin with `rule`, and by nothing else: all are judged once more whenever what
    they wait for has changed, and none in between."""

    def __init__(self, house: House, rule: str) -> None:
        self._house = house
        self._rule = rule
        self._mark: object = None
        self._behind: str | None = None  #: the last document looked at since the change; None: all were

    def look(self, mark: object, limit: int) -> int:
        """Release one group of them if `mark` is not what it was."""
        if mark != self._mark:
            self._mark, self._behind = mark, ""
        if self._behind is None:
            return 0
        with self._house.ledger.reading() as unit:
            rows = unit.held_by_rule(self._rule, self._behind, limit)
        waiting = [row for row in rows if _waits_only_for(self._rule, row)]
        if waiting:
            with self._house.ledger.writing(Amend.name) as unit:
                _release(unit, waiting, f"judged again: {self._rule}")
        self._behind = rows[-1].id if len(rows) == limit else None
        return len(waiting)


def _release(unit: Unit, rows: Sequence[DocumentRow], why: str) -> None:
    """The decision stays `hold` meanwhile: from it is known that the sender was told so."""
    columns = {"waits_for": None, "changed_at": unit.now}
    unit.move(Move(row.id, row.state, DocumentState.OPENED, why, columns) for row in rows)


def _waits_only_for(rule: str, row: DocumentRow) -> bool:
    """Nothing else holds it: what its sender has to mend, no change of ours mends."""
    reasons = [f.rule for f in row.findings if f.severity is Severity.HOLD]
    return bool(reasons) and all(reason.startswith(rule) for reason in reasons)
