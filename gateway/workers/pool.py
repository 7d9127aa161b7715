"""A small pool of spawned processes, each with one named job in hand, and a time and a memory ceiling.

Threads would share a crash (an XML or PDF library that aborts takes the whole process with it) and a processor.
A worker that dies or is too slow is replaced, and its job comes back as `Died`; the caller decides whether to try
again. What is no fault of a job is not laid to its charge: a worker that cannot start, one that was ended from
outside, a full disk. Workers end by themselves when we do (`serving.py`).
"""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Final, Generic, TypeVar

from gateway.steps.house import Died
from gateway.workers.serving import Begun, Ceilings, Last, Ready, Trouble, serve

__all__ = ["Ceilings", "Pool", "WorkersUnavailable"]

_Job = TypeVar("_Job")
_Result = TypeVar("_Result")
_SPAWN: Final = multiprocessing.get_context("spawn")
#: A new worker imports libraries and compiles schemas before its first job; that time is not the job's.
_START_S: Final = 60.0
#: Starts that may fail, and workers that may be ended from outside, beyond one each, one after the other, before we
#: give up.
_FAILURES: Final = 2


class WorkersUnavailable(Exception):
    """No worker can be started, or none is left alone: nothing is known of the jobs, which wait for better days."""


@dataclass(slots=True, eq=False)
class _Worker(Generic[_Job]):
    process: SpawnProcess
    pipe: Connection[Any, Any]
    ready: bool = False
    job: _Job | None = None
    begun: bool = False  #: it said that it has the job in hand
    deadline: float = field(default=0.0)


class Pool(Generic[_Job, _Result]):
    """Runs jobs through `make(*arguments)`, a function made once in each worker."""

    def __init__(
        self,
        size: int,
        ceilings: Ceilings,
        make: Callable[..., Callable[[_Job], _Result]],
        arguments: tuple[object, ...] = (),
    ) -> None:
        self._size = size
        self._ceilings = ceilings
        self._make = make
        self._arguments = arguments
        self._workers: list[_Worker[_Job]] = []
        self._failures = 0

    def run(self, jobs: Sequence[_Job]) -> Iterator[tuple[_Job, _Result | Died]]:
        """Every job with its result, in the order in which they end.

        Raises `WorkersUnavailable`, or the OSError of a worker that met a full disk; jobs without a result by then
        are as if never begun.
        """
        waiting = list(reversed(jobs))
        busy: list[_Worker[_Job]] = []
        try:
            while waiting or busy:
                while waiting and (worker := self._free()):
                    self._hand_over(worker, waiting.pop())
                    busy.append(worker)
                for worker in self._heard(busy):
                    job = worker.job
                    assert job is not None
                    result = self._receive(worker)
                    if isinstance(result, Ready | Begun):
                        continue
                    busy.remove(worker)
                    worker.job = None
                    if result is None:
                        waiting.append(job)
                    else:
                        yield job, result
        finally:
            for worker in busy:  # left in the middle: their answers would be taken for those of the next jobs
                self._replace(worker)

    def close(self) -> None:
        """End the workers."""
        for worker in self._workers:
            worker.pipe.close()
        for worker in self._workers:
            worker.process.join(timeout=2)
            self._end(worker)
        self._workers = []

    def _free(self) -> _Worker[_Job] | None:
        """A worker without a job: an idle one that is still alive, or a new one while there may be more."""
        for worker in [w for w in self._workers if w.job is None]:
            if worker.process.is_alive() and not worker.pipe.poll():
                return worker
            self._replace(worker)
        return self._start() if len(self._workers) < self._size else None

    def _start(self) -> _Worker[_Job]:
        ours, theirs = _SPAWN.Pipe()
        process = _SPAWN.Process(target=serve, args=(theirs, self._ceilings, self._make, self._arguments), daemon=True)
        process.start()
        theirs.close()
        worker: _Worker[_Job] = _Worker(process, ours)
        self._workers.append(worker)
        return worker

    def _hand_over(self, worker: _Worker[_Job], job: _Job) -> None:
        worker.job = job
        worker.begun = False
        worker.deadline = time.monotonic() + (self._ceilings.seconds if worker.ready else _START_S)
        with suppress(OSError):  # it died meanwhile: heard of below
            worker.pipe.send(job)

    def _heard(self, busy: Sequence[_Worker[_Job]]) -> list[_Worker[_Job]]:
        """The workers that have answered, died, or are past their time."""
        patience = max(0.0, min(w.deadline for w in busy) - time.monotonic())
        spoken = set(wait([w.pipe for w in busy], timeout=patience))
        now = time.monotonic()
        return [w for w in busy if w.pipe in spoken or now >= w.deadline]

    def _receive(self, worker: _Worker[_Job]) -> _Result | Died | Ready | Begun | None:
        """What a worker says. None: it was ended from outside, and its job is to be given to another."""
        if not worker.pipe.poll():
            self._replace(worker)
            if not worker.ready:
                self._failed(f"a worker was not ready after {_START_S:g} s")
                return None
            return Died(f"more than {self._ceilings.seconds:g} s")
        try:
            said = worker.pipe.recv()
        except (EOFError, OSError):
            return self._lost(worker)
        if isinstance(said, Ready | Begun):
            worker.ready = True
            worker.begun = isinstance(said, Begun)
            worker.deadline = time.monotonic() + self._ceilings.seconds
            return said
        self._failures = 0
        if isinstance(said, Last):
            self._replace(worker)
            said = said.result
        if isinstance(said, Trouble):
            raise OSError(said.errno, said.message)
        result: _Result | Died = said
        return result

    def _lost(self, worker: _Worker[_Job]) -> Died | None:
        worker.process.join(timeout=2)
        code = worker.process.exitcode
        self._replace(worker)
        if not worker.ready:
            self._failed(f"a worker could not be started (exit {code})")
            return None
        if not worker.begun or code == -signal.SIGTERM:
            # A service manager stops every process of the service at once; no job ends its worker so.
            self._failed("workers are ended from outside")
            return None
        if code == -signal.SIGALRM:
            return Died(f"more than {self._ceilings.seconds:g} s")
        return Died(f"its worker died (exit {code})")

    def _failed(self, why: str) -> None:
        self._failures += 1
        if self._failures >= _FAILURES + self._size:
            self._failures = 0
            raise WorkersUnavailable(why)

    def _replace(self, worker: _Worker[_Job]) -> None:
        if worker in self._workers:
            self._workers.remove(worker)
            self._end(worker)

    def _end(self, worker: _Worker[_Job]) -> None:
        worker.pipe.close()
        if worker.process.is_alive():
            worker.process.kill()
        worker.process.join()
        worker.process.close()
