"""`gateway.toml` as a typed model: what this installation is, and how each part of it works.

Every key has a description: the JSON Schema, the table in the documentation and the messages come from it. A model
knows one file only; what holds between files is in `cross.py`, and the domain's own values are made in `load.py`.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from gateway.config.section import MB, Chosen, Days, Language, Name, Patience, Poll, Quiet, Section, Timeout
from gateway.config.sftp import SftpServer
from gateway.config.urls import checked_database_url, checked_proxy_url, checked_service_url
from gateway.config.values import (
    ConfiguredPath,
    ConfiguredSecret,
    Cron,
    Duration,
    Hours,
    HoursOfDay,
    Schedule,
    Size,
    wrong,
)
from gateway.domain.issuer import Environment


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    JSON = "json"
    CONSOLE = "console"


class Platform(StrEnum):
    """Which Chorus Pro: AIFE's two, or any other address (a simulator)."""

    PRODUCTION = "production"
    SANDBOX = "sandbox"
    CUSTOM = "custom"


class Gateway(Section):
    """What this installation is."""

    state_dir: ConfiguredPath = Field(description="Folder of our own: ledger, archive, directory snapshot, lock.")
    environment: Annotated[Environment, Chosen] = Field(
        description="live: invoices count. test: they go to the qualification portal or a simulator."
    )
    language: Language = Field(default="fr", description="Language of texts for people where a partner wishes none.")
    log_level: Annotated[LogLevel, Chosen] = Field(default=LogLevel.INFO, description="What is logged at least.")
    log_format: Annotated[LogFormat, Chosen] = Field(
        default=LogFormat.JSON, description="json for a log collector, console for eyes."
    )


class Ledger(Section):
    """Where the truth is kept."""

    url: Annotated[str, AfterValidator(checked_database_url)] = Field(
        default="",
        description="Database: empty for SQLite in state_dir, or sqlite:///… or postgresql+psycopg://user@host/db.",
    )
    password: ConfiguredSecret | None = Field(
        default=None, description="Password of the PostgreSQL user, by reference."
    )
    commit_size: int = Field(default=100, ge=1, le=1000, description="Rows that share one durable commit at most.")

    @model_validator(mode="after")
    def _password_of_a_server(self) -> Self:
        if self.password is not None and not self.url.startswith("postgresql"):
            raise wrong("nothing, for SQLite has no password", "a reference", key="password")
        return self


class Intake(Section):
    """How files are taken from drop folders; the first three hold where a partner says nothing else."""

    quiet: Quiet = Field(
        default=timedelta(seconds=2),
        description="A file counts as complete when size and time stay unchanged this long.",
    )
    give_up: Patience = Field(
        default=timedelta(minutes=30),
        description="A file that is still not whole after this is refused as INCOMPLETE.",
    )
    limit_bytes: Size = Field(default=100 * MB, ge=1, description="A larger file is refused unread.")
    rescan: Poll = Field(
        default=timedelta(seconds=30), description="Full look at every folder; events are only a hint."
    )
    watch: bool = Field(default=True, description="Listen to file system events; switch off on network file systems.")
    free_bytes: Size = Field(
        default=1000 * MB, description="With less free disk under state_dir claiming pauses; nothing is lost."
    )
    depth: int = Field(default=4, ge=0, le=32, description="Sub-folders below in/ that are looked into.")


class Unpacking(Section):
    """Limits of archives and attachments; what passes them is refused."""

    members: int = Field(default=1000, ge=1, le=100_000, description="Files in one archive at most.")
    member_bytes: Size = Field(default=100 * MB, ge=1, description="Size of one unpacked file at most.")
    total_bytes: Size = Field(default=120 * MB, ge=1, description="Size of all unpacked files of one archive at most.")
    ratio: int = Field(default=200, ge=2, le=10_000, description="Unpacked size divided by packed size at most.")
    depth: int = Field(default=1, ge=0, le=4, description="Archives inside archives that are opened.")


class Workers(Section):
    """The processes in which documents are opened and judged."""

    processes: int = Field(default=2, ge=1, le=256, description="Worker processes; about one for each core.")
    memory_mb: int = Field(default=400, ge=100, le=65_536, description="Memory of one worker at most.")
    document_timeout: Timeout = Field(
        default=timedelta(seconds=30),
        description="Time for one document at most; one that needs more is not judged.",
    )


class Sending(Section):
    """When and in what portions documents are deposited."""

    schedule: Schedule = Field(
        default="immediate", description='"immediate", or a cron line (Europe/Paris) for each run.'
    )
    hours: HoursOfDay = Field(
        default=Hours(), description='Hours (Europe/Paris) in which flows may leave, or "always".'
    )
    wait: Duration = Field(
        default=timedelta(seconds=10), description="How long a document may wait for its flow to fill."
    )
    documents_per_flow: int = Field(default=100, ge=1, le=500, description="Documents in one flow at most.")
    flow_bytes: Size = Field(
        default=30 * MB, ge=1, le=30 * MB, description="Packed size of a flow at most (Chorus Pro: 30 MB)."
    )
    file_bytes: Size = Field(
        default=10 * MB, ge=1, le=10 * MB, description="Size of one file in a flow at most (Chorus Pro: 10 MB)."
    )
    settle: Annotated[
        tuple[Patience, ...],
        Field(strict=False, min_length=1, max_length=10),
    ] = Field(
        default=(timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=60)),
        description="Looks at the platform, counted from a deposit without answer, before it is repeated once.",
    )

    @field_validator("settle")
    @classmethod
    def _settle_rises(cls, settle: tuple[timedelta, ...]) -> tuple[timedelta, ...]:
        if list(settle) != sorted(set(settle)):
            raise wrong("looks one after the other, each later than the one before")
        return settle

    @model_validator(mode="after")
    def _file_fits_flow(self) -> Self:
        if self.file_bytes > self.flow_bytes:
            raise wrong("a size no larger than flow_bytes", "a larger one", key="file_bytes")
        return self


class Follow(Section):
    """How flows and invoices are followed to their end."""

    flow_poll: Poll = Field(default=timedelta(minutes=2), description="How often the report of a flow is asked for.")
    status_poll: Poll = Field(default=timedelta(minutes=30), description="How often statuses are asked for, by search.")
    overlap: Days = Field(default=timedelta(days=1), description="How far each search looks back before the last one.")
    silent_after: Days = Field(
        default=timedelta(days=90), description="An invoice of which nothing is heard this long is told as silent."
    )


class DirectorySettings(Section):
    """The directory of public bodies (annuaire) and how far an old copy is trusted."""

    snapshot: ConfiguredPath | None = Field(
        default=None, description="File of the snapshot; directory.sqlite3 in state_dir where left out."
    )
    refresh: Cron = Field(default="30 1 * * *", description="When the snapshot is refreshed (cron line, Europe/Paris).")
    aged_after: Days = Field(default=timedelta(days=1), description="An older snapshot is used with a warning.")
    hold_after: Days = Field(default=timedelta(days=7), description="With an older snapshot documents are held.")

    @model_validator(mode="after")
    def _aged_before_held(self) -> Self:
        if self.aged_after > self.hold_after:
            raise wrong("a duration no longer than hold_after", "a longer one", key="aged_after")
        return self


class Rules(Section):
    """The rule packs, beside those that are shipped."""

    packs: Annotated[tuple[ConfiguredPath, ...], Field(strict=False, max_length=50)] = Field(
        default=(),
        description="Folders with a packs.toml each: further packs, or newer versions of shipped ones; read at start.",
    )


class Account(Section):
    """A technical account of Chorus Pro (header cpro-account)."""

    login: str = Field(min_length=1, max_length=200, description="Login, such as TECH_1_123456@cpro.fr.")
    password: ConfiguredSecret = Field(description="Password, by reference.")


class Chorus(Section):
    """Chorus Pro through PISTE: addresses, the application's credentials, technical accounts."""

    platform: Annotated[Platform, Chosen] = Field(
        description="production, sandbox (both with AIFE's addresses), or custom (then token_url and api_url)."
    )
    token_url: Annotated[str, AfterValidator(checked_service_url)] = Field(
        default="", description="Address of the OAuth token, for custom only."
    )
    api_url: Annotated[str, AfterValidator(checked_service_url)] = Field(
        default="", description="Address before /cpro/…, for custom only."
    )
    client_id: ConfiguredSecret = Field(description="Id of the PISTE application, by reference.")
    client_secret: ConfiguredSecret = Field(description="Secret of the PISTE application, by reference.")
    scope: str = Field(default="openid", min_length=1, max_length=200, description="OAuth scope that is asked for.")
    connect_timeout: Timeout = Field(default=timedelta(seconds=10), description="Wait for a connection at most.")
    read_timeout: Timeout = Field(default=timedelta(seconds=60), description="Silence in an answer at most.")
    total_timeout: Timeout = Field(default=timedelta(minutes=2), description="Time of a whole call at most.")
    upload_timeout: Timeout = Field(
        default=timedelta(minutes=5), description="Time of a deposit at most, its answer included."
    )
    answer_bytes: Size = Field(default=20 * MB, ge=1024, le=250 * MB, description="A larger answer is not read.")
    ca_bundle: ConfiguredPath | None = Field(
        default=None, description="File of trusted certificates, where a proxy inspects TLS."
    )
    proxy: Annotated[str, AfterValidator(checked_proxy_url)] = Field(
        default="", description="Proxy, such as http://proxy.example:3128; never taken from the environment."
    )
    accounts: dict[Name, Account] = Field(
        default_factory=dict, description="Technical accounts by the name that issuers use."
    )

    @model_validator(mode="after")
    def _addresses(self) -> Self:
        custom = self.platform is Platform.CUSTOM
        for key, given in (("token_url", bool(self.token_url)), ("api_url", bool(self.api_url))):
            if custom and not given:
                raise wrong("an address, for the platform is custom", "nothing", key=key)
            if given and not custom:
                raise wrong("nothing, for the platform is not custom", "an address", key=key)
        return self


class GatewayFile(Section):
    """`gateway.toml`: this installation."""

    gateway: Gateway
    ledger: Ledger = Ledger()
    intake: Intake = Intake()
    unpacking: Unpacking = Unpacking()
    workers: Workers = Workers()
    sending: Sending = Sending()
    follow: Follow = Follow()
    directory: DirectorySettings = DirectorySettings()
    rules: Rules = Rules()
    sftp_server: SftpServer = SftpServer()
    chorus: Chorus
