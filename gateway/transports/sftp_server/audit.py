"""What was done, by whom, from where: every login and every file operation, to the log and to whoever listens.

Names and texts from outside are made printable before they go anywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

import structlog

from gateway.clock import Clock
from gateway.domain.finding import printable

_LONGEST: Final = 512


class Outcome(StrEnum):
    OK = "ok"
    REFUSED = "refused"  #: we did not let it happen
    FAILED = "failed"  #: the system did not
    LOST = "lost"  #: the connection ended in the middle


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One line of the audit. `path` is as the partner names it, printable; `key` is a fingerprint."""

    at: datetime
    session: int
    address: str
    account: str
    operation: str
    outcome: Outcome
    path: str = ""
    size_bytes: int = 0
    detail: str = ""
    key: str = ""


AuditListener = Callable[[AuditEvent], None]


def complain(event: str, **facts: object) -> None:
    """Log the exception in hand; never raises: a log that cannot be written (full disk, closed pipe) is no reason to
    leave undone what comes after."""
    with suppress(Exception):
        structlog.get_logger("gateway.sftp_server").exception(event, **facts)


class Audit:
    """Tells the log and one listener."""

    def __init__(self, clock: Clock, listener: AuditListener | None = None) -> None:
        self._clock = clock
        self._listener = listener
        self._log = structlog.get_logger("gateway.sftp_server")

    def tell(self, event: AuditEvent) -> None:
        """Tell one event; never raises."""
        facts = {"session": event.session, "address": event.address, "account": event.account}
        facts |= {"operation": event.operation, "outcome": event.outcome.value}
        extra = {"path": event.path, "size_bytes": event.size_bytes, "detail": event.detail, "key": event.key}
        facts |= {name: value for name, value in extra.items() if value}
        with suppress(Exception):  # as for `complain`
            say = self._log.info if event.outcome is Outcome.OK else self._log.warning
            say("sftp_login" if event.operation == "login" else "sftp_operation", **facts)
        if self._listener is not None:
            try:
                self._listener(event)
            except Exception:
                complain("audit_listener_failed")

    def now(self) -> datetime:
        """The time of the audit's clock, aware, in UTC."""
        return self._clock.now()


class Trail:
    """The audit of one session: knows who it is."""

    def __init__(self, audit: Audit, session: int, address: str) -> None:
        self._audit = audit
        self._session = session
        self._address = address
        self.account = ""  #: empty until a name was given
        self.key = ""  #: fingerprint of the key that was used

    def tell(
        self, operation: str, outcome: Outcome, path: bytes = b"", *, size_bytes: int = 0, detail: str = ""
    ) -> None:
        """One event of this session."""
        self._audit.tell(
            AuditEvent(
                at=self._audit.now(),
                session=self._session,
                address=self._address,
                account=printable(self.account, 100),
                operation=operation,
                outcome=outcome,
                path=printable(path.decode("utf-8", "replace"), _LONGEST),
                size_bytes=size_bytes,
                detail=printable(detail, _LONGEST),
                key=self.key if operation == "login" else "",
            )
        )

    def now(self) -> datetime:
        return self._audit.now()
