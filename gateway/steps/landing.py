"""What was fetched, on this side: durable under a hidden name, a row, its name in `in/`. `fetched` → `placed`.

Killed at any instruction, what is there says what is left to do: a hidden file without a row is fetched again, a row
whose file has no name in `in/` gets it. At the start this comes before the intake, which may take a name away that a
killed process had just given.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from gateway.domain.partner import Partner
from gateway.domain.states import RemoteFileState
from gateway.ledger.archive import make_durable_folder, sync_folder
from gateway.ledger.ids import new_ids
from gateway.ledger.moves import Move
from gateway.ledger.remote_files import RemoteFileRow, add_remote_files, remote_files, remote_files_named
from gateway.steps.corners import Corner, local_name
from gateway.steps.house import House
from gateway.transports.local import join
from gateway.transports.sftp_client.results import Fetched

_FETCHED, _PLACED = RemoteFileState.FETCHED, RemoteFileState.PLACED
_ALL: Final = 1_000_000
_ID_LENGTH: Final = 26
#: Parts of a large file are of use for a while, since it goes on where it was cut.
_PARTS_KEPT: Final = timedelta(days=2)
_SWEEP_EVERY_S: Final = 3600.0


class Landing:
    """The hidden folders of all partners. For a partner, one call at a time."""

    def __init__(
        self, house: House, step: str, placed: Callable[[Path, bytes], None], monotonic: Callable[[], float]
    ) -> None:
        self._house = house
        self._step = step
        self._placed = placed
        self._monotonic = monotonic
        self._swept: dict[str, float] = {}
        self._log = structlog.get_logger("gateway.fetch")

    def recover(self) -> None:
        """Give names to what a killed process left without, of partners that have no server any more, too."""
        for partner in self._house.settings.partners.values():
            try:
                if partner.fetched.is_dir() and partner.inbox.is_dir():
                    self.place(partner)
            except OSError as error:  # one partner's folder in trouble stops no start; its next round tries again
                self._log.error("not_placed", partner=partner.name, error=str(error))

    def prepare(self, partner: Partner) -> None:
        """The folders are there, and what nobody needs is not."""
        for folder in (partner.inbox, partner.fetched):
            if not folder.is_dir():
                make_durable_folder(folder)
        swept = self._swept.get(partner.name)
        if swept is None or self._monotonic() - swept >= _SWEEP_EVERY_S:
            self._sweep(partner)
            self._swept[partner.name] = self._monotonic()

    def write_down(self, partner: Partner, corner: Corner, fetched: Sequence[Fetched], *, stays: bool) -> None:
        """Rows for what is durable here, under hidden names that are the rows' ids.

        `stays`: files are left there. One that was only touched since it was fetched is remembered as it is now, and
        not taken again.
        """
        if not fetched:
            return
        now = self._house.clock.now()
        touched = self._touched(partner, corner, fetched) if stays else frozenset()
        rows: list[RemoteFileRow] = []
        known: list[RemoteFileRow] = []
        for id_, file in zip(new_ids(now, len(fetched)), fetched, strict=True):
            look = file.look
            name = corner.raw(look.name)
            row = RemoteFileRow(id_, partner.name, _FETCHED, name, look.size, look.mtime, file.sha256, now)
            rows.append(row)
            if name in touched:
                known.append(row)
                file.path.unlink()
            else:
                file.path.rename(partner.fetched / id_)
        sync_folder(partner.fetched)
        with self._house.ledger.writing(self._step) as unit:
            add_remote_files(unit, rows)
            unit.move(Move(row.id, _FETCHED, _PLACED, "touched") for row in known)

    def place(self, partner: Partner) -> int:
        """Give the files that are durable here their names in `in/`; a name that is taken there is waited for."""
        count = 0
        for rows in self.pages(partner, _FETCHED):
            placed = [row for row in rows if _stands(partner, row)]
            if not placed:
                continue
            sync_folder(partner.inbox)
            sync_folder(partner.fetched)
            with self._house.ledger.writing(self._step) as unit:
                unit.move(Move(row.id, _FETCHED, _PLACED) for row in placed)
            for row in placed:
                self._placed(partner.inbox, local_name(row))
            count += len(placed)
        return count

    def pages(self, partner: Partner, state: RemoteFileState, after: str = "") -> Iterator[list[RemoteFileRow]]:
        """The rows in a state, oldest first, as many at once as are committed together."""
        size = self._house.settings.ledger.commit_size
        while True:
            with self._house.ledger.reading() as unit:
                rows = remote_files(unit, state, partner.name, size, after=after)
            if rows:
                yield rows
            if len(rows) < size:
                return
            after = rows[-1].id

    def _touched(self, partner: Partner, corner: Corner, fetched: Sequence[Fetched]) -> frozenset[str]:
        """The names whose bytes are those that were fetched under them last."""
        hashes = {corner.raw(file.look.name): file.sha256 for file in fetched}
        with self._house.ledger.reading() as unit:
            rows = remote_files_named(unit, partner.name, hashes)
        return frozenset(name for name, row in rows.items() if row.sha256 == hashes[name])

    def _sweep(self, partner: Partner) -> None:
        """What a crash left in our hidden folder: files that no row knows will be fetched again."""
        with self._house.ledger.reading() as unit:
            known = {row.id for row in remote_files(unit, _FETCHED, partner.name, _ALL)}
        oldest = self._house.clock.now() - _PARTS_KEPT
        for path in partner.fetched.iterdir():
            is_ours = len(path.name) == _ID_LENGTH
            changed = datetime.fromtimestamp(path.lstat().st_mtime, UTC)
            if path.name not in known and (is_ours or changed < oldest):
                path.unlink()


def _stands(partner: Partner, row: RemoteFileRow) -> bool:
    """Linked, not renamed: a name in `in/` is never written over. Gone from our folder: it stood there before."""
    hidden, target = partner.fetched / row.id, join(partner.inbox, local_name(row))
    try:
        os.link(hidden, target, follow_symlinks=False)
    except FileNotFoundError:
        if os.path.lexists(hidden):  # it is `in/` that is gone: the bytes here are the only ones
            raise
        return True
    except FileExistsError:
        if not _is_same_file(hidden, target):
            return False
    hidden.unlink()
    return True


def _is_same_file(hidden: Path, target: Path) -> bool:
    try:
        return os.path.samestat(hidden.lstat(), target.lstat())
    except FileNotFoundError:  # taken away this moment: the next round sees
        return False
