"""Every test that asks for `ledger` runs twice: on SQLite and on PostgreSQL, with the same statements."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.clock import HandClock
from gateway.ledger.ledger import Ledger, open_ledger
from tests.ledger.ledgers import NOON, postgresql_schema


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'ledger.sqlite3'}"
        return
    with postgresql_schema() as address:
        yield address


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOON)


@pytest.fixture
def ledger(url: str, clock: HandClock) -> Iterator[Ledger]:
    opened = open_ledger(url, clock)
    yield opened
    opened.close()


@pytest.fixture
def sqlite(tmp_path: Path, clock: HandClock) -> Iterator[Ledger]:
    opened = open_ledger(f"sqlite:///{tmp_path / 'ledger.sqlite3'}", clock)
    yield opened
    opened.close()
