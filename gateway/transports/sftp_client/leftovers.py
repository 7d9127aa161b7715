"""Beginnings of remote files that earlier attempts left in a folder of ours: one for each remote name at most.

What is written stands under a name made of two: which remote file it is of, and which version of it (`names.local_id`).
A version that is there no more is never gone on with, so its beginning makes room when another is begun.
"""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from typing import Final

ENDING: Final = ".part"
_FILE_DIGITS: Final = 32
_VERSION_DIGITS: Final = 24


def id_of(file: str, version: str) -> str:
    """Both in one name, of two of `local_id`."""
    return file[:_FILE_DIGITS] + version[:_VERSION_DIGITS]


class Leftovers:
    """What lies in `into` when this is made. Several threads may use it. Raises OSError."""

    def __init__(self, into: Path) -> None:
        self._into = into
        self._ids: defaultdict[str, set[str]] = defaultdict(set)
        with os.scandir(into) as entries:
            for entry in entries:
                id_ = entry.name.removeprefix(".").removesuffix(ENDING)
                if entry.name == f".{id_}{ENDING}":
                    self._ids[id_[:_FILE_DIGITS]].add(id_)

    def remove_others(self, id_: str) -> None:
        """Take away what is left of other versions of the file that `id_` is of. Raises OSError."""
        for other in self._ids.pop(id_[:_FILE_DIGITS], set()) - {id_}:
            (self._into / f".{other}{ENDING}").unlink(missing_ok=True)
