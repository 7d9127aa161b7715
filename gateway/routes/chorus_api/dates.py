"""Chorus Pro's dates: ISO with or without offset in answers, in places JJ/MM/AAAA (domain facts 1.2).

Requests are written in ISO. A day is a day in France: midnight in Paris may be written as 22:00 or 23:00 UTC of
the day before.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import Final

from gateway.clock import PARIS

_FRENCH: Final = re.compile(r"(\d{2})/(\d{2})/(\d{4})(?:[ T](\d{2}:\d{2}(?::\d{2})?))?")


def read_moment(text: str) -> datetime | None:
    """The instant in UTC; without an offset it is taken as Paris time. None where it is no date."""
    text = text.strip()
    if french := _FRENCH.fullmatch(text):
        day, month, year, clock = french.groups()
        text = f"{year}-{month}-{day}" + (f"T{clock}" if clock else "")
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=PARIS)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def read_day(text: str) -> date | None:
    """The day in France."""
    moment = read_moment(text)
    return moment.astimezone(PARIS).date() if moment else None


def write_moment(moment: datetime) -> str:
    """An instant for a request: ISO with the offset of Paris."""
    return moment.astimezone(PARIS).isoformat(timespec="milliseconds")


def first_of_day(moment: datetime) -> datetime:
    """The first instant of that day in France."""
    return datetime.combine(moment.astimezone(PARIS).date(), time.min, PARIS)


def last_of_day(moment: datetime) -> datetime:
    """The last instant of that day in France."""
    return datetime.combine(moment.astimezone(PARIS).date(), time(23, 59, 59), PARIS)
