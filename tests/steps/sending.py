"""What the tests of sending and of the ends of flows both drop and count."""

from __future__ import annotations

from tests.loop import Loop
from tests.simulator.paper import Paper
from tests.steps.conftest import KNOWS_ITS_EJS

DEPOSIT = "deposer/flux"
BOUNCES = Paper(number="BAD", buyer=KNOWS_ITS_EJS, ej="unknown")


def papers(count: int, **more: str) -> list[Paper]:
    return [Paper(number=f"F-{number}", **more) for number in range(count)]


def drop_all(loop: Loop, *given: Paper, partner: str = "erp") -> None:
    for paper in given:
        loop.drop(f"{paper.number}.xml", paper.ubl(), partner)


def sizes(loop: Loop) -> list[int]:
    return sorted(len(deposit["documents"]) for deposit in loop.simulator.deposits())
