"""What we know of a partner's server being up or down: since when, why, and when we shall try again.

After each failure the next try comes later, with jitter, so that a server that comes back is not met by all at once.
While it rests, nobody waits for it. What decides is a clock that nobody sets; the hour of day is for people to read.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gateway.transports.sftp_client.errors import LASTING, ConnectionTrouble

_FIRST_S: Final = 10.0
_LONGEST_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class Health:
    """For `gateway status` and `gateway doctor`. Times are aware, in UTC."""

    up: bool
    since: datetime | None = None  #: down since then
    reason: str = ""
    failures: int = 0  #: in a row
    next_try: datetime | None = None
    needs_a_person: bool = False  #: host key or login refused: time will not mend it


class Circuit:
    """The health of one server, and whether it is worth a try now. `now` tells the time of day, `monotonic` seconds
    that only go forward."""

    def __init__(
        self,
        now: Callable[[], datetime],
        jitter: Callable[[], float] = random.random,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now = now
        self._jitter = jitter
        self._monotonic = monotonic
        self._rests_until = 0.0
        self._error: ConnectionTrouble | None = None
        self.health = Health(up=True)

    def check(self) -> None:
        """Raises what it failed with last, while it rests."""
        left = self._rests_until - self._monotonic()
        if self._error is not None and left > 0:
            next_try = self._now() + timedelta(seconds=left)
            raise type(self._error)(f"{self.health.reason} (next try at {next_try:%H:%M:%S} UTC)")

    def worked(self) -> None:
        """It is up."""
        if not self.health.up:
            self._error, self.health = None, Health(up=True)

    def failed(self, error: ConnectionTrouble) -> None:
        """It is down."""
        now = self._now()
        failures = self.health.failures + 1
        wait = min(_LONGEST_S, _FIRST_S * 2 ** min(failures - 1, 10)) * (0.5 + self._jitter() / 2)
        self._error = error
        self._rests_until = self._monotonic() + wait
        self.health = Health(
            up=False,
            since=self.health.since or now,
            reason=str(error),
            failures=failures,
            next_try=now + timedelta(seconds=wait),
            needs_a_person=isinstance(error, LASTING),
        )
