"""`gateway run --once`: one nightly run, from the folders to its goal, then out.

The same steps as the service, one after the other. It ends when its goal is reached and nothing that can be taken
waits in a folder; files that are not whole are left where they are, and said. What is owed is told at its end whatever
the partners' schedules say: nobody would be there when their hour comes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from gateway.app import Gateway
from gateway.domain.states import DocumentState, FlowState, InterchangeState
from gateway.ledger.unit import Unit

_I, _D, _F = InterchangeState, DocumentState, FlowState
_NAP_S: Final = 0.2


class Goal(StrEnum):
    """How far a run goes."""

    ACKED = "acked"  #: everything taken is decided, and told
    DEPOSITED = "deposited"  #: … and everything to be sent is at the platform
    INTEGRATED = "integrated"  #: … and the platform has said what became of it


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did. `reached`: its goal; `unreachable`: the platform was in trouble to the end."""

    reached: bool
    unreachable: bool
    received: int
    decided: int
    refused: int
    deposited: int
    told: int
    left: int  #: files left in the folders because they are not whole
    seconds: float


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is, for a progress bar."""

    received: int
    decided: int
    waiting: int


class OneRun:
    """Drives the steps to a goal."""

    def __init__(
        self, gateway: Gateway, goal: Goal, max_wait: timedelta, watch: Callable[[Progress], None] = lambda _: None
    ) -> None:
        self._gateway = gateway
        self._goal = goal
        self._max_wait = max_wait.total_seconds()
        self._watch = watch
        self._pack, self._pack_the_rest = gateway.pack(patient=True), gateway.pack(patient=False)
        self._since = gateway.clock.now()
        self._received = self._decided = self._told = 0
        self._first = True

    def run(self) -> Outcome:
        """Recover, then go round until the goal is reached or the time is up."""
        started = time.monotonic()
        self._since = self._gateway.clock.now()
        self._gateway.recover()
        while True:
            moved = self._round()
            self._watch(Progress(self._received, self._decided, self._gateway.receive.waiting))
            spent = time.monotonic() - started
            if not moved:
                reached = self._reached()
                remotes = self._gateway.remotes
                quiet = not (self._gateway.receive.settling or remotes.settling or remotes.busy)
                if (quiet and (reached or self._nothing_due(spent))) or spent > self._max_wait:
                    return self._outcome(reached, spent)
                time.sleep(_NAP_S)

    def _round(self) -> int:
        gateway = self._gateway
        if self._first or gateway.remotes.settling:  # a server that is slow keeps nobody else's files waiting
            gateway.remotes.begin()
        self._first = False
        fetched = gateway.remotes.moved()
        received = gateway.receive.run()
        opened = gateway.open.run()
        judged = gateway.judge.run()
        decided = gateway.decide.run()
        moved = fetched + received + opened + judged + decided + gateway.amend.run()
        self._received += received
        self._decided += decided
        if self._goal is not Goal.ACKED:
            pack = self._pack if moved else self._pack_the_rest  # while more comes, flows fill up
            moved += pack.run() + gateway.deposit.run() + gateway.settle.run()
        if self._goal is Goal.INTEGRATED:
            moved += gateway.follow_flows.run()
        if not moved:
            told = gateway.tell.run(now=True)
            self._told += told
            moved += told
            gateway.remotes.deliver()
        return moved

    def _reached(self) -> bool:
        with self._gateway.ledger.reading() as unit:
            if self._undecided(unit):
                return False
            if self._goal is Goal.ACKED:
                return True
            if unit.any_document(_D.READY, _D.PACKED) or unit.any_flow(_F.PACKED, _F.INTENDED, _F.UNKNOWN):
                return False
            return self._goal is Goal.DEPOSITED or not unit.any_flow(_F.SENT)

    def _nothing_due(self, spent: float) -> bool:
        """Is all that is left due after our time only, such as a flow that needs a person?"""
        with self._gateway.ledger.reading() as unit:
            if self._undecided(unit) or unit.any_document(_D.READY):
                return False
            by = self._gateway.clock.now() + timedelta(seconds=self._max_wait - spent)
            return not unit.any_flow_due(by, _F.PACKED, _F.INTENDED, _F.UNKNOWN, _F.SENT)

    def _undecided(self, unit: Unit) -> bool:
        """Is anything taken and not decided, or decided and not told (an out/ folder that cannot be written to)?"""
        return (
            unit.any_interchange(_I.SEEN, _I.CLAIMED, _I.ARCHIVED)
            or unit.any_document(_D.OPENED, _D.JUDGED)
            or unit.any_ack_owed(self._gateway.configuration.settings.partners)
        )

    def _refused(self) -> int:
        with self._gateway.ledger.reading() as unit:
            return unit.refused_since(self._since)

    def _outcome(self, reached: bool, seconds: float) -> Outcome:
        return Outcome(
            reached=reached,
            unreachable=bool(self._gateway.patience.troubles) and not reached,
            received=self._received,
            decided=self._decided,
            refused=self._refused(),
            deposited=self._gateway.deposit.taken,
            told=self._told,
            left=self._gateway.receive.waiting,
            seconds=seconds,
        )
