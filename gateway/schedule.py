"""What runs when: lanes, each alone in its thread, all driven by APScheduler; what ran is kept in the ledger.

Lanes do not wait for one another: a slow platform delays no intake. A lane never runs twice at once, and a run
missed while we were down happens once, at the start (`acks.due` reads the last run from the ledger, and knows both
nights when the clock changes). File events only make the next look come sooner.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from gateway.acks.due import IMMEDIATE, due
from gateway.app import Gateway
from gateway.buyers.writing import Busy, TooFew
from gateway.config import Settings
from gateway.front import make_folders
from gateway.ledger.archive import make_durable_folder
from gateway.routes.protocol import RouteTrouble
from gateway.steps.house import Step
from gateway.steps.pack import Pack
from gateway.transports.events import FolderEvents

#: How often the lanes that only read indexes look whether something is due.
_TICK_S: Final = 2.0
_TELL_S: Final = 5.0
#: Events come in bursts: one look for all of them.
_BURST_S: Final = 0.05
#: Nobody waits for a pick-up to be noticed, and a folder that is never emptied is long to compare.
_PICK_UP_S: Final = 30.0
_DIRECTORY_S: Final = 30.0
#: When a refresh of the directory that failed is tried again.
_DIRECTORY_AGAIN: Final = timedelta(minutes=30)


class Service:
    """`gateway run`: the lanes, until told to stop."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._filling = gateway.pack(patient=True)
        self._at_once = gateway.pack(patient=False)
        self._hinted = threading.Event()
        self._finished = threading.Event()  #: a sender has finished a file at our own server, or one was fetched
        self._at_once_thread = threading.Thread(target=self._whenever_finished, name="at-once", daemon=True)
        self.front = gateway.front(self._finished.set)
        self._stopping = threading.Event()
        self._log = structlog.get_logger("gateway.service")
        self._lanes: Mapping[str, Callable[[], None]] = {
            "intake": self._intake,
            "send": self._send,
            "follow": self._follow,
            "tell": self._tell,
            "remotes": self._remotes,
            "pick-ups": self._pick_ups,
            "directory": self._directory,
            "configuration": self._reload,
        }
        self._in_hand = {name: threading.Lock() for name in self._lanes}
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(len(self._lanes))},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._events = FolderEvents(self._hint)

    def start(self) -> None:
        """Recover what the last process left, then start the lanes."""
        settings = self._gateway.configuration.settings
        self._gateway.recover()
        for name, seconds in self._intervals(settings).items():
            self._scheduler.add_job(
                self.run, IntervalTrigger(seconds=seconds), (name,), id=name, next_run_time=datetime.now(UTC)
            )
        self._watch(settings)
        self._scheduler.start()
        self._at_once_thread.start()
        if self.front is not None:
            self.front.server.start()
        self._log.info("started", partners=len(settings.partners), issuers=len(settings.issuers))

    def stop(self) -> None:
        """Begin nothing new, let what is in hand end, tell what is owed. A second call does nothing."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        if self.front is not None:
            self.front.server.stop()
        self._finished.set()
        self._events.stop()
        # Not `wait=True`: APScheduler then waits with its own lock held, which a lane that ends may be asking for.
        self._scheduler.shutdown(wait=False)
        for lane in self._in_hand.values():
            with lane:  # and let go of: a run that was handed out but had not begun comes here too, and ends at once
                pass
        self._gateway.tell.run()
        self._log.info("stopped")

    def run(self, lane: str) -> None:
        """One run of a lane, now. What fails is told and tried again at the next run: rows kept their states."""
        with self._in_hand[lane]:
            try:
                if self._goes_on():
                    self._lanes[lane]()
            except Exception:
                self._log.exception("lane_failed", lane=lane)

    def _intervals(self, settings: Settings) -> Mapping[str, float]:
        rescan = settings.intake.rescan.total_seconds()
        return {
            "intake": rescan,
            "send": _TICK_S,
            "follow": _TICK_S,
            "tell": _TELL_S,
            "remotes": _TICK_S,
            "pick-ups": _PICK_UP_S,
            "directory": _DIRECTORY_S,
            "configuration": rescan,
        }

    def _watch(self, settings: Settings) -> None:
        """Listen to the drop folders of these settings, and to no others."""
        self._events.stop()
        self._events = FolderEvents(self._hint)
        if settings.intake.watch and not self._stopping.is_set():
            self._events.watch(partner.inbox for partner in settings.partners.values())

    def _hint(self) -> None:
        """Something happened in a drop folder: look when it may have become quiet."""
        self._hinted.set()
        partners = self._gateway.configuration.settings.partners.values()
        self._soon("intake", max(_BURST_S, min((p.completeness.hint_delay_s for p in partners), default=_TICK_S)))

    def _whenever_finished(self) -> None:
        """A file is whole by its sender's word: it is taken, decided and told without waiting for any interval."""
        while self._finished.wait() and self._goes_on():
            self._finished.clear()
            for lane in ("intake", "tell", "remotes"):
                self.run(lane)

    def _soon(self, name: str, seconds: float) -> None:
        job = self._scheduler.get_job(name) if self._goes_on() else None
        moment = datetime.now(UTC) + timedelta(seconds=seconds)
        if job is not None and (job.next_run_time or moment) > moment:
            with suppress(JobLookupError):  # stopped meanwhile
                job.modify(next_run_time=moment)

    def _shortest_quiet(self) -> float:
        partners = self._gateway.configuration.settings.partners.values()
        return min((p.completeness.quiet_s for p in partners), default=_TICK_S)

    def _goes_on(self) -> bool:
        return not self._stopping.is_set()

    # --- the lanes -------------------------------------------------------------------------------------------

    def _intake(self) -> None:
        gateway = self._gateway
        steps: tuple[Step, ...] = (gateway.receive, gateway.open, gateway.judge, gateway.decide, gateway.amend)
        moved = 1
        decided = False
        while moved and self._goes_on():
            self._hinted.clear()
            moved = sum(step.run() for step in steps)
            decided = decided or bool(moved)
        if decided:
            self._soon("tell", 0)
        # APScheduler drops what becomes due while the lane runs: a hint that came during the last look is kept here.
        # What waits for more to come, such as a marker, is looked at when an event or the rescan says so.
        if gateway.receive.settling or self._hinted.is_set():
            self._soon("intake", self._shortest_quiet())

    def _send(self) -> None:
        gateway = self._gateway
        sending = gateway.configuration.settings.sending
        now = gateway.clock.now()
        gateway.settle.run()
        if not sending.hours.contains(now):
            return
        if sending.schedule == IMMEDIATE:
            self._pack(self._filling)
        else:
            with gateway.ledger.reading() as unit:
                last = unit.last_run("send")
            if due(sending.schedule, last, now):
                self._pack(self._at_once)  # the next chance to fill a flow is the next run
                self._ran("send", now)
        while self._goes_on() and gateway.deposit.run():
            pass

    def _pack(self, pack: Pack) -> None:
        while self._goes_on() and pack.run():
            pass

    def _follow(self) -> None:
        gateway = self._gateway
        while self._goes_on() and gateway.follow_flows.run():
            pass
        now = gateway.clock.now()
        poll = gateway.configuration.settings.follow.status_poll
        with gateway.ledger.reading() as unit:
            last = unit.last_run("statuses")
        if last is None or now - last >= poll or last > now:
            gateway.follow_statuses.run(self._goes_on)
            self._ran("statuses", now, now + poll)

    def _tell(self) -> None:
        self._gateway.tell.run()

    def _remotes(self) -> None:
        """Begins what is due at partners' own servers; each goes on by itself."""
        self._gateway.remotes.look(self._finished.set)

    def _pick_ups(self) -> None:
        if self.front is not None:
            self.front.look_after()
        self._gateway.tell.notice_pick_ups()

    def _directory(self) -> None:
        """The refresh of the directory at its hour; one that fails is tried again after a while."""
        gateway = self._gateway
        now = gateway.clock.now()
        with gateway.ledger.reading() as unit:
            last, again = unit.last_run("directory"), unit.next_due("directory")
        if last is None:  # the first start: what was imported or asked for is as good as it can be
            self._ran("directory", now)
            return
        waits = again is not None and last <= now < again
        if waits or not due(gateway.configuration.settings.directory.refresh, last, now):
            return
        try:
            refreshed = gateway.directory.refresh(go_on=self._goes_on)
        except (RouteTrouble, TooFew, Busy) as trouble:
            self._log.error("directory_not_refreshed", reason=str(trouble))
            self._ran("directory", last, now + _DIRECTORY_AGAIN)
            return
        self._ran("directory", now)
        if refreshed is not None:
            self._log.info("directory_refreshed", bodies=refreshed.buyers, services=refreshed.services)

    def _ran(self, job: str, at: datetime, again: datetime | None = None) -> None:
        with self._gateway.ledger.writing("schedule") as unit:
            unit.set_last_run(job, at, again)

    def _reload(self) -> None:
        """Take a changed configuration: its partners are listened to and served from now on."""
        outcome = self._gateway.configuration.reload()
        for fault in outcome.faults:
            self._log.error("configuration_not_reloaded", fault=str(fault))
        if not outcome.changed:
            return
        settings = self._gateway.configuration.settings
        self._gateway.take_settings()
        for partner in settings.partners.values():
            make_durable_folder(partner.inbox)
        if self.front is not None:
            make_folders(settings)  # a new partner may log in from now on
        self._watch(settings)
        for name, seconds in self._intervals(settings).items():
            if (job := self._scheduler.get_job(name)) is not None and job.trigger.interval.total_seconds() != seconds:
                job.reschedule(IntervalTrigger(seconds=seconds))
        self._hint()
        self._log.info("configuration_reloaded", partners=len(settings.partners), issuers=len(settings.issuers))
