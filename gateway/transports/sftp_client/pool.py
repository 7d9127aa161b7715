"""A list of jobs, done over one or several connections to a partner, each job to its end exactly once.

What was in hand when a connection broke is done again over the next one, with less at once. A connection that brought
nothing counts against the jobs in hand: when it happens time and again with one alone, that one is given up (a file
that makes a server fall over must not stop the others), and after a few of those, all are. A server that lets us in
and is of no use then rests like one that does not answer at all.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from gateway.transports.sftp_client import pipeline
from gateway.transports.sftp_client.circuit import Health
from gateway.transports.sftp_client.connection import Connection
from gateway.transports.sftp_client.connections import Connections
from gateway.transports.sftp_client.errors import ConnectionTrouble
from gateway.transports.sftp_client.pipeline import Task, Window
from gateway.transports.sftp_client.session import Session

T = TypeVar("T")

#: Connections in a row that brought nothing, until the job in hand is given up.
_FRUITLESS: Final = 3
#: Jobs given up in a row, until all are.
_GIVEN_UP: Final = 3
#: A connection that brought this much was of use even when no file was done: a large one goes on from there.
_USEFUL_BYTES: Final = 1024 * 1024
_RESULTS_AHEAD: Final = 1_000


@dataclass(frozen=True, slots=True)
class Job(Generic[T]):
    """`start` makes its task for a session, each time anew; `failed` says what came of it when it is given up."""

    start: Callable[[Session], Task[T]]
    failed: Callable[[ConnectionTrouble], T]


class Pool:
    """Runs jobs over the connections to one peer. Several threads may use it."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.bounds = connections.peer.bounds

    @property
    def health(self) -> Health:
        """Whether the server is up, for `gateway status`."""
        return self._connections.health

    def run(self, jobs: Iterable[Job[T]]) -> Iterator[T]:
        """The result of each job, in any order; each exactly once."""
        waiting = deque(jobs)
        lanes = min(self.bounds.connections, -(-len(waiting) // self.bounds.jobs_per_connection))
        if lanes <= 1:
            return _Lane(self._connections, waiting).run()
        return _side_by_side([_Lane(self._connections, waiting) for _ in range(lanes)], waiting)

    def one(self, job: Job[T]) -> T:
        """The result of a job that is about the server, not about one file: where no connection brings it, the server
        is of no use."""
        (result,) = _Lane(self._connections, deque([job]), about_the_server=True).run()
        return result

    def close(self) -> None:
        """Hang up where nothing is in hand."""
        self._connections.close()

    def hang_up(self) -> None:
        """Hang up for good, whatever is in hand."""
        self._connections.hang_up()


class _Lane(Generic[T]):
    """One connection after another, until no job is left."""

    def __init__(self, connections: Connections, waiting: deque[Job[T]], *, about_the_server: bool = False) -> None:
        self._connections = connections
        self._waiting = waiting
        self._about_the_server = about_the_server
        self._window = Window(connections.peer.bounds.in_flight)
        self._worked = False
        self._fruitless = 0  #: connections in a row
        self._given_up = 0  #: times in a row
        self._dragging = 0  #: useful connections in a row over which no file was done
        self._most_dragging = _FRUITLESS + connections.peer.bounds.file_bytes // _USEFUL_BYTES

    def run(self) -> Iterator[T]:
        while self._waiting:
            try:
                # A server that was there a moment ago is given another chance; one that was not, rests.
                connection = self._connections.borrow(_FRUITLESS if self._worked else 1)
            except ConnectionTrouble as error:
                yield from _fail(self._waiting, error)
                return
            try:
                yield from self._over(connection)
            finally:
                self._connections.give_back(connection)

    def _over(self, connection: Connection) -> Iterator[T]:
        """Do jobs until there are none or the connection breaks."""
        peer, session = self._connections.peer, connection.session
        in_hand: dict[object, Job[T]] = {}
        before, answers = session.received_bytes, session.answers
        brought = 0
        try:
            for key, result in pipeline.run(
                session,
                self._tasks(session, in_hand),
                self._window,
                peer.timeouts.file_s,
                self._connections.take,
                self._connections.chance.monotonic,
            ):
                del in_hand[key]
                brought += 1
                if brought == 1:
                    self._successful()
                yield result
        except ConnectionTrouble as error:
            if brought or self._useful(session.received_bytes - before):
                self._fruitless = 0
                self._waiting.extendleft(reversed(in_hand.values()))
            else:
                answered = session.answers > answers
                yield from self._fruitless_one(deque(in_hand.values()), error, answered)

    def _successful(self) -> None:
        self._worked = True
        self._fruitless = self._given_up = self._dragging = 0
        self._connections.worked()

    def _useful(self, received_bytes: int) -> bool:
        """A large file may need many connections, but not without end: each brings it on by so much."""
        self._dragging += 1
        return received_bytes >= _USEFUL_BYTES and self._dragging <= self._most_dragging

    def _fruitless_one(self, in_hand: deque[Job[T]], error: ConnectionTrouble, answered: bool) -> Iterator[T]:
        self._fruitless += 1
        if len(in_hand) > 1 or self._fruitless < _FRUITLESS:
            self._waiting.extendleft(reversed(in_hand))
            self._connections.pause(self._fruitless)
            return
        self._fruitless = 0
        self._given_up += 1
        over = self._given_up >= _GIVEN_UP
        if over or self._blames_the_server(answered):  # before the results: who is given one may not ask for more
            self._connections.failed(error)
        yield from _fail(in_hand, error)
        if over:
            yield from _fail(self._waiting, error)

    def _blames_the_server(self, answered: bool) -> bool:
        """A job was given up, none was done, and no other is left to tell whether it is the server's fault or the
        file's: it is the server's, unless it answered something about that file first."""
        return not self._worked and not self._waiting and (self._about_the_server or not answered)

    def _tasks(self, session: Session, in_hand: dict[object, Job[T]]) -> Iterator[tuple[object, Task[T]]]:
        key = 0
        while (job := _next(self._waiting)) is not None:
            key += 1
            in_hand[key] = job
            yield key, job.start(session)


def _next(jobs: deque[Job[T]]) -> Job[T] | None:
    try:
        return jobs.popleft()
    except IndexError:  # another lane was faster
        return None


def _fail(jobs: deque[Job[T]], error: ConnectionTrouble) -> Iterator[T]:
    while (job := _next(jobs)) is not None:
        yield job.failed(error)


@dataclass(frozen=True, slots=True)
class _End:
    error: Exception | None = None


def _side_by_side(lanes: list[_Lane[T]], waiting: deque[Job[T]]) -> Iterator[T]:
    """The results of several lanes, each in a thread of its own. An error of one (our disk) ends all."""
    results: queue.Queue[Any] = queue.Queue(_RESULTS_AHEAD)
    stop = threading.Event()
    threads = [threading.Thread(target=_feed, args=(lane.run(), results, stop), daemon=True) for lane in lanes]
    for thread in threads:
        thread.start()
    try:
        ended = 0
        while ended < len(lanes):
            result = results.get()
            if not isinstance(result, _End):
                yield result
            elif result.error is not None:
                raise result.error
            else:
                ended += 1
    finally:
        stop.set()
        waiting.clear()
        for thread in threads:
            thread.join()


def _feed(results_of_lane: Iterator[Any], results: queue.Queue[Any], stop: threading.Event) -> None:
    end = _End()
    try:
        for result in results_of_lane:
            if not _handed_over(result, results, stop):
                return
    except Exception as error:  # told to the one who waits for the results
        end = _End(error)
    _handed_over(end, results, stop)


def _handed_over(result: Any, results: queue.Queue[Any], stop: threading.Event) -> bool:
    while not stop.is_set():
        try:
            results.put(result, timeout=0.5)
        except queue.Full:
            continue
        return True
    return False
