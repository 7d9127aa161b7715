"""From `.claimed/` into the archive: what becomes of one claimed file, whatever stands under its name by now.

A file is copied, so that whoever still has it open cannot change what we keep. One that is too large, that we may
not read, or that never stands still is renamed into the archive instead, and refused. Nothing is written down here
and nothing removed: that is `receive.py`, once the row says what was done.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog

from gateway.domain import intake, not_whole
from gateway.domain.finding import Definition, Finding, Layer, Severity, Text
from gateway.domain.partner import Partner
from gateway.ledger.archive import Archive, Changed, Kept
from gateway.ledger.rows import InterchangeRow
from gateway.parsers.whole import looks_whole
from gateway.steps.house import House
from gateway.transports.local import free_bytes, join, unescape_name

_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
#: How often a claimed file that still changes is copied again before it waits for the next round.
_COPIES: Final = 3
_PAUSE_S: Final = 0.05

NOT_READABLE: Final = Definition(
    "INTAKE-NOT-READABLE",
    Layer.INTAKE,
    Severity.FATAL,
    Text(
        "La passerelle n'a pas le droit de lire le fichier {name} ; il n'a pas été lu.",
        "The gateway is not allowed to read the file {name}; it was not read.",
    ),
    Text(
        "Donnez au fichier le droit de lecture pour le compte de la passerelle (par exemple umask 027 et son groupe), "
        "puis redéposez-le.",
        "Let the gateway's account read the file (for instance umask 027 and its group), then drop it again.",
    ),
)


@dataclass(frozen=True, slots=True)
class Taken:
    """A claimed file on its way into the archive: kept, refused, gone, or to be tried again (none of the three)."""

    row: InterchangeRow
    kept: Kept | None = None
    refusals: tuple[Finding, ...] = ()  #: the first is the reason
    gone: bool = False

    @property
    def settled(self) -> bool:
        """Its row can move on."""
        return bool(self.kept or self.refusals or self.gone)


@dataclass(frozen=True, slots=True)
class Claim:
    """A row whose file was claimed; its findings are why it is refused, where that is known already. `doubtful`: what
    was claimed need not be what was looked at before. `sha256`: what its content must have, "" where nobody said."""

    row: InterchangeRow
    doubtful: bool = False
    sha256: str = ""


class Claimed:
    """Takes claimed files into the archive."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._log = structlog.get_logger("gateway.receive")
        self.full = False  #: a copy met a full disk

    def take(self, partner: Partner, claim: Claim) -> Taken:
        """Bring one file in."""
        row = claim.row
        source = partner.claimed / row.id
        try:
            # Not there: killed between renaming it in and writing it down, or else its owner took it away before us.
            there = os.path.lexists(source) or self._house.archive.give_back(row.id, row.seen_at, source)
            return self._take(partner, claim, source) if there else _gone(row)
        except OSError as error:
            self._log.warning("archive_failed", interchange_id=row.id, error=str(error))
            self.full = self.full or error.errno in _FULL
            return Taken(row)

    def _take(self, partner: Partner, claim: Claim, source: Path) -> Taken:
        row, status = claim.row, source.lstat()
        if stat.S_ISLNK(status.st_mode):
            return Taken(row, refusals=(intake.SYMLINK.at(name=row.file_name),))
        if stat.S_ISDIR(status.st_mode):
            # A folder took the name between look and claim: its files are not ours to take as one.
            with suppress(OSError):
                source.rename(join(partner.inbox, unescape_name(row.raw_name)))
            return _gone(row)
        if not stat.S_ISREG(status.st_mode):
            return Taken(row, refusals=(intake.NOT_A_FILE.at(name=row.file_name),))
        if status.st_uid == os.geteuid() and not status.st_mode & stat.S_IRUSR:
            _let_us_read(source)
        wishes = partner.completeness
        if status.st_size > wishes.limit_bytes:
            refusal = intake.TOO_LARGE.at(size=status.st_size, limit=wishes.limit_bytes, name=row.file_name)
            return self._set_aside(row, source, refusal)
        late = bool(row.findings) or self._house.clock.now() - row.seen_at >= timedelta(seconds=wishes.give_up_s)
        try:
            half = not row.findings and claim.doubtful and status.st_size > 0 and not looks_whole(source)
        except PermissionError:
            return self._unreadable(partner, row, source)
        if half and not late:
            return Taken(row)
        incomplete = intake.INCOMPLETE.at(minutes=f"{round(wishes.give_up_s / 60, 1):g}", name=row.file_name)
        refusals = row.findings or ((incomplete,) if half else ())
        try:
            kept = _keep(self._house.archive, source, row)
        except PermissionError:
            return self._unreadable(partner, row, source)
        except Changed:
            return self._set_aside(row, source, incomplete) if late else Taken(row)
        if not refusals and claim.sha256 and kept.sha256 != claim.sha256:
            refusals = (_altered(row, claim.sha256, kept.sha256),)
        return Taken(row, kept, refusals)

    def _unreadable(self, partner: Partner, row: InterchangeRow, source: Path) -> Taken:
        """Kept by a rename; where the archive is another file system, given back under a name that is not taken."""
        refusal = NOT_READABLE.at(name=row.file_name)
        try:
            return self._set_aside(row, source, refusal)
        except PermissionError:
            source.rename(partner.inbox / f".{row.id}.unread")
            return Taken(row, refusals=(refusal,))

    def _set_aside(self, row: InterchangeRow, source: Path, refusal: Finding) -> Taken:
        """Refuse a file unread; it is renamed into the archive, or copied where that is another file system."""
        archive, settings = self._house.archive, self._house.settings
        kept = archive.take_over(source, row.id, row.seen_at)
        if kept is None:
            size = source.lstat().st_size
            if free_bytes(archive.root) - size < settings.intake.free_bytes:
                # One giant must not fill the disk on which everybody else's files are to be kept.
                raise OSError(errno.EFBIG, "no room to keep a file that is refused for its size", str(source))
            kept = archive.keep_original(source, row.id, row.seen_at)
        return Taken(row, kept, (refusal,))


def _let_us_read(source: Path) -> None:
    """A file of our own user id that its sender has locked (`chmod 000`). Held open, so that no link is followed."""
    held = os.open(source, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.chmod(f"/proc/self/fd/{held}", stat.S_IMODE(os.fstat(held).st_mode) | stat.S_IRUSR)  # noqa: PTH101
    finally:
        os.close(held)


def _gone(row: InterchangeRow) -> Taken:
    return Taken(row, refusals=(intake.WITHDRAWN.at(name=row.file_name),), gone=True)


def _keep(archive: Archive, source: Path, row: InterchangeRow) -> Kept:
    """Copy until the file stands still: its writer may still have it open."""
    for _ in range(_COPIES - 1):
        try:
            return archive.keep_original(source, row.id, row.seen_at)
        except Changed:
            time.sleep(_PAUSE_S)
    return archive.keep_original(source, row.id, row.seen_at)


def _altered(row: InterchangeRow, expected: str, found: str) -> Finding:
    """It was rewritten, within a tick of the file system's clock, after its hash was found right."""
    return not_whole.CHECKSUM_MISMATCH.at(
        name=row.file_name, other=f"{row.file_name}.sha256", algorithm="SHA256", expected=expected, found=found
    )
