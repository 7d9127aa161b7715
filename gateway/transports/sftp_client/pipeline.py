"""Many small dialogues over one session at once: the speed of this client.

A task is a generator: it yields the requests to send next (none, one or more) and is given one answer at a time, until
it returns its result. It reads as if it were alone, while the pipeline keeps dozens of them going over one connection
and sends their requests in common packets. A task that the connection fails is thrown the error, so that it leaves
nothing half-made behind, and is to be started anew over another connection.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from typing import Final, TypeAlias, TypeVar

from gateway.transports.sftp_client import wire
from gateway.transports.sftp_client.errors import ConnectionTrouble, Lost
from gateway.transports.sftp_client.session import Reply, Session

T = TypeVar("T")
Given: TypeAlias = "Reply[object]"
Task: TypeAlias = Generator[tuple[wire.Request, ...], Given, T]

#: A connection that was cut early is followed by one with less at once: see `Window`.
_SMALLEST: Final = 1


class Window:
    """How many tasks go at once. It opens by one for each that is done and is shut down to half of what got done when
    the connection is lost: over a line that is cut every few files, each connection still brings a few."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._done = 0
        self.size = most

    def one_done(self) -> None:
        self._done += 1
        self.size = min(self._most, self.size + 1)

    def lost(self) -> None:
        self.size = max(_SMALLEST, min(self._done, self.size) // 2)
        self._done = 0


def ask(request: wire.Request) -> Generator[tuple[wire.Request, ...], Given, wire.Answer]:
    """Send one request and wait for its answer (`answer = yield from ask(…)`)."""
    reply = yield (request,)
    return reply.answer


def ask_both(
    first: wire.Request, second: wire.Request
) -> Generator[tuple[wire.Request, ...], Given, tuple[wire.Answer, wire.Answer]]:
    """Send two in this order and at once; their answers, in the same order whichever came first."""
    reply = yield (first, second)
    other = yield ()
    return (reply.answer, other.answer) if reply.request is first else (other.answer, reply.answer)


def run(
    session: Session,
    tasks: Iterator[tuple[object, Task[T]]],
    window: Window,
    file_s: float,
    take: Callable[[int], None] | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> Iterator[tuple[object, T]]:
    """Run the tasks, each with a key of the caller's; give key and result as they end, in any order.

    `take` is asked for the bytes that a request moves, and may wait (rate limit). Raises Lost or Strange when the
    connection fails: those whose result was not given are to be run again.
    """
    running: dict[Task[T], tuple[object, float]] = {}
    more = True
    try:
        while True:
            while more and len(running) < window.size and not session.loaded:
                try:
                    key, task = next(tasks)
                except StopIteration:
                    more = False
                    break
                running[task] = (key, monotonic() + file_s)
                ended = _resume(session, task, None, take)
                if ended is not None:
                    yield _end(running, task, window), ended[0]
            if not running:
                return
            session.send()
            for reply in session.receive():
                owner: Task[T] = reply.owner
                ended = _resume(session, owner, reply, take)
                if ended is not None:
                    yield _end(running, owner, window), ended[0]
            # Those that began first come first.
            if running and monotonic() > next(iter(running.values()))[1]:
                session.close()
                raise Lost(f"a file was not done within {file_s:g} s")
    except ConnectionTrouble as error:
        session.close()
        window.lost()
        _abandon(running, error)
        raise
    finally:
        _abandon(running, Lost("no longer wanted"))
        if session.busy:  # answers would come that nobody awaits
            session.close()


def _resume(
    session: Session, task: Task[T], reply: Given | None, take: Callable[[int], None] | None
) -> tuple[T] | None:
    try:
        requests = next(task) if reply is None else task.send(reply)
    except StopIteration as end:
        return (end.value,)
    for request in requests:
        if take is not None and request.weight:
            take(request.weight)
        session.ask(task, request)
    return None


def _end(running: dict[Task[T], tuple[object, float]], task: Task[T], window: Window) -> object:
    window.one_done()
    return running.pop(task)[0]


def _abandon(running: dict[Task[T], tuple[object, float]], error: ConnectionTrouble) -> None:
    while running:
        task, _ = running.popitem()
        try:
            task.throw(error)
        except (ConnectionTrouble, StopIteration):
            pass
        finally:
            task.close()
