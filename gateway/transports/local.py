"""A drop folder on this machine: looking at it, and taking a file out of it.

Names are bytes, as the file system knows them; they are shown through `printable_name` and never become a path of
ours. Nothing is followed: a symbolic link is reported as one, whatever it points to. Files that are still being
written under a temporary name, and dot-names, are not seen at all (DESIGN 4.3).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

from gateway.domain.finding import printable

#: Endings under which clients write before they rename: WinSCP, lftp, rclone (".partial"), Spring Integration, our own.
TEMPORARY_ENDINGS: Final = (b".part", b".partial", b".filepart", b".tmp", b".writing")


class Nature(StrEnum):
    """What stands under a name."""

    FILE = "file"
    SYMLINK = "symlink"
    OTHER = "other"  #: device, socket, pipe


@dataclass(frozen=True, slots=True)
class Look:
    """One name in the drop folder at one moment. `name` is relative to the folder, in bytes."""

    name: bytes
    nature: Nature
    size: int
    mtime_ns: int
    inode: int

    def same_file(self, other: Look | None) -> bool:
        """`other` is the file that was looked at, unchanged, under whatever name."""
        return other is not None and replace(other, name=self.name) == self


def look_again(folder: Path, name: bytes) -> Look | None:
    """One name as it is now; None when nothing stands there any more, or a folder."""
    try:
        status = join(folder, name).lstat()
    except OSError:
        return None
    if stat.S_ISDIR(status.st_mode):
        return None
    return Look(name, _nature(status.st_mode), status.st_size, status.st_mtime_ns, status.st_ino)


def look_at(folder: Path, depth: int) -> Iterator[Look]:
    """Every name below `folder` that could be a dropped file, down to `depth` sub-folders.

    A folder that vanishes or may not be read while we look is passed over: the next look sees it again.
    """
    return _look(os.fsencode(folder), b"", depth)


def _look(root: bytes, below: bytes, depth: int) -> Iterator[Look]:
    try:
        entries = os.scandir(root + b"/" + below if below else root)
    except OSError:
        return
    folders = []
    with entries:
        for entry in entries:
            if is_temporary(entry.name):
                continue
            name = below + b"/" + entry.name if below else entry.name
            with suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    folders.append(name)
                    continue
                status = entry.stat(follow_symlinks=False)
                yield Look(name, _nature(status.st_mode), status.st_size, status.st_mtime_ns, status.st_ino)
    for name in folders if depth > 0 else ():
        yield from _look(root, name, depth - 1)


def is_temporary(name: bytes) -> bool:
    """A name that is never taken: hidden, or a client's temporary one."""
    return name.startswith(b".") or name.lower().endswith(TEMPORARY_ENDINGS)


def claim(folder: Path, name: bytes, claimed: Path, claim_id: str) -> bool:
    """Rename a dropped file into our folder; False when its owner took it away first. Raises OSError when the
    folder does not let it go.

    Sub-folders are held open on the way: one that was swapped for a link since the look leads nowhere.
    """
    *parents, last = name.split(b"/")
    try:
        with _held(folder, parents) as held:
            os.rename(last, os.fsencode(claimed / claim_id), src_dir_fd=held)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def remove(folder: Path, look: Look) -> bool:
    """Remove a name that is still as it was looked at; False when it is not, or is gone. Raises OSError when the
    folder does not let it go. Sub-folders are held open on the way, as in `claim`."""
    *parents, last = look.name.split(b"/")
    try:
        with _held(folder, parents) as held:
            status = os.stat(last, dir_fd=held, follow_symlinks=False)
            if Look(look.name, _nature(status.st_mode), status.st_size, status.st_mtime_ns, status.st_ino) != look:
                return False
            os.unlink(last, dir_fd=held)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


@contextmanager
def _held(folder: Path, parents: list[bytes]) -> Iterator[int]:
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for parent in parents:
            below = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=held)
            os.close(held)
            held = below
        yield held
    finally:
        os.close(held)


def join(folder: Path, name: bytes) -> Path:
    """The path of a name seen in `folder` (names that are no UTF-8 survive as surrogates)."""
    return folder / os.fsdecode(name)


def escape_name(name: bytes) -> str:
    """The exact name as ASCII text, for the ledger."""
    return quote_from_bytes(name, safe="/ ")


def unescape_name(raw: str) -> bytes:
    """The inverse of `escape_name`."""
    return unquote_to_bytes(raw)


def printable_name(name: bytes) -> str:
    """The name for people and acknowledgements: UTF-8 where it is, no control or direction marks."""
    return printable(name.decode("utf-8", "replace"), 512)


def free_bytes(folder: Path) -> int:
    """Bytes that may still be written on the file system of `folder`."""
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


def _nature(mode: int) -> Nature:
    if stat.S_ISREG(mode):
        return Nature.FILE
    return Nature.SYMLINK if stat.S_ISLNK(mode) else Nature.OTHER
