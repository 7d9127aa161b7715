"""Work in a forked child that is gone before its n-th operation on the file system or the ledger, as after SIGKILL."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import event

from gateway.ledger.ledger import Ledger

WATCHED = frozenset({"open", "os.rename", "os.link", "os.remove", "os.mkdir", "os.truncate", "os.scandir"})


class Killable(Protocol):
    """What works in a folder and on a ledger."""

    @property
    def folder(self) -> Path: ...

    @property
    def ledger(self) -> Ledger: ...


def killed_before(n: int, worker: Killable, *work: Callable[[Any], object]) -> bool:
    """Work in a child that is gone before its n-th operation. True: there were fewer, it came to its end."""
    worker.ledger.engine.dispose()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            _arm(n, worker)
            for part in work:
                part(worker)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, 9), f"the child failed by itself at {n}"
    return code == 0


def _arm(n: int, worker: Killable) -> None:
    done = 0

    def step(*_: object) -> None:
        nonlocal done
        done += 1
        if done == n:
            os._exit(9)

    def audited(name: str, arguments: tuple[object, ...]) -> None:
        ours = str(worker.folder) in str(arguments) or isinstance(arguments[0], bytes)  # or relative to one of ours
        if name in WATCHED and ours and "ledger" not in str(arguments):
            step()

    sync = os.fsync
    os.fsync = lambda descriptor: (step(), sync(descriptor))[1]  # type: ignore[assignment]
    event.listen(worker.ledger.engine, "before_cursor_execute", step)
    event.listen(worker.ledger.engine, "commit", step)
    sys.addaudithook(audited)
