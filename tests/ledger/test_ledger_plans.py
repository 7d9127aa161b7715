"""No statement slows down as the tables grow: each that the service runs searches an index (SQLite's own word)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import event
from sqlalchemy.sql import Delete, Select, Update

from gateway.clock import HandClock
from gateway.domain.states import DocumentState, FlowState, InterchangeState
from gateway.ledger import statements
from gateway.ledger.ledger import Ledger, open_ledger
from gateway.ledger.tables import UtcDateTime, document, flow, interchange
from tests.ledger.ledgers import NOON

NAMED = {name: found for name, found in vars(statements).items() if isinstance(found, Select | Update | Delete)}
#: Asked by a person, and allowed to count or to look through everything.
FOR_PEOPLE = {"COUNT_DOCUMENTS", "COUNT_INTERCHANGES", "COUNT_FLOWS", "INTERCHANGES_LIKE", "DOCUMENTS_LIKE"}
#: Tables of as many rows as there are jobs or partners.
SMALL = {"schedule", "watermark", "ack_sequence"}
MADE = {
    "move": (statements.move(document, frozenset({"findings"})), {"before_": "a", "after_": "a"}),
    "amend": (statements.amend(interchange, frozenset({"attempts"})), {}),
}


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory) -> Iterator[Ledger]:
    folder = tmp_path_factory.mktemp("plans")
    opened = open_ledger(f"sqlite:///{folder / 'ledger.sqlite3'}", HandClock(NOON))
    yield opened
    opened.close()


@pytest.mark.parametrize("name", sorted(NAMED.keys() - FOR_PEOPLE))
def test_a_statement_of_the_service_searches_an_index(sqlite, name):
    plan = _plan(sqlite, NAMED[name])
    assert plan
    for step in plan:
        scanned = re.match(r"SCAN (\w+)", step)
        assert scanned is None or scanned[1] in SMALL | {"CONSTANT"}, plan


@pytest.mark.parametrize("name", MADE)
def test_a_move_finds_its_row_by_its_key(sqlite, name):
    assert all("autoindex" in step for step in _plan(sqlite, MADE[name][0]))


@pytest.mark.parametrize("name", ["INTERCHANGES_OF_PARTNER", "DOCUMENTS_OF_PARTNER", "ACKS_OWED", "LAST_WITH_BYTES"])
def test_a_claim_reads_no_more_rows_than_it_takes(sqlite, name):
    """In the order of an index: nothing is sorted, so the limit stops the reading."""
    assert not any("TEMP B-TREE" in step for step in _plan(sqlite, NAMED[name]))


def test_the_questions_of_rare_documents_have_indexes_of_their_own(sqlite):
    assert any("ix_document_waiting" in step for step in _plan(sqlite, statements.WAITS_ENDED))
    assert any("ix_document_live" in step for step in _plan(sqlite, statements.SILENT_SINCE))


def _plan(ledger, statement) -> list[str]:
    plans: list[list[str]] = []

    def explain(connection, _cursor, sql, parameters, _context, _many):
        cursor = connection.connection.cursor()
        plans.append([row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)])

    with ledger.engine.connect() as connection:
        event.listen(connection, "before_cursor_execute", explain)
        connection.execute(statement, _values(statement))
        connection.rollback()
    return [step for plan in plans for step in plan]


def _values(statement) -> dict[str, object]:
    values: dict[str, object] = {}
    for name, bind in statement.compile().binds.items():
        if bind.required:
            one = NOON if isinstance(bind.type, UtcDateTime) else 1
            values[name] = ["a", "b"] if bind.expanding else one
    for table, states in ((document, DocumentState), (interchange, InterchangeState), (flow, FlowState)):
        if "after_" in values and statement.table is table:
            values["after_"] = str(next(iter(states)))
    return values
