"""The platform behind the doors: takes deposits, processes flows when they are due, moves invoices on.

Nothing runs in the background: what is due by the simulated clock is done, in order of its time, before anything is
read (`settle`). So a test that advances the clock by a week sees exactly what a week of real time would have left.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection

from gateway.simulator import store as sql
from gateway.simulator.faults import Faults
from gateway.simulator.options import ClockKind, Options
from gateway.simulator.processing import Outcome, process
from gateway.simulator.reading import SYNTAXES, Flow, read_flow
from gateway.simulator.scenario import Scenario
from gateway.simulator.schemas import Schemas
from gateway.simulator.seed import Account, Seed
from gateway.simulator.store import AnyRow, Store
from gateway.simulator.times import SimulatedClock, iso, machine_us, to_us
from gateway.simulator.unpack import TooLarge

APPLICATION: Final = "CPP001"
#: The states that every flow passes, each from this share of its delay on (chorus-pro.md 1.5).
WAITING_STATES: Final = (
    (0.50, "IN_EN_COURS_TRAITEMENT_CPP"),
    (0.30, "IN_TRAITE_SE_CPP"),
    (0.15, "IN_RECU"),
    (0.00, "IN_DEPOT_PORTAIL_EN_ATTENTE_TRAITEMENT_SE_CPP"),
)
APIS: Final = frozenset({"factures", "structures", "transverses", "utilisateurs"})


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the depositor is told. `flow` is empty where the deposit was refused."""

    flow: str
    at: int
    code: int
    libelle: str


class Platform:
    """One Chorus Pro: its state, clock, seed, scenario and switches. Safe to use from any thread."""

    def __init__(self, path: Path | None, options: Options, seed: Seed, scenario: Scenario) -> None:
        self.options, self.seed, self.scenario = options, seed, scenario
        self.faults = Faults()
        self.store = Store(path)
        self.clock = self._clock()
        self.subscriptions = set(APIS)
        self.issues_tokens = True
        self.requests: Counter[str] = Counter()
        self._requests_lock = threading.Lock()
        self._schemas = Schemas()

    # --- tokens: by the machine's clock, since nobody fast-forwards an OAuth server ---

    def new_token(self) -> str:
        token = secrets.token_urlsafe(24)
        now = machine_us()
        with self.store.begin() as connection:
            connection.execute(sql.DROP_OLD_TOKENS, {"now": now})
            expires = now + int(self.options.token_ttl_s * 1_000_000)
            connection.execute(sql.ADD_TOKEN, {"token": token, "expires_at": expires})
        return token

    def knows_token(self, token: str) -> bool:
        with self.store.begin() as connection:
            return connection.execute(sql.LIVE_TOKEN, {"token": token, "now": machine_us()}).first() is not None

    def expire_tokens(self) -> None:
        with self.store.begin() as connection:
            connection.execute(sql.DROP_TOKENS)

    # --- deposits ---

    def deposit(self, account: Account, name: str, syntax: str, content: bytes) -> Receipt:
        """Read, record and queue a deposit. The receipt is durable when this returns, whatever was decided."""
        try:
            flow = read_flow(name, content, SYNTAXES[syntax], self._schemas)
        except TooLarge:
            text = "GDP_MSG_11.022 : La taille du fichier dépasse la limite autorisée"
            return self.record_refusal(account, name, syntax, content, 20001, text)
        incident = self.faults.take("incident", "deposer/flux") is not None
        sha256 = hashlib.sha256(content).hexdigest()
        now = self.clock.now()
        delay = int(self.options.flow_delay_s * 1_000_000)
        with self.store.begin() as connection:
            seq = connection.execute(sql.LAST_FLOW_SEQ).scalar_one() + 1
            interface = SYNTAXES[syntax].interface
            number = f"{APPLICATION}{interface[3:7]}{seq:015d}"
            receipt = Receipt(number, now, 0, "GCU_MSG_01_000")
            connection.execute(sql.ADD_RECEIPT, _receipt(receipt, account, name, syntax, content, sha256, flow))
            connection.execute(
                sql.ADD_FLOW,
                {
                    "flow": number,
                    "seq": seq,
                    "account": account.login,
                    "interface": interface,
                    "syntax": syntax,
                    "deposited_at": now,
                    "due_at": now + delay,
                    "delay": delay,
                    "incident": incident,
                    "documents": [document.kept() for document in flow.documents],
                    "technical": list(flow.technical),
                    "refused": [],
                },
            )
        return receipt

    def record_refusal(
        self, account: Account, name: str, syntax: str, content: bytes, code: int, libelle: str
    ) -> Receipt:
        """A deposit refused at once is received all the same."""
        receipt = Receipt("", self.clock.now(), code, libelle)
        row = _receipt(receipt, account, name, syntax, content, hashlib.sha256(content).hexdigest(), Flow((), ()))
        with self.store.begin() as connection:
            connection.execute(sql.ADD_RECEIPT, row)
        return receipt

    # --- time ---

    def advance(self, by: timedelta) -> int:
        now = self.clock.advance(by)
        self.settle()
        return now

    def settle(self) -> int:
        """Do what is due, in order of time. Returns the instant up to which all is done."""
        now = self.clock.now()
        more = True
        while more:
            with self.store.begin() as connection:
                more = self._process_flows(connection, now)
        more = True
        while more:
            with self.store.begin() as connection:
                more = self._pass_statuses(connection, now)
        return now

    def _process_flows(self, connection: Connection, now: int) -> bool:
        due = connection.execute(sql.DUE_FLOWS, {"now": now}).all()
        for flow in due:
            outcome = process(flow, self.seed, self.options, self.scenario, connection)
            _end(connection, flow.flow, outcome)
        return bool(due)

    def _pass_statuses(self, connection: Connection, now: int) -> bool:
        due = connection.execute(sql.DUE_PASSAGES, {"now": now}).all()
        if due:
            connection.execute(sql.PASS, [{"b_id": row.id} for row in due])
            connection.execute(
                sql.SET_STATUS,
                [{"b_id": r.invoice, "b_status": r.status, "b_at": r.at, "b_comment": r.comment} for r in due],
            )
        return bool(due)

    def state_of(self, flow: AnyRow, now: int) -> tuple[str, int]:
        """The state of a flow and since when: what was decided, else how far it has come."""
        if flow.state is not None:
            return flow.state, flow.state_at
        waited = now - flow.deposited_at
        for share, state in WAITING_STATES:
            since = int(flow.delay * share)
            if waited >= since:
                return state, flow.deposited_at + since
        return WAITING_STATES[-1][1], flow.deposited_at

    # --- by hand ---

    def set_flow(self, number: str, state: str) -> None:
        """Hold or end a flow in any state; an empty state lets a held flow be processed now."""
        now = self.settle()
        with self.store.begin() as connection:
            flow = connection.execute(sql.ONE_FLOW, {"flow": number}).first()
            if flow is None:
                raise KeyError(f"no flow {number}")
            if state:
                _end(connection, number, Outcome(state, now, flow.refused))
            else:
                if connection.execute(sql.INVOICES_OF_FLOW, {"flow": number}).scalar_one():
                    raise ValueError(f"flow {number} has been integrated")
                connection.execute(sql.RELEASE_FLOW, {"b_flow": number, "b_due": now})

    def set_status(self, number: str, status: str, comment: str = "", issuer: str | None = None) -> None:
        """Give an invoice a status now; what its path had foreseen no longer comes."""
        now = self.settle()
        with self.store.begin() as connection:
            rows = connection.execute(sql.INVOICES_NAMED, {"number": number}).all()
            ids = [row.id for row in rows if issuer is None or row.issuer == issuer]
            if len(ids) != 1:
                raise KeyError(f"{len(ids)} invoices {number} of {issuer or 'any issuer'}, one expected")
            passage = {"invoice": ids[0], "at": now, "status": status, "comment": comment, "passed": True}
            connection.execute(sql.FORGET_COMING, {"invoice": ids[0]})
            connection.execute(sql.ADD_PASSAGES, [passage])
            connection.execute(sql.SET_STATUS, {"b_id": ids[0], "b_status": status, "b_at": now, "b_comment": comment})

    # --- for tests to look at ---

    def count(self, path: str) -> None:
        with self._requests_lock:
            self.requests[path] += 1

    def receipts(self) -> list[dict[str, Any]]:
        """Every deposit received, oldest first, refused or repeated ones included."""
        with self.store.begin() as connection:
            rows = connection.execute(sql.ALL_RECEIPTS).mappings().all()
        return [{**row, "received_at": iso(row["received_at"])} for row in rows]

    def invoices(self) -> list[dict[str, Any]]:
        self.settle()
        with self.store.begin() as connection:
            rows = connection.execute(sql.ALL_INVOICES).mappings().all()
        return [{**row, "deposited_at": iso(row["deposited_at"]), "status_at": iso(row["status_at"])} for row in rows]

    def state(self) -> dict[str, Any]:
        """All deposits, the flows, and what to count."""
        now = self.settle()
        with self.store.begin() as connection:
            flows = connection.execute(sql.ALL_FLOWS).all()
            statuses = {row[0]: row[1] for row in connection.execute(sql.COUNT_STATUSES)}
        states = {flow.flow: self.state_of(flow, now)[0] for flow in flows}
        deposits = self.receipts()
        with self._requests_lock:
            requests = dict(self.requests)
        return {
            "now": iso(now),
            "counters": {
                "deposits": len(deposits),
                "documents": sum(len(deposit["documents"]) for deposit in deposits),
                "flows": dict(Counter(states.values())),
                "invoices": statuses,
                "requests": requests,
            },
            "flows": states,
            "deposits": deposits,
        }

    def close(self) -> None:
        self.store.close()

    def _clock(self) -> SimulatedClock:
        def keep(machine: int, simulated: int) -> None:
            self.store.keep("clock", [machine, simulated])

        kept = self.store.kept("clock")
        if kept is None:
            machine = machine_us()
            kept = (machine, to_us(self.options.start) if self.options.start else machine)
            keep(*kept)
        speed = self.options.speed if self.options.clock is ClockKind.REAL else 0.0
        return SimulatedClock(self.options.clock, speed, (kept[0], kept[1]), keep)


def _end(connection: Connection, number: str, outcome: Outcome) -> None:
    values = {
        "b_flow": number,
        "b_state": outcome.state,
        "b_at": outcome.at,
        "b_due": None,
        "b_refused": outcome.refused,
    }
    connection.execute(sql.END_FLOW, values)


def _receipt(
    receipt: Receipt, account: Account, name: str, syntax: str, content: bytes, sha256: str, flow: Flow
) -> Mapping[str, Any]:
    return {
        "flow": receipt.flow or None,
        "account": account.login,
        "received_at": receipt.at,
        "name": name[:255],
        "syntax": syntax[:64],
        "sha256": sha256,
        "size": len(content),
        "code": receipt.code,
        "libelle": receipt.libelle,
        "documents": [document.identity() for document in flow.documents],
    }
