"""The connections to one partner: opened when needed, kept a while, never more than configured.

Work is a list of jobs. What was in hand when a connection broke is done again over the next one, with less at once;
a connection that brought nothing counts against its jobs, and after a few of those they are given up. A server that
cannot be reached rests (`circuit`), so that nobody waits for it.
"""

from __future__ import annotations

import queue
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import structlog

from gateway.transports.sftp_client import pipeline
from gateway.transports.sftp_client.circuit import Circuit, Health
from gateway.transports.sftp_client.connection import Connection, connect
from gateway.transports.sftp_client.errors import LASTING, ConnectionTrouble
from gateway.transports.sftp_client.peer import Peer
from gateway.transports.sftp_client.pipeline import Task, Window
from gateway.transports.sftp_client.rate import Rate
from gateway.transports.sftp_client.session import Session

T = TypeVar("T")

#: Connections in a row that brought nothing, until the jobs in hand are given up; then how often that may happen in
#: a row until all are.
_FRUITLESS: Final = 3
_GIVEN_UP: Final = 3
#: A connection that brought this much was of use even when no file was done: a large one goes on from there.
_USEFUL_BYTES: Final = 1024 * 1024
#: Fewer jobs than that are not worth a further connection.
_JOBS_A_CONNECTION: Final = 2_000
_RESULTS_AHEAD: Final = 1_000


@dataclass(frozen=True, slots=True)
class Job(Generic[T]):
    """`start` makes its task for a session, each time anew; `failed` says what came of it when it is given up."""

    start: Callable[[Session], Task[T]]
    failed: Callable[[ConnectionTrouble], T]


@dataclass(frozen=True, slots=True)
class Chance:
    """Time and luck, to be replaced in tests."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random


class Pool:
    """Runs jobs over the connections to one peer. Several threads may use it."""

    def __init__(
        self,
        peer: Peer,
        circuit: Circuit,
        chance: Chance = Chance(),  # noqa: B008
        opener: Callable[[Peer], Connection] = connect,
    ) -> None:
        self.peer = peer
        self._circuit = circuit
        self._chance = chance
        self._opener = opener
        self._log = structlog.get_logger("gateway.sftp")
        self._lock = threading.Lock()
        self._idle: list[tuple[Connection, float]] = []
        self._slots = threading.BoundedSemaphore(peer.bounds.connections)
        per_s = peer.bounds.bytes_per_s
        self._rate = Rate(per_s, chance.monotonic, chance.sleep) if per_s else None

    @property
    def health(self) -> Health:
        return self._circuit.health

    def run(self, jobs: Iterable[Job[T]]) -> Iterator[T]:
        """The result of each job, in any order; each exactly once."""
        waiting = deque(jobs)
        lanes = min(self.peer.bounds.connections, -(-len(waiting) // _JOBS_A_CONNECTION))
        return _Lane(self, waiting).run() if lanes <= 1 else self._in_lanes(waiting, lanes)

    def one(self, job: Job[T]) -> T:
        """One job's result."""
        (result,) = self.run([job])
        return result

    def close(self) -> None:
        """Hang up on all connections that nobody uses."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection, _ in idle:
            connection.close()

    def borrow(self) -> Connection:
        """A connection for one lane. Raises ConnectionTrouble."""
        self._slots.acquire()
        try:
            kept = self._kept()
            if kept is not None:
                return kept
            self._circuit.check()
            connection = self._opener(self.peer)
        except BaseException:
            self._slots.release()
            raise
        self._circuit.worked()
        return connection

    def give_back(self, connection: Connection) -> None:
        """The lane is done with it; if it is whole it is kept."""
        if connection.alive:
            with self._lock:
                self._idle.append((connection, self._chance.monotonic()))
        else:
            connection.close()
        self._slots.release()

    def _kept(self) -> Connection | None:
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection, since = self._idle.pop()
            if connection.alive and self._chance.monotonic() - since < self.peer.timeouts.idle_s:
                return connection
            connection.close()

    def rest(self, error: ConnectionTrouble) -> None:
        """It cannot be reached: remember it."""
        known = self._circuit.health.reason
        self._circuit.failed(error)
        if known != str(error):
            self._log.warning("sftp_down", peer=str(self.peer), reason=str(error))

    def pause(self, tries: int) -> None:
        """Back off before the next connection."""
        self._chance.sleep(min(30.0, 0.5 * 2**tries) * (0.5 + self._chance.jitter() / 2))

    def _in_lanes(self, waiting: deque[Job[T]], lanes: int) -> Iterator[T]:
        results: queue.Queue[Any] = queue.Queue(_RESULTS_AHEAD)
        stop = threading.Event()
        threads = [
            threading.Thread(target=_feed, args=(_Lane(self, waiting).run(), results, stop), daemon=True)
            for _ in range(lanes)
        ]
        for thread in threads:
            thread.start()
        try:
            ended = 0
            while ended < lanes:
                result = results.get()
                if isinstance(result, _End):
                    ended += 1
                    if result.error is not None:
                        raise result.error
                else:
                    yield result
        finally:
            stop.set()
            waiting.clear()
            for thread in threads:
                thread.join(timeout=self.peer.timeouts.answer_s)

    @property
    def take(self) -> Callable[[int], None] | None:
        return self._rate.take if self._rate is not None else None


class _Lane(Generic[T]):
    """One connection after another, until no job is left."""

    def __init__(self, pool: Pool, waiting: deque[Job[T]]) -> None:
        self._pool = pool
        self._waiting = waiting
        self._window = Window(pool.peer.bounds.in_flight)
        self._fruitless = 0  #: connections in a row
        self._given_up = 0  #: times in a row

    def run(self) -> Iterator[T]:
        while self._waiting:
            try:
                connection = self._pool.borrow()
            except ConnectionTrouble as error:
                self._fruitless += 1
                if isinstance(error, LASTING) or self._fruitless >= _FRUITLESS or not self._pool.health.up:
                    self._pool.rest(error) if self._pool.health.up or self._fruitless == 1 else None
                    yield from self._fail(self._waiting, error)
                else:
                    self._pool.pause(self._fruitless)
                continue
            try:
                yield from self._over(connection)
            finally:
                self._pool.give_back(connection)

    def _over(self, connection: Connection) -> Iterator[T]:
        peer, session = self._pool.peer, connection.session
        in_hand: dict[object, Job[T]] = {}
        before, done = session.received_bytes, False
        try:
            tasks = self._tasks(session, in_hand)
            for key, result in pipeline.run(
                session, tasks, self._window, peer.timeouts.file_s, self._pool.take, self._pool._chance.monotonic
            ):
                del in_hand[key]
                done = True
                self._fruitless = self._given_up = 0
                yield result
        except ConnectionTrouble as error:
            if done or session.received_bytes - before >= _USEFUL_BYTES:
                self._fruitless = 0
            else:
                self._fruitless += 1
            yield from self._again(in_hand, error)

    def _again(self, in_hand: dict[object, Job[T]], error: ConnectionTrouble) -> Iterator[T]:
        if self._fruitless < _FRUITLESS or self._window.size > 1:
            self._waiting.extendleft(reversed(in_hand.values()))
            if self._fruitless:
                self._pool.pause(self._fruitless)
            return
        self._fruitless = 0
        self._given_up += 1
        yield from self._fail(deque(in_hand.values()), error)
        if self._given_up >= _GIVEN_UP:
            self._pool.rest(error)
            yield from self._fail(self._waiting, error)

    def _tasks(self, session: Session, in_hand: dict[object, Job[T]]) -> Iterator[tuple[object, Task[T]]]:
        key = 0
        while True:
            try:
                job = self._waiting.popleft()
            except IndexError:  # another lane was faster
                return
            key += 1
            in_hand[key] = job
            yield key, job.start(session)

    @staticmethod
    def _fail(jobs: deque[Job[T]], error: ConnectionTrouble) -> Iterator[T]:
        while jobs:
            yield jobs.popleft().failed(error)


@dataclass(frozen=True, slots=True)
class _End:
    error: Exception | None


def _feed(results_of_lane: Iterator[Any], results: queue.Queue[Any], stop: threading.Event) -> None:
    error: Exception | None = None
    try:
        for result in results_of_lane:
            while not stop.is_set():
                try:
                    results.put(result, timeout=1)
                    break
                except queue.Full:
                    continue
            if stop.is_set():
                return
    except Exception as caught:  # told to the one who waits for the results
        error = caught
    while not stop.is_set():
        try:
            results.put(_End(error), timeout=1)
            return
        except queue.Full:
            continue
