"""Writing the few files of a partner: whole or not at all, never over another unless told so, never through a link."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, flock
from pathlib import Path


def write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet. Raises FileExistsError when it is."""
    with _written(path, text) as partial:
        path.hardlink_to(partial)


def write_over(path: Path, text: str) -> None:
    """Put a file in the place of the one that is there; whoever reads sees the old one or the new one."""
    with _written(path, text) as partial:
        partial.replace(path)


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Two operators who change keys wait for each other, so that no removed key comes back."""
    folder.mkdir(mode=0o755, exist_ok=True)
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        flock(held, LOCK_EX)
        yield
    finally:
        os.close(held)


@contextmanager
def _written(path: Path, text: str) -> Iterator[Path]:
    path.parent.mkdir(mode=0o755, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.writing")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    partial.unlink(missing_ok=True)  # left by a crash
    try:
        with os.fdopen(os.open(partial, flags, 0o644), "w", encoding="utf-8") as file:
            # The gateway and sshd read these as other users than root; nothing in them is secret.
            os.fchmod(file.fileno(), 0o644)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        yield partial
        _sync(path.parent)
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()


def _sync(folder: Path) -> None:
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(held)
    finally:
        os.close(held)
