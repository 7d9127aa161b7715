"""Whether acknowledgements of a level are due now: at once, or by a cron line in Europe/Paris.

A line that was missed while the gateway was down is due once. The two nights when the clock changes: a line that
names its hour runs once, although 02:30 comes twice in October and never in March (it then runs at 03:30); a line
for every hour runs every hour that passes.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from apscheduler.triggers.cron import CronTrigger

from gateway.clock import PARIS

IMMEDIATE: Final = "immediate"

_JUST_AFTER: Final = timedelta(microseconds=1)
_WEEKDAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NUMBER: Final = re.compile(r"(?<![\w/])[0-7](?![\w/])")
#: A line such as 31 February, looked for from here, is found to have no day.
_SOME_DAY: Final = datetime(2026, 1, 1, tzinfo=UTC)


class BadSchedule(ValueError):
    """A schedule that cannot be followed; the message says what was expected."""


def check_schedule(schedule: str) -> None:
    """Raise `BadSchedule` unless `schedule` is "immediate" or a cron line that some day meets."""
    if schedule != IMMEDIATE and _next(schedule, _SOME_DAY) is None:
        raise BadSchedule(f"{schedule!r}: it must come true at least once, and no day meets it")


def due(schedule: str, last: datetime | None, now: datetime) -> bool:
    """Is there a run after `last` and not after `now`? Without a `last`, and when the machine's clock was set back
    behind it, what is owed goes now rather than wait for a day that may never come."""
    if schedule == IMMEDIATE or last is None or last > now:
        return True
    following = _next(schedule, last)
    return following is not None and following <= now


def _next(schedule: str, after: datetime) -> datetime | None:
    """The first run after `after`."""
    trigger, names_hour = _trigger(schedule)
    moment = _before_the_gap(after)
    while True:
        found: datetime | None = trigger.get_next_fire_time(None, moment.astimezone(UTC) + _JUST_AFTER)
        if found is None:
            return None
        # In October the hour from 02:00 comes twice; the second time is marked by `fold`.
        second_time = names_hour and found.fold
        if found.astimezone(UTC) > after and not second_time:
            return found.astimezone(UTC)
        moment = found


def _before_the_gap(after: datetime) -> datetime:
    """Where to look from. Asked from inside the hour after a gap, APScheduler no longer sees what was due in the
    gap: with a look every minute, the run of 02:30 on 2027-03-28 would be lost."""
    earlier = after - timedelta(hours=3)
    offsets = [moment.astimezone(PARIS).utcoffset() for moment in (earlier, after)]
    return after if offsets[0] == offsets[1] else earlier


@lru_cache(maxsize=1024)
def _trigger(schedule: str) -> tuple[CronTrigger, bool]:
    fields = schedule.split()
    if len(fields) != 5:
        raise BadSchedule(f"{schedule!r}: expected {IMMEDIATE!r} or a cron line of 5 fields, such as '0 6,14 * * *'")
    minute, hour, day, month, weekday = fields
    if day != "*" and weekday != "*":
        # Cron reads the two as "or", APScheduler as "and": neither is what everybody expects.
        raise BadSchedule(f"{schedule!r}: give a day of the month or a day of the week, not both")
    try:
        trigger = CronTrigger(
            minute=minute, hour=hour, day=day, month=month, day_of_week=_named(weekday), timezone=PARIS
        )
    except ValueError as fault:
        raise BadSchedule(f"{schedule!r}: {fault}") from None
    return trigger, not hour.startswith("*")


def _named(weekday: str) -> str:
    """Cron counts days of the week from Sunday (0 or 7), APScheduler 3 from Monday: names mean the same to both."""
    if "-" in weekday and re.search(r"\b0-", weekday):
        return _named(weekday.replace("0-", "7,1-"))
    return _NUMBER.sub(lambda digit: _WEEKDAYS[int(digit.group())], weekday)
