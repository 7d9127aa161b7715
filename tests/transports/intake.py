"""A drop folder with the first two steps behind it, in the hands of a test: no platform, a clock that is turned.

Two partners, `erp` and `edi`. Nothing runs unless the test says `look` or `wait`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import text

from gateway.clock import HandClock
from gateway.config import Configuration, Settings
from gateway.domain.ack import AckRow, Level
from gateway.domain.partner import Completeness, Partner
from gateway.domain.states import InterchangeState
from gateway.ledger.archive import Archive
from gateway.ledger.ledger import Ledger, open_ledger
from gateway.ledger.rows import DocumentRow, InterchangeRow
from gateway.parsers.archive import DEFAULT_LIMITS
from gateway.simulator import Simulator
from gateway.steps.house import Examiner, House
from gateway.steps.open import Open
from gateway.steps.receive import Receive
from gateway.workers.examiner import InlineExaminer
from tests.loop import ENVIRON, write_configuration

START = datetime(2026, 3, 2, 22, 0, tzinfo=UTC)
QUIET, GIVE_UP = 2.0, 1800.0
LIMIT = 1_000_000


@dataclass
class Roster:
    """The configuration in force, which a test may change."""

    settings: Settings


class Intake:
    """The steps `receive` and `open` on folders below one."""

    def __init__(self, folder: Path, examiner: Examiner | None = None, settings: Settings | None = None) -> None:
        self.folder = folder
        self.clock = HandClock(START)
        self.seconds = 0.0
        self.roster = Roster(_moved(settings or read_settings(folder), folder))
        self.ledger: Ledger = open_ledger(self.roster.settings.ledger_url, self.clock)
        self._examiner = examiner or InlineExaminer(self.roster.settings.archive_dir, DEFAULT_LIMITS)
        self.restart()

    def turn_back(self) -> None:
        """The clock as it was at the start."""
        self.clock, self.seconds = HandClock(START), 0.0
        self.ledger.clock = self.clock

    def restart(self) -> None:
        """Another process takes over: nothing is remembered but the ledger and the folders."""
        self.ledger.engine.dispose()
        archive = Archive(self.roster.settings.archive_dir)
        archive.root.mkdir(parents=True, exist_ok=True)
        self.house = House(
            ledger=self.ledger,
            archive=archive,
            clock=self.clock,
            roster=self.roster,
            examiner=self._examiner,
            buyers=cast(Any, None),
            routes={},
        )
        self.receive = Receive(self.house, monotonic=lambda: self.seconds)
        self.open = Open(self.house)

    def partner(self, name: str = "erp") -> Partner:
        return self.roster.settings.partners[name]

    def inbox(self, name: str = "erp") -> Path:
        return self.partner(name).inbox

    def change(self, name: str = "erp", **columns: Any) -> None:
        """Another configuration of one partner."""
        partners = dict(self.roster.settings.partners)
        partners[name] = replace(partners[name], **columns)
        self.roster.settings = replace(self.roster.settings, partners=partners)

    def drop(self, name: str | bytes, content: bytes = b"<a/>", partner: str = "erp") -> Path:
        """A file, at once and whole."""
        path = self.inbox(partner) / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def wait(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))
        self.seconds += seconds

    def look(self) -> int:
        """One look at every folder."""
        return self.receive.run()

    def take(self) -> int:
        """Look until everything that is whole is taken; how many were."""
        taken = self.look()
        self.wait(QUIET)
        while more := self.look():
            taken += more
        return taken

    def open_all(self) -> None:
        while self.open.run():
            pass

    def rows(self, *states: InterchangeState) -> list[InterchangeRow]:
        """Every interchange, oldest first."""
        with self.ledger.reading() as unit:
            found = [
                row
                for partner in self.roster.settings.partners
                for state in states or InterchangeState
                for row in unit.interchanges(state, partner, 100_000)
            ]
        return sorted(found, key=lambda row: row.id)

    def row(self) -> InterchangeRow:
        """The only interchange."""
        (row,) = self.rows()
        return row

    def documents(self, row: InterchangeRow) -> Sequence[DocumentRow]:
        with self.ledger.reading() as unit:
            return unit.documents_of_interchange(row.id)

    def receipts(self, partner: str = "erp") -> list[AckRow]:
        """The receipts owed, oldest first."""
        with self.ledger.reading() as unit:
            return [owed.ack.row for owed in unit.acks_owed(partner, Level.RECEIPT, 100_000)]

    def kept(self, row: InterchangeRow) -> bytes:
        """The bytes in the archive."""
        return self.house.archive.read(row.archive_path)

    def claimed(self, partner: str = "erp") -> list[Path]:
        folder = self.partner(partner).claimed
        return sorted(folder.iterdir()) if folder.is_dir() else []

    def count(self, table: str) -> int:
        with self.ledger.engine.connect() as connection:
            return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())

    def close(self) -> None:
        self.ledger.close()


def read_settings(folder: Path) -> Settings:
    """Settings as a configuration gives them, with small limits."""
    nowhere = cast(Simulator, SimpleNamespace(url="http://127.0.0.1:9", token_url="http://127.0.0.1:9/token"))
    settings = Configuration(write_configuration(folder, nowhere), ENVIRON).settings
    wishes = Completeness(quiet_s=QUIET, give_up_s=GIVE_UP, limit_bytes=LIMIT)
    partners = {name: replace(partner, completeness=wishes) for name, partner in settings.partners.items()}
    return replace(settings, partners=partners)


def _moved(settings: Settings, folder: Path) -> Settings:
    partners: Mapping[str, Partner] = {
        name: replace(partner, root=folder / name) for name, partner in settings.partners.items()
    }
    gateway = settings.gateway.model_copy(update={"state_dir": folder / "state"})
    (folder / "state").mkdir(parents=True, exist_ok=True)
    return replace(settings, gateway=gateway, partners=partners)
