"""Rows and databases for the ledger's tests."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    DateTime,
    Integer,
    LargeBinary,
    Table,
    create_engine,
    insert,
    make_url,
    text,
)
from sqlalchemy.exc import OperationalError

from gateway.domain.ack import Ack, AckRow, Event, Level, Source
from gateway.domain.document import Kind, Profile
from gateway.domain.states import DocumentState, FlowState, InterchangeState
from gateway.domain.terms import KeyTerms
from gateway.ledger.ids import new_id
from gateway.ledger.rows import DocumentRow, FlowRow, InterchangeRow, OwedAck
from gateway.ledger.tables import UtcDateTime

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DEFAULT_SERVER = "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"


@contextmanager
def postgresql_schema() -> Iterator[str]:
    """The address of an empty schema of its own on the test server, dropped at the end."""
    server = os.environ.get("GATEWAY_TEST_POSTGRES", DEFAULT_SERVER)
    if server == "none":
        pytest.skip("PostgreSQL: switched off by GATEWAY_TEST_POSTGRES=none")
    engine = create_engine(make_url(server).update_query_dict({"connect_timeout": "3"}))
    name = f"gateway_test_{os.getpid()}_{secrets.token_hex(4)}"
    try:
        with engine.begin() as connection:
            connection.execute(text(f"CREATE SCHEMA {name}"))
    except OperationalError as error:
        reason = f"PostgreSQL is out of reach at {make_url(server).render_as_string()}: {error.orig}"
        if os.environ.get("CI"):
            pytest.fail(f"{reason} (in CI it must be there, or GATEWAY_TEST_POSTGRES=none)")
        pytest.skip(reason)
    try:
        yield make_url(server).update_query_dict({"options": f"-csearch_path={name}"}).render_as_string(False)
    finally:
        with engine.begin() as connection:
            connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
        engine.dispose()


def interchange(partner: str = "erp", **given: Any) -> InterchangeRow:
    values = {
        "id": new_id(NOON), "partner": partner, "state": InterchangeState.SEEN, "file_name": "a.xml",
        "raw_name": "a.xml", "size": 3, "seen_at": NOON,
    }  # fmt: skip
    return InterchangeRow(**values | given)


def document(file: InterchangeRow, position: int = 0, **given: Any) -> DocumentRow:
    values = {
        "id": new_id(NOON), "interchange_id": file.id, "position": position, "partner": file.partner,
        "state": DocumentState.OPENED, "kind": Kind.UBL_INVOICE, "profile": Profile.LEGACY, "content_sha256": "c",
        "payload_sha256": "p", "payload_path": "originals/x", "payload_size": 3,
        "terms": KeyTerms(number="FA-1", issuer="90000001900019", issued=date(2026, 3, 1), gross=Decimal("0.00")),
        "opened_at": NOON, "changed_at": NOON,
    }  # fmt: skip
    return DocumentRow(**values | given)


def flow(**given: Any) -> FlowRow:
    values = {
        "id": new_id(NOON), "route": "chorus-api", "issuer": "90000001900019", "state": FlowState.PACKED,
        "name": "f.tar.gz", "syntax": "s", "sha256": "h", "size": 3, "content_path": "flows/x", "documents": 1,
        "packed_at": NOON, "due_at": NOON,
    }  # fmt: skip
    return FlowRow(**values | given)


def owed(about: str, partner: str = "erp") -> OwedAck:
    row = AckRow(1, 0, new_id(NOON), "test", Level.RECEIPT, Source.GATEWAY, Event.RECEIVED, NOON, NOON, partner)
    return OwedAck(row.ack_id, about, partner, Level.RECEIPT, Ack(row))


def put(connection: Connection, table: Table, **given: Any) -> None:
    """Insert a row; columns that must be filled and are not given get something of their type."""
    columns = [c for c in table.c if not c.nullable and c.default is None and c.name not in given]
    connection.execute(insert(table), {c.name: _anything(c) for c in columns if c.autoincrement is not True} | given)


def _anything(column: Column[Any]) -> object:
    if isinstance(column.type, UtcDateTime | DateTime):
        return NOON
    if isinstance(column.type, Integer | BigInteger):
        return 1
    return b"x" if isinstance(column.type, LargeBinary) else "x"
