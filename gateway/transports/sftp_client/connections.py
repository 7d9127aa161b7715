"""The connections to one partner: opened when needed, kept a while, never more than configured.

What opening one taught about the server being up or down is kept in the circuit; while it rests, nobody waits.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from gateway.transports.sftp_client.circuit import Circuit, Health
from gateway.transports.sftp_client.connection import Connection, connect
from gateway.transports.sftp_client.errors import LASTING, ConnectionTrouble, Lost
from gateway.transports.sftp_client.opening import Opening
from gateway.transports.sftp_client.peer import Peer
from gateway.transports.sftp_client.rate import Rate

_LONGEST_PAUSE_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Chance:
    """Time and luck, to be replaced in tests."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] | None = None  #: None: as long as nobody hangs up
    jitter: Callable[[], float] = random.random


_CHANCE: Final = Chance()


class Connections:
    """Lends connections to one peer. Several threads may use it; one that finds all of them lent waits."""

    def __init__(
        self,
        peer: Peer,
        circuit: Circuit,
        chance: Chance = _CHANCE,
        opener: Callable[[Peer, Opening], Connection] = connect,
    ) -> None:
        self.peer = peer
        self.chance = chance
        self._circuit = circuit
        self._opener = opener
        self._log = structlog.get_logger("gateway.sftp")
        self._lock = threading.Lock()
        self._idle: list[tuple[Connection, float]] = []
        self._lent: set[Connection] = set()
        self._openings: set[Opening] = set()
        self._over = threading.Event()
        self._slots = threading.BoundedSemaphore(peer.bounds.connections)
        per_s = peer.bounds.bytes_per_s
        #: Called with the bytes that a request moves; waits where a rate is configured.
        self.take: Callable[[int], None] | None = Rate(per_s, chance.monotonic, self.sleep).take if per_s else None

    @property
    def health(self) -> Health:
        """For `gateway status`."""
        return self._circuit.health

    def borrow(self, tries: int = 1) -> Connection:
        """A connection, to be given back. Raises ConnectionTrouble after so many tries, at once while it rests; Lost
        when all that are allowed stay in use (a loop over `fetch_many` holds one; so does each call within it)."""
        if not self._slots.acquire(timeout=self.peer.timeouts.answer_s):
            raise Lost(f"{self.peer}: all {self.peer.bounds.connections} connections are in use")
        try:
            connection = self._kept() or self._new(tries)
            self._lend(connection)
        except BaseException:
            self._slots.release()
            raise
        return connection

    def give_back(self, connection: Connection) -> None:
        """Keep it while it is whole; those that nobody has needed for long are closed."""
        now = self.chance.monotonic()
        with self._lock:
            self._lent.discard(connection)
            done_with = [one for one, since in self._idle if self._is_old(since, now)]
            self._idle = [(one, since) for one, since in self._idle if not self._is_old(since, now)]
            if connection.alive and not self._over.is_set():
                self._idle.append((connection, now))
            else:
                done_with.append(connection)
        for one in done_with:
            one.close()
        self._slots.release()

    def sleep(self, seconds: float) -> None:
        """As long as nobody hangs up."""
        if self.chance.sleep is not None:
            self.chance.sleep(seconds)
        else:
            self._over.wait(seconds)

    def pause(self, tries: int) -> None:
        """Back off: half a second, one, two…, with jitter."""
        self.sleep(min(_LONGEST_PAUSE_S, 0.5 * 2**tries) * (0.5 + self.chance.jitter() / 2))

    def _lend(self, connection: Connection) -> None:
        with self._lock:
            if not self._over.is_set():
                self._lent.add(connection)
                return
        connection.close()
        raise self._hung_up()

    def worked(self) -> None:
        """The server did something for us."""
        if not self._circuit.health.up:
            self._log.info("sftp_up", peer=str(self.peer))
        self._circuit.worked()

    def failed(self, error: ConnectionTrouble) -> None:
        """The server is of no use now; it rests."""
        if self._circuit.health.reason != str(error):
            self._log.warning("sftp_down", peer=str(self.peer), reason=str(error))
        self._circuit.failed(error)

    def close(self) -> None:
        """Hang up on all that are not lent."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection, _ in idle:
            connection.close()

    def hang_up(self) -> None:
        """For good, on all: what is in hand breaks off as if the line were cut, and nothing new is begun."""
        with self._lock:
            self._over.set()
            lent, openings = list(self._lent), list(self._openings)
        self.close()
        for opening in openings:
            opening.hang_up()
        for connection in lent:
            connection.close()

    def _kept(self) -> Connection | None:
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection, since = self._idle.pop()
            if connection.alive and not self._is_old(since, self.chance.monotonic()):
                return connection
            connection.close()

    def _is_old(self, since: float, now: float) -> bool:
        return now - since >= self.peer.timeouts.idle_s

    def _new(self, tries: int) -> Connection:
        if not self._over.is_set():
            self._circuit.check()
        tried = 0
        while True:
            try:
                return self._opened()
            except ConnectionTrouble as error:
                if self._over.is_set():  # what we broke off ourselves says nothing of the server
                    raise self._hung_up() from error
                tried += 1
                if tried >= tries or isinstance(error, LASTING):
                    self.failed(error)
                    raise
            self.pause(tried)

    def _opened(self) -> Connection:
        opening = Opening()
        with self._lock:
            if self._over.is_set():
                raise self._hung_up()
            self._openings.add(opening)
        try:
            return self._opener(self.peer, opening)
        finally:
            with self._lock:
                self._openings.discard(opening)

    def _hung_up(self) -> Lost:
        return Lost(f"{self.peer}: the gateway has hung up")
