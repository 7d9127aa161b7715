"""One nightly run to its goal, and how it ends when the goal cannot be reached."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.once import Goal, OneRun, Outcome
from gateway.simulator import running_simulator
from tests.loop import Loop, loop_in
from tests.simulator.paper import DEMANDS_EJ, Paper


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Loop]:
    with (
        running_simulator(start=datetime(2026, 3, 2, 9, 0, tzinfo=UTC)) as chorus,
        loop_in(tmp_path, chorus, here=True, schedules='decisions = "0 6 * * *"') as made,
    ):
        made.drop("F-1.xml", Paper(number="F-1").ubl())
        made.drop("R-1.xml", Paper(number="R-1", buyer=DEMANDS_EJ).ubl())
        yield made


def run(loop: Loop, goal: Goal, seconds: float = 20.0, minutes: float = 2.0) -> Outcome:
    def night_goes_on(_: object) -> None:
        loop.simulator.advance(timedelta(minutes=minutes))

    return OneRun(loop.gateway, goal, timedelta(seconds=seconds), night_goes_on).run()


def test_until_acked_decides_and_tells_and_sends_nothing(loop: Loop) -> None:
    outcome = run(loop, Goal.ACKED)

    assert outcome.reached
    assert (outcome.received, outcome.decided, outcome.refused, outcome.deposited) == (2, 2, 1, 0)
    assert loop.events("R-1") == ["refused"]
    assert loop.states("F-1") == ["ready"]
    assert loop.simulator.deposits() == []


def test_until_deposited_leaves_everything_at_the_platform(loop: Loop) -> None:
    outcome = run(loop, Goal.DEPOSITED)

    assert outcome.reached
    assert outcome.deposited == 1
    assert loop.received("F-1") == 1
    assert loop.states("F-1") == ["sent"]


def test_until_integrated_knows_what_became_of_the_flows(loop: Loop) -> None:
    outcome = run(loop, Goal.INTEGRATED)

    assert outcome.reached
    assert loop.events("F-1") == ["deposited"]


def test_all_that_is_owed_is_told_at_the_end_although_the_schedule_says_later(loop: Loop) -> None:
    loop.gateway.tell.run()  # six o'clock has passed with nothing owed
    run(loop, Goal.ACKED)

    assert loop.events("R-1") == ["refused"]


def test_the_next_run_takes_up_what_this_one_left(loop: Loop) -> None:
    for goal in (Goal.ACKED, Goal.DEPOSITED, Goal.INTEGRATED, Goal.INTEGRATED):
        assert run(loop, goal).reached

    assert loop.events("F-1") == ["deposited"]
    assert loop.received("F-1") == 1


def test_a_platform_out_of_reach_is_said_when_the_time_is_up(loop: Loop) -> None:
    loop.simulator.issue_tokens(False)
    loop.simulator.expire_tokens()
    outcome = run(loop, Goal.DEPOSITED, seconds=1.0)

    assert (outcome.reached, outcome.unreachable) == (False, True)
    assert loop.events("R-1") == ["refused"]  # what could be told was
    assert loop.states("F-1") == ["packed"]


def test_an_out_folder_that_cannot_be_written_to_is_no_goal_reached(loop: Loop) -> None:
    loop.take()
    (loop.folder / "erp" / "out").rmdir()
    (loop.folder / "erp" / "out").write_text("")
    outcome = run(loop, Goal.ACKED, seconds=1.0)

    assert not outcome.reached


def test_a_lost_answer_is_settled_within_the_run(loop: Loop) -> None:
    loop.simulator.refuse_duplicates(False)
    loop.simulator.fault("lost", "deposer/flux")
    outcome = run(loop, Goal.INTEGRATED)

    assert outcome.reached
    assert loop.received("F-1") == 1


def test_a_file_that_is_not_whole_is_left_and_said(loop: Loop) -> None:
    (loop.folder / "erp" / "in" / "half.xml").write_bytes(Paper(number="H-1").ubl()[:-20])
    outcome = run(loop, Goal.ACKED)

    assert outcome.reached
    assert outcome.left == 1
    assert (loop.folder / "erp" / "in" / "half.xml").exists()


def test_a_flow_that_needs_a_person_keeps_no_night_waiting(loop: Loop) -> None:
    loop.simulator.fault("dropped", "deposer/flux", times=5)
    waits_for_somebody = run(loop, Goal.DEPOSITED, seconds=60)
    loop.simulator.clear_faults()

    again = run(loop, Goal.DEPOSITED, seconds=3600)

    assert (waits_for_somebody.reached, again.reached) == (False, False)
    assert again.seconds < 600, "it does not wait out its hour for what is due tomorrow"
    assert loop.states("F-1") == ["sent"]
