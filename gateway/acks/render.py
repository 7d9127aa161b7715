"""Rows to files in the partner's format: the same rows give the same names and bytes, today and after a crash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from gateway.acks import csv_file, jsonl_file, xml_file
from gateway.acks.naming import CHILD, interchange_name, tick_name
from gateway.domain.ack import Ack, Level
from gateway.domain.partner import AckFormat, AckWishes

_EXTENSION: Final = {AckFormat.CSV: "csv", AckFormat.JSONL: "jsonl", AckFormat.XML: "xml"}


@dataclass(frozen=True, slots=True)
class AckFile:
    """One file to be written, whole."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Heading:
    """What is the same for all rows of one file."""

    partner: str
    level: Level
    seq: int  #: gapless per partner and level; a child file shares its parent's
    at: datetime  #: fixed in the ledger before writing
    interchange: str = ""  #: the received file's name where the file answers one interchange


def render(acks: Sequence[Ack], wishes: AckWishes, heading: Heading) -> tuple[AckFile, ...]:
    """The file of `acks`, then its findings where the format has no room for them; nothing for no acks."""
    if not acks:
        return ()
    rows = tuple(replace(ack, row=replace(ack.row, ack_seq=heading.seq)) for ack in acks)
    for ack in rows:
        if (ack.row.partner, ack.row.level) != (heading.partner, heading.level):
            raise ValueError(f"{ack.row.ack_id}: {ack.row.partner}/{ack.row.level} in a file of {heading}")
    match wishes.format:
        case AckFormat.JSONL:
            return (AckFile(_name(wishes, heading), jsonl_file.lines(rows)),)
        case AckFormat.XML:
            return (AckFile(_name(wishes, heading), xml_file.document(rows)),)
        case AckFormat.CSV:
            return _csv(rows, wishes, heading)


def _csv(rows: Sequence[Ack], wishes: AckWishes, heading: Heading) -> tuple[AckFile, ...]:
    # The longer name leads, so that both share a stem wherever the partner's or the file's own name had to be cut.
    child = _name(wishes, heading, f"{CHILD}.csv")
    main = AckFile(child.removesuffix(f"{CHILD}.csv") + ".csv", csv_file.core(rows, wishes.dialect))
    if not any(ack.findings for ack in rows):
        return (main,)
    return (main, AckFile(child, csv_file.findings(rows, wishes.dialect)))


def _name(wishes: AckWishes, heading: Heading, ending: str = "") -> str:
    extension = ending.removeprefix(".") or _EXTENSION[wishes.format]
    if heading.interchange:
        return interchange_name(heading.interchange, heading.level, heading.seq, extension)
    return tick_name(wishes.name_template, heading.partner, heading.level, heading.seq, heading.at, extension)
