"""What the tests make workers do; each job is a pair: what, and with what."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import time
from collections.abc import Callable
from typing import Any

Job = tuple[str, Any]
_KEPT: list[bytearray] = []


def make(note: str = "") -> Callable[[Job], Any]:
    """A worker that obeys."""
    return lambda job: _DO[job[0]](job[1])


def make_nothing(_note: str = "") -> Callable[[Job], Any]:
    """A worker that cannot start."""
    raise RuntimeError("no packs here")


def _spin(_: Any) -> None:
    """As a C library does that never gives Python a word: the interpreter's lock is held for ever."""
    ctypes.pythonapi.Py_BytesMain  # noqa: B018 - the library is loaded
    libc = ctypes.PyDLL(None)
    libc.pause.restype = ctypes.c_int
    while True:
        libc.pause()


def _keep(size: int) -> str:
    _KEPT.append(bytearray(size))
    return "kept"


def _no_room(_: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def _raise(_: Any) -> None:
    raise ValueError("ours")


_DO: dict[str, Callable[[Any], Any]] = {
    "echo": lambda x: x,
    "pid": lambda _: os.getpid(),
    "sleep": lambda s: time.sleep(s) or "slept",
    "spin": _spin,
    "allocate": lambda size: len(bytearray(size)),
    "keep": _keep,
    "exit": lambda code: os._exit(code),
    "abort": lambda _: os.abort(),
    "segfault": lambda _: ctypes.string_at(0),
    "terminate": lambda _: os.kill(os.getpid(), signal.SIGTERM),
    "no room": _no_room,
    "raise": _raise,
    "unsendable": lambda _: lambda: None,
    "large": lambda size: b"x" * size,
}
