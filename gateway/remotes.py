"""The partners that have SFTP servers of their own: each is looked at in a thread of its own, when its time comes.

A server that is down rests, and delays nobody else. How each one is goes into the ledger, for `gateway status` and
`gateway doctor`, which are other processes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from gateway.config import Settings
from gateway.config.sftp import SftpTable
from gateway.domain.partner import Partner
from gateway.ledger.remote_files import RemoteServerRow, remote_server_of, set_remote_server
from gateway.steps.deliver import Deliver, NotDelivered
from gateway.steps.fetch import Fetch
from gateway.steps.house import House
from gateway.transports.sftp_client.circuit import Circuit, Health
from gateway.transports.sftp_client.connections import Connections
from gateway.transports.sftp_client.errors import ConnectionTrouble, SftpError
from gateway.transports.sftp_client.folder import RemoteFolder
from gateway.transports.sftp_client.peer import Algorithms, Bounds, HostKeys, KeyFile, Login, Peer, Timeouts
from gateway.transports.sftp_client.pool import Pool

#: Partners that are looked at at once; each holds a thread while its server does not answer.
_AT_ONCE: Final = 64
#: How old "reached" may get in the ledger while nothing else changes.
_FRESH: Final = timedelta(minutes=1)


@dataclass(slots=True)
class _Line:
    """One partner's connections, and when it was looked at last."""

    table: SftpTable
    peer: Peer
    pool: Pool
    circuit: Circuit
    source: RemoteFolder | None  #: emptied
    target: RemoteFolder | None  #: where acknowledgements go
    looked: datetime | None = None
    hand: Future[int] | None = None


class Remotes:
    """`look` begins what is due and does not wait for it; `look_now` does all and waits."""

    def __init__(self, house: House, fetch: Fetch, deliver: Deliver) -> None:
        self._house = house
        self._fetch = fetch
        self._deliver = deliver
        self._lines: dict[str, _Line] = {}
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="remote")
        self._stopping = threading.Event()
        self._log = structlog.get_logger("gateway.remotes")

    def look(self, placed: Callable[[], None] = lambda: None) -> None:
        """Begin with each partner whose time has come and that is not in hand. `placed`: called when files came."""
        self._take(self._house.settings)
        for name, line in self._lines.items():
            if (line.hand is None or line.hand.done()) and self._is_due(name, line):
                line.looked = self._house.clock.now()
                line.hand = self._threads.submit(self._one, name, line, placed)

    def look_now(self) -> int:
        """Fetch from and deliver to every partner, at the same time; how many files were fetched or delivered."""
        self._take(self._house.settings)
        begun = [self._threads.submit(self._one, name, line, lambda: None) for name, line in self._lines.items()]
        wait(begun)
        return sum(future.result() for future in begun)

    @property
    def settling(self) -> bool:
        """May another look, soon, find more to fetch?"""
        return any(self._fetch.settling(name) for name in self._lines)

    def close(self) -> None:
        """Begin nothing new, and hang up: what is in hand ends as if the line were cut, and is gone on with later."""
        self._stopping.set()
        for line in self._lines.values():
            line.pool.hang_up()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _take(self, settings: Settings) -> None:
        """Follow the configuration: a changed server gets new connections, one that is gone is forgotten."""
        for name in set(self._lines) - set(settings.remotes):
            self._lines.pop(name).pool.hang_up()
        for name, table in settings.remotes.items():
            peer = peer_of(table, settings.partners[name], settings)
            known = self._lines.get(name)
            if known is None or known.peer != peer or known.table != table:
                line = self._lines[name] = self._line(table, peer)
                if known is not None:
                    line.hand = known.hand  # a partner is in hand once at a time
                    known.pool.hang_up()

    def _line(self, table: SftpTable, peer: Peer) -> _Line:
        circuit = Circuit(self._house.clock.now)
        pool = Pool(Connections(peer, circuit))
        source, target = (
            RemoteFolder(pool, path.encode()) if path else None for path in (table.fetch_from, table.deliver_to)
        )
        return _Line(table, peer, pool, circuit, source, target)

    def _is_due(self, name: str, line: _Line) -> bool:
        now = self._house.clock.now()
        since = None if line.looked is None else now - line.looked
        if since is None or since >= line.table.every:
            return True
        partner = self._house.partner(name)
        if partner and self._fetch.settling(name):
            return since >= timedelta(seconds=partner.completeness.quiet_s)
        if not line.table.deliver_to or not line.circuit.health.up:
            return False
        with self._house.ledger.reading() as unit:  # what is to be delivered does not wait for the next look
            return bool(unit.names_written(name))

    def _one(self, name: str, line: _Line, placed: Callable[[], None]) -> int:
        partner = self._house.partner(name)
        if partner is None or self._stopping.is_set():
            return 0
        try:
            done = self._round(partner, line, placed)
        except (SftpError, NotDelivered, OSError) as trouble:
            if self._stopping.is_set():
                return 0
            self._log.warning("remote_trouble", partner=name, server=str(line.peer), reason=str(trouble))
            self._note(name, line.circuit.health, str(trouble))
            return 0
        except Exception:
            self._log.exception("remote_failed", partner=name, server=str(line.peer))
            self._note(name, line.circuit.health, "a fault of the gateway: see its log")
            return 0
        self._note(name, line.circuit.health, "")
        return done

    def _round(self, partner: Partner, line: _Line, placed: Callable[[], None]) -> int:
        """Fetch and deliver. A folder that cannot be emptied keeps no acknowledgement back; only a lost connection
        ends the round."""
        fetched = delivered = 0
        trouble: SftpError | OSError | None = None
        if line.source is not None:
            try:
                fetched = self._fetch.run(partner, line.table, line.source)
            except ConnectionTrouble:
                raise
            except (SftpError, OSError) as error:
                trouble = error
            if fetched:
                placed()
        if line.target is not None:
            delivered = self._deliver.run(partner, line.target)
        if trouble is not None:
            raise trouble
        return fetched + delivered

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
