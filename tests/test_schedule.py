"""The lanes of the service: what runs when, by a clock that a test drives, and by the real one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.schedule import Service
from gateway.simulator import running_simulator
from tests.loop import BUYERS, Loop, drop, loop_in
from tests.simulator.paper import Paper


@pytest.fixture
def loops(tmp_path: Path) -> Iterator[Callable[..., Loop]]:
    with ExitStack() as stack:

        def make(start: str = "2026-03-02T09:00:00Z", **wishes: Any) -> Loop:
            chorus = stack.enter_context(running_simulator(start=at(start)))
            return stack.enter_context(loop_in(tmp_path, chorus, here=True, **wishes))

        yield make


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def sent_at(loop: Loop, service: Service, moments: list[datetime]) -> list[datetime]:
    """Drop one invoice before each moment, look, and say at which moments something left."""
    left = []
    for number, moment in enumerate(moments):
        loop.simulator.advance(moment - loop.simulator.now())
        loop.drop(f"F-{number}.xml", Paper(number=f"F-{number}").ubl())
        loop.take()
        before = len(loop.simulator.deposits())
        service.run("send")
        if len(loop.simulator.deposits()) > before:
            left.append(moment)
    return left


def running(loop: Loop) -> Service:
    """A service whose lanes are run by hand; its first look is over."""
    service = Service(loop.gateway)
    for lane in ("send", "follow", "tell", "directory"):
        service.run(lane)
    return service


def test_flows_leave_at_the_hour_of_the_sending_schedule(loops: Callable[..., Loop]) -> None:
    loop = loops("2026-06-02T05:00:00+02:00", sending='schedule = "0 20 * * *"')
    service = running(loop)
    hours = [at("2026-06-02T10:00:00+02:00") + timedelta(hours=n) for n in range(1, 25)]

    assert sent_at(loop, service, hours) == [at("2026-06-02T20:00:00+02:00")]
    assert loop.received("F-9") == 1  # also what came in the minute before


def test_at_that_hour_nothing_waits_for_its_flow_to_fill(loops: Callable[..., Loop]) -> None:
    loop = loops("2026-06-02T05:00:00+02:00", sending='schedule = "0 20 * * *"\nwait = "1h"')
    service = running(loop)
    hour = at("2026-06-02T20:00:00+02:00")

    assert sent_at(loop, service, [hour]) == [hour]


@pytest.mark.parametrize(
    ("start", "hit"),
    [
        ("2026-10-25T00:10:00+02:00", "2026-10-25T02:40:00+02:00"),
        ("2027-03-28T00:10:00+01:00", "2027-03-28T03:40:00+02:00"),
    ],
)
def test_flows_leave_once_in_both_nights_when_the_clock_changes(
    loops: Callable[..., Loop], start: str, hit: str
) -> None:
    loop = loops(start, sending='schedule = "30 2 * * *"')
    service = running(loop)
    moments = [at(start) + timedelta(minutes=30 * n) for n in range(1, 11)]

    assert sent_at(loop, service, moments) == [at(hit)]


def test_a_sending_run_missed_while_we_were_down_happens_once_at_the_start(loops: Callable[..., Loop]) -> None:
    loop = loops("2026-06-01T05:00:00+02:00", sending='schedule = "0 20 * * *"')
    running(loop)
    loop.drop("F-1.xml", Paper(number="F-1").ubl())
    loop.take()
    loop.simulator.advance(timedelta(days=2))
    loop.restart()
    Service(loop.gateway).run("send")
    loop.drop("F-2.xml", Paper(number="F-2").ubl())
    loop.take()
    Service(loop.gateway).run("send")

    assert (loop.received("F-1"), loop.received("F-2")) == (1, 0)


def test_no_flow_leaves_outside_the_hours(loops: Callable[..., Loop]) -> None:
    loop = loops("2026-06-01T05:00:00+02:00", sending='hours = "22:00-05:00"\nwait = "0s"')
    service = running(loop)
    hours = [at("2026-06-02T18:30:00+02:00") + timedelta(hours=n) for n in range(14)]

    left = sent_at(loop, service, hours)
    assert left == hours[4:11]


def test_in_service_a_document_waits_a_little_for_its_flow_to_fill(loops: Callable[..., Loop]) -> None:
    loop = loops(sending='wait = "30s"')
    service = running(loop)
    for number in range(3):
        loop.drop(f"F-{number}.xml", Paper(number=f"F-{number}").ubl())
        loop.take()
        service.run("send")
        loop.simulator.advance(timedelta(seconds=12))
    assert loop.simulator.deposits() == []

    service.run("send")
    assert [len(deposit["documents"]) for deposit in loop.simulator.deposits()] == [3]


def test_statuses_are_searched_at_their_own_pace(loops: Callable[..., Loop]) -> None:
    loop = loops()
    main = loop.folder / "gateway.toml"
    main.write_text(main.read_text().replace('status_poll = "1s"', 'status_poll = "30m"'))
    loop.restart()
    loop.drop("F-1.xml", Paper(number="F-1").ubl())
    loop.night()
    service = running(loop)
    before = loop.asked("rechercher/fournisseur")
    for _ in range(61):
        loop.simulator.advance(timedelta(minutes=1))
        service.run("follow")

    assert loop.asked("rechercher/fournisseur") - before == 2


def test_the_directory_is_refreshed_at_its_hour_and_again_soon_after_a_failure(loops: Callable[..., Loop]) -> None:
    loop = loops("2026-06-01T00:30:00+02:00")
    service = running(loop)
    asked = loop.asked("structures/v1/consulter")
    loop.simulator.advance(timedelta(minutes=59))
    service.run("directory")
    assert loop.asked("structures/v1/consulter") == asked

    loop.simulator.fault("status", "structures", times=50, status=503)
    loop.simulator.advance(timedelta(minutes=2))
    service.run("directory")
    loop.simulator.clear_faults()
    service.run("directory")
    assert loop.asked("structures/v1/consulter") == asked  # not at once
    loop.simulator.advance(timedelta(minutes=31))
    service.run("directory")
    once = loop.asked("structures/v1/consulter")
    assert once >= asked + len(BUYERS)
    service.run("directory")
    assert loop.asked("structures/v1/consulter") == once


def test_what_fails_in_one_lane_is_told_and_tried_again(
    loops: Callable[..., Loop], capsys: pytest.CaptureFixture[str]
) -> None:
    loop = loops(sending='wait = "0s"')
    service = running(loop)
    loop.drop("F-1.xml", Paper(number="F-1").ubl())
    loop.take()
    flows = loop.folder / "state" / "archive" / "flows"
    flows.write_text("in the way")
    service.run("send")
    assert "lane_failed" in capsys.readouterr().out
    assert loop.states("F-1") == ["ready"]

    flows.unlink()
    service.run("send")
    assert loop.received("F-1") == 1


def test_a_new_account_and_password_are_taken_without_a_restart(loops: Callable[..., Loop]) -> None:
    loop = loops(sending='wait = "0s"')
    main = loop.folder / "gateway.toml"
    right = main.read_text()
    main.write_text(right.replace("ACCOUNT_1", "CLIENT_SECRET"))
    loop.restart()
    service = running(loop)
    loop.drop("F-1.xml", Paper(number="F-1").ubl())
    loop.take()
    service.run("send")
    assert loop.received("F-1") == 0
    assert loop.gateway.patience.troubles

    main.write_text(right)
    service.run("configuration")
    loop.simulator.advance(timedelta(seconds=10))
    service.run("send")
    assert loop.received("F-1") == 1


# --- by the real clock --------------------------------------------------------------------------------------------


def until(condition: Callable[[], object], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def service(loops: Callable[..., Loop]) -> Iterator[tuple[Loop, Service]]:
    """A running service that looks at its folders only every half minute, unless it is hinted."""
    loop = loops(sending='wait = "0s"')
    main = loop.folder / "gateway.toml"
    main.write_text(main.read_text().replace('rescan = "1s"', 'rescan = "30s"'))
    loop.restart()
    made = Service(loop.gateway)
    made.start()
    assert until((loop.folder / "erp" / "in").is_dir)
    time.sleep(0.3)
    yield loop, made
    made.stop()


def test_a_dropped_file_is_taken_at_once_because_its_folder_is_listened_to(service: tuple[Loop, Service]) -> None:
    loop, _ = service
    started = time.monotonic()
    for number in range(3):
        loop.drop(f"F-{number}.xml", Paper(number=f"F-{number}").ubl())
        assert until(lambda n=number: loop.states(f"F-{n}"), 5)
        time.sleep(0.15)

    assert time.monotonic() - started < 10


def test_the_folder_of_a_partner_added_later_is_listened_to(service: tuple[Loop, Service]) -> None:
    loop, made = service
    partners = loop.folder / "partners.d"
    (partners / "new.toml").write_text((partners / "erp.toml").read_text().replace("erp", "new"))
    issuer = loop.folder / "issuers.d" / "90000001900019.toml"
    issuer.write_text(issuer.read_text().replace('"erp", "edi"', '"erp", "edi", "new"'))
    made.run("configuration")
    time.sleep(0.3)
    drop(loop.folder / "new" / "in", "F-1.xml", Paper(number="F-1").ubl())

    assert until(lambda: loop.states("F-1"), 5)


def test_a_stop_lets_what_is_in_hand_end_and_begins_nothing_new(service: tuple[Loop, Service]) -> None:
    loop, made = service
    loop.simulator.fault("delay", "deposer/flux", seconds=1.5, processed=True)
    loop.drop("F-1.xml", Paper(number="F-1").ubl())
    assert until(lambda: loop.received("F-1"))
    assert loop.states("F-1") == ["sent"]
    made.stop()

    with loop.gateway.ledger.reading() as unit:
        flow = unit.flow(loop.documents("F-1")[0].flow_id or "")
    assert flow is not None and (flow.state, bool(flow.number)) == ("sent", True)
    loop.drop("F-2.xml", Paper(number="F-2").ubl())
    time.sleep(0.5)
    assert not loop.states("F-2")


def test_a_lane_that_ends_while_the_service_stops_does_not_hang_it(loops: Callable[..., Loop]) -> None:
    """APScheduler waits for its threads with its own lock held: whoever asks it anything then, waits for ever."""
    service = Service(loops().gateway)
    began, asked = threading.Event(), threading.Event()

    def in_hand() -> None:
        began.set()
        service._stopping.wait(20)
        time.sleep(0.5)  # until the scheduler is being shut down
        service._soon("intake", 1)
        asked.set()

    service._lanes = {**service._lanes, "intake": in_hand}
    service.start()
    began.wait(20)
    stopping = threading.Thread(target=service.stop, daemon=True)
    stopping.start()
    stopping.join(30)

    assert not stopping.is_alive()
    assert asked.is_set(), "what was in hand has ended"


def test_a_run_that_was_handed_out_before_the_stop_and_begins_after_it_ends_at_once(loops: Callable[..., Loop]) -> None:
    """Python joins the threads of a pool at its end: one that waited for its lane would keep the process for ever."""
    service = Service(loops().gateway)
    service.start()
    service.stop()
    late = threading.Thread(target=service.run, args=("tell",), daemon=True)
    late.start()
    late.join(10)

    assert not late.is_alive()
