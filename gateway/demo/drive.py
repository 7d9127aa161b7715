"""Drives the gateway's own steps through the nights and days of the demo, hand in hand with the simulator's clock.

Folders, files, worker processes, ledger and HTTP are the real ones; only time is played: gateway and platform read
the same clock, which moves when we say so, so that a payment four hours away takes no four hours.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

from gateway.app import Gateway
from gateway.demo.drops import DemoFile, How
from gateway.demo.pushing import Pushing
from gateway.demo.scene import ERP, OPERATOR, Scene
from gateway.domain.states import DocumentState, FlowState
from gateway.simulator import Simulator

_D, _F = DocumentState, FlowState
_NAP_S: Final = 0.02
_MINUTES: Final = timedelta(minutes=3)
_HOUR: Final = timedelta(hours=1)
#: More than any flow or fate of the demo needs.
_MOST_MINUTES: Final = 40
_MOST_HOURS: Final = 24
_QUIET_HOURS: Final = 3
_GIVING_UP_S: Final = 10.0


class PlatformClock:
    """The gateway's clock shows what the platform's shows."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def now(self) -> datetime:
        return self._simulator.now()


class Drive:
    """The steps, and the passing of time. `say` is told what is going on."""

    def __init__(
        self, gateway: Gateway, simulator: Simulator, scene: Scene, erp: Pushing, say: Callable[[str], None]
    ) -> None:
        self._gateway = gateway
        self._simulator = simulator
        self._scene = scene
        self._erp = erp
        self._say = say
        self._pack = gateway.pack(patient=False)
        self.saw_a_lost_answer = False
        gateway.recover()

    def night(self, files: Iterable[DemoFile]) -> None:
        """Drop files, take and judge them, send what is good, and wait until Chorus Pro has said yes or no."""
        for number, file in enumerate(files, 1):
            if file.partner == ERP and file.how is How.WHOLE and "/" not in file.name:
                self._erp.push(file)
            else:
                drop(self._scene, file)
            self._say(f"{number} files dropped")
        self._say("taking, judging and sending")
        self._work()
        for _ in range(_MOST_MINUTES):
            if not self._under_way():
                return
            self._say(f"asking Chorus Pro what became of the flows, {self._time()}")
            self._simulator.advance(_MINUTES)
            self._gateway.settle.run()
            self._gateway.follow_flows.run()
            self._work()

    def days(self) -> None:
        """Let hours pass and follow the invoices, until nothing has happened for a while."""
        quiet = 0
        for _ in range(_MOST_HOURS):
            self._simulator.advance(_HOUR)
            self._say(f"following the invoices, {self._time()}")
            quiet = 0 if self._gateway.follow_statuses.run() else quiet + 1
            self._work()
            if quiet == _QUIET_HOURS:
                return

    def give_up_on_the_cut_one(self) -> None:
        """The operator's patience is two seconds by the wall clock: wait until what never got whole is refused."""
        deadline = time.monotonic() + _GIVING_UP_S
        while any(path.is_file() for path in self._scene.inbox(OPERATOR).iterdir()) and time.monotonic() < deadline:
            self._say("waiting for a file that never gets whole")
            time.sleep(_NAP_S)
            self._work()

    def _work(self) -> None:
        """All steps until nothing moves and every file is either taken or not whole; then tell."""
        gateway = self._gateway
        steps = (
            gateway.receive, gateway.open, gateway.judge, gateway.decide, gateway.amend, self._pack, gateway.deposit,
        )  # fmt: skip
        while True:
            if sum(step.run() for step in steps) == 0:
                if not gateway.receive.settling:
                    break
                time.sleep(_NAP_S)
        gateway.tell.run()

    def _under_way(self) -> bool:
        with self._gateway.ledger.reading() as unit:
            self.saw_a_lost_answer = self.saw_a_lost_answer or unit.any_flow(_F.UNKNOWN)
            return unit.any_document(_D.READY, _D.PACKED, _D.SENT) or unit.any_flow(
                _F.PACKED, _F.INTENDED, _F.UNKNOWN, _F.SENT
            )

    def _time(self) -> str:
        return f"{self._simulator.now():%d %B %H:%M}"


def drop(scene: Scene, file: DemoFile) -> None:
    """Put a file into its partner's folder on this machine, as that partner does it."""
    target = scene.inbox(file.partner) / file.name
    target.parent.mkdir(exist_ok=True)
    match file.how:
        case How.WHOLE:
            # As careful senders do: nobody sees the file before it is whole.
            hidden = target.with_name(f".{target.name}.writing")
            hidden.write_bytes(file.content)
            hidden.rename(target)
        case How.COMPLETED | How.CUT:
            target.write_bytes(file.content[: len(file.content) // 2])
        case How.LINK:
            target.symlink_to(scene.config)


def complete(scene: Scene, file: DemoFile) -> None:
    """The rest of a file that was half written."""
    with (scene.inbox(file.partner) / file.name).open("ab") as half:
        half.write(file.content[len(file.content) // 2 :])
