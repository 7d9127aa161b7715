"""Receive: from the drop folder into the archive. `seen` → `claimed` → `archived`, or `refused` unread.

The order is what makes it safe to kill at any instruction: a row, then the rename into `.claimed/<id>`, then copy,
hash and fsync into the archive, then the row moves, then the claimed file is unlinked. After a crash the rows in
`seen` and `claimed` and the files in `.claimed` say together how far each one had got. Proofs that vouched for files
(done-files, checksums, control files) are noted before the row and removed after all that (`completeness/in_hand.py`).
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from gateway.domain import intake
from gateway.domain.partner import Partner
from gateway.domain.states import InterchangeState
from gateway.ledger.archive import make_durable_folder, sync_folder
from gateway.ledger.codec import dump_findings
from gateway.ledger.ids import new_id, new_ids
from gateway.ledger.moves import Move
from gateway.ledger.rows import InterchangeRow
from gateway.steps.claimed import Claim, Claimed, Taken
from gateway.steps.house import House
from gateway.steps.receipts import refusal_receipt
from gateway.steps.rounds import Rotation
from gateway.transports.completeness import Closed, InHand, Ready, Watch, is_note
from gateway.transports.local import (
    Look,
    claim,
    escape_name,
    free_bytes,
    look_again,
    look_at,
    printable_name,
    remove,
    unescape_name,
)

#: Files of a group that are copied at once, when there are as many.
_COPIES: Final = 8
_BEFORE_ARCHIVE: Final = (InterchangeState.SEEN, InterchangeState.CLAIMED)


@dataclass(slots=True)
class _Folder:
    """What we remember of one drop folder: its watch, the proofs that were accepted, and what the last full look found
    ready and was not yet taken.

    Looking at 50,000 names again for each group of a hundred would take longer than taking them.
    """

    watch: Watch
    in_hand: InHand
    ready: deque[Ready] = field(default_factory=deque)


class Receive:
    """Takes whole files out of the drop folders, in groups that share one commit."""

    name = "receive"

    def __init__(
        self, house: House, monotonic: Callable[[], float] = time.monotonic, closed: Closed | None = None
    ) -> None:
        self._house = house
        self._monotonic = monotonic
        self.closed = closed or Closed()  #: where our own transports say that they closed a file
        self._folders: dict[str, _Folder] = {}
        self._rotation = Rotation()
        self._claimed = Claimed(house)
        self._log = structlog.get_logger("gateway.receive")
        self.paused = False  #: the disk is full: nothing is claimed until there is room again

    def run(self) -> int:
        """One look at every folder, one group of each partner."""
        partners = self._house.settings.partners
        taken = 0
        for name in self._rotation.order(partners):
            if not self._has_room():
                return taken
            try:
                taken += self._receive(partners[name])
            except OSError as error:  # one partner's folder in trouble delays nobody else
                self._log.error("drop_folder", partner=name, error=str(error))
        return taken

    @property
    def waiting(self) -> int:
        """Files that were seen and could not be taken yet."""
        return sum(folder.watch.waiting for folder in self._folders.values())

    @property
    def settling(self) -> int:
        """Those of them that another look may find whole."""
        return sum(folder.watch.settling for folder in self._folders.values())

    def recover(self) -> None:
        """After a start: finish what a crash interrupted, and clear what was finished but not yet removed."""
        for partner in self._house.settings.partners.values():
            try:
                self._prepare(partner)
                self._finish(partner, self._interrupted(partner)[0])
                self._sweep(partner)
            except OSError as error:
                self._log.error("drop_folder", partner=partner.name, error=str(error))

    def _receive(self, partner: Partner) -> int:
        self._prepare(partner)
        folder = self._folder(partner)
        claims, unclaimed = self._interrupted(partner)
        retried = self._finish(partner, claims)
        if self.paused:
            return retried
        limit = self._house.settings.ledger.commit_size
        if len(claims) + len(unclaimed) < limit:  # else there may be more that are not settled
            folder.in_hand.close({unescape_name(claim.row.raw_name) for claim in claims} | unclaimed)
        with self._house.ledger.reading() as unit:
            room = partner.in_flight - unit.in_flight(partner.name)
        group = self._next(partner, folder, min(room, limit), unclaimed)
        if not group:
            return retried
        folder.in_hand.write((batch for ready in group for batch in ready.batches), new_id(self._house.clock.now()))
        for ready in group:
            folder.in_hand.taken(ready.look.name)
        fresh = []
        for row, ready in zip(self._write_down(partner, group), group, strict=True):
            if self._claim(partner, row, ready.look.name):
                now = look_again(partner.claimed, os.fsencode(row.id))
                fresh.append(Claim(row, doubtful=not ready.look.same_file(now), sha256=ready.sha256))
        sync_folder(partner.claimed)
        finished = self._finish(partner, fresh)
        if not claims and not unclaimed and finished == len(group):
            folder.in_hand.close()
        return retried + finished

    def _folder(self, partner: Partner) -> _Folder:
        """What we know of this folder, begun anew when the partner wishes otherwise."""
        folder = self._folders.get(partner.name)
        if folder is None or folder.watch.wishes != partner.completeness:
            in_hand = InHand(partner.inbox, partner.claimed)
            watch = Watch(partner.completeness, self._monotonic, in_hand, self.closed)
            folder = self._folders[partner.name] = _Folder(watch, in_hand)
        return folder

    def _next(self, partner: Partner, folder: _Folder, limit: int, unclaimed: frozenset[bytes]) -> list[Ready]:
        """The next ready names that are still as they were looked at, and have no row yet."""
        if not folder.ready:
            looks = look_at(partner.inbox, self._house.settings.intake.depth)
            ready, late = folder.watch.sort(partner.inbox, looks)
            folder.ready.extend(ready)
            self._remove_late(partner, late)
        group: list[Ready] = []
        while folder.ready and len(group) < limit:
            ready_ = folder.ready.popleft()
            name = ready_.look.name
            if name not in unclaimed and look_again(partner.inbox, name) == ready_.look:
                group.append(ready_)
                folder.watch.forget(partner.inbox, name)
        return group

    def _remove_late(self, partner: Partner, proofs: Sequence[Look]) -> None:
        """Proofs of files that were taken without them: nobody waits for their word any more."""
        for proof in proofs:
            shown = {"partner": partner.name, "file": printable_name(proof.name)}
            try:
                remove(partner.inbox, proof)
            except OSError as error:
                self._log.error("late_proof_not_removed", **shown, error=str(error))
            else:
                self._log.info("late_proof_removed", **shown)

    def _write_down(self, partner: Partner, group: Sequence[Ready]) -> list[InterchangeRow]:
        """A row for each; with why it will be refused, where it will be: a crash must not make a whole file of it."""
        now = self._house.clock.now()
        rows = [
            InterchangeRow(
                id=id_,
                partner=partner.name,
                state=InterchangeState.SEEN,
                file_name=printable_name(ready.look.name),
                raw_name=escape_name(ready.look.name),
                size=ready.look.size,
                seen_at=now,
                findings=ready.refusals,
            )
            for id_, ready in zip(new_ids(now, len(group)), group, strict=True)
        ]
        with self._house.ledger.writing(self.name) as unit:
            unit.add_interchanges(rows)
            for row in rows:
                if row.findings:
                    unit.set_interchange(row.id, findings=dump_findings(row.findings))
        return rows

    def _claim(self, partner: Partner, row: InterchangeRow, name: bytes) -> bool:
        """False when the folder does not let the file go: its row stays `seen`, and it is tried again."""
        try:
            claim(partner.inbox, name, partner.claimed, row.id)
        except OSError as error:
            self._log.error("claim_failed", partner=partner.name, file=row.file_name, error=str(error))
            return False
        return True

    def _take(self, partner: Partner, claims: Sequence[Claim]) -> list[Taken]:
        """Copy a group into the archive, several at once: a disk makes many fsyncs durable in the time of one."""
        if len(claims) < _COPIES:
            return [self._claimed.take(partner, claim) for claim in claims]
        with ThreadPoolExecutor(_COPIES, thread_name_prefix="archive") as copies:
            return list(copies.map(partial(self._claimed.take, partner), claims))

    def _finish(self, partner: Partner, claims: Sequence[Claim]) -> int:
        """Bring claimed files into the archive, move their rows in one commit, then unlink them."""
        if not claims:
            return 0
        self._claimed.full = False
        taken = self._take(partner, claims)
        self.paused = self.paused or self._claimed.full
        self._house.archive.sync(t.kept.path for t in taken if t.kept)
        settled = [t for t in taken if t.settled]
        now = self._house.clock.now()
        with self._house.ledger.writing(self.name) as unit:
            unit.move(_move(t, now) for t in settled)
            unit.move(
                Move(t.row.id, t.row.state, InterchangeState.CLAIMED, "the archive could not take it yet")
                for t in taken
                if not t.settled and t.row.state is InterchangeState.SEEN
            )
            unit.owe(
                [
                    refusal_receipt(self._house, t.row, t.kept, *t.refusals)
                    for t in settled
                    if t.refusals and t.refusals[0].rule != intake.WITHDRAWN.rule
                ]
            )
        for t in settled:
            self._remove(partner.claimed / t.row.id)
        return len(settled)

    def _interrupted(self, partner: Partner) -> tuple[list[Claim], frozenset[bytes]]:
        """Rows that a crash or a full disk left half-way, and the names that no rename could take.

        A file that was not claimed yet is claimed now, if it is still the size it was; if not, it will be seen anew.
        """
        limit = self._house.settings.ledger.commit_size
        with self._house.ledger.reading() as unit:
            rows = [row for state in _BEFORE_ARCHIVE for row in unit.interchanges(state, partner.name, limit)]
        claims, refused = [], set()
        for row in rows:
            name = unescape_name(row.raw_name)
            still = look_again(partner.inbox, name)
            unclaimed = row.state is InterchangeState.SEEN and not os.path.lexists(partner.claimed / row.id)
            if unclaimed and still and still.size == row.size and not self._claim(partner, row, name):
                refused.add(name)
            else:
                claims.append(Claim(row, doubtful=True))
        return claims, frozenset(refused)

    def _sweep(self, partner: Partner) -> None:
        """Remove claimed files whose rows had moved on; adopt those that no row knows (a ledger restored)."""
        now = self._house.clock.now()
        for path in sorted(partner.claimed.iterdir()):
            name = escape_name(os.fsencode(path.name))
            with self._house.ledger.reading() as unit:
                row = unit.interchange(name)
            if path.is_dir() and not path.is_symlink():
                self._log.error("claimed_folder", path=str(path), remedy="a folder has no place there: look into it")
            elif is_note(path):
                continue
            elif row is not None and row.state not in _BEFORE_ARCHIVE:
                self._remove(path)
            elif row is None:
                adopted = InterchangeRow(
                    id=new_id(now),
                    partner=partner.name,
                    state=InterchangeState.SEEN,
                    file_name=f"recovered-{name}",
                    raw_name=f"recovered-{name}",
                    size=path.lstat().st_size,
                    seen_at=now,
                )
                with self._house.ledger.writing(self.name) as unit:
                    unit.add_interchanges([adopted])
                path.rename(partner.claimed / adopted.id)
                self._finish(partner, [Claim(adopted, doubtful=True)])

    def _remove(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:  # its row has moved on: the next start tries again
            self._log.error("claimed_not_removed", path=str(path), error=str(error))

    def _has_room(self) -> bool:
        free = free_bytes(self._house.settings.state_dir)
        wanted = self._house.settings.intake.free_bytes
        if free < wanted and not self.paused:
            self._log.error("disk_full", free_bytes=free, wanted_bytes=wanted, remedy="free space under state_dir")
        self.paused = free < wanted
        return not self.paused

    def _prepare(self, partner: Partner) -> None:
        for folder in (partner.inbox, partner.outbox, partner.claimed):
            if not folder.is_dir():
                make_durable_folder(folder)


def _move(taken: Taken, now: datetime) -> Move:
    columns: dict[str, object] = {}
    if taken.kept:
        columns |= {
            "archive_path": taken.kept.path,
            "sha256": taken.kept.sha256,
            "size": taken.kept.size,
            "archived_at": now,
        }
    if not taken.refusals:
        return Move(taken.row.id, taken.row.state, InterchangeState.ARCHIVED, columns=columns)
    columns |= {"findings": dump_findings(taken.refusals), "ended_at": now}
    return Move(taken.row.id, taken.row.state, InterchangeState.REFUSED, taken.refusals[0].rule, columns)
