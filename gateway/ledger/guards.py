"""The state tables as database triggers: a row is born in a first state, and moves only as the table allows.

They are made from `domain/states.py` whenever a ledger is opened whose guards are not those of this code, so that
code and database cannot disagree. The audit trail gets triggers that refuse any change or removal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import Connection, text

from gateway.domain.states import (
    ACK_MOVES,
    DOCUMENT_MOVES,
    FLOW_MOVES,
    INTERCHANGE_MOVES,
    REMOTE_FILE_MOVES,
    AckState,
    DocumentState,
    FlowState,
    InterchangeState,
    RemoteFileState,
)

#: Table → (its moves, the states in which a row may be born).
GUARDED: Final[Mapping[str, tuple[Mapping[str, frozenset[str]], frozenset[str]]]] = {
    "interchange": (
        {str(k): frozenset(map(str, v)) for k, v in INTERCHANGE_MOVES.items()},
        frozenset({str(InterchangeState.SEEN)}),
    ),
    "document": (
        {str(k): frozenset(map(str, v)) for k, v in DOCUMENT_MOVES.items()},
        frozenset({str(DocumentState.OPENED)}),
    ),
    "flow": (
        {str(k): frozenset(map(str, v)) for k, v in FLOW_MOVES.items()},
        frozenset({str(FlowState.PACKED)}),
    ),
    "ack": (
        {str(k): frozenset(map(str, v)) for k, v in ACK_MOVES.items()},
        frozenset({str(AckState.OWED)}),
    ),
    "ack_file": (
        {str(k): frozenset(map(str, v)) for k, v in ACK_MOVES.items()},
        frozenset({str(AckState.OWED)}),
    ),
    "remote_file": (
        {str(k): frozenset(map(str, v)) for k, v in REMOTE_FILE_MOVES.items()},
        frozenset({str(RemoteFileState.FETCHED)}),
    ),
}


def install_guards(connection: Connection) -> None:
    """Make the guards what this code says, in the dialect of the connection.

    Guards that are so already are left alone: making them locks the tables, and `gateway status` opens the ledger
    while the service works on it.
    """
    postgresql = connection.dialect.name == "postgresql"
    statements = list(_postgresql() if postgresql else _sqlite())
    wanted = hashlib.sha256("\n".join(statements).encode()).hexdigest()
    if (_found_postgresql if postgresql else _found_sqlite)(connection, wanted):
        return
    for statement in statements:
        connection.execute(text(statement))
    if postgresql:
        connection.execute(text(f"COMMENT ON FUNCTION guard_audit() IS '{wanted}'"))


def _found_sqlite(connection: Connection, _wanted: str) -> bool:
    found = connection.execute(text("SELECT sql FROM sqlite_master WHERE type = 'trigger'")).scalars()
    return set(found) == {statement for statement in _sqlite() if statement.startswith("CREATE")}


def _found_postgresql(connection: Connection, wanted: str) -> bool:
    made = text(
        "SELECT count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
        "WHERE c.relnamespace = current_schema()::regnamespace AND t.tgname LIKE 'guard_%' AND t.tgenabled = 'O'"
    )
    said = text("SELECT obj_description(to_regprocedure('guard_audit()'), 'pg_proc')")
    return [connection.execute(made).scalar_one(), connection.execute(said).scalar_one()] == [len(GUARDED) + 2, wanted]


def _pairs(moves: Mapping[str, frozenset[str]]) -> str:
    return ", ".join(sorted(f"'{before}>{after}'" for before, afters in moves.items() for after in afters))


def _born(states: frozenset[str]) -> str:
    return ", ".join(sorted(f"'{state}'" for state in states))


def _sqlite() -> Iterable[str]:
    for table, (moves, born) in GUARDED.items():
        yield f"DROP TRIGGER IF EXISTS guard_{table}_move"
        yield (
            f"CREATE TRIGGER guard_{table}_move BEFORE UPDATE OF state ON {table} "
            f"WHEN OLD.state <> NEW.state AND OLD.state || '>' || NEW.state NOT IN ({_pairs(moves)}) "
            f"BEGIN SELECT RAISE(ABORT, 'forbidden move of {table}'); END"
        )
        yield f"DROP TRIGGER IF EXISTS guard_{table}_birth"
        yield (
            f"CREATE TRIGGER guard_{table}_birth BEFORE INSERT ON {table} "
            f"WHEN NEW.state NOT IN ({_born(born)}) "
            f"BEGIN SELECT RAISE(ABORT, 'forbidden first state of {table}'); END"
        )
    for event in ("UPDATE", "DELETE"):
        yield f"DROP TRIGGER IF EXISTS guard_audit_{event.lower()}"
        yield (
            f"CREATE TRIGGER guard_audit_{event.lower()} BEFORE {event} ON audit "
            "BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
        )
    # INSERT OR REPLACE removes a row without asking the trigger of DELETE.
    for table in (*GUARDED, "audit"):
        yield f"DROP TRIGGER IF EXISTS guard_{table}_replace"
        yield (
            f"CREATE TRIGGER guard_{table}_replace BEFORE INSERT ON {table} "  # noqa: S608 - a name of our own
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id) "
            f"BEGIN SELECT RAISE(ABORT, 'a row of {table} is never replaced'); END"
        )


def _postgresql() -> Iterable[str]:
    for table, (moves, born) in GUARDED.items():
        yield f"DROP TRIGGER IF EXISTS guard_{table} ON {table}"
        yield (
            f"CREATE OR REPLACE FUNCTION guard_{table}() RETURNS trigger AS $$ BEGIN "
            f"IF TG_OP = 'INSERT' THEN IF NEW.state NOT IN ({_born(born)}) THEN "
            f"RAISE EXCEPTION 'forbidden first state of {table}' USING ERRCODE = 'check_violation'; END IF; "
            f"ELSIF OLD.state <> NEW.state AND OLD.state || '>' || NEW.state NOT IN ({_pairs(moves)}) THEN "
            f"RAISE EXCEPTION 'forbidden move of {table}' USING ERRCODE = 'check_violation'; END IF; "
            "RETURN NEW; END $$ LANGUAGE plpgsql"
        )
        yield (
            f"CREATE TRIGGER guard_{table} BEFORE INSERT OR UPDATE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION guard_{table}()"
        )
    yield "DROP TRIGGER IF EXISTS guard_audit ON audit"
    yield (
        "CREATE OR REPLACE FUNCTION guard_audit() RETURNS trigger AS $$ BEGIN "
        "RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'check_violation'; "
        "END $$ LANGUAGE plpgsql"
    )
    yield "CREATE TRIGGER guard_audit BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION guard_audit()"
    yield "DROP TRIGGER IF EXISTS guard_audit_truncate ON audit"
    yield (
        "CREATE TRIGGER guard_audit_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION guard_audit()"
    )
