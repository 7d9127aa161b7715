"""The folders below one folder of an account, one after the other, for counting and sweeping.

Never more than one of them is open, and one that cannot be read, or is gone by now, is left out: what is wrong with
one folder is no reason to leave the others. Links are not followed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.transports.sftp_server.root import held

#: Far deeper than a client can make folders; what somebody else has made below is not ours to look through.
_DEEPEST: Final = 64


@dataclass(frozen=True, slots=True)
class Walked:
    """One folder: its names below the first one, its descriptor (open until the next is asked for), what is in it."""

    below: tuple[bytes, ...]
    fd: int
    folders: tuple[bytes, ...]
    others: tuple[bytes, ...]


def walk(root: Path, name: str) -> Iterator[Walked]:
    """The folder `root/name` and all below it; nothing at all when it is missing."""
    left: list[tuple[bytes, ...]] = [()]
    while left:
        below = left.pop()
        try:
            with held(root, (name.encode(), *below)) as fd:
                walked = _look_through(below, fd)
                if len(below) < _DEEPEST:
                    left += ((*below, folder) for folder in walked.folders)
                yield walked
        except OSError:
            continue


def _look_through(below: tuple[bytes, ...], fd: int) -> Walked:
    folders: list[bytes] = []
    others: list[bytes] = []
    with os.scandir(fd) as entries:
        for entry in entries:
            kind = folders if entry.is_dir(follow_symlinks=False) else others
            kind.append(os.fsencode(entry.name))
    return Walked(below, fd, tuple(folders), tuple(others))
