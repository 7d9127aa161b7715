"""A partner: a sender (ERP or EDI operator), with its folders and its wishes for acknowledgements."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final


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


class Rung(StrEnum):
    """One idea of how to know that a dropped file is whole (`docs/completeness.md`)."""

    DONE_FILE = "done-file"  #: a marker beside the file says so
    CHECKSUM = "checksum"  #: a sidecar holds its hash
    CONTROL_FILE = "control-file"  #: a list names the files of a batch
    CLOSE_EVENT = "close-event"  #: our own transport closed it
    TEMPORARY_NAME = "temporary-name"  #: its sender writes under another name and renames
    QUIET = "quiet"  #: size and mtime unchanged for a while
    MINIMUM_AGE = "minimum-age"  #: seen long enough ago
    STRUCTURE = "structure"  #: the content ends as its kind must


#: Rungs that may say yes at the first look after something happened in the folder.
AT_FIRST_LOOK: Final = frozenset({Rung.DONE_FILE, Rung.CHECKSUM, Rung.TEMPORARY_NAME})
#: What holds where a partner says nothing else (DESIGN 4.3 c).
LADDER: Final = (Rung.CLOSE_EVENT, Rung.QUIET, Rung.STRUCTURE)


@dataclass(frozen=True, slots=True)
class Completeness:
    """When a dropped file counts as whole. Times in seconds, sizes in bytes."""

    quiet_s: float = 2.0  #: size and mtime unchanged over two looks this far apart
    give_up_s: float = 1800.0  #: then it is refused as never whole
    limit_bytes: int = 100 * 1024 * 1024  #: above it a file is refused unread
    ladder: tuple[Rung, ...] = LADDER
    minimum_age_s: float = 60.0  #: for `minimum-age`, since first sight
    done_name: str = "{name}.done"  #: for `done-file`; holds {name} (of the file) or {stem} (without its extension)
    control_names: tuple[str, ...] = ("*.ctr", "*.ctl")  #: for `control-file`; patterns with * and ?

    @property
    def hint_delay_s(self) -> float:
        """After an event in the folder, a look before this is in vain (where no transport of ours closed a file)."""
        return 0.0 if AT_FIRST_LOOK.intersection(self.ladder) else self.quiet_s / 2


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
