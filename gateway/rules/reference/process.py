"""The reference engine as its users see it: a document and a sheet in, SVRL out, whatever becomes of the process.

The process is started with the first document, replaced after a time-out, a crash or when it has grown, and ends with
us. The library crashes now and then without any fault of the document: a document whose process died gets a second
one, and only what dies twice is told as dead. What happens inside is `inside.py`.
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from gateway.rules.reference.inside import Answer, Begun, Ceilings, Question, Ready, serve

__all__ = ["Ceilings", "ReferenceAborted", "ReferenceEngineMissing", "ReferenceProcess"]

_SPAWN: Final = multiprocessing.get_context("spawn")
#: Loading the library takes half a second and compiling the largest sheet two; that time is not the document's.
_START_S: Final = 120.0
_TRIES: Final = 2
#: What a pipe holds. Of what the library wrote before it died, the beginning tells why.
_REMARKS_BYTES: Final = 65536


class ReferenceEngineMissing(Exception):
    """saxonche is not installed: it is an optional extra, for comparison only."""

    def __init__(self) -> None:
        super().__init__("the reference engine is not installed: pip install 'chorus-gateway[reference]'")


class ReferenceAborted(Exception):
    """The reference engine gave no report; the message says why, in its own words where it has any."""


class _Dead(Exception):
    """The process ended in the middle; the message says how."""


@dataclass(slots=True, eq=False)
class _Process:
    process: SpawnProcess
    pipe: Connection[Any, Any]
    remarks: Connection[Any, Any]  #: what the library prints, as bytes without any form


class ReferenceProcess:
    """One process with one processor; not for several threads at once."""

    def __init__(self, ceilings: Ceilings | None = None) -> None:
        if importlib.util.find_spec("saxonche") is None:
            raise ReferenceEngineMissing
        self._ceilings = ceilings or Ceilings()
        self._running: _Process | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The process in use now, None between two."""
        return self._running.process.pid if self._running else None

    def transform(self, sheet: Path, xml: bytes, *, fresh: bool = False) -> str:
        """The SVRL of one document. `fresh` compiles the sheet again first: the library evaluates some operands in
        an order that depends on the documents it has seen. Raises `ReferenceAborted`.
        """
        question = Question(sheet.absolute(), xml, fresh)
        how = ""
        for _ in range(_TRIES):
            try:
                answer = self._asked(question)
            except _Dead as death:
                how = str(death)
                continue
            if answer.svrl is None:
                raise ReferenceAborted(answer.reason)
            return answer.svrl
        raise ReferenceAborted(how)

    def close(self) -> None:
        """End the process; it is started again if there is more to do."""
        if self._running is None:
            return
        process, self._running = self._running, None
        process.pipe.close()
        process.process.kill()
        process.process.join()
        process.process.close()
        process.remarks.close()

    def _asked(self, question: Question) -> Answer:
        running = self._start()
        _remarks(running)  # of the document before
        with suppress(OSError):  # it died meanwhile: heard of below
            running.pipe.send(question)
        said = self._heard(running, _START_S)
        if isinstance(said, Begun):
            said = self._heard(running, self._ceilings.seconds)
        assert isinstance(said, Answer)
        if said.last:
            self.close()
        return said

    def _start(self) -> _Process:
        if self._running is not None:
            return self._running
        ours, theirs = _SPAWN.Pipe()
        remarks, printing = _SPAWN.Pipe(duplex=False)
        process = _SPAWN.Process(target=serve, args=(theirs, self._ceilings, printing), daemon=True)
        try:
            process.start()
        finally:
            theirs.close()
            printing.close()
        os.set_blocking(remarks.fileno(), False)
        self._running = _Process(process, ours, remarks)
        self._heard(self._running, _START_S)
        return self._running

    def _heard(self, running: _Process, seconds: float) -> Ready | Begun | Answer:
        """What the process says next. Raises `_Dead`, or `ReferenceAborted` when it says nothing in time."""
        try:
            if running.pipe.poll(seconds):
                said: Ready | Begun | Answer = running.pipe.recv()
                return said
        except (EOFError, OSError):
            running.process.join(_START_S)
            ceiling, code = _ceiling_met(running), running.process.exitcode
            self.close()
            if ceiling:
                raise ReferenceAborted(ceiling) from None
            raise _Dead(f"the process of the reference engine died (exit {code})") from None
        except BaseException:  # a Ctrl-C in the middle: its answer would be taken for that of the next document
            self.close()
            raise
        self.close()
        raise ReferenceAborted(f"more than {seconds:g} s")


def _ceiling_met(running: _Process) -> str:
    """What the library lacked when it ended its process; "" when it does not say so."""
    said = _remarks(running)
    if b"OutOfMemoryError" in said or b"MemoryError" in said:
        return "out of memory"
    return "out of stack" if b"StackOverflowError" in said else ""


def _remarks(running: _Process) -> bytes:
    """What the library has printed since the last time, as far as the pipe held it."""
    try:
        return os.read(running.remarks.fileno(), _REMARKS_BYTES)
    except OSError:
        return b""
