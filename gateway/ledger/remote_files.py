"""What the ledger knows of partners' own servers: the files fetched from them, and how each server is.

A file is written down when its bytes are durable here, before anything is done to it there: killed at any moment, the
row says what is left to do, and no file is fetched twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, delete, func, insert, select, update

from gateway.domain.states import RemoteFileState
from gateway.ledger.moves import AuditLine
from gateway.ledger.tables import remote_file, remote_server
from gateway.ledger.unit import Unit

_ADD = insert(remote_file)
#: The oldest files of one partner in one state, after the one with an id.
_IN_STATE = (
    select(remote_file)
    .where(
        remote_file.c.state == bindparam("state"),
        remote_file.c.partner == bindparam("partner"),
        remote_file.c.id > bindparam("after"),
    )
    .order_by(remote_file.c.id)
    .limit(bindparam("limit"))
)
#: What was fetched last under each of some names: a partner may use one name every day.
_NAMED = select(remote_file).where(
    remote_file.c.id.in_(
        select(func.max(remote_file.c.id))
        .where(
            remote_file.c.partner == bindparam("partner"), remote_file.c.name.in_(bindparam("names", expanding=True))
        )
        .group_by(remote_file.c.name)
    )
)
_SERVERS = select(remote_server).order_by(remote_server.c.partner)
_SERVER = select(remote_server).where(remote_server.c.partner == bindparam("partner"))
_SET_SERVER = (
    update(remote_server)
    .where(remote_server.c.partner == bindparam("partner_"))
    .values({name: bindparam(name) for name in ("reached_at", "down_since", "trouble", "next_try")})
)
_ADD_SERVER = insert(remote_server)
_FORGET_SERVER = delete(remote_server).where(remote_server.c.partner == bindparam("partner"))
#: Names asked for in one statement.
_NAMES: Final = 500


@dataclass(frozen=True, slots=True)
class RemoteFileRow:
    """One file of a partner's server. `name`: percent-escaped bytes; `mtime`: seconds, if its server says."""

    id: str
    partner: str
    state: RemoteFileState
    name: str
    size: int
    mtime: int | None
    sha256: str
    fetched_at: datetime


@dataclass(frozen=True, slots=True)
class RemoteServerRow:
    """How a partner's server is. `down_since` None: it answers."""

    partner: str
    reached_at: datetime | None = None
    down_since: datetime | None = None
    trouble: str = ""
    next_try: datetime | None = None


def add_remote_files(unit: Unit, rows: Sequence[RemoteFileRow]) -> None:
    """Files whose bytes are durable here, in state `fetched`."""
    if not rows:
        return
    unit.connection.execute(
        _ADD,
        [
            {
                "id": row.id,
                "partner": row.partner,
                "state": str(row.state),
                "name": row.name,
                "size": row.size,
                "mtime": row.mtime,
                "sha256": row.sha256,
                "fetched_at": row.fetched_at,
            }
            for row in rows
        ],
    )
    unit.note([AuditLine("fetched", row.id, f"{row.partner}: {row.name}") for row in rows])


def remote_files(
    unit: Unit, state: RemoteFileState, partner: str, limit: int, *, after: str = ""
) -> list[RemoteFileRow]:
    """The oldest files of `partner` in `state`, those after the id `after`."""
    asked = {"state": str(state), "partner": partner, "limit": limit, "after": after}
    rows = unit.connection.execute(_IN_STATE, asked)
    return [_file(row) for row in rows]


def remote_files_named(unit: Unit, partner: str, names: Iterable[str]) -> dict[str, RemoteFileRow]:
    """What was fetched last under each of the names (percent-escaped)."""
    wanted = sorted(set(names))
    found: dict[str, RemoteFileRow] = {}
    for start in range(0, len(wanted), _NAMES):
        part = wanted[start : start + _NAMES]
        rows = unit.connection.execute(_NAMED, {"partner": partner, "names": part})
        found.update((row.name, _file(row)) for row in rows)
    return found


def remote_servers(unit: Unit) -> list[RemoteServerRow]:
    """How all partners' servers are."""
    return [RemoteServerRow(*row) for row in unit.connection.execute(_SERVERS)]


def remote_server_of(unit: Unit, partner: str) -> RemoteServerRow:
    """How one partner's server is; nothing known: all empty."""
    row = unit.connection.execute(_SERVER, {"partner": partner}).one_or_none()
    return RemoteServerRow(partner) if row is None else RemoteServerRow(*row)


def forget_remote_servers(unit: Unit, kept: Collection[str]) -> None:
    """Nobody asks any more how the servers of other partners than these are."""
    for row in remote_servers(unit):
        if row.partner not in kept:
            unit.connection.execute(_FORGET_SERVER, {"partner": row.partner})


def set_remote_server(unit: Unit, row: RemoteServerRow) -> None:
    """How a partner's server is, from now on."""
    values = {
        "reached_at": row.reached_at,
        "down_since": row.down_since,
        "trouble": row.trouble,
        "next_try": row.next_try,
    }
    if not unit.connection.execute(_SET_SERVER, {"partner_": row.partner, **values}).rowcount:
        unit.connection.execute(_ADD_SERVER, {"partner": row.partner, **values})


def _file(row: Any) -> RemoteFileRow:
    return RemoteFileRow(
        row.id, row.partner, RemoteFileState(row.state), row.name, row.size, row.mtime, row.sha256, row.fetched_at
    )
