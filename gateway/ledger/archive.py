"""The archive: every byte we received or sent, kept as it was, durable before anything is done with it.

Originals lie under `originals/<day>/<interchange>`, payloads taken out of archives or made by a named
transformation under `payloads/<hash>`, flows under `flows/<day>/<flow>`. Paths stored in the ledger are relative
to the archive's root. Names inside are ours alone: nothing a partner chose becomes a path.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Kept:
    """A file now in the archive."""

    path: str  #: relative to the archive
    sha256: str
    size: int


class Changed(Exception):
    """A file grew or shrank while it was copied: it was not whole after all."""


class Archive:
    """The archive below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folders: set[Path] = set()

    def path(self, relative: str) -> Path:
        """Where a kept file lies. Raises ValueError for a path that leaves the archive."""
        if relative.startswith("/") or ".." in relative.split("/"):
            raise ValueError("a path of the ledger leads out of the archive")
        return self.root / relative

    def read(self, relative: str) -> bytes:
        """The bytes of a kept file."""
        return self.path(relative).read_bytes()

    def keep_original(self, source: Path, interchange_id: str, seen_at: datetime) -> Kept:
        """Copy a claimed file in, hash it and make it durable; the folder is synced by `sync`.

        A copy, not a rename: whoever still has the dropped file open could go on writing into it. Raises OSError
        (a full disk) with nothing left behind, and `Changed` when the file did not stay as long as it was. The same
        `seen_at` gives the same place, so that a copy cut short by a crash is written over, not left beside.
        """
        relative = _original(interchange_id, seen_at)
        target = self._prepared(relative)
        descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            before = os.fstat(descriptor)
            digest, size = _copy(descriptor, target, before.st_size)
            after = os.fstat(descriptor)
        except BaseException:
            with suppress(FileNotFoundError):
                target.unlink()
            raise
        finally:
            os.close(descriptor)
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or size != after.st_size:
            target.unlink()
            raise Changed(str(source))
        return Kept(relative, digest, size)

    def take_over(self, source: Path, interchange_id: str, seen_at: datetime) -> Kept | None:
        """Rename a file in that cannot be read, or is too large to be; None when it lies on another file system."""
        target = self._prepared(_original(interchange_id, seen_at))
        try:
            source.rename(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            return None
        with suppress(OSError):  # nobody may read it: then its writer's system keeps it durable, or not
            _sync_content(target)
        return Kept(_original(interchange_id, seen_at), "", target.lstat().st_size)

    def give_back(self, interchange_id: str, seen_at: datetime, source: Path) -> bool:
        """Undo a `take_over` that was never written down, so that it can be done again; False when there was none."""
        try:
            (self.root / _original(interchange_id, seen_at)).rename(source)
        except FileNotFoundError:
            return False
        return True

    def put_payload(self, content: bytes) -> Kept:
        """Keep bytes under their hash; the same bytes twice are one file."""
        digest = hashlib.sha256(content).hexdigest()
        return self._put(f"payloads/{digest[:2]}/{digest}", content, digest)

    def put_flow(self, flow_id: str, content: bytes, now: datetime) -> Kept:
        """Keep the bytes of a flow before it is sent."""
        return self._put(f"flows/{now:%Y/%m/%d}/{flow_id}", content, hashlib.sha256(content).hexdigest())

    def sync(self, kept: Iterable[str]) -> None:
        """Make the names of these files durable: one fsync a folder."""
        for folder in {relative.rpartition("/")[0] for relative in kept}:
            sync_folder(self.path(folder))

    def _put(self, relative: str, content: bytes, digest: str) -> Kept:
        target = self._prepared(relative)
        kept = Kept(relative, digest, len(content))
        if target.exists() and target.stat().st_size == len(content):
            sync_folder(target.parent)  # whoever put it there may have been killed before this
            return kept
        partial = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            with partial.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.rename(target)
        except BaseException:
            with suppress(FileNotFoundError):
                partial.unlink()
            raise
        sync_folder(target.parent)
        return kept

    def _prepared(self, relative: str) -> Path:
        target = self.root / relative
        if target.parent not in self._folders:
            make_durable_folder(target.parent, self.root)
            self._folders.add(target.parent)
        return target


def _original(interchange_id: str, seen_at: datetime) -> str:
    return f"originals/{seen_at:%Y/%m/%d}/{interchange_id}"


def make_durable_folder(folder: Path, below: Path | None = None) -> None:
    """Create a folder and its parents, each made durable in its own parent.

    Those below `below` are made durable even where they exist: whoever made them may have been killed in between.
    """
    fresh = []
    while not folder.exists() or (below is not None and folder.is_relative_to(below) and folder != below):
        fresh.append(folder)
        folder = folder.parent
    for path in reversed(fresh):
        path.mkdir(mode=0o750, exist_ok=True)
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """fsync a folder, so that the names in it survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_content(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _copy(source: int, target: Path, limit: int) -> tuple[str, int]:
    """Copy what was there at the beginning, and a little more where there is more: a log would never end."""
    digest, size = hashlib.sha256(), 0
    # Buffered: a bare write() may take a part only (the last blocks of a full disk) and say so in a number.
    with target.open("wb") as out:
        while size <= limit and (chunk := os.read(source, _CHUNK)):
            digest.update(chunk)
            out.write(chunk)
            size += len(chunk)
        out.flush()
        os.fsync(out.fileno())
    return digest.hexdigest(), size
