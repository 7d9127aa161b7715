"""Fetch: from a partner's own server into its drop folder here. `fetched` → `placed` → `settled`.

A remote file is made ours by a rename into `.taken/` there, where the server allows it; where it does not, and where
files are to be left, one that stayed unchanged is read and looked at again. The order makes it safe to be killed at
any instruction: the bytes durable here under a hidden name, then a row, then the name in `in/`, then the row moves,
and only then is the partner's server told to remove or archive the file. From `in/` on it is a file like any other.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

import structlog

from gateway.config.sftp import Afterwards, RemoteClaim, SftpTable
from gateway.domain.partner import Partner, Rung
from gateway.domain.states import RemoteFileState
from gateway.ledger.archive import make_durable_folder, sync_folder
from gateway.ledger.ids import new_ids
from gateway.ledger.moves import Move
from gateway.ledger.remote_files import RemoteFileRow, add_remote_files, remote_files, remote_files_named
from gateway.parsers.whole import looks_whole
from gateway.steps.house import House
from gateway.steps.unread import refuse_unread, why_unread
from gateway.transports.local import escape_name, join, printable_name, unescape_name
from gateway.transports.sftp_client.errors import ConnectionTrouble, Missing
from gateway.transports.sftp_client.results import Failed, Fetched, Listing, Moved, RemoteLook, Removed, Why
from gateway.transports.sights import Sights

_FETCHED, _PLACED, _SETTLED = RemoteFileState
_TAKEN: Final = b".taken"
_ARCHIVE: Final = b"archive"
_ALL: Final = 1_000_000
_ID_LENGTH: Final = 26
_PARTS_KEPT: Final = timedelta(days=2)


class Remote(Protocol):
    """A folder of a partner's server, as `sftp_client.folder` has it."""

    path: bytes

    def below(self, name: bytes) -> Remote: ...

    def list(self) -> Listing: ...

    def claim_many(self, looks: Iterable[RemoteLook]) -> Iterator[Moved | Failed]: ...

    def fetch_many(
        self, looks: Iterable[RemoteLook], into: Path, *, durable: bool = False
    ) -> Iterator[Fetched | Failed]: ...

    def remove_many(self, names: Iterable[bytes]) -> Iterator[Removed | Failed]: ...

    def move_many(self, names: Iterable[bytes], to: bytes) -> Iterator[Moved | Failed]: ...


@dataclass(frozen=True, slots=True)
class _Corner:
    """The remote folder itself, or `.taken/` in it. Rows know names from the folder on."""

    remote: Remote
    prefix: bytes
    sights: Sights

    @property
    def ours(self) -> bool:
        """Nobody else writes here."""
        return bool(self.prefix)

    def raw(self, name: bytes) -> str:
        """A name in here as the ledger has it."""
        return escape_name(self.prefix + name)

    def name(self, row: RemoteFileRow) -> bytes:
        """The name in here of a row that is from here."""
        return unescape_name(row.name).removeprefix(self.prefix)

    def holds(self, row: RemoteFileRow) -> bool:
        """Was it fetched from here?"""
        return unescape_name(row.name).startswith(_TAKEN + b"/") == self.ours

    def looks(self) -> tuple[RemoteLook, ...]:
        """What lies here; nothing, where there is no such folder yet."""
        try:
            return self.remote.list().looks
        except Missing:
            if self.ours:
                return ()
            raise


class Fetch:
    """Brings the files of partners that have servers of their own. For a partner, one round at a time."""

    name = "fetch"

    def __init__(
        self,
        house: House,
        placed: Callable[[Path, bytes], None] = lambda folder, name: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._house = house
        self._placed = placed  #: told of each name that stands whole in a drop folder now
        self._monotonic = monotonic
        self._sights: defaultdict[tuple[str, bytes], Sights] = defaultdict(Sights)
        self._swept: set[str] = set()  #: partners whose hidden folder was looked through since the start
        self._unmovable: set[str] = set()  #: partners whose server does not let us rename
        self._settled_up_to: dict[str, str] = {}  #: the last row of each partner that its server did not let us settle
        self._unusable: dict[str, frozenset[bytes]] = {}  #: names that were told of, and stand there still
        self._log = structlog.get_logger("gateway.fetch")

    def run(self, partner: Partner, wishes: SftpTable, remote: Remote) -> int:
        """One round: finish what was begun, then fetch what is ready. How many files were placed.

        Raises `SftpError` when the server cannot be worked with now; what was done so far stays done.
        """
        for folder in (partner.inbox, partner.fetched):
            if not folder.is_dir():
                make_durable_folder(folder)
        if partner.name not in self._swept:
            self._sweep(partner)
        open_ = _Corner(remote, b"", self._sights[partner.name, b""])
        taken = _Corner(remote.below(_TAKEN), _TAKEN + b"/", self._sights[partner.name, _TAKEN])
        placed = self._place(partner)
        self._settle(partner, wishes, (open_, taken))
        quiet = self._quiet(partner, open_)
        if self._claims(partner, wishes) and self._claimed(partner, remote, quiet):
            quiet = [look for look in quiet if why_unread(look, partner) is not None]
        for corner, ready in ((taken, self._ready(partner, taken)), (open_, quiet)):
            placed += self._bring(partner, wishes, corner, ready)
        self._settle(partner, wishes, (open_, taken))
        return placed

    def settling(self, partner: str) -> bool:
        """May another look at this partner's server, soon, find more?"""
        return any(sights.settling for (name, _), sights in self._sights.items() if name == partner)

    # --- there -----------------------------------------------------------------------------------------------

    def _quiet(self, partner: Partner, corner: _Corner) -> list[RemoteLook]:
        listing = corner.remote.list()
        for name in set(listing.unusable) - self._unusable.get(partner.name, frozenset()):
            self._log.error(
                "remote_name", partner=partner.name, name=printable_name(name), remedy="no file can have it: rename it"
            )
        self._unusable[partner.name] = frozenset(listing.unusable)
        return corner.sights.ready(listing.looks, partner.completeness, self._monotonic(), ours=False)

    def _ready(self, partner: Partner, corner: _Corner) -> list[RemoteLook]:
        return corner.sights.ready(corner.looks(), partner.completeness, self._monotonic(), ours=True)

    def _claims(self, partner: Partner, wishes: SftpTable) -> bool:
        stays = wishes.afterwards is Afterwards.LEAVE
        return wishes.claim is RemoteClaim.RENAME and not stays and partner.name not in self._unmovable

    def _claimed(self, partner: Partner, remote: Remote, looks: Sequence[RemoteLook]) -> bool:
        """Rename them into `.taken/`. False when the server does not let us; they are fetched where they are, then."""
        for result in remote.claim_many(look for look in looks if why_unread(look, partner) is None):
            if not isinstance(result, Failed) or result.why is Why.GONE:
                continue
            self._troubled(partner, "not_claimed", result)
            if result.why is Why.REFUSED:
                self._unmovable.add(partner.name)
        return partner.name not in self._unmovable

    def _unknown(
        self, partner: Partner, wishes: SftpTable, corner: _Corner, looks: Sequence[RemoteLook]
    ) -> list[RemoteLook]:
        """Those that are not here already. A file that was removed there and stands there again is another one."""
        with self._house.ledger.reading() as unit:
            known = remote_files_named(unit, partner.name, (corner.raw(look.name) for look in looks))
        stays = wishes.afterwards is Afterwards.LEAVE
        return [
            look
            for look in looks
            if (row := known.get(corner.raw(look.name))) is None
            or not _is(look, row)
            or (row.state is _SETTLED and not stays and row.sha256)
        ]

    # --- from there to here ----------------------------------------------------------------------------------

    def _bring(self, partner: Partner, wishes: SftpTable, corner: _Corner, ready: Sequence[RemoteLook]) -> int:
        """Fetch group by group, as many as the partner may have in work at once."""
        with self._house.ledger.reading() as unit:
            room = max(0, partner.in_flight - unit.in_flight(partner.name))
        looks: list[RemoteLook] = []
        for look in self._unknown(partner, wishes, corner, ready):
            refusal = why_unread(look, partner)
            if refusal is None:
                looks.append(look)
            else:
                refuse_unread(self._house, partner, corner.raw(look.name), look, refusal)
        looks = looks[:room]
        size = self._house.settings.ledger.commit_size
        placed = 0
        for start in range(0, len(looks), size):
            self._write_down(partner, corner, self._fetched(partner, corner, looks[start : start + size]))
            placed += self._place(partner)
        return placed

    def _fetched(self, partner: Partner, corner: _Corner, looks: Sequence[RemoteLook]) -> list[Fetched]:
        fetched: list[Fetched] = []
        trouble: Failed | None = None
        ends_matter = Rung.STRUCTURE in partner.completeness.ladder
        for result in corner.remote.fetch_many(looks, partner.fetched, durable=True):
            if isinstance(result, Failed):
                trouble = result if isinstance(result.error, ConnectionTrouble) else trouble
                if result.why not in (Why.GONE, Why.CHANGING, Why.CONNECTION):
                    self._troubled(partner, "not_fetched", result)
            elif ends_matter and not looks_whole(result.path) and corner.sights.must_wait(result.look):
                result.path.unlink()
            else:
                fetched.append(result)
        if trouble is not None and trouble.error is not None and not fetched:
            raise trouble.error
        return fetched

    def _write_down(self, partner: Partner, corner: _Corner, fetched: Sequence[Fetched]) -> None:
        """Rows for what is durable here, under hidden names that are the rows' ids."""
        now = self._house.clock.now()
        rows: list[RemoteFileRow] = []
        for id_, file in zip(new_ids(now, len(fetched)), fetched, strict=True):
            look = file.look
            name = corner.raw(look.name)
            rows.append(RemoteFileRow(id_, partner.name, _FETCHED, name, look.size, look.mtime, file.sha256, now))
            file.path.rename(partner.fetched / id_)
        if rows:
            sync_folder(partner.fetched)
            with self._house.ledger.writing(self.name) as unit:
                add_remote_files(unit, rows)

    def _sweep(self, partner: Partner) -> None:
        """What a crash left in our hidden folder: files that no row knows will be fetched again; parts of a file are
        of use for a while, since a large one goes on where it was cut."""
        with self._house.ledger.reading() as unit:
            known = {row.id for row in remote_files(unit, _FETCHED, partner.name, _ALL)}
        oldest = self._house.clock.now() - _PARTS_KEPT
        for path in partner.fetched.iterdir():
            is_ours = len(path.name) == _ID_LENGTH
            changed = datetime.fromtimestamp(path.lstat().st_mtime, UTC)
            if path.name not in known and (is_ours or changed < oldest):
                path.unlink()
        self._swept.add(partner.name)

    # --- here ------------------------------------------------------------------------------------------------

    def _pages(self, partner: Partner, state: RemoteFileState, after: str = "") -> Iterator[list[RemoteFileRow]]:
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

    def _place(self, partner: Partner) -> int:
        """Give the files that are durable here their names in `in/`; a name that is taken there is waited for."""
        count = 0
        for rows in self._pages(partner, _FETCHED):
            placed = [row for row in rows if _stands(partner, row)]
            if not placed:
                continue
            sync_folder(partner.inbox)
            sync_folder(partner.fetched)
            with self._house.ledger.writing(self.name) as unit:
                unit.move(Move(row.id, _FETCHED, _PLACED) for row in placed)
            for row in placed:
                self._placed(partner.inbox, _local_name(row))
            count += len(placed)
        return count

    def _settle(self, partner: Partner, wishes: SftpTable, corners: Sequence[_Corner]) -> None:
        """What is placed is removed or archived there, or left.

        Where nothing of a page could be, the next round goes on after it: a server that lets nobody remove anything is
        not asked for every file in every round, and what it keeps holds up no other file.
        """
        for rows in self._pages(partner, _PLACED, self._settled_up_to.pop(partner.name, "")):
            done = [
                row
                for corner in corners
                for row in self._cleared(partner, wishes, corner, [row for row in rows if corner.holds(row)])
            ]
            with self._house.ledger.writing(self.name) as unit:
                unit.move(Move(row.id, _PLACED, _SETTLED) for row in done)
            if not done:
                self._settled_up_to[partner.name] = rows[-1].id
                return

    def _cleared(
        self, partner: Partner, wishes: SftpTable, corner: _Corner, rows: Sequence[RemoteFileRow]
    ) -> list[RemoteFileRow]:
        """Those with which nothing is left to do there. Outside `.taken/` a file may have been replaced by another
        since it was fetched: that one is left, to be fetched."""
        if wishes.afterwards is Afterwards.LEAVE or not rows:
            return list(rows)
        there = None if corner.ours else {look.name: look for look in corner.looks()}
        standing = {corner.name(row): row for row in rows if there is None or _is(there.get(corner.name(row)), row)}
        if wishes.afterwards is Afterwards.DELETE:
            results: Iterator[Moved | Removed | Failed] = corner.remote.remove_many(standing)
        else:
            results = corner.remote.move_many(standing, _archive(corner))
        kept = [result for result in results if isinstance(result, Failed) and result.why is not Why.GONE]
        if kept:
            worst = next((failed for failed in kept if isinstance(failed.error, ConnectionTrouble)), kept[0])
            self._troubled(partner, "not_removed", worst, len(kept))
        names = {failed.name for failed in kept}
        return [row for row in rows if corner.name(row) not in names]

    def _troubled(self, partner: Partner, what: str, failed: Failed, count: int = 1) -> None:
        """Something that was not done there; without a connection nothing more is tried."""
        if isinstance(failed.error, ConnectionTrouble):
            raise failed.error
        self._log.error(what, partner=partner.name, name=printable_name(failed.name), count=count, why=failed.reason)


def _archive(corner: _Corner) -> bytes:
    above = corner.remote.path.removesuffix(b"/" + _TAKEN) if corner.ours else corner.remote.path.rstrip(b"/")
    return above + b"/" + _ARCHIVE


def _is(look: RemoteLook | None, row: RemoteFileRow) -> bool:
    return look is not None and (look.size, look.mtime) == (row.size, row.mtime)


def _local_name(row: RemoteFileRow) -> bytes:
    return unescape_name(row.name).removeprefix(_TAKEN + b"/")


def _stands(partner: Partner, row: RemoteFileRow) -> bool:
    """Linked, not renamed: a name in `in/` is never written over. Gone from our folder: it stood there before."""
    hidden, target = partner.fetched / row.id, join(partner.inbox, _local_name(row))
    try:
        os.link(hidden, target, follow_symlinks=False)
    except FileNotFoundError:
        return True
    except FileExistsError:
        if not os.path.samestat(hidden.lstat(), target.lstat()):
            return False
    hidden.unlink()
    return True
