"""What runs inside a worker process: ceilings first, then one job after the other, until the parent is gone.

The ceilings are set here, in the child, so that they hold whatever becomes of the parent: the kernel refuses memory
beyond the limit, and its alarm ends a job that loops in a C library where no Python code would ever look at a clock.
"""

from __future__ import annotations

import errno
import logging
import multiprocessing
import os
import resource
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Final

from gateway.steps.house import Died

#: Troubles of the machine, not of a job: the parent raises them, and the job waits.
_MACHINE: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ENFILE, errno.EMFILE})
#: The parent ends a late worker itself and knows why; the alarm is for when it cannot.
_GRACE_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Ceilings:
    """What one job may use. Memory is what a worker may add to what it had when it was ready, in bytes."""

    seconds: float = 30.0
    memory_bytes: int = 300 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Ready:
    """A worker says that it has started."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A worker says that it has a job in hand: from here on its death is the job's doing."""


@dataclass(frozen=True, slots=True)
class Last:
    """The last result of a worker that has grown too large and makes room for a fresh one."""

    result: Any


@dataclass(frozen=True, slots=True)
class Trouble:
    """The machine did not let a job end."""

    errno: int
    message: str


def serve(
    pipe: Connection[Any, Any],
    ceilings: Ceilings,
    make: Callable[..., Callable[[Any], Any]],
    arguments: tuple[Any, ...],
) -> None:
    """Serve jobs from `pipe`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is the parent's business
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process, whatever it is in
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # its remarks about hostile files are no log of ours
    threading.Thread(target=_end_with_parent, daemon=True).start()
    work = make(*arguments)
    start = _address_space()
    limit = start + ceilings.memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        pipe.send(Ready())
        grown = False
        while not grown:
            job = pipe.recv()
            pipe.send(Begun())
            signal.setitimer(signal.ITIMER_REAL, ceilings.seconds + _GRACE_S)
            result = _result(work, job)
            # What a worker has kept of its jobs (libraries leak) is missing to the next one.
            grown = _address_space() - start > ceilings.memory_bytes // 2
            _answer(pipe, Last(result) if grown else result)
            del job, result
            signal.setitimer(signal.ITIMER_REAL, 0)


def _result(work: Callable[[Any], Any], job: Any) -> Any:
    try:
        return work(job)
    except MemoryError:
        return Died("out of memory")
    except Exception as error:  # a fault of ours: told as such, and the worker is as good as before
        if isinstance(error, OSError) and error.errno in _MACHINE:
            return Trouble(error.errno, str(error.strerror))
        return Died(f"{type(error).__name__}: {error}")


def _answer(pipe: Connection[Any, Any], result: Any) -> None:
    try:
        pipe.send(result)
    except OSError:
        raise
    except MemoryError:
        pipe.send(Died("out of memory"))
    except Exception as error:  # a result that cannot travel; nothing of it has left yet
        pipe.send(Died(f"{type(error).__name__}: {error}"))


def _end_with_parent() -> None:
    """No orphans: a job in hand ends with the gateway, even before its time is up."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def _address_space() -> int:
    """Bytes of address space in use now; a generous guess where /proc is not there."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    except OSError:
        return 1 << 30
    return pages * resource.getpagesize()
