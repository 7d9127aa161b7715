"""Our own SFTP server put together with the rest: who may log in follows the configuration, and a file that was closed
is told to the intake at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import structlog

from gateway.clock import Clock
from gateway.config import Settings
from gateway.domain.partner import Partner
from gateway.ledger.archive import make_durable_folder
from gateway.steps.house import Roster
from gateway.transports.completeness.closed import Closed
from gateway.transports.local import look_again
from gateway.transports.sftp_server.server import SftpServer
from gateway.transports.sftp_server.settings import Account, Completed, ServerSettings

_INBOX: Final = "in"
_SWEEP_S: Final = 3600.0


class ConfiguredAccounts:
    """The logins of the configuration in force."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster

    def find(self, name: str) -> Account | None:
        """The account of a user name."""
        partner = self.partner(name)
        return None if partner is None else account_of(partner, self._roster.settings)

    def all(self) -> Iterable[Account]:
        """Every account."""
        settings = self._roster.settings
        return [account_of(settings.partners[name], settings) for name in settings.logins]

    def partner(self, user: str) -> Partner | None:
        """The partner that logs in as `user`."""
        settings = self._roster.settings
        named = (name for name, login in settings.logins.items() if (login.user or name) == user)
        return settings.partners.get(next(named, ""))


class Front:
    """Serves as long as the gateway runs. `closed` is called after each file that its sender has finished."""

    def __init__(
        self,
        roster: Roster,
        clock: Clock,
        registry: Closed,
        closed: Callable[[], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._swept = monotonic()
        self._accounts = ConfiguredAccounts(roster)
        self._known = {account.name: account for account in self._accounts.all()}
        self._registry = registry
        self._closed = closed
        make_folders(roster.settings)
        self.server = SftpServer(
            server_settings(roster.settings), self._accounts, on_complete=self._completed, clock=clock
        )

    def look_after(self) -> None:
        """End the sessions of accounts that are changed or gone, and clear what was never finished, once an hour."""
        accounts = {account.name: account for account in self._accounts.all()}
        for name, known in self._known.items():
            if accounts.get(name) != known:
                self.server.end_sessions(name)
        self._known = accounts
        if self._monotonic() - self._swept >= _SWEEP_S:
            self._swept = self._monotonic()
            self.server.sweep()

    def _completed(self, completed: Completed) -> None:
        partner = self._accounts.partner(completed.account)
        if partner is None or completed.folder != _INBOX:
            return
        note_closed(self._registry, partner.inbox, completed.name)
        self._closed()


def note_closed(registry: Closed, inbox: Path, name: bytes) -> None:
    """A file of ours, or one that was closed at our server, stands whole under its name in a drop folder."""
    look = look_again(inbox, name)
    if look is not None:
        registry.note(inbox, look)


def make_folders(settings: Settings) -> None:
    """The folders that a partner finds: it may come before anything of ours has looked for its files.

    One that cannot be made is told, and stops neither the others nor the gateway.
    """
    for partner in settings.partners.values():
        try:
            for folder in (partner.inbox, partner.outbox, partner.root / "book"):
                make_durable_folder(folder)
        except OSError as error:
            structlog.get_logger("gateway.front").error(
                "folders_not_made", partner=partner.name, error=error.strerror or str(error)
            )


def account_of(partner: Partner, settings: Settings) -> Account:
    """A partner's login as the server wants it told."""
    login = settings.logins[partner.name]
    return Account(
        name=login.user or partner.name,
        root=partner.root,
        keys=login.keys,
        password_hash=login.password_hash.reveal() if login.password_hash else "",
        quota_bytes=login.quota_bytes,
        quota_files=login.quota_files,
        file_limit_bytes=partner.completeness.limit_bytes,
        rate_bytes_s=login.rate_bytes,
    )


def server_settings(settings: Settings) -> ServerSettings:
    """The server of a configuration; `[sftp_server] listen` is set."""
    wishes = settings.sftp_server
    address, _, port = wishes.listen.rpartition(":")
    return ServerSettings(
        host_keys=settings.sftp_host_keys,
        address=address.strip("[]"),
        port=int(port),
        passwords=any(login.password_hash for login in settings.logins.values()),
        connections=wishes.connections,
        connections_per_partner=wishes.connections_per_partner,
        login_s=wishes.login_timeout.total_seconds(),
        idle_s=wishes.idle_timeout.total_seconds(),
        depth=settings.intake.depth,
        fsync_on_close=wishes.sync,
    )
