"""The configuration as the rest of the gateway sees it: one frozen value, checked, with every default filled in.

Sections keep the names that they have in `gateway.toml`; durations are `timedelta`, sizes are bytes, paths are
absolute, secrets are `Secret`. Partners and issuers are the domain's own values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sqlalchemy import URL, make_url

from gateway.config.faults import Fault
from gateway.config.model import (
    Chorus,
    DirectorySettings,
    Follow,
    Gateway,
    Intake,
    Ledger,
    Platform,
    Rules,
    Sending,
    Unpacking,
    Workers,
)
from gateway.config.sftp import LoginTable, SftpServer, SftpTable
from gateway.domain.issuer import Environment, Issuer
from gateway.domain.partner import Partner

#: Token and API address of AIFE's platforms (domain facts 1.1).
PLATFORMS: Final[Mapping[Platform, tuple[str, str]]] = {
    Platform.PRODUCTION: ("https://oauth.piste.gouv.fr/api/oauth/token", "https://api.piste.gouv.fr"),
    Platform.SANDBOX: ("https://sandbox-oauth.piste.gouv.fr/api/oauth/token", "https://sandbox-api.piste.gouv.fr"),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """All that was configured. `source` is the `gateway.toml` it was read from."""

    source: Path
    fingerprint: str
    gateway: Gateway
    ledger: Ledger
    intake: Intake
    unpacking: Unpacking
    workers: Workers
    sending: Sending
    follow: Follow
    directory: DirectorySettings
    rules: Rules
    chorus: Chorus
    sftp_server: SftpServer
    partners: Mapping[str, Partner]  #: by name
    remotes: Mapping[str, SftpTable]  #: the own servers of partners, by the partner's name
    logins: Mapping[str, LoginTable]  #: the logins at our server, by the partner's name
    issuers: Mapping[str, Issuer]  #: by SIRET
    warnings: tuple[Fault, ...] = field(default=())

    @property
    def environment(self) -> Environment:
        return self.gateway.environment

    @property
    def sandbox(self) -> bool:
        """Fictitious SIRETs are to be expected (domain facts 1.7)."""
        return self.gateway.environment is Environment.TEST

    @property
    def state_dir(self) -> Path:
        return self.gateway.state_dir

    @property
    def archive_dir(self) -> Path:
        return self.gateway.state_dir / "archive"

    @property
    def lock_file(self) -> Path:
        """Held by the one process that may run on this state."""
        return self.gateway.state_dir / "gateway.lock"

    @property
    def snapshot(self) -> Path:
        """The directory snapshot."""
        return self.directory.snapshot or self.gateway.state_dir / "directory.sqlite3"

    @property
    def sftp_host_keys(self) -> Path:
        """Folder of our SFTP server's host keys."""
        return self.sftp_server.host_keys or self.gateway.state_dir / "sftp"

    @property
    def known_servers(self) -> Path:
        """Where the host keys that were taken at first use are remembered."""
        return self.gateway.state_dir / "sftp" / "known_hosts"

    @property
    def pack_files(self) -> tuple[Path, ...]:
        """The further packs.toml files."""
        return tuple(folder / "packs.toml" for folder in self.rules.packs)

    @property
    def ledger_url(self) -> URL:
        """The database. Its `str` and `repr` hide the password."""
        if not self.ledger.url:
            return URL.create("sqlite", database=str(self.gateway.state_dir / "ledger.sqlite3"))
        url = make_url(self.ledger.url)
        return url.set(password=self.ledger.password.reveal()) if self.ledger.password else url

    @property
    def token_url(self) -> str:
        return PLATFORMS[self.chorus.platform][0] if self.chorus.platform in PLATFORMS else self.chorus.token_url

    @property
    def api_url(self) -> str:
        """Address before `/cpro/…`, without a slash at the end."""
        return PLATFORMS[self.chorus.platform][1] if self.chorus.platform in PLATFORMS else self.chorus.api_url
