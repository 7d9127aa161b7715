"""Write the directory snapshot: beside the one in place, then renamed over it.

One writer at a time, by a lock (the service and an operator's command may meet). A whole snapshot is all or
nothing: whatever the source raises on the way leaves the former as it is. Single bodies laid over it are each true
by themselves: those that were told before the source failed are kept.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from gateway.buyers.entries import Refreshed, Told
from gateway.buyers.snapshot import COUNT_BUYERS, FORMAT, Snapshot, count_at, read_only
from gateway.domain.facts import Buyer

_TABLES: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE buyers (
    siret TEXT PRIMARY KEY, known INTEGER NOT NULL, name TEXT NOT NULL, active INTEGER NOT NULL,
    ej_mandatory INTEGER NOT NULL, service_mandatory INTEGER NOT NULL, ej_or_service INTEGER NOT NULL,
    never_tells_payment INTEGER NOT NULL, seen_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE services (
    siret TEXT NOT NULL, code TEXT NOT NULL, name TEXT NOT NULL, active INTEGER NOT NULL,
    ej_mandatory INTEGER NOT NULL, valid_from TEXT NOT NULL, valid_to TEXT NOT NULL,
    PRIMARY KEY (siret, code)
) WITHOUT ROWID;
"""
#: A body looked up again replaces what was known of it, services included.
_ADD_BUYER: Final = "INSERT OR REPLACE INTO buyers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_FORGET_SERVICES: Final = "DELETE FROM services WHERE siret = ?"
_ADD_SERVICE: Final = "INSERT OR REPLACE INTO services VALUES (?, ?, ?, ?, ?, ?, ?)"
_SET_META: Final = "INSERT OR REPLACE INTO meta VALUES (?, ?)"
_COUNT_SERVICES: Final = "SELECT count(*) FROM services"


class Busy(Exception):
    """Another refresh or import is at work on this folder."""


def write_snapshot(
    path: Path,
    entries: Iterable[Told],
    taken_at: datetime,
    *,
    whole: bool = True,
    least: int = 0,
) -> Refreshed:
    """Write a new snapshot and put it in place.

    Not `whole`: the entries are laid over the snapshot in place, whose date stays; where there is none, what was
    not asked stays unknown. Below `least` bodies nothing is replaced (`TooFew`).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(path):
        return _write(path, entries, taken_at, whole, least)


def _write(target: Path, entries: Iterable[Told], taken_at: datetime, whole: bool, least: int) -> Refreshed:
    former = count_at(target)
    # One name, not a random one: a run that was killed leaves at most one remnant, and the next clears it.
    draft = target.with_name(f".{target.name}.writing")
    failure: Exception | None = None
    draft.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(draft)) as db:
            db.execute("PRAGMA journal_mode = OFF")
            db.execute("PRAGMA synchronous = OFF")
            if whole or not target.exists():
                dated = _utc(taken_at) if whole else ""
                db.executescript(_TABLES)
                db.executemany(_SET_META, (("format", FORMAT), ("taken_at", dated)))
            else:
                _copy(target, db)
            try:
                _fill(db, entries, _utc(taken_at))
            except Exception as error:
                if whole:
                    raise
                failure = error
            db.commit()
            buyers = int(db.execute(COUNT_BUYERS).fetchone()[0])
            services = int(db.execute(_COUNT_SERVICES).fetchone()[0])
        if buyers < least:
            raise TooFew(buyers, former)
        _into_place(draft, target)
    finally:
        draft.unlink(missing_ok=True)
    if failure is not None:
        raise failure
    return Refreshed(buyers, services, former, taken_at)


class TooFew(Exception):
    """The new snapshot would hold far fewer bodies than the former: a truncated source, most likely."""

    def __init__(self, found: int, former: int) -> None:
        super().__init__(f"{found} public bodies found where the snapshot in place holds {former}")
        self.found = found
        self.former = former


def _fill(db: sqlite3.Connection, entries: Iterable[Told], seen_at: str) -> None:
    for entry in entries:
        b = entry.buyer or Buyer(entry.siret, active=False)
        flags = (b.active, b.ej_mandatory, b.service_mandatory, b.ej_or_service, b.never_tells_payment)
        db.execute(_ADD_BUYER, (entry.siret, int(entry.buyer is not None), b.name, *map(int, flags), seen_at))
        db.execute(_FORGET_SERVICES, (entry.siret,))
        db.executemany(
            _ADD_SERVICE,
            (
                (
                    entry.siret,
                    s.code,
                    s.name,
                    int(s.active),
                    int(s.ej_mandatory),
                    _iso(s.valid_from),
                    _iso(s.valid_to),
                )
                for s in entry.services
            ),
        )


def _copy(source: Path, into: sqlite3.Connection) -> None:
    Snapshot(source).close()  # refuses what is no snapshot of ours
    with closing(sqlite3.connect(read_only(source), uri=True)) as former:
        former.backup(into)


def _into_place(draft: Path, target: Path) -> None:
    with draft.open("rb") as written:
        os.fsync(written.fileno())
    draft.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """The lock goes with the process: a writer that was killed leaves none."""
    handle = os.open(target.with_name(f".{target.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy("another refresh of the directory is running") from error
        yield
    finally:
        os.close(handle)


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _iso(day: date | None) -> str:
    return "" if day is None else day.isoformat()
