"""The tables: made by the migrations and by nothing else, opened again without harm, with times that cannot drift."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select, text
from sqlalchemy.exc import StatementError

from gateway.clock import HandClock
from gateway.ledger.ledger import Ledger, open_ledger
from gateway.ledger.tables import interchange as interchanges
from gateway.ledger.tables import metadata
from tests.ledger.ledgers import NOON, document, interchange


def test_the_migrations_from_nothing_make_exactly_the_tables_that_the_code_knows(ledger):
    with ledger.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() is not None


def test_a_ledger_opened_again_keeps_its_rows_and_is_not_migrated_twice(ledger, url, clock):
    row = interchange()
    with ledger.writing("test") as unit:
        unit.add_interchanges([row])
    again = open_ledger(url, clock)
    with again.reading() as unit:
        assert unit.interchange(row.id) == row
    again.close()


def test_opening_a_ledger_whose_guards_are_up_to_date_changes_nothing(ledger, url, clock):
    """`gateway status` opens it while the service writes: making guards would lock every table."""
    executed: list[str] = []
    before = _schema(ledger)
    with ledger.engine.begin() as connection:
        from sqlalchemy import event

        from gateway.ledger.guards import install_guards

        event.listen(connection, "before_cursor_execute", lambda c, cu, statement, *_: executed.append(statement))
        install_guards(connection)
    assert executed
    assert not [s for s in executed if s.startswith(("DROP", "CREATE"))]
    assert _schema(ledger) == before


def test_guards_that_were_tampered_with_are_made_anew(ledger, url, clock):
    with ledger.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("DROP TRIGGER guard_document ON document"))
        else:
            connection.execute(text("DROP TRIGGER guard_document_move"))
    before = _triggers(ledger)
    open_ledger(url, clock).close()
    assert _triggers(ledger) == before + 1


def test_times_come_back_aware_and_in_utc_whatever_zone_they_had(ledger):
    paris = timezone(timedelta(hours=2))
    row = interchange(seen_at=datetime(2026, 7, 1, 14, 0, 0, 123456, tzinfo=paris))
    with ledger.writing("test") as unit:
        unit.add_interchanges([row])
    with ledger.reading() as unit:
        seen = unit.interchange(row.id).seen_at
    assert seen == row.seen_at
    assert seen.tzinfo is UTC
    assert seen.isoformat() == "2026-07-01T12:00:00.123456+00:00"


def test_a_time_without_zone_is_refused(ledger):
    with pytest.raises(StatementError, match="aware times only"), ledger.writing("test") as unit:
        unit.add_interchanges([interchange(seen_at=datetime(2026, 7, 1))])  # noqa: DTZ001


def test_times_are_compared_as_times(ledger):
    early, late = interchange(seen_at=NOON), interchange(seen_at=NOON + timedelta(microseconds=1))
    with ledger.writing("test") as unit:
        unit.add_interchanges([late, early])
    with ledger.engine.connect() as connection:
        query = select(interchanges.c.id).where(interchanges.c.seen_at > NOON.astimezone(timezone(timedelta(hours=9))))
        assert list(connection.execute(query).scalars()) == [late.id]


def test_an_interchange_and_a_document_come_back_as_they_went(ledger):
    file = interchange(file_name="é \N{RIGHT-TO-LEFT OVERRIDE}.xml", raw_name="%C3%A9")
    paper = document(file, index_row={"a": "b"}, partner_reference="R-1")
    with ledger.writing("test") as unit:
        unit.add_interchanges([file])
        unit.add_documents([paper])
    with ledger.reading() as unit:
        assert unit.interchange(file.id) == file
        assert unit.documents_of_interchange(file.id) == [paper]
        assert unit.document(paper.id) == paper


def test_a_sqlite_ledger_survives_a_power_cut_by_its_settings(tmp_path):
    ledger = open_ledger(f"sqlite:///{tmp_path / 'l.sqlite3'}", HandClock(NOON))
    with ledger.engine.connect() as connection:
        pragma = {n: connection.execute(text(f"PRAGMA {n}")).scalar() for n in ("journal_mode", "synchronous")}
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
    assert pragma == {"journal_mode": "wal", "synchronous": 2}
    ledger.close()


def _triggers(ledger: Ledger) -> int:
    query = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"
    if ledger.engine.dialect.name == "postgresql":
        query = (
            "SELECT count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal "
            "AND c.relnamespace = current_schema()::regnamespace"
        )
    with ledger.engine.connect() as connection:
        return int(connection.execute(text(query)).scalar_one())


def _schema(ledger: Ledger) -> int:
    if ledger.engine.dialect.name == "postgresql":
        return _triggers(ledger)
    with ledger.engine.connect() as connection:
        return int(connection.execute(text("PRAGMA schema_version")).scalar_one())
