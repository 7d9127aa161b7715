"""A whole night on PostgreSQL: the same loop, the same statements, another ledger."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.simulator import running_simulator
from tests.ledger.ledgers import postgresql_schema
from tests.loop import Loop
from tests.simulator.paper import DEMANDS_EJ, Paper


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Loop]:
    with postgresql_schema() as url, running_simulator() as simulator:
        loop = Loop(tmp_path, simulator, here=True, ledger=url)
        yield loop
        loop.close()


def test_files_are_judged_sent_followed_and_told_on_postgresql(loop: Loop) -> None:
    for number in ("F-1", "F-2"):
        loop.drop(f"{number}.xml", Paper(number=number).ubl())
    loop.drop("again.xml", Paper(number="F-1").ubl())
    loop.drop("R-1.xml", Paper(number="R-1", buyer=DEMANDS_EJ).ubl())

    loop.night()
    loop.simulator.advance(timedelta(days=2))
    loop.gateway.follow_statuses.run()
    loop.gateway.tell.run()

    assert loop.gateway.ledger.engine.dialect.name == "postgresql"
    assert loop.received("F-1") == loop.received("F-2") == 1
    assert loop.states("F-1")[0] == "paid"
    assert loop.told("R-1") == [("refused", "CHORUS-EJ-MISSING")]
    assert "duplicate" in {row["event"] for row in loop.acks() if row["file_name"] == "again.xml"}
