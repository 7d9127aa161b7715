"""Tell: what is owed becomes files in `out/`, and their pick-up is noticed. `owed` → `written` → `picked-up`.

Name, sequence and bytes are fixed in the ledger first, in one transaction with the rows that go into the file; then
the file is written from the ledger. Killed in between, the same file is written again under the same name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import structlog

from gateway.acks.due import IMMEDIATE, due
from gateway.acks.outbox import NameTaken, Outbox, OutboxUnavailable
from gateway.acks.render import AckFile, Heading, render
from gateway.domain.ack import Level
from gateway.domain.partner import AckWishes, Grouping, Partner
from gateway.domain.states import AckState
from gateway.ledger.rows import OwedAck
from gateway.ledger.unit import Unit
from gateway.steps.house import House

#: Rows in one file at most; what is owed beyond goes into the next file of the same tick.
_ROWS: Final = 5000
#: Files of one partner looked at in one round.
_FILES: Final = 500


class Tell:
    """Writes acknowledgement files, partner by partner and level by level."""

    name = "tell"

    def __init__(self, house: House) -> None:
        self._house = house
        self._log = structlog.get_logger("gateway.tell")

    def run(self, *, now: bool = False) -> int:
        """Fix and write what is due, or all that is owed when it must be told `now`; how many rows became visible."""
        return sum(self._tell(partner, now) for partner in self._house.settings.partners.values())

    def notice_pick_ups(self) -> int:
        """Note which written files the partners have taken away."""
        return sum(self._picked_up(partner) for partner in self._house.settings.partners.values())

    def _tell(self, partner: Partner, at_once: bool) -> int:
        for level in Level:
            while self._fix(partner, level, at_once):
                pass
        return self._write(partner)

    def _fix(self, partner: Partner, level: Level, at_once: bool) -> bool:
        """Fix one group of files; True when more may be owed."""
        now = self._house.clock.now()
        job = f"tell:{partner.name}:{level}"
        with self._house.ledger.reading() as unit:
            last = unit.last_run(job)
            anything = bool(unit.acks_owed(partner.name, level, 1))
        schedule = IMMEDIATE if at_once else _schedule(partner.acks, level)
        # A moment of the schedule that passes with nothing owed has passed all the same; "immediate" has none.
        if not due(schedule, last, now) or (schedule == IMMEDIATE and not anything):
            return False
        with self._house.ledger.writing(self.name) as unit:
            owed = unit.acks_owed(partner.name, level, _ROWS)
            for name, group in _groups(owed, partner.acks.grouping).items():
                self._fix_file(unit, partner, level, name, group)
            more = len(owed) == _ROWS
            if not more:
                unit.set_last_run(job, now)
        return more

    def _fix_file(
        self, unit: Unit, partner: Partner, level: Level, interchange_id: str, group: Sequence[OwedAck]
    ) -> None:
        seq = unit.next_sequence(partner.name, level)
        received = group[0].ack.row.file_name if interchange_id else ""
        heading = Heading(partner.name, level, seq, unit.now, received)
        files = render([owed.ack for owed in group], partner.acks, heading)
        unit.fix_ack_file(partner.name, level, seq, group, [(f.name, f.content) for f in files])

    def _write(self, partner: Partner) -> int:
        """Write the fixed files in order; the first that cannot be written stops the partner's others."""
        outbox = Outbox(partner.outbox)
        told = 0
        with self._house.ledger.reading() as unit:
            files = unit.ack_files(AckState.OWED, partner.name, _FILES)
        for file in files:
            with self._house.ledger.reading() as unit:
                parts = [AckFile(name, content) for name, content in unit.ack_parts(file.id)]
            try:
                outbox.write(parts)
            except (OutboxUnavailable, NameTaken) as trouble:
                self._log.error("out_folder", partner=partner.name, error=str(trouble))
                break
            with self._house.ledger.writing(self.name) as unit:
                unit.move_ack_file(file.id, AckState.OWED, AckState.WRITTEN)
            told += file.rows
        return told

    def _picked_up(self, partner: Partner) -> int:
        remote = self._house.settings.remotes.get(partner.name)
        if remote is not None and remote.deliver_to:
            return 0  # `deliver` says what is there
        with self._house.ledger.reading() as unit:
            names = unit.names_written(partner.name)
        if not names:
            return 0
        try:
            gone = Outbox(partner.outbox).picked_up(name for file in names.values() for name in file)
        except OutboxUnavailable as trouble:
            self._log.error("out_folder", partner=partner.name, error=str(trouble))
            return 0
        taken = [file_id for file_id, file in names.items() if gone.issuperset(file)]
        if taken:
            with self._house.ledger.writing(self.name) as unit:
                for file_id in taken:
                    unit.move_ack_file(file_id, AckState.WRITTEN, AckState.PICKED_UP)
        return len(taken)


def _groups(owed: Iterable[OwedAck], grouping: Grouping) -> Mapping[str, list[OwedAck]]:
    """The rows of each file, by interchange; all under "" when one file takes them all."""
    groups: dict[str, list[OwedAck]] = defaultdict(list)
    for ack in owed:
        groups[ack.interchange_id if grouping is Grouping.PER_INTERCHANGE else ""].append(ack)
    return groups


def _schedule(wishes: AckWishes, level: Level) -> str:
    match level:
        case Level.RECEIPT:
            return wishes.receipts
        case Level.DECISION:
            return wishes.decisions
        case Level.LIFECYCLE:
            return wishes.lifecycle
