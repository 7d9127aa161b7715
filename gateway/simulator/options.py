"""The switches of the simulator, as one value. Each may be set when it starts, some also while it runs."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any


class ClockKind(StrEnum):
    """Who moves the time."""

    MANUAL = "manual"  #: only `advance` does
    REAL = "real"  #: the machine's clock does, `speed` times as fast


class DuplicateYear(StrEnum):
    """The year in "issuer + number + year". The sources disagree (chorus-pro.md 2.2, S6), so both exist."""

    INVOICE = "invoice"
    DEPOSIT = "deposit"


@dataclass(slots=True)
class Options:
    """How this Chorus Pro behaves."""

    clock: ClockKind = ClockKind.MANUAL
    speed: float = 1.0
    start: datetime | None = None  #: where the clock starts; now when not given
    flow_delay_s: float = 60.0  #: from deposit to the end of a flow
    status_delay_s: float = 3600.0  #: between two statuses of an invoice
    refuse_duplicates: bool = True
    duplicate_year: DuplicateYear = DuplicateYear.INVOICE
    token_ttl_s: float = 3600.0  #: by the machine's clock, never the simulated one
    missing_bearer_status: int = 401  #: 400 was measured in 2026-09, 401 before
    empty_search_is_an_error: bool = False  #: answer 20000 TRA_MSG_00.015 instead of an empty list

    @classmethod
    def of(cls, **given: Any) -> Options:
        """From keywords or a scenario's `[options]`; an unknown name is an error, strings become what they mean."""
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(given) - known):
            raise ValueError(f"unknown simulator options {unknown}; known: {sorted(known)}")
        options = cls(**given)
        options.clock = ClockKind(options.clock)
        options.duplicate_year = DuplicateYear(options.duplicate_year)
        if options.start is not None and options.start.tzinfo is None:
            raise ValueError("start must carry a time zone")
        if options.speed <= 0 or options.flow_delay_s < 0 or options.status_delay_s < 0:
            raise ValueError("speed must be above zero and delays not below it")
        return options
