"""A whole loop for tests: a configuration in a folder, a running simulator, and a gateway built on both.

Suppliers, buyers and accounts are the simulator's own built-in ones (docs/simulator.md). Files are dropped as a
partner would: under a temporary name, then renamed.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from gateway.app import Gateway
from gateway.clock import Clock
from gateway.config import Configuration
from gateway.domain.finding import Layer
from gateway.domain.states import DocumentState, FlowState
from gateway.ledger.rows import DocumentRow
from gateway.once import Goal, OneRun, Outcome
from gateway.parsers.archive import DEFAULT_LIMITS
from gateway.refresh import refresh_buyers
from gateway.rules import chorus, issuer
from gateway.rules.packs import PackRegistry
from gateway.rules.spec import packs_file, read_specs
from gateway.simulator import Simulator
from gateway.steps.receive import Receive
from gateway.workers.examiner import InlineExaminer

SUPPLIER, SECOND_SUPPLIER, OTHER_SUPPLIER = "90000001900019", "90000002700012", "90000003500015"
BUYERS = (
    "11000201100044",
    "12345678200028",
    "12345678200036",
    "12345678200044",
    "12345678200051",
    "12345678200069",
    "12345678200077",
)
ENVIRON: Mapping[str, str] = {
    "CLIENT_ID": "simulator-app",
    "CLIENT_SECRET": "simulator-secret",
    "ACCOUNT_1": "Simulateur-1",
    "ACCOUNT_2": "Simulateur-2",
}

_MAIN = """
[gateway]
state_dir = "state"
environment = "test"
log_level = "error"
log_format = "console"
[ledger]
url = "{ledger}"
[intake]
quiet = "{quiet}"
rescan = "1s"
free_bytes = "1 MB"
[workers]
processes = 1
[sending]
documents_per_flow = {documents_per_flow}
settle = [{settle}]
{sending}
[follow]
flow_poll = "1s"
status_poll = "1s"
[chorus]
platform = "custom"
token_url = "{token_url}"
api_url = "{url}"
client_id = {{ env = "CLIENT_ID" }}
client_secret = {{ env = "CLIENT_SECRET" }}
read_timeout = "10s"
[chorus.accounts.first]
login = "TECH_1_000001@cpro.fr"
password = {{ env = "ACCOUNT_1" }}
[chorus.accounts.second]
login = "TECH_2_000002@cpro.fr"
password = {{ env = "ACCOUNT_2" }}
"""
_PARTNER = """
name = "{name}"
root = "../{name}"
[acks]
format = "{form}"
grouping = "{grouping}"
statuses = [{statuses}]
{schedules}
"""
_ISSUER = """
siret = "{siret}"
name = "Fournisseur {siret}"
route = "chorus-api"
partners = [{partners}]
account = "{account}"
environment = "test"
"""


def write_configuration(
    folder: Path,
    simulator: Simulator,
    *,
    quiet: str = "100ms",
    documents_per_flow: int = 100,
    settle: tuple[str, ...] = ("1s", "2s", "3s"),
    ledger: str = "",
    statuses: tuple[str, ...] = ("*",),
    schedules: str = "",
    sending: str = "",
) -> Path:
    """Two partners (`erp` in CSV per tick, `edi` in JSON Lines per interchange), three issuers, two accounts."""
    for name in ("partners.d", "issuers.d", "state"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    main = _MAIN.format(
        quiet=quiet,
        documents_per_flow=documents_per_flow,
        settle=", ".join(f'"{look}"' for look in settle),
        url=simulator.url,
        token_url=simulator.token_url,
        ledger=ledger,
        sending=sending,
    )
    (folder / "gateway.toml").write_text(main)
    for name, form, grouping in (("erp", "csv", "per-tick"), ("edi", "jsonl", "per-interchange")):
        (folder / "partners.d" / f"{name}.toml").write_text(
            _PARTNER.format(
                name=name,
                form=form,
                grouping=grouping,
                statuses=", ".join(f'"{status}"' for status in statuses),
                schedules=schedules,
            )
        )
    for siret, partners, account in (
        (SUPPLIER, '"erp", "edi"', "first"),
        (SECOND_SUPPLIER, '"erp"', "first"),
        (OTHER_SUPPLIER, '"edi"', "second"),
    ):
        (folder / "issuers.d" / f"{siret}.toml").write_text(
            _ISSUER.format(siret=siret, partners=partners, account=account)
        )
    return folder / "gateway.toml"


class PlatformClock:
    """The gateway's clock shows what the simulator's shows: a day passes when a test says so. Each look takes a
    millisecond, for ids made one after the other must sort so."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._looks = 0

    def now(self) -> datetime:
        self._looks += 1
        return self._simulator.now() + timedelta(milliseconds=self._looks)


_SNAPSHOTS: dict[datetime, bytes] = {}


@cache
def _packs() -> PackRegistry:
    """One for all loops: schemas and our own rules. Their papers carry what the steps need, not what EN 16931 asks."""
    schemas = [spec for spec in read_specs(packs_file()) if spec.layer is Layer.XSD]
    return PackRegistry(schemas, own=(chorus.pack(), issuer.pack()))


class Leaps:
    """A monotonic clock that leaps a second at each look: what stands in a drop folder is quiet at once."""

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        self._now += 1.0
        return self._now


class Loop:
    """A gateway in a folder, in the hands of a test. With `here`, the platform's clock is the gateway's and no
    process is spawned; else everything is as in service."""

    def __init__(
        self, folder: Path, simulator: Simulator, clock: Clock | None = None, *, here: bool = False, **wishes: Any
    ) -> None:
        self.folder = folder
        self.simulator = simulator
        self.here = here
        self.clock = clock or (PlatformClock(simulator) if here else None)
        self.config = write_configuration(folder, simulator, **wishes)
        self.configuration = Configuration(self.config, ENVIRON)
        if here:
            self.gateway = self._gateway()
            self._know_the_buyers()
        else:
            refresh_buyers(self.configuration, BUYERS)
            self.gateway = self._gateway()

    def _know_the_buyers(self) -> None:
        """As `gateway buyers refresh`; once for all loops that begin at the same moment."""
        snapshot = self.configuration.settings.snapshot
        if (known := _SNAPSHOTS.get(self.simulator.now())) is not None:
            snapshot.write_bytes(known)
        else:
            self.gateway.directory.refresh(BUYERS)
            _SNAPSHOTS[self.simulator.now()] = snapshot.read_bytes()

    def _gateway(self) -> Gateway:
        examiner = (
            InlineExaminer(self.configuration.settings.archive_dir, DEFAULT_LIMITS, _packs()) if self.here else None
        )
        gateway = Gateway(self.configuration, self.clock, examiner)
        if self.here:
            gateway.receive = Receive(gateway.house, Leaps(), gateway.closed)
        self._pack = gateway.pack(patient=False)
        return gateway

    def drop(self, name: str, content: bytes, partner: str = "erp") -> None:
        """Drop one file as a well-behaved partner does."""
        drop(self.folder / partner / "in", name, content)

    def run(self, goal: Goal = Goal.INTEGRATED, max_wait: timedelta = timedelta(seconds=60)) -> Outcome:
        """One nightly run; flows are processed by the platform while it waits."""
        run = OneRun(self.gateway, goal, max_wait, lambda _: self.simulator.advance(timedelta(minutes=2)))
        return run.run()

    def take(self) -> None:
        """Take, open, judge and decide whatever lies in the drop folders."""
        gateway = self.gateway
        steps = (gateway.receive, gateway.open, gateway.judge, gateway.decide, gateway.amend)
        while sum(step.run() for step in steps) or gateway.receive.settling:
            pass

    def pack(self) -> None:
        """Pack what is ready, and call nobody."""
        while self._pack.run():
            pass

    def send(self) -> None:
        """Pack and deposit what is ready."""
        self.pack()
        while self.gateway.deposit.run():
            pass

    def night(self, *, most: int = 12) -> None:
        """Take what was dropped, send it, and learn what became of the flows; then tell."""
        self.take()
        self.send()
        for _ in range(most):
            if not self._under_way():
                break
            self.pass_minutes(2)
        self.gateway.tell.run()

    def pass_minutes(self, minutes: float) -> None:
        """Let the platform work, look what became of flows, and send what may go on."""
        self.simulator.advance(timedelta(minutes=minutes))
        self.gateway.settle.run()
        self.gateway.follow_flows.run()
        self.take()
        self.send()

    def pass_hours(self, hours: float, step: float = 1.0) -> None:
        """Let the buyers work, and follow and tell after each `step`."""
        for _ in range(round(hours / step)):
            self.simulator.advance(timedelta(hours=step))
            self.follow()

    def follow(self) -> None:
        """Learn the statuses, and tell them."""
        self.gateway.follow_statuses.run()
        self.gateway.tell.run()

    def restart(self) -> None:
        """Another process takes over."""
        self.gateway.close()
        self.configuration = Configuration(self.config, ENVIRON)
        self.gateway = self._gateway()
        self.gateway.recover()

    def documents(self, number: str) -> list[DocumentRow]:
        """What the ledger holds under this number, oldest first."""
        with self.gateway.ledger.reading() as unit:
            return unit.documents_like(number)

    def states(self, number: str) -> list[str]:
        """The states of those documents."""
        return [str(document.state) for document in self.documents(number)]

    def received(self, number: str) -> int:
        """How often the platform was given this invoice, before any de-duplication of its own."""
        deposits = self.simulator.deposits()
        return sum(document["number"] == number for deposit in deposits for document in deposit["documents"])

    def asked(self, path: str) -> int:
        """How many requests the platform has had on paths that contain this."""
        requests = self.simulator.state()["counters"]["requests"]
        return sum(count for asked, count in requests.items() if path in asked)

    def acks(self, partner: str = "erp") -> list[dict[str, str]]:
        """Every row told to a partner so far, in the order of level and sequence."""
        rows: list[dict[str, str]] = []
        for path in sorted((self.folder / partner / "out").glob("*.csv")):
            if ".findings." not in path.name:
                with path.open(newline="", encoding="utf-8") as file:
                    rows.extend(csv.DictReader(file, delimiter=";"))
        for path in sorted((self.folder / partner / "out").glob("*.jsonl")):
            rows.extend(json.loads(line) for line in path.read_text("utf-8").splitlines())
        return rows

    def findings(self, partner: str = "erp") -> dict[str, dict[str, str]]:
        """The last finding told with each row, by `ack_id`."""
        found: dict[str, dict[str, str]] = {}
        for path in sorted((self.folder / partner / "out").glob("*.findings.csv")):
            with path.open(newline="", encoding="utf-8") as file:
                found.update({row["ack_id"]: row for row in csv.DictReader(file, delimiter=";")})
        return found

    def rows(self, number: str, partner: str = "erp") -> list[dict[str, str]]:
        """What was told of one invoice, in the order in which it came to be owed."""
        told = [row for row in self.acks(partner) if row.get("document_number") == number]
        return sorted(told, key=lambda row: row["ack_id"])

    def told(self, number: str, partner: str = "erp") -> list[tuple[str, str]]:
        """The same in short: (event or native code, reason code)."""
        return [
            (row["native_code"] if row["event"] == "status" else row["event"], row["reason_code"])
            for row in self.rows(number, partner)
        ]

    def events(self, number: str, partner: str = "erp") -> list[str]:
        """The same, shorter still."""
        return [event for event, _ in self.told(number, partner)]

    def _under_way(self) -> bool:
        with self.gateway.ledger.reading() as unit:
            documents = unit.any_document(DocumentState.READY, DocumentState.PACKED, DocumentState.SENT)
            return documents or unit.any_flow(FlowState.PACKED, FlowState.INTENDED, FlowState.UNKNOWN, FlowState.SENT)

    def close(self) -> None:
        """End the gateway."""
        self.gateway.close()


def drop(inbox: Path, name: str, content: bytes) -> None:
    """Write under a temporary name, then rename."""
    path = inbox / name
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.part")
    temporary.write_bytes(content)
    os.rename(temporary, path)


@contextmanager
def loop_in(folder: Path, simulator: Simulator, **wishes: Any) -> Iterator[Loop]:
    """A loop that is closed at the end."""
    loop = Loop(folder, simulator, **wishes)
    try:
        yield loop
    finally:
        loop.close()
        shutil.rmtree(folder / "state" / "archive", ignore_errors=True)
