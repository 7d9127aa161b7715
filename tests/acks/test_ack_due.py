"""When acknowledgements are due: cron lines in Europe/Paris, downtime, and the nights when the clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.acks.due import BadSchedule, check_schedule, due

PARIS = ZoneInfo("Europe/Paris")
AUTUMN = datetime(2026, 10, 25, tzinfo=PARIS).astimezone(UTC)  # 25 hours
SPRING = datetime(2027, 3, 28, tzinfo=PARIS).astimezone(UTC)  # 23 hours


def runs(schedule: str, start: datetime, hours: float, tick: timedelta = timedelta(minutes=1)) -> list[str]:
    """Drive ticks over the period as the service does, and note the local time of each run."""
    end = start + timedelta(hours=hours) - timedelta(seconds=1)
    last, now, found = start - timedelta(seconds=1), start, []
    while last < end:
        if due(schedule, last, now):
            found.append(now.astimezone(PARIS).strftime("%H:%M%z"))
        last, now = now, min(now + tick, end)
    return found


def test_immediate_is_always_due():
    assert due("immediate", None, AUTUMN)
    assert due("immediate", AUTUMN, AUTUMN)


def test_a_line_is_due_once_when_its_time_comes():
    assert runs("0 6,14 * * *", datetime(2026, 11, 23, tzinfo=PARIS).astimezone(UTC), 24) == [
        "06:00+0100",
        "14:00+0100",
    ]


def test_the_instant_of_the_run_belongs_to_the_tick_that_ends_there_and_to_no_other():
    six = datetime(2026, 11, 23, 6, tzinfo=PARIS).astimezone(UTC)
    assert due("0 6 * * *", six - timedelta(seconds=1), six)
    assert not due("0 6 * * *", six, six)
    assert not due("0 6 * * *", six, six + timedelta(hours=1))
    assert not due("0 6 * * *", six - timedelta(hours=1), six - timedelta(microseconds=1))


def test_what_was_missed_in_downtime_is_due_once():
    down = datetime(2026, 11, 20, 5, tzinfo=UTC)
    back = datetime(2026, 11, 23, 14, tzinfo=UTC)
    assert due("0 6 * * *", down, back)
    assert not due("0 6 * * *", back, back + timedelta(minutes=5))


def test_what_never_ran_and_what_was_told_in_the_future_goes_now():
    assert due("0 6 * * *", None, AUTUMN)
    assert due("0 6 * * *", AUTUMN + timedelta(days=400), AUTUMN)


def test_in_the_long_night_a_line_that_names_its_hour_runs_once():
    assert runs("30 2 * * *", AUTUMN, 25) == ["02:30+0200"]
    assert runs("0 2,3 * * *", AUTUMN, 25) == ["02:00+0200", "03:00+0100"]
    assert runs("0 6,14 * * *", AUTUMN, 25) == ["06:00+0100", "14:00+0100"]


def test_in_the_long_night_a_line_for_every_hour_runs_in_all_twenty_five():
    assert len(runs("15 * * * *", AUTUMN, 25)) == 25
    assert len(runs("*/5 * * * *", AUTUMN, 25)) == 25 * 12


def test_in_the_short_night_a_line_in_the_missing_hour_still_runs_once():
    assert runs("30 2 * * *", SPRING, 23) == ["03:30+0200"]
    assert runs("0 6,14 * * *", SPRING, 23) == ["06:00+0200", "14:00+0200"]


def test_in_the_short_night_a_line_for_every_hour_runs_in_all_twenty_three():
    assert len(runs("15 * * * *", SPRING, 23)) == 23
    assert len(runs("*/5 * * * *", SPRING, 23)) == 23 * 12


@pytest.mark.parametrize("night", [AUTUMN, SPRING], ids=["autumn", "spring"])
@given(hour=st.integers(0, 23), minute=st.integers(0, 59), tick=st.integers(1, 170))
@settings(max_examples=60, deadline=None)
def test_a_daily_line_runs_once_in_each_local_day_around_the_change(night, hour, minute, tick):
    day_before = night - timedelta(days=1)
    end = (night.astimezone(PARIS) + timedelta(days=2)).astimezone(UTC)
    hours = (end - day_before) / timedelta(hours=1)
    assert hours in (71, 73)
    assert len(runs(f"{minute} {hour} * * *", day_before, hours, timedelta(minutes=tick))) == 3


@pytest.mark.parametrize(
    ("schedule", "weekday"),
    [("0 6 * * 1", 0), ("0 6 * * 0", 6), ("0 6 * * 7", 6), ("0 6 * * mon", 0), ("0 6 * * 5", 4)],
)
def test_days_of_the_week_are_counted_as_cron_counts_them(schedule, weekday):
    day = datetime(2026, 11, 23, 6, tzinfo=PARIS)  # a Monday
    found = [
        at.weekday()
        for at in (day + timedelta(days=offset) for offset in range(7))
        if due(schedule, (at - timedelta(minutes=1)).astimezone(UTC), at.astimezone(UTC))
    ]
    assert found == [weekday]


@pytest.mark.parametrize(("schedule", "count"), [("0 6 * * 1-5", 5), ("0 6 * * 0-5", 6), ("0 6 * * 5-7", 3)])
def test_a_range_of_days_of_the_week_has_its_days(schedule, count):
    start = datetime(2026, 11, 23, tzinfo=PARIS).astimezone(UTC)
    assert len(runs(schedule, start, 24 * 7, timedelta(minutes=30))) == count


@pytest.mark.parametrize(
    "schedule",
    ["", "now", "0 6 * *", "61 6 * * *", "0 6 31 2 *", "0 6 1 * 1", "a b c d e", "0 6 * * 8", "*/0 * * * *"],
)
def test_a_schedule_that_cannot_be_followed_is_refused(schedule):
    with pytest.raises(BadSchedule):
        check_schedule(schedule)


@pytest.mark.parametrize("schedule", ["immediate", "*/5 * * * *", "0 6,14 * * *", "0 6 29 2 *", "30 6 * * mon-fri"])
def test_a_schedule_that_can_be_followed_is_taken(schedule):
    check_schedule(schedule)
