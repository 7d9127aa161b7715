"""Builds the parts from a configuration and puts them together: the only place that knows them all."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from gateway.clock import Clock, SystemClock
from gateway.config import Configuration, Settings
from gateway.directory import LiveBuyers
from gateway.domain.issuer import Route
from gateway.front import Front, note_closed
from gateway.ledger.archive import Archive, make_durable_folder
from gateway.ledger.ledger import Ledger, open_ledger
from gateway.parsers.archive import ArchiveLimits
from gateway.remotes import Remotes
from gateway.routes.chorus_api.client import ChorusApi
from gateway.routes.chorus_api.settings import Account, ChorusSettings, Limits, Timeouts
from gateway.steps.amend import Amend
from gateway.steps.decide import Decide
from gateway.steps.deliver import Deliver
from gateway.steps.deposit import Deposit
from gateway.steps.fetch import Fetch
from gateway.steps.follow_flows import FollowFlows
from gateway.steps.follow_statuses import FollowStatuses
from gateway.steps.house import Examiner, House
from gateway.steps.judge import Judge
from gateway.steps.open import Open
from gateway.steps.pack import Pack
from gateway.steps.receive import Receive
from gateway.steps.settle import Settle
from gateway.steps.tell import Tell
from gateway.steps.trouble import Patience
from gateway.transports.completeness.closed import Closed
from gateway.workers.examiner import PoolExaminer
from gateway.workers.pool import Ceilings

_MIB: Final = 1024 * 1024


class Gateway:
    """All parts, put together. `close` when done."""

    def __init__(
        self, configuration: Configuration, clock: Clock | None = None, examiner: Examiner | None = None
    ) -> None:
        self.configuration = configuration
        settings = configuration.settings
        self.clock = clock or SystemClock()
        make_durable_folder(settings.archive_dir)
        self.ledger = open_gateway_ledger(settings, self.clock)
        self.chorus = ChorusApi(chorus_settings(settings), self.clock)
        self.examiner: Examiner = examiner or PoolExaminer(
            settings.workers.processes,
            Ceilings(settings.workers.document_timeout.total_seconds(), settings.workers.memory_mb * _MIB),
            settings.archive_dir,
            archive_limits(settings),
            settings.pack_files,
        )
        self.directory = LiveBuyers(configuration, self.clock, self.chorus)
        self.house = House(
            ledger=self.ledger,
            archive=Archive(settings.archive_dir),
            clock=self.clock,
            roster=configuration,
            examiner=self.examiner,
            buyers=self.directory,
            routes={Route.CHORUS_API: self.chorus},
        )
        self.patience = Patience()
        self.closed = Closed()
        self.receive = Receive(self.house, closed=self.closed)
        self.open = Open(self.house)
        self.judge = Judge(self.house)
        self.decide = Decide(self.house)
        self.amend = Amend(self.house)
        self.deposit = Deposit(self.house, self.patience)
        self.settle = Settle(self.house, self.patience)
        self.follow_flows = FollowFlows(self.house, self.patience)
        self.follow_statuses = FollowStatuses(self.house, self.patience)
        self.tell = Tell(self.house)
        self.fetch = Fetch(self.house, partial(note_closed, self.closed))
        self.remotes = Remotes(self.house, self.fetch, Deliver(self.house))

    def pack(self, *, patient: bool) -> Pack:
        """The packing step; patient in service, at once in a nightly run."""
        return Pack(self.house, patient=patient)

    def front(self, closed: Callable[[], None]) -> Front | None:
        """Our SFTP server, if there is to be one; `closed` is called after each file that its sender has finished."""
        if not self.configuration.settings.sftp_server.listen:
            return None
        return Front(self.configuration, self.clock, self.closed, closed)

    def take_settings(self) -> None:
        """After a reload: the platform's client takes the accounts and addresses that are in force now."""
        settings = chorus_settings(self.configuration.settings)
        if settings != self.chorus.settings:
            self.chorus.take(settings)
            self.patience.forget()

    def recover(self) -> None:
        """What a start does first: see to what the last process left half-way."""
        self.fetch.recover()
        self.receive.recover()
        self.deposit.recover()

    def close(self) -> None:
        """End calls, workers and connections."""
        self.remotes.close()
        self.deposit.close()
        if isinstance(self.examiner, PoolExaminer):
            self.examiner.close()
        self.chorus.close()
        self.ledger.close()


def open_gateway_ledger(settings: Settings, clock: Clock) -> Ledger:
    """The ledger of a configuration."""
    url = settings.ledger_url
    if url.get_backend_name() == "sqlite" and url.database:
        make_durable_folder(Path(url.database).parent)
    return open_ledger(url, clock)


def chorus_settings(settings: Settings) -> ChorusSettings:
    """The client's settings of a configuration."""
    chorus, sending = settings.chorus, settings.sending
    return ChorusSettings(
        token_url=settings.token_url,
        api_url=settings.api_url,
        client_id=chorus.client_id.reveal(),
        client_secret=chorus.client_secret.reveal(),
        accounts={name: Account(a.login, a.password.reveal()) for name, a in chorus.accounts.items()},
        scope=chorus.scope,
        timeouts=Timeouts(
            connect_s=chorus.connect_timeout.total_seconds(),
            read_s=chorus.read_timeout.total_seconds(),
            total_s=chorus.total_timeout.total_seconds(),
            upload_s=chorus.upload_timeout.total_seconds(),
        ),
        limits=Limits(
            documents_per_flow=sending.documents_per_flow,
            file_bytes=sending.file_bytes,
            flow_bytes=sending.flow_bytes,
            answer_bytes=chorus.answer_bytes,
        ),
        ca_bundle=chorus.ca_bundle,
        proxy=chorus.proxy,
    )


def archive_limits(settings: Settings) -> ArchiveLimits:
    """The limits of what archives may hold."""
    unpacking = settings.unpacking
    return ArchiveLimits(
        members=unpacking.members,
        member_bytes=unpacking.member_bytes,
        total_bytes=unpacking.total_bytes,
        ratio=unpacking.ratio,
        depth=unpacking.depth,
    )
