"""The simulated clock, and dates as Chorus Pro writes and reads them.

Instants are kept as integer microseconds since 1970 in UTC, which SQLite compares and sorts. Replies carry ISO
dates with the offset of Paris; requests may be ISO or JJ/MM/AAAA (chorus-pro.md 1.2), a bare day meaning all of it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from gateway.simulator.options import ClockKind

PARIS: Final = ZoneInfo("Europe/Paris")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
DAY_US: Final = 86_400_000_000
FRENCH_DAY: Final = re.compile(r"(\d{2})/(\d{2})/(\d{4})\Z")
BARE_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}\Z")


def to_us(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND


def to_datetime(us: int) -> datetime:
    return EPOCH + timedelta(microseconds=us)


def iso(us: int) -> str:
    return to_datetime(us).astimezone(PARIS).isoformat(timespec="milliseconds")


def iso_day(day: str) -> str | None:
    """A bare day as the API's date-time: midnight in Paris. None where the invoice's date was no date."""
    try:
        parsed = date.fromisoformat(day)
    except ValueError:
        return None
    return datetime(parsed.year, parsed.month, parsed.day, tzinfo=PARIS).isoformat(timespec="milliseconds")


def read_bound(text: str, *, end: bool) -> int:
    """A bound of a period in a request; a bare day at the end counts whole. ValueError if unreadable."""
    if found := FRENCH_DAY.match(text):
        text = f"{found[3]}-{found[2]}-{found[1]}"
    bare = bool(BARE_DAY.match(text))
    at = datetime.fromisoformat(text)
    us = to_us(at if at.tzinfo else at.replace(tzinfo=PARIS))
    return us + DAY_US - 1 if bare and end else us


class SimulatedClock:
    """Time in this Chorus Pro: by hand, or the machine's at some speed, plus what was advanced by hand.

    Its anchor (machine time, simulated time) is kept by whoever made it, so that a restart goes on where it was.
    """

    def __init__(
        self, kind: ClockKind, speed: float, anchor: tuple[int, int], keep: Callable[[int, int], None]
    ) -> None:
        self._kind, self._speed, self._keep = kind, speed, keep
        self._machine, self._simulated = anchor

    def now(self) -> int:
        if self._kind is ClockKind.MANUAL:
            return self._simulated
        return self._simulated + int((machine_us() - self._machine) * self._speed)

    def go(self, speed: float) -> None:
        """From now on the machine moves the time, `speed` times as fast as its own."""
        self._machine, self._simulated = machine_us(), self.now()
        self._kind, self._speed = ClockKind.REAL, speed
        self._keep(self._machine, self._simulated)

    def advance(self, by: timedelta) -> int:
        if by < timedelta(0):
            raise ValueError("the clock does not go back")
        now = self.now() + by // MICROSECOND
        self._machine, self._simulated = machine_us(), now
        self._keep(self._machine, self._simulated)
        return now


def machine_us() -> int:
    return time.time_ns() // 1000
