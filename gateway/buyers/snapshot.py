"""The directory snapshot: one SQLite file, read-only, replaced as a whole, looked up by SIRET and service code.

It is replaced as a whole (`writing.py`); a reader that is open keeps the file it opened. The day on which each body
was seen is kept with it, so that one body looked up this morning is fresh though the whole is a week old.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

from gateway.domain.facts import Buyer, Service

FORMAT: Final = "1"

COUNT_BUYERS: Final = "SELECT count(*) FROM buyers WHERE known = 1"
_OLDEST_FIRST: Final = "SELECT siret FROM buyers ORDER BY seen_at, siret"
_GET_META: Final = "SELECT value FROM meta WHERE key = ?"
#: Dates are ISO texts, "" where open-ended; text order is date order.
_BUYER: Final = """
SELECT known, name, active, ej_mandatory, service_mandatory, ej_or_service, never_tells_payment, seen_at,
       EXISTS (SELECT 1 FROM services s WHERE s.siret = b.siret AND s.active = 1
               AND s.valid_from <= :day AND (s.valid_to = '' OR s.valid_to >= :day))
FROM buyers b WHERE siret = :siret
"""
_SERVICE: Final = "SELECT name, active, ej_mandatory, valid_from, valid_to FROM services WHERE siret = ? AND code = ?"


class BadSnapshot(Exception):
    """The file is no snapshot of this gateway; the message says why."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the snapshot says of a SIRET, and when that was true; `at` None: nobody ever asked."""

    buyer: Buyer | None
    at: datetime | None


class Snapshot:
    """One snapshot, open for look-ups."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(read_only(path), uri=True, check_same_thread=False)
        try:
            if self._meta("format") != FORMAT:
                raise BadSnapshot(f"{path.name}: not of format {FORMAT}")
            taken_at = self._meta("taken_at")
            #: When the whole directory was read; None when only single bodies ever were.
            self.taken_at = datetime.fromisoformat(taken_at) if taken_at else None
        except (sqlite3.Error, ValueError, BadSnapshot) as error:
            self._db.close()
            raise error if isinstance(error, BadSnapshot) else BadSnapshot(f"{path.name}: {error}") from error

    def buyer(self, siret: str, day: date) -> Seen:
        """What is known of the SIRET; whether any service of the body is open is asked for `day`."""
        row = self._db.execute(_BUYER, {"siret": siret, "day": day.isoformat()}).fetchone()
        if row is None:
            return Seen(None, self.taken_at)
        known, name, active, ej, service, either, silent, seen_at, open_service = row
        seen = datetime.fromisoformat(seen_at)
        if not known:
            return Seen(None, seen)
        buyer = Buyer(
            siret=siret,
            name=name,
            active=bool(active),
            ej_mandatory=bool(ej),
            service_mandatory=bool(service),
            ej_or_service=bool(either),
            never_tells_payment=bool(silent),
            has_active_service=bool(open_service),
        )
        return Seen(buyer, seen)

    def service(self, siret: str, code: str) -> Service | None:
        """The service of that body with exactly this code."""
        row = self._db.execute(_SERVICE, (siret, code)).fetchone()
        if row is None:
            return None
        name, active, ej, valid_from, valid_to = row
        return Service(code, name, bool(active), bool(ej), _day(valid_from), _day(valid_to))

    @property
    def count(self) -> int:
        """How many bodies it holds."""
        return int(self._db.execute(COUNT_BUYERS).fetchone()[0])

    def sirets(self) -> Iterator[str]:
        """Every SIRET ever asked about, the one seen longest ago first: what a refresh asks again."""
        for row in self._db.execute(_OLDEST_FIRST):
            yield str(row[0])

    def close(self) -> None:
        self._db.close()

    def _meta(self, key: str) -> str:
        row = self._db.execute(_GET_META, (key,)).fetchone()
        if row is None:
            raise BadSnapshot(f"{key} is missing")
        return str(row[0])


def open_snapshot(path: Path) -> Snapshot | None:
    """The snapshot at `path`, if there is one."""
    return Snapshot(path) if path.exists() else None


def stamp(path: Path) -> tuple[int, int]:
    """What changes when the snapshot at `path` is replaced."""
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_ino, status.st_mtime_ns)


def count_at(path: Path) -> int:
    """Bodies in the snapshot at `path`; 0 where there is none, or none that can be read."""
    try:
        snapshot = open_snapshot(path)
    except BadSnapshot:
        return 0
    if snapshot is None:
        return 0
    with closing(snapshot):
        return snapshot.count


def read_only(path: Path) -> str:
    """Immutable: the file is only ever replaced, so SQLite need not lock it."""
    return f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1"


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
