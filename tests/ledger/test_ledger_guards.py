"""The database itself refuses what the state tables do not allow: raw SQL, past all our code."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from gateway.domain.states import ACK_MOVES, DOCUMENT_MOVES, FLOW_MOVES, INTERCHANGE_MOVES, REMOTE_FILE_MOVES
from gateway.ledger.guards import install_guards
from gateway.ledger.ledger import Ledger
from gateway.ledger.tables import metadata
from tests.ledger.ledgers import interchange, put

MOVES: Mapping[str, Mapping[str, frozenset[str]]] = {
    "interchange": INTERCHANGE_MOVES,
    "document": DOCUMENT_MOVES,
    "flow": FLOW_MOVES,
    "ack": ACK_MOVES,
    "ack_file": ACK_MOVES,
    "remote_file": REMOTE_FILE_MOVES,
}
BIRTHS = {
    "interchange": "seen",
    "document": "opened",
    "flow": "packed",
    "ack": "owed",
    "ack_file": "owed",
    "remote_file": "fetched",
}


@pytest.mark.parametrize("table", MOVES)
def test_the_database_allows_the_moves_of_the_state_table_and_no_other(ledger, table):
    moves = MOVES[table]
    ids = _one_in_each_state(ledger, table)
    right = wrong = 0
    for before in moves:
        for after in moves:
            allowed = after is before or after in moves[before]
            done = _passes(ledger, f"UPDATE {table} SET state = '{after}' WHERE id = :id", id=ids[before])
            assert done is allowed, f"{table}: {before} → {after}"
            right, wrong = right + allowed, wrong + (not allowed)
    assert right
    assert wrong
    assert not _passes(ledger, f"UPDATE {table} SET state = 'nonsense' WHERE id = :id", id=ids[next(iter(moves))])


@pytest.mark.parametrize("table", MOVES)
def test_a_row_is_born_in_its_first_state_only(ledger, table):
    def born(connection: Connection, state: str) -> None:
        put(connection, metadata.tables[table], state=state, **_parents(connection, table))

    for state in MOVES[table]:
        with ledger.engine.connect() as connection:
            if state == BIRTHS[table]:
                born(connection, state)
                continue
            with pytest.raises(DBAPIError, match=f"forbidden first state of {table}"):
                born(connection, state)


def test_the_audit_trail_takes_lines_and_gives_none_back(ledger):
    with ledger.writing("test") as unit:
        unit.add_interchanges([interchange()])
    for statement in (
        "UPDATE audit SET why = 'x'",
        "DELETE FROM audit",
        "UPDATE audit SET who = 'x' WHERE id = 1",
    ):
        with ledger.engine.connect() as connection, pytest.raises(DBAPIError, match="append-only"):
            connection.execute(text(statement))


def test_no_row_is_replaced_behind_the_guards(sqlite):
    """SQLite's INSERT OR REPLACE removes the old row without asking a trigger of DELETE."""
    with sqlite.writing("test") as unit:
        unit.add_interchanges([interchange()])
    for table in ("audit", "interchange"):
        with sqlite.engine.connect() as connection, pytest.raises(DBAPIError, match="never replaced"):
            connection.execute(text(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"))


def test_the_audit_trail_is_not_truncated(ledger):
    if ledger.engine.dialect.name != "postgresql":
        pytest.skip("SQLite knows no TRUNCATE")
    with ledger.engine.connect() as connection, pytest.raises(DBAPIError, match="append-only"):
        connection.execute(text("TRUNCATE audit"))


def _one_in_each_state(ledger: Ledger, table: str) -> dict[str, object]:
    ids: dict[str, object] = {}
    with ledger.engine.begin() as connection:
        _without_guards(connection, table)
        parents = _parents(connection, table)
        for n, state in enumerate(MOVES[table]):
            ids[state] = n + 1 if table == "ack_file" else f"id-{n}"
            given = {"id": ids[state], "state": state, **parents}
            for column in ("about", "position", "seq"):
                if column in metadata.tables[table].c:
                    given[column] = f"about-{n}" if column == "about" else n
            put(connection, metadata.tables[table], **given)
        install_guards(connection)
    return ids


def _without_guards(connection: Connection, table: str) -> None:
    names = [f"guard_{table}"] if connection.dialect.name == "postgresql" else [f"guard_{table}_birth"]
    for name in names:
        on = f" ON {table}" if connection.dialect.name == "postgresql" else ""
        connection.execute(text(f"DROP TRIGGER {name}{on}"))


def _parents(connection: Connection, table: str) -> dict[str, object]:
    if table != "document":
        return {}
    put(connection, metadata.tables["interchange"], id="parent", state="seen")
    return {"interchange_id": "parent"}


def _passes(ledger: Ledger, statement: str, **values: object) -> bool:
    with ledger.engine.connect() as connection:
        try:
            changed = connection.execute(text(statement), values).rowcount
        except DBAPIError as error:
            assert "forbidden move" in str(error.orig)
            return False
        finally:
            connection.rollback()
    assert changed == 1
    return True
