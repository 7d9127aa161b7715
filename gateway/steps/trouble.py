"""How long to leave a platform alone that cannot be reached or refuses our credentials: longer each time, with
jitter, per issuer, so that one issuer's wrong password delays nobody else."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gateway.routes.protocol import RouteTrouble

_FIRST: Final = timedelta(seconds=5)
_LONGEST: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Pause:
    """Why an issuer is left alone, and until when."""

    until: datetime
    length: timedelta
    trouble: RouteTrouble


class Patience:
    """Remembers the issuers that are left alone for a while. Lost with the process, and harmless to lose."""

    def __init__(self) -> None:
        self._pauses: dict[str, Pause] = {}

    def waits(self, issuer: str, now: datetime) -> bool:
        """Is `issuer` to be left alone now?"""
        pause = self._pauses.get(issuer)
        return pause is not None and now < pause.until

    def after(self, issuer: str, trouble: RouteTrouble, now: datetime) -> datetime:
        """Note a trouble; the moment to try again."""
        before = self._pauses.get(issuer)
        if before and now < before.until:
            return before.until  # calls made side by side meet one trouble, not several
        length = min(before.length * 2, _LONGEST) if before else _FIRST
        if trouble.retry_after_s is not None:
            length = min(max(length, timedelta(seconds=trouble.retry_after_s)), _LONGEST)
        until = now + length * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, no secret
        self._pauses[issuer] = Pause(until, length, trouble)
        return until

    def recovered(self, issuer: str) -> None:
        """The platform answered for `issuer`."""
        self._pauses.pop(issuer, None)

    def forget(self) -> None:
        """Credentials or addresses were changed: what failed with the old ones is worth another try."""
        self._pauses.clear()

    def left_alone(self, now: datetime) -> frozenset[str]:
        """The issuers to be left alone now."""
        return frozenset(issuer for issuer, pause in self.troubles.items() if now < pause.until)

    @property
    def troubles(self) -> dict[str, Pause]:
        """The issuers in trouble, for `status` and for exit code 4."""
        return dict(self._pauses)
