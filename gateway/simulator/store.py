"""The state in SQLite: its tables, and every statement by name.

One connection, one lock, one process. A receipt is committed (synchronous FULL) before its deposit is answered, so
that a killed simulator still proves what it had received. Instants are microseconds since 1970 in UTC.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    bindparam,
    create_engine,
    event,
    func,
    select,
)
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.pool import StaticPool

#: A row of any of the tables; its columns are known by name.
AnyRow: TypeAlias = Row[*tuple[Any, ...]]

METADATA = MetaData()

KEPT = Table("kept", METADATA, Column("key", String, primary_key=True), Column("value", JSON, nullable=False))

TOKENS = Table("tokens", METADATA, Column("token", String, primary_key=True), Column("expires_at", BigInteger))

#: Every call of deposer/flux that passed the door, refused or not, before anything is compared with anything.
RECEIPTS = Table(
    "receipts",
    METADATA,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("flow", String),
    Column("account", String, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("name", String, nullable=False),
    Column("syntax", String, nullable=False),
    Column("sha256", String, nullable=False),
    Column("size", Integer, nullable=False),
    Column("code", Integer, nullable=False),
    Column("libelle", String, nullable=False),
    Column("documents", JSON, nullable=False),
)

FLOWS = Table(
    "flows",
    METADATA,
    Column("flow", String, primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("account", String, nullable=False),
    Column("interface", String, nullable=False),
    Column("syntax", String, nullable=False),
    Column("deposited_at", BigInteger, nullable=False),
    Column("due_at", BigInteger),  #: when it is to be processed; null: processed, or held by a test
    Column("delay", BigInteger, nullable=False),
    Column("incident", Boolean, nullable=False),
    Column("state", String),  #: null until processed or held
    Column("state_at", BigInteger),
    Column("documents", JSON, nullable=False),
    Column("technical", JSON, nullable=False),
    Column("refused", JSON, nullable=False),
    Index("flows_due", "due_at"),
)

INVOICES = Table(
    "invoices",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("flow", String, nullable=False, index=True),
    Column("account", String, nullable=False),
    Column("issuer", String, nullable=False),
    Column("issuer_type", String, nullable=False),
    Column("number", String, nullable=False),
    Column("year", String, nullable=False),
    Column("deposit_year", String, nullable=False),
    Column("buyer", String, nullable=False),
    Column("service", String, nullable=False),
    Column("ej", String, nullable=False),
    Column("contract", String, nullable=False),
    Column("origin", String, nullable=False),
    Column("cadre", String, nullable=False),
    Column("type", String, nullable=False),
    Column("mode", String, nullable=False),
    Column("currency", String, nullable=False),
    Column("issued", String, nullable=False),
    Column("deposited_at", BigInteger, nullable=False, index=True),
    Column("net", Float),
    Column("gross", Float),
    Column("due", Float),
    Column("size", Integer, nullable=False),
    Column("sha256", String, nullable=False),
    Column("status", String, nullable=False),
    Column("status_at", BigInteger, nullable=False, index=True),
    Column("comment", String, nullable=False),
    Column("dealt_with", Boolean, nullable=False, default=False),
    Index("invoices_identity", "issuer", "number"),
)

PASSAGES = Table(
    "passages",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("invoice", Integer, nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("status", String, nullable=False),
    Column("comment", String, nullable=False),
    Column("passed", Boolean, nullable=False),
    Index("passages_due", "passed", "at"),
)

KEEP = upsert(KEPT)
KEEP = KEEP.on_conflict_do_update(index_elements=[KEPT.c.key], set_={"value": KEEP.excluded.value})
KEPT_VALUE = select(KEPT.c.value).where(KEPT.c.key == bindparam("key"))

ADD_TOKEN = TOKENS.insert()
LIVE_TOKEN = select(TOKENS.c.token).where(TOKENS.c.token == bindparam("token"), TOKENS.c.expires_at > bindparam("now"))
DROP_TOKENS = TOKENS.delete()
DROP_OLD_TOKENS = TOKENS.delete().where(TOKENS.c.expires_at <= bindparam("now"))

ADD_RECEIPT = RECEIPTS.insert()
ALL_RECEIPTS = select(RECEIPTS).order_by(RECEIPTS.c.seq)
LAST_FLOW_SEQ = select(func.coalesce(func.max(FLOWS.c.seq), 0))

ADD_FLOW = FLOWS.insert()
ONE_FLOW = select(FLOWS).where(FLOWS.c.flow == bindparam("flow"))
ALL_FLOWS = select(
    FLOWS.c.flow,
    FLOWS.c.state,
    FLOWS.c.state_at,
    FLOWS.c.deposited_at,
    FLOWS.c.due_at,
    FLOWS.c.delay,
).order_by(FLOWS.c.seq)
DUE_FLOWS = select(FLOWS).where(FLOWS.c.due_at <= bindparam("now")).order_by(FLOWS.c.due_at, FLOWS.c.seq).limit(100)
END_FLOW = (
    FLOWS.update()
    .where(FLOWS.c.flow == bindparam("b_flow"))
    .values(
        state=bindparam("b_state"),
        state_at=bindparam("b_at"),
        due_at=bindparam("b_due"),
        refused=bindparam("b_refused"),
    )
)

#: A flow that was held by hand is processed after all.
RELEASE_FLOW = (
    FLOWS.update()
    .where(FLOWS.c.flow == bindparam("b_flow"))
    .values(state=None, state_at=None, due_at=bindparam("b_due"))
)

ADD_INVOICE = INVOICES.insert()
ONE_INVOICE = select(INVOICES).where(INVOICES.c.id == bindparam("id"))
ALL_INVOICES = select(INVOICES).order_by(INVOICES.c.id)
NAMESAKES = select(INVOICES.c.year, INVOICES.c.deposit_year).where(
    INVOICES.c.issuer == bindparam("issuer"), INVOICES.c.number == bindparam("number")
)
INVOICES_NAMED = (
    select(INVOICES.c.id, INVOICES.c.issuer).where(INVOICES.c.number == bindparam("number")).order_by(INVOICES.c.id)
)
SET_STATUS = (
    INVOICES.update()
    .where(INVOICES.c.id == bindparam("b_id"))
    .values(status=bindparam("b_status"), status_at=bindparam("b_at"), comment=bindparam("b_comment"))
)
INVOICES_OF_FLOW = select(func.count()).select_from(INVOICES).where(INVOICES.c.flow == bindparam("flow"))
COUNT_STATUSES = select(INVOICES.c.status, func.count()).group_by(INVOICES.c.status).order_by(INVOICES.c.status)

ADD_PASSAGES = PASSAGES.insert()
DUE_PASSAGES = (
    select(PASSAGES)
    .where(PASSAGES.c.passed.is_(False), PASSAGES.c.at <= bindparam("now"))
    .order_by(PASSAGES.c.at, PASSAGES.c.id)
    .limit(5000)
)
PASS = PASSAGES.update().where(PASSAGES.c.id == bindparam("b_id")).values(passed=True)
FORGET_COMING = PASSAGES.delete().where(PASSAGES.c.invoice == bindparam("invoice"), PASSAGES.c.passed.is_(False))
HISTORY = (
    select(PASSAGES)
    .where(PASSAGES.c.invoice == bindparam("invoice"), PASSAGES.c.passed.is_(True))
    .order_by(PASSAGES.c.at, PASSAGES.c.id)
)


class Store:
    """The one connection, and transactions on it."""

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.RLock()
        url = "sqlite://" if path is None else f"sqlite:///{path}"
        self._engine = create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
        event.listen(self._engine, "connect", _tune)
        METADATA.create_all(self._engine)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction: durable when the block ends, nothing when it raises."""
        with self._lock, self._engine.begin() as connection:
            yield connection

    def kept(self, key: str) -> Any:
        with self.begin() as connection:
            return connection.execute(KEPT_VALUE, {"key": key}).scalar()

    def keep(self, key: str, value: Any) -> None:
        with self.begin() as connection:
            connection.execute(KEEP, {"key": key, "value": value})

    def close(self) -> None:
        with self._lock:
            self._engine.dispose()


def _tune(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA cache_size=-32000")
