"""A partner: a sender (ERP or EDI operator), with its folders and its wishes for acknowledgements."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class AckFormat(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"
    XML = "xml"


class Grouping(StrEnum):
    """One file a tick for all that is owed, or one file for each interchange."""

    PER_TICK = "per-tick"
    PER_INTERCHANGE = "per-interchange"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a partner reads its files. Defaults: `;`, UTF-8 without BOM, point, LF, French."""

    separator: str = ";"
    bom: bool = False
    decimal: str = "."
    newline: str = "\n"
    language: str = "fr"


@dataclass(frozen=True, slots=True)
class AckWishes:
    """What a partner wants told, how and when. A schedule is "immediate" or a cron line in Europe/Paris."""

    format: AckFormat = AckFormat.CSV
    grouping: Grouping = Grouping.PER_TICK
    dialect: Dialect = Dialect()
    name_template: str = "{partner}_{level}_{seq:08d}_{utc}.{extension}"
    receipts: str = "immediate"
    decisions: str = "immediate"
    lifecycle: str = "immediate"
    statuses: frozenset[str] = frozenset()  #: native codes told beside the terminal and your-turn ones; "*" = all


@dataclass(frozen=True, slots=True)
class Completeness:
    """When a dropped file counts as whole. Seconds are of the wall clock, sizes in bytes."""

    quiet_s: float = 2.0  #: size and mtime unchanged over two looks this far apart
    give_up_s: float = 1800.0  #: then it is refused as INCOMPLETE
    limit_bytes: int = 100 * 1024 * 1024  #: above it a file is refused unread


@dataclass(frozen=True, slots=True)
class Partner:
    """One sender. `root` holds `in/`, `out/`, `book/` and our `.claimed/`, all on one file system."""

    name: str
    root: Path
    acks: AckWishes = AckWishes()
    completeness: Completeness = Completeness()
    in_flight: int = 2000  #: interchanges of this partner in work at once, so that nobody waits behind it
    reference_pattern: str = ""  #: regular expression on the file name; group "ref" is partner_reference
    reference_term: str = ""  #: or a term to take it from, such as BT-13
    contacts: tuple[str, ...] = field(default=())

    @property
    def inbox(self) -> Path:
        return self.root / "in"

    @property
    def outbox(self) -> Path:
        return self.root / "out"

    @property
    def claimed(self) -> Path:
        return self.root / ".claimed"

    @property
    def fetched(self) -> Path:
        """Where files from its own server become whole before they stand in `in/`."""
        return self.root / ".fetched"
