"""How far a directory snapshot can be trusted, by its age in days of Paris.

Days of the calendar, not hours: a snapshot refreshed every night a few minutes later each time is one day old each
time, and must not warn for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from gateway.clock import PARIS
from gateway.domain.facts import Directory


@dataclass(frozen=True, slots=True)
class Limits:
    """Up to which age, in days, a snapshot is fresh, and may be sent with."""

    fresh_days: int = 1
    send_days: int = 7  #: DESIGN 5

    @classmethod
    def of(cls, aged_after: timedelta, hold_after: timedelta) -> Limits:
        """From the configuration's durations; part of a day counts as none."""
        return cls(aged_after.days, hold_after.days)


DEFAULT_LIMITS: Final = Limits()


def day_in_paris(moment: datetime) -> date:
    """The calendar day in Paris."""
    return moment.astimezone(PARIS).date()


def age_in_days(taken_at: datetime, today: date) -> int:
    """Whole days; negative when the snapshot is of the future."""
    return (today - day_in_paris(taken_at)).days


def state_of(age_days: int | None, limits: Limits = DEFAULT_LIMITS) -> Directory:
    """What the age says. A snapshot of the future is of a wrong clock: nobody knows its age, so it is stale."""
    if age_days is None:
        return Directory.MISSING
    if age_days < -1 or age_days > limits.send_days:
        return Directory.STALE
    return Directory.FRESH if age_days <= limits.fresh_days else Directory.AGED
