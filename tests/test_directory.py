"""The directory while the gateway runs: what the snapshot lacks is asked for, once, and nobody waits for the rest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.buyers.snapshot import open_snapshot
from gateway.demo.spec import made_up_siret
from gateway.simulator import running_simulator
from tests.loop import Loop
from tests.simulator.paper import DEMANDS_NOTHING, DEMANDS_SERVICE, Paper


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Loop]:
    with running_simulator() as simulator:
        loop = Loop(tmp_path, simulator, here=True)
        yield loop
        loop.close()


def asked(loop: Loop) -> int:
    """Searches for a structure that Chorus Pro has answered."""
    requests = loop.simulator.state()["counters"]["requests"]
    return sum(count for path, count in requests.items() if path.endswith("/structures/v1/rechercher"))


def test_a_buyer_never_heard_of_is_asked_for_once_before_its_first_invoice_is_judged(loop: Loop) -> None:
    loop.configuration.settings.snapshot.unlink()
    for number in ("F-1", "F-2", "F-3"):
        loop.drop(f"{number}.xml", Paper(number=number, buyer=DEMANDS_NOTHING).ubl())
    before = asked(loop)

    loop.night()

    assert loop.events("F-1") == ["deposited"]
    buyers_asked = asked(loop) - before
    loop.drop("F-4.xml", Paper(number="F-4", buyer=DEMANDS_NOTHING).ubl())
    loop.take()
    assert buyers_asked >= 1
    assert asked(loop) - before == buyers_asked, "what is known is not asked for again"


def test_a_group_of_buyers_never_heard_of_holds_no_invoice_up(loop: Loop) -> None:
    """Chorus Pro knows none of them, and says so: refused at once, not held first and refused later."""
    for at in range(60):
        loop.drop(f"F-{at}.xml", Paper(number=f"F-{at}", buyer=made_up_siret(700 + at)).ubl())

    loop.night()

    assert {tuple(loop.events(f"F-{at}")) for at in range(60)} == {("refused",)}


def test_a_buyer_heard_of_too_long_ago_is_asked_for_again_instead_of_holding_its_invoice(loop: Loop) -> None:
    loop.simulator.advance(timedelta(days=30))
    loop.drop("F-1.xml", Paper(number="F-1", buyer=DEMANDS_SERVICE, service="SERVICE1").ubl())

    loop.night()

    assert loop.events("F-1") == ["deposited"]


def test_a_large_directory_is_refreshed_the_oldest_first_and_the_rest_is_kept(loop: Loop) -> None:
    path = loop.configuration.settings.snapshot
    known = open_snapshot(path)
    assert known is not None
    everybody, count = list(known.sirets()), known.count
    known.close()
    loop.gateway.directory.night = 2
    loop.simulator.advance(timedelta(days=1))

    before = asked(loop)

    loop.gateway.directory.refresh()

    after = open_snapshot(path)
    assert after is not None
    assert asked(loop) - before == 2
    assert after.count == count
    assert set(list(after.sirets())[-2:]) == set(everybody[:2])
    after.close()
