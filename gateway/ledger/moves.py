"""Moving rows: the state table is asked first, then the database; every move leaves a line in the audit trail."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Table

from gateway.domain.states import (
    DOCUMENT_MOVES,
    FLOW_MOVES,
    INTERCHANGE_MOVES,
    REMOTE_FILE_MOVES,
    DocumentState,
    FlowState,
    InterchangeState,
    RemoteFileState,
    check_move,
)
from gateway.ledger import statements as sql
from gateway.ledger.tables import document, flow, interchange, remote_file


@dataclass(frozen=True, slots=True)
class Move:
    """One row to be moved: from the state it was read in, with the columns that change beside it."""

    id: str
    before: StrEnum
    after: StrEnum
    why: str = ""
    columns: Mapping[str, Any] = field(default_factory=dict)


class Overtaken(Exception):
    """A row was no longer in the state it was read in: somebody moved it. The whole group is undone."""


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One line of the audit trail, without its time."""

    what: str
    subject: str
    why: str = ""


_TABLES: Final[Mapping[type[StrEnum], tuple[Table, Callable[[Any, Any], None]]]] = {
    InterchangeState: (interchange, lambda before, after: check_move(INTERCHANGE_MOVES, before, after)),
    DocumentState: (document, lambda before, after: check_move(DOCUMENT_MOVES, before, after)),
    FlowState: (flow, lambda before, after: check_move(FLOW_MOVES, before, after)),
    RemoteFileState: (remote_file, lambda before, after: check_move(REMOTE_FILE_MOVES, before, after)),
}


def apply_moves(connection: Connection, moves: Iterable[Move]) -> Sequence[AuditLine]:
    """Carry out the moves, grouped into as few executions as possible, and return their audit lines.

    Raises `ForbiddenMove` before anything is executed, `Overtaken` when a row had moved meanwhile.
    """
    groups: dict[tuple[type[StrEnum], frozenset[str]], list[Move]] = {}
    lines = []
    for move in moves:
        _TABLES[type(move.after)][1](move.before, move.after)
        groups.setdefault((type(move.after), frozenset(move.columns)), []).append(move)
        lines.append(AuditLine(f"{move.before}>{move.after}", move.id, move.why))
    for (state_type, columns), group in groups.items():
        table = _TABLES[state_type][0]
        result = connection.execute(
            sql.move(table, columns),
            [
                {
                    "id_": m.id,
                    "before_": str(m.before),
                    "after_": str(m.after),
                    **{f"c_{name}": value for name, value in m.columns.items()},
                }
                for m in group
            ],
        )
        if result.rowcount != len(group):
            raise Overtaken(f"{len(group) - result.rowcount} of {len(group)} rows of {table.name} had moved")
    return lines


def write_audit(connection: Connection, who: str, at: datetime, lines: Sequence[AuditLine]) -> None:
    """Append the lines to the trail."""
    if lines:
        connection.execute(
            sql.ADD_AUDIT,
            [{"at": at, "who": who, "what": x.what, "subject": x.subject, "why": x.why} for x in lines],
        )
