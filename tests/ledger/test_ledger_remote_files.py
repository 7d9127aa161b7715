"""What is written down of partners' own servers: files fetched from them, and how the servers are."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from gateway.domain.states import ForbiddenMove, RemoteFileState
from gateway.ledger.ids import new_id
from gateway.ledger.moves import Move, Overtaken
from gateway.ledger.remote_files import (
    RemoteFileRow,
    RemoteServerRow,
    add_remote_files,
    remote_files,
    remote_files_named,
    remote_server_of,
    remote_servers,
    set_remote_server,
)
from tests.ledger.ledgers import NOON

FETCHED, PLACED, SETTLED = RemoteFileState.FETCHED, RemoteFileState.PLACED, RemoteFileState.SETTLED


def a_file(name: str = "a.xml", partner: str = "erp", *, at: datetime = NOON) -> RemoteFileRow:
    return RemoteFileRow(new_id(at), partner, FETCHED, name, 5, 1, "0" * 64, at)


def test_a_fetched_file_goes_its_way_and_no_other(ledger):
    row = a_file()
    with ledger.writing("fetch") as unit:
        add_remote_files(unit, [row])
    with pytest.raises(ForbiddenMove), ledger.writing("fetch") as unit:
        unit.move([Move(row.id, FETCHED, SETTLED)])
    for before, after in ((FETCHED, PLACED), (PLACED, SETTLED)):
        with ledger.writing("fetch") as unit:
            assert [kept.id for kept in remote_files(unit, before, "erp", 10)] == [row.id]
            unit.move([Move(row.id, before, after)])
    with pytest.raises(Overtaken), ledger.writing("fetch") as unit:
        unit.move([Move(row.id, FETCHED, PLACED)])


def test_what_was_fetched_last_under_a_name_is_found_by_it(ledger):
    first, second = a_file(), a_file(at=NOON + timedelta(seconds=1))
    others = [a_file(f"{i}.xml") for i in range(1200)]
    with ledger.writing("fetch") as unit:
        add_remote_files(unit, [first, *others, second, a_file(partner="other")])
    with ledger.reading() as unit:
        found = remote_files_named(unit, "erp", ["a.xml", "unheard-of.xml", *(row.name for row in others)])
        assert found["a.xml"] == second
        assert len(found) == 1201
        assert remote_files_named(unit, "nobody", ["a.xml"]) == {}
        assert len(remote_files(unit, FETCHED, "erp", 7)) == 7


def test_how_a_server_is_stays_known_to_who_asks_later(ledger):
    down = RemoteServerRow("erp", NOON, NOON + timedelta(minutes=5), "the connection was refused", NOON)
    with ledger.writing("fetch") as unit:
        assert remote_server_of(unit, "erp") == RemoteServerRow("erp")
        set_remote_server(unit, RemoteServerRow("erp", NOON))
        set_remote_server(unit, down)
        set_remote_server(unit, RemoteServerRow("another", NOON))
    with ledger.reading() as unit:
        assert remote_server_of(unit, "erp") == down
        assert [row.partner for row in remote_servers(unit)] == ["another", "erp"]
