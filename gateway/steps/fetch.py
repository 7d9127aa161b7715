"""Fetch: from a partner's own server into its drop folder here. `fetched` → `placed` → `settled`.

A remote file is made ours by a rename into `.taken/` there, where the server allows it; where it does not, and where
files are to be left, one that stayed unchanged is read and looked at again. The order makes it safe to be killed at
any instruction: the bytes durable here under a hidden name, then a row, then the name in `in/` (`landing.py`), and only
then is the partner's server told to remove or archive the file. What is to be left there stays `placed`, and is settled
when that is configured otherwise. From `in/` on it is a file like any other.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import structlog

from gateway.config.sftp import Afterwards, RemoteClaim, SftpTable
from gateway.domain.partner import Partner, Rung
from gateway.domain.states import RemoteFileState
from gateway.ledger.moves import Move
from gateway.ledger.remote_files import RemoteFileRow, remote_files_named
from gateway.parsers.whole import looks_whole
from gateway.steps.corners import TAKEN, Corner, Remote, is_same
from gateway.steps.house import House
from gateway.steps.landing import Landing
from gateway.steps.unread import Unread, refuse_unread, why_unread
from gateway.transports.local import free_bytes, printable_name
from gateway.transports.sftp_client.errors import ConnectionTrouble
from gateway.transports.sftp_client.results import Failed, Fetched, Listing, Moved, RemoteLook, Removed, Why
from gateway.transports.sights import Sights

_PLACED, _SETTLED = RemoteFileState.PLACED, RemoteFileState.SETTLED
#: Names read where files stay, or where what cannot be taken fills the usual number.
_MANY: Final = 100_000
#: How long a server is held for one that lets us rename nothing, or for crowded: somebody may have mended it.
_REMEMBERED_S: Final = 3600.0


class NotFetched(Exception):
    """Files lie there that cannot be brought now; the text says why. What was fetched stays fetched."""


class Fetch:
    """Brings the files of partners that have servers of their own. For a partner, one round at a time."""

    name = "fetch"

    def __init__(
        self,
        house: House,
        placed: Callable[[Path, bytes], None] = lambda folder, name: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`placed` is told of each name that stands whole in a drop folder now."""
        self._house = house
        self._monotonic = monotonic
        self._landing = Landing(house, self.name, placed, monotonic)
        self._sights: defaultdict[tuple[str, bytes], Sights] = defaultdict(Sights)
        #: Since when (monotonic, in seconds) a partner's server does not let us rename,
        self._unmovable: dict[str, float] = {}
        #: and since when the names that a listing of it begins with can none be taken.
        self._crowded: dict[str, float] = {}
        self._settled_up_to: dict[str, str] = {}  #: the last row of each partner that its server did not let us settle
        self._unusable: dict[str, frozenset[bytes]] = {}  #: names that were told of, and stand there still
        self._log = structlog.get_logger("gateway.fetch")

    def recover(self) -> None:
        """After a start, before the intake looks."""
        self._landing.recover()

    def run(self, partner: Partner, wishes: SftpTable, remote: Remote) -> int:
        """One round: finish what was begun, then fetch what is ready. How many files were placed.

        Raises `SftpError` when the server cannot be worked with now, `NotFetched` when something else is in the way;
        what was done so far stays done.
        """
        self._landing.prepare(partner)
        open_ = Corner(remote, b"", self._sights[partner.name, b""])
        taken = Corner(remote.below(TAKEN), TAKEN + b"/", self._sights[partner.name, TAKEN])
        placed = self._landing.place(partner)
        self._settle(partner, wishes, (open_, taken))
        listing = self._listed(partner, wishes, open_)
        quiet = self._unknown(partner, wishes, open_, self._ready(partner, open_, listing))
        self._note_crowd(partner, listing, open_, quiet)
        if self._claims(partner, wishes):
            quiet = self._claimed(partner, open_, taken, quiet)
        ours = self._unknown(partner, wishes, taken, self._ready(partner, taken, taken.listing()))
        for corner, looks in ((taken, ours), (open_, quiet)):
            placed += self._bring(partner, wishes, corner, looks)
        self._settle(partner, wishes, (open_, taken))
        if listing.more and len(listing.looks) >= _MANY:
            raise NotFetched(
                f"more than {_MANY:,} files lie in {printable_name(remote.path)} there, and those beyond are not "
                f"looked at. → Have old ones removed or archived there"
            )
        return placed

    def settling(self, partner: str) -> bool:
        """May another look at this partner's server, soon, find more?"""
        known = (self._sights.get((partner, corner)) for corner in (b"", TAKEN))
        return any(sights.settling for sights in known if sights is not None)

    # --- there -----------------------------------------------------------------------------------------------

    def _listed(self, partner: Partner, wishes: SftpTable, corner: Corner) -> Listing:
        stays = wishes.afterwards is Afterwards.LEAVE
        listing = corner.listing(_MANY if stays or self._holds(self._crowded, partner) else None)
        for name in set(listing.unusable) - self._unusable.get(partner.name, frozenset()):
            self._log.error(
                "remote_name", partner=partner.name, name=printable_name(name), remedy="no file can have it: rename it"
            )
        self._unusable[partner.name] = frozenset(listing.unusable)
        return listing

    def _ready(self, partner: Partner, corner: Corner, listing: Listing) -> list[RemoteLook]:
        return corner.sights.ready(listing.looks, partner.completeness, self._monotonic())

    def _note_crowd(self, partner: Partner, listing: Listing, corner: Corner, quiet: Sequence[RemoteLook]) -> None:
        """Where the names that a listing begins with are all known (refused, or never to be removed), the next round
        reads on behind them."""
        if listing.more and not quiet and not corner.sights.settling:
            self._crowded.setdefault(partner.name, self._monotonic())

    def _claims(self, partner: Partner, wishes: SftpTable) -> bool:
        stays = wishes.afterwards is Afterwards.LEAVE
        return wishes.claim is RemoteClaim.RENAME and not stays and not self._holds(self._unmovable, partner)

    def _holds(self, noted: dict[str, float], partner: Partner) -> bool:
        """Was it noted of the partner's server, and not too long ago?"""
        if partner.name in noted and self._monotonic() - noted[partner.name] >= _REMEMBERED_S:
            del noted[partner.name]
        return partner.name in noted

    def _claimed(
        self, partner: Partner, corner: Corner, taken: Corner, looks: Sequence[RemoteLook]
    ) -> list[RemoteLook]:
        """Rename them into `.taken/`. Gives those that have to be dealt with where they stand."""
        by_name = {look.name: look for look in looks if why_unread(look, partner) is None}
        left = [look for look in looks if look.name not in by_name]
        failed: list[Failed] = []
        for result in corner.remote.claim_many(by_name.values()):
            if isinstance(result, Moved):
                corner.sights.hand_over(by_name[result.name], taken.sights, result.now)
            elif result.why is not Why.GONE:
                failed.append(result)
        if failed:
            self._troubled(partner, "not_claimed", failed)
            left += [by_name[one.name] for one in failed]
        if any(one.why is Why.REFUSED for one in failed):
            self._unmovable[partner.name] = self._monotonic()
        return left

    def _unknown(
        self, partner: Partner, wishes: SftpTable, corner: Corner, looks: Sequence[RemoteLook]
    ) -> list[RemoteLook]:
        """Those that are not here already. A file that was removed there and stands there again is another one."""
        with self._house.ledger.reading() as unit:
            known = remote_files_named(unit, partner.name, (corner.raw(look.name) for look in looks))
        stays = wishes.afterwards is Afterwards.LEAVE
        return [
            look
            for look in looks
            if (row := known.get(corner.raw(look.name))) is None
            or not is_same(look, row)
            or (row.state is _SETTLED and not stays and row.sha256)
        ]

    # --- from there to here ----------------------------------------------------------------------------------

    def _bring(self, partner: Partner, wishes: SftpTable, corner: Corner, looks: Sequence[RemoteLook]) -> int:
        """Fetch group by group, as many as the partner may have in work at once."""
        with self._house.ledger.reading() as unit:
            room = max(0, partner.in_flight - unit.in_flight(partner.name))
        stays = wishes.afterwards is Afterwards.LEAVE
        size = self._house.settings.ledger.commit_size
        placed = 0
        for start in range(0, min(len(looks), room), size):
            group = looks[start : min(start + size, room)]
            refusals = {look.name: why_unread(look, partner) for look in group}
            unread = [Unread(corner.raw(one.name), one, why) for one in group if (why := refusals[one.name])]
            refuse_unread(self._house, partner, unread)
            readable = [look for look in group if refusals[look.name] is None]
            self._has_room(partner, readable)
            fetched = self._fetched(partner, corner, readable)
            self._landing.write_down(partner, corner, fetched, stays=stays)
            placed += self._landing.place(partner)
        return placed

    def _has_room(self, partner: Partner, looks: Iterable[RemoteLook]) -> None:
        """Raises `NotFetched` when the disk would be fuller than it may be: what waits there is safe there."""
        wanted = self._house.settings.intake.free_bytes
        free, coming = free_bytes(partner.fetched), sum(look.size for look in looks)
        if coming and free - coming < wanted:
            raise NotFetched(
                f"{free:,} bytes are free for {coming:,} that wait there, and {wanted:,} are to stay free "
                f"(intake.free_bytes). → Free space under {partner.fetched}"
            )

    def _fetched(self, partner: Partner, corner: Corner, looks: Sequence[RemoteLook]) -> list[Fetched]:
        fetched: list[Fetched] = []
        troubles: list[Failed] = []
        lost: ConnectionTrouble | None = None
        ends_matter = Rung.STRUCTURE in partner.completeness.ladder
        for result in corner.remote.fetch_many(looks, partner.fetched, durable=True):
            if isinstance(result, Failed):
                if isinstance(result.error, ConnectionTrouble):
                    lost = result.error
                elif result.why is not Why.GONE and (corner.ours or result.why is not Why.CHANGING):
                    troubles.append(result)
            elif ends_matter and not looks_whole(result.path) and corner.sights.must_wait(result.look):
                result.path.unlink()
            else:
                fetched.append(result)
        if lost is not None and not fetched:
            raise lost
        if troubles:
            self._troubled(partner, "not_fetched", troubles)
        return fetched

    # --- what is left to do there ----------------------------------------------------------------------------

    def _settle(self, partner: Partner, wishes: SftpTable, corners: Sequence[Corner]) -> None:
        """What is placed is removed or archived there.

        Where nothing of a page could be, the next round goes on after it: a server that lets nobody remove anything is
        not asked for every file in every round, and what it keeps holds up no other file.
        """
        if wishes.afterwards is Afterwards.LEAVE:
            return
        listings: dict[bytes, Listing] = {}
        for rows in self._landing.pages(partner, _PLACED, self._settled_up_to.pop(partner.name, "")):
            done = [
                row
                for corner in corners
                if (held := [row for row in rows if corner.holds(row)])
                for row in self._cleared(partner, wishes, corner, held, listings)
            ]
            with self._house.ledger.writing(self.name) as unit:
                unit.move(Move(row.id, _PLACED, _SETTLED) for row in done)
            if not done:
                self._settled_up_to[partner.name] = rows[-1].id
                return

    def _cleared(
        self,
        partner: Partner,
        wishes: SftpTable,
        corner: Corner,
        rows: Sequence[RemoteFileRow],
        listings: dict[bytes, Listing],
    ) -> list[RemoteFileRow]:
        """Those with which nothing is left to do there. A file may have been replaced by another since it was fetched:
        that one is left, to be fetched. `listings`: what the corners held before, one look for all rows of a round."""
        if corner.prefix not in listings:
            listings[corner.prefix] = corner.listing(_MANY)
        listing = listings[corner.prefix]
        there = {look.name: look for look in listing.looks}
        standing: list[bytes] = []
        unseen: set[bytes] = set()
        for row in rows:
            name = corner.name(row)
            look = there.get(name)
            if look is not None:
                standing += [name] if is_same(look, row) else []
            elif corner.ours:  # it stood there when it was fetched, and only we take it away: asked, not looked for
                standing.append(name)
            elif listing.more:
                unseen.add(name)
        if wishes.afterwards is Afterwards.DELETE:
            results: Iterator[Moved | Removed | Failed] = corner.remote.remove_many(standing)
        else:
            results = corner.remote.move_many(standing, corner.archive)
        kept = [result for result in results if isinstance(result, Failed) and result.why is not Why.GONE]
        if kept:
            self._troubled(partner, "not_removed", kept)
        unseen.update(failed.name for failed in kept)
        return [row for row in rows if corner.name(row) not in unseen]

    def _troubled(self, partner: Partner, what: str, failed: Sequence[Failed]) -> None:
        """Something that was not done there, in one line; without a connection nothing more is tried."""
        for one in failed:
            if isinstance(one.error, ConnectionTrouble):
                raise one.error
        first = failed[0]
        self._log.error(
            what, partner=partner.name, name=printable_name(first.name), count=len(failed), why=first.reason
        )
