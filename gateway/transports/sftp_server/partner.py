"""What all sessions of one partner share: its account, what it has standing, its pace, what it delivered just now."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.transports.sftp_server.delivered import Delivered
from gateway.transports.sftp_server.pace import Pace
from gateway.transports.sftp_server.quota import Usage
from gateway.transports.sftp_server.settings import Account


@dataclass(eq=False, slots=True)
class Partner:
    """One account in use."""

    account: Account
    usage: Usage
    pace: Pace
    delivered: Delivered


@dataclass(slots=True)
class Partners:
    """The partners seen since the start, as many as there are accounts."""

    monotonic: Callable[[], float]
    _known: dict[str, Partner] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, account: Account) -> Partner:
        """What the sessions of `account` share; anew when the configuration of the account changed."""
        with self._lock:
            known = self._known.get(account.name)
            if known is None or known.account != account:
                known = Partner(
                    account,
                    Usage(account, self.monotonic),
                    Pace(account.rate_bytes_s, self.monotonic),
                    Delivered(self.monotonic),
                )
                self._known[account.name] = known
            return known
