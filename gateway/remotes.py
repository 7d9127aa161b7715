"""The partners that have SFTP servers of their own: each is looked at in a thread of its own, when its time comes.

A server that is down rests, and delays nobody else. How each one is goes into the ledger, for `gateway status` and
`gateway doctor`, which are other processes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from gateway.config import Settings
from gateway.config.sftp import SftpTable
from gateway.domain.partner import Partner
from gateway.ledger.remote_files import (
    RemoteServerRow,
    forget_remote_servers,
    remote_server_of,
    set_remote_server,
)
from gateway.steps.deliver import Deliver, NotDelivered
from gateway.steps.fetch import Fetch, NotFetched
from gateway.steps.house import House
from gateway.transports.sftp_client.circuit import Circuit, Health
from gateway.transports.sftp_client.connections import Connections
from gateway.transports.sftp_client.errors import SftpError
from gateway.transports.sftp_client.folder import RemoteFolder
from gateway.transports.sftp_client.peer import Algorithms, Bounds, HostKeys, KeyFile, Login, Peer, Timeouts
from gateway.transports.sftp_client.pool import Pool

#: Partners that are looked at at once; each holds a thread while its server does not answer.
_AT_ONCE: Final = 64
#: How old "reached" may get in the ledger while nothing else changes.
_FRESH: Final = timedelta(minutes=1)
#: After a round that failed the next comes later and later.
_FIRST_REST_S: Final = 5.0
_LONGEST_REST_S: Final = 600.0


@dataclass(slots=True)
class _Line:
    """One partner's connections, and when it was looked at last (monotonic, in seconds: clocks are set back)."""

    table: SftpTable
    peer: Peer
    pool: Pool
    circuit: Circuit
    source: RemoteFolder | None  #: emptied
    target: RemoteFolder | None  #: where acknowledgements go
    looked: float | None = None
    failures: int = 0  #: rounds in a row
    hand: Future[int] | None = None

    @property
    def rest_s(self) -> float:
        """How long it is left alone after its last round, whatever waits."""
        return min(_LONGEST_REST_S, _FIRST_REST_S * 2 ** min(self.failures - 1, 10)) if self.failures else 0.0

    @property
    def busy(self) -> bool:
        """Is it in hand?"""
        return self.hand is not None and not self.hand.done()


class Remotes:
    """`look` begins what is due, `begin` all, `deliver` what has acknowledgements; none waits. `look_now` does."""

    def __init__(
        self, house: House, fetch: Fetch, deliver: Deliver, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._house = house
        self._fetch = fetch
        self._deliver = deliver
        self._monotonic = monotonic
        self._lines: dict[str, _Line] = {}
        self._leaving: dict[str, Future[int]] = {}  #: rounds of partners that were taken out of the configuration
        self._known: frozenset[str] | None = None  #: whose servers the ledger tells of
        self._moved = 0
        self._counting = threading.Lock()
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="remote")
        self._stopping = threading.Event()
        self._log = structlog.get_logger("gateway.remotes")

    def look(self, placed: Callable[[], None] = lambda: None) -> None:
        """Begin with each partner whose time has come and that is not in hand. `placed`: called when files came."""
        self._take(self._house.settings)
        for name, line in self._lines.items():
            if not line.busy and self._is_due(name, line):
                self._begin(name, line, placed)

    def begin(self) -> None:
        """Begin with every partner that is not in hand, due or not."""
        self._take(self._house.settings)
        for name, line in self._lines.items():
            if not line.busy:
                self._begin(name, line, lambda: None)

    def deliver(self) -> None:
        """Begin with every partner to whom something is to be delivered, but not where the last round failed."""
        for name, line in self._lines.items():
            if not line.busy and not line.failures and self._owes(name, line):
                self._begin(name, line, lambda: None)

    def look_now(self) -> int:
        """Fetch from and deliver to every partner, at the same time; how many files were fetched or delivered."""
        self.begin()
        wait([line.hand for line in self._lines.values() if line.hand is not None])
        return self.moved()

    def moved(self) -> int:
        """How many files were fetched or delivered since this was asked last."""
        with self._counting:
            moved, self._moved = self._moved, 0
        return moved

    @property
    def busy(self) -> bool:
        """Is any partner in hand, or was anything moved that nobody has asked for yet?"""
        return any(line.busy for line in self._lines.values()) or bool(self._moved)

    @property
    def settling(self) -> bool:
        """May another look, soon, find more to fetch? Not where the last one failed."""
        return any(self._fetch.settling(name) for name, line in self._lines.items() if not line.failures)

    def _begin(self, name: str, line: _Line, placed: Callable[[], None]) -> None:
        line.looked = self._monotonic()
        line.hand = self._threads.submit(self._one, name, line, placed)

    def close(self) -> None:
        """Begin nothing new, and hang up: what is in hand ends as if the line were cut, and is gone on with later."""
        self._stopping.set()
        for line in self._lines.values():
            line.pool.hang_up()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _take(self, settings: Settings) -> None:
        """Follow the configuration: a changed server gets new connections, one that is gone is forgotten."""
        names = frozenset(settings.remotes)
        if names != self._known:
            self._known = names
            with self._house.ledger.writing("remotes") as unit:
                forget_remote_servers(unit, names)
        self._leaving = {name: hand for name, hand in self._leaving.items() if not hand.done()}
        for name in set(self._lines) - set(settings.remotes):
            gone = self._lines.pop(name)
            gone.pool.hang_up()
            if gone.hand is not None:
                self._leaving[name] = gone.hand
        for name, table in settings.remotes.items():
            peer = peer_of(table, settings.partners[name], settings)
            known = self._lines.get(name)
            if known is None or known.peer != peer or known.table != table:
                line = self._lines[name] = self._line(table, peer)
                line.hand = self._leaving.get(name)  # a partner is in hand once at a time
                if known is not None:
                    line.hand = known.hand
                    known.pool.hang_up()

    def _line(self, table: SftpTable, peer: Peer) -> _Line:
        circuit = Circuit(self._house.clock.now)
        pool = Pool(Connections(peer, circuit))
        source, target = (
            RemoteFolder(pool, path.encode()) if path else None for path in (table.fetch_from, table.deliver_to)
        )
        return _Line(table, peer, pool, circuit, source, target)

    def _is_due(self, name: str, line: _Line) -> bool:
        if line.looked is None:
            return True
        since = self._monotonic() - line.looked
        if since < line.rest_s:
            return False
        if since >= line.table.every.total_seconds():
            return True
        partner = self._house.partner(name)
        if partner and self._fetch.settling(name):
            return since >= partner.completeness.quiet_s
        return line.circuit.health.up and self._owes(name, line)  # this does not wait for the next look

    def _owes(self, name: str, line: _Line) -> bool:
        """Are there acknowledgements to be delivered?"""
        if not line.table.deliver_to:
            return False
        with self._house.ledger.reading() as unit:
            return bool(unit.names_written(name))

    def _one(self, name: str, line: _Line, placed: Callable[[], None]) -> int:
        """One round, in a thread of its own: whatever fails is told here, for nobody asks for the result."""
        try:
            done, troubles = self._round(name, line, placed)
            line.failures = line.failures + 1 if troubles else 0
            if not self._stopping.is_set():
                self._note(name, line.circuit.health, self._told(name, line, troubles))
        except Exception:
            self._log.exception("remote_failed", partner=name, server=str(line.peer))
            line.failures += 1
            return 0
        return done

    def _round(self, name: str, line: _Line, placed: Callable[[], None]) -> tuple[int, list[Exception]]:
        """Fetch and deliver: how much, and what went wrong. Neither keeps the other back."""
        partner = self._house.partner(name)
        done = 0
        troubles: list[Exception] = []

        def tried(work: Callable[[Partner], int]) -> int:
            if partner is None or self._stopping.is_set():
                return 0
            try:
                moved = work(partner)
            except Exception as trouble:
                troubles.append(trouble)
                return 0
            with self._counting:
                self._moved += moved
            return moved

        source, target = line.source, line.target
        if source is not None and (fetched := tried(lambda who: self._fetch.run(who, line.table, source))):
            done += fetched
            placed()
        if target is not None:
            done += tried(lambda who: self._deliver.run(who, target))
        return done, troubles

    def _told(self, name: str, line: _Line, troubles: list[Exception]) -> str:
        """Tells the log of all; gives the first, for the status."""
        first = ""
        for trouble in troubles:
            if isinstance(trouble, SftpError | NotFetched | NotDelivered | OSError):
                reason = str(trouble)
                self._log.warning("remote_trouble", partner=name, server=str(line.peer), reason=reason)
            else:
                reason = "a fault of the gateway: see its log"
                self._log.error("remote_failed", partner=name, server=str(line.peer), exc_info=trouble)
            first = first or reason
        return first

    def _note(self, name: str, health: Health, trouble: str) -> None:
        """Write down how the server is, when that changed or is old."""
        now = self._house.clock.now()
        with self._house.ledger.reading() as unit:
            known = remote_server_of(unit, name)
        if trouble:
            row = RemoteServerRow(name, known.reached_at, known.down_since or now, trouble, health.next_try)
        else:
            row = RemoteServerRow(name, now)
        same = (known.down_since, known.trouble, known.next_try) == (row.down_since, row.trouble, row.next_try)
        if same and known.reached_at is not None and not trouble and now - known.reached_at < _FRESH:
            return
        with self._house.ledger.writing("remotes") as unit:
            set_remote_server(unit, row)


def peer_of(table: SftpTable, partner: Partner, settings: Settings) -> Peer:
    """A partner's server as the client wants it told."""
    passphrase = table.passphrase.reveal() if table.passphrase else None
    keys = (KeyFile(table.key, passphrase, table.certificate),) if table.key else ()
    connect_s = table.connect_timeout.total_seconds()
    return Peer(
        host=table.host,
        port=table.port,
        login=Login(table.user, keys, table.agent, table.password.reveal() if table.password else None),
        host_keys=HostKeys(table.host_keys, table.known_hosts, table.trust_first_use, settings.known_servers),
        algorithms=Algorithms(str(table.algorithms)),
        timeouts=Timeouts(
            connect_s=connect_s,
            banner_s=connect_s,
            handshake_s=2 * connect_s,
            auth_s=2 * connect_s,
            answer_s=table.answer_timeout.total_seconds(),
        ),
        bounds=Bounds(
            connections=table.connections,
            bytes_per_s=float(table.rate_bytes) or None,
            file_bytes=partner.completeness.limit_bytes,
        ),
    )
