"""Opening the ledger: the engine, its migrations, and transactions.

SQLite runs in WAL mode with `synchronous=FULL`: a committed group survives a power cut. Writers begin IMMEDIATE, so
that two lanes wait for one another instead of failing half-way. PostgreSQL runs the same statements.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection

from gateway.clock import Clock
from gateway.ledger.guards import install_guards
from gateway.ledger.unit import Unit

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
#: How long a writer waits for another lane's commit before it gives up, in seconds.
_BUSY_S: Final = 60
_PRAGMAS: Final = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "temp_store=MEMORY",
    "cache_size=-32000",  # 32 MB
)


class Ledger:
    """The truth. `writing` and `reading` give a `Unit`; whatever raises inside leaves nothing behind."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self.engine = engine
        self.clock = clock

    @contextmanager
    def writing(self, who: str) -> Iterator[Unit]:
        """A transaction that commits on leaving."""
        with self.engine.begin() as connection:
            yield Unit(connection, who, self.clock.now())

    @contextmanager
    def reading(self) -> Iterator[Unit]:
        """A transaction that reads. On SQLite it sees one moment; on PostgreSQL each statement sees its own."""
        with self.engine.connect().execution_options(gateway_read=True) as connection, connection.begin():
            yield Unit(connection, "reader", self.clock.now())

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


def open_ledger(url: str | URL, clock: Clock) -> Ledger:
    """Open the ledger at `url`, bring its tables up to date and set its guards."""
    engine = _engine(url)
    with engine.begin() as connection:
        migrate(connection)
        install_guards(connection)
    return Ledger(engine, clock)


def migrate(connection: Connection, to: str = "head") -> None:
    """Run the migrations that this database has not seen."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def _engine(url: str | URL) -> Engine:
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"timeout": _BUSY_S, "check_same_thread": False})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _record: Any) -> None:
    assert isinstance(connection, sqlite3.Connection)
    connection.isolation_level = None  # transactions are begun below, not by the driver
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    reads = connection.get_execution_options().get("gateway_read", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
