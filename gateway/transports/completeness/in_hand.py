"""Proofs that were accepted: written down before the first of their files is claimed, removed after the last.

A marker must not be removed before its file is durable here, and must not vouch for the next file of the same name
while it still lies there. So a note in `.claimed/` says which proofs (as they were looked at) vouched for which files.
While it stands, those proofs vouch for nothing else, and those files need no other. When none of its files is left in
the folder and their rows are past the archive, the proofs are removed and then the note. Killed anywhere between,
another start reads the note and goes on; should the note itself be lost, a proof is told as one without a file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from gateway.transports.local import Look, Nature, escape_name, look_again, remove, unescape_name

ENDING: Final = ".vouched"
_PARTIAL: Final = ".vouched-partial"


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """A proof and the files it vouches for, as they were looked at; told apart by identity."""

    proof: Look
    files: tuple[Look, ...]


@dataclass(slots=True)
class _Note:
    proofs: list[Look]
    files: dict[bytes, Look]  #: still to be claimed


class InHand:
    """The accepted proofs of one drop folder."""

    def __init__(self, inbox: Path, claimed: Path) -> None:
        self._inbox, self._claimed = inbox, claimed
        self._notes: dict[Path, _Note] = {}
        self._files: dict[bytes, tuple[Look, _Note]] = {}
        self._proofs: dict[bytes, Look] = {}
        self._log = structlog.get_logger("gateway.receive")
        self._load()

    def spent(self, look: Look) -> bool:
        """This is a proof that vouches for nothing any more; one of the same name that was written since is not."""
        return self._proofs.get(look.name) == look

    def vouched(self, look: Look) -> bool:
        """A proof was accepted for this file, before a crash or in an earlier look."""
        known = self._files.get(look.name)
        return known is not None and known[0] == look

    def write(self, batches: Iterable[Batch], id_: str) -> None:
        """Accept proofs, durably, before any of their files is claimed. Raises OSError, with nothing accepted."""
        fresh = [batch for batch in dict.fromkeys(batches) if not self.spent(batch.proof)]
        if not fresh:
            return
        path = self._claimed / (id_ + ENDING)
        content = {
            "proofs": [_dump(batch.proof) for batch in fresh],
            "files": [_dump(look) for batch in fresh for look in batch.files],
        }
        partial = path.with_suffix(_PARTIAL)
        with partial.open("w", encoding="ascii") as out:
            json.dump(content, out)
            out.flush()
            os.fsync(out.fileno())
        partial.rename(path)
        _sync(self._claimed)
        self._keep(path, _Note([b.proof for b in fresh], {look.name: look for b in fresh for look in b.files}))

    def taken(self, name: bytes) -> None:
        """A file is about to be claimed, or is no longer there as it was."""
        known = self._files.pop(name, None)
        if known is not None:
            known[1].files.pop(name, None)

    def compare(self, seen: Mapping[bytes, Look]) -> None:
        """Forget files that are no longer there as they were, after a full look."""
        for name in [name for name, (look, _) in self._files.items() if seen.get(name) != look]:
            self.taken(name)

    def close(self) -> None:
        """Remove the proofs whose files are all gone. Call it when every row of the partner is past the archive."""
        for path in [path for path, note in self._notes.items() if not note.files]:
            note = self._notes[path]
            try:
                for proof in note.proofs:
                    remove(self._inbox, proof)
                path.unlink(missing_ok=True)
            except OSError as error:  # they stay spent, and are tried again
                self._log.error("proofs_not_removed", note=str(path), error=str(error))
                continue
            del self._notes[path]
            for proof in note.proofs:
                if self._proofs.get(proof.name) == proof:
                    del self._proofs[proof.name]

    def _keep(self, path: Path, note: _Note) -> None:
        self._notes[path] = note
        self._files.update({name: (look, note) for name, look in note.files.items()})
        self._proofs.update({proof.name: proof for proof in note.proofs})

    def _load(self) -> None:
        if not self._claimed.is_dir():
            return
        for path in sorted(self._claimed.iterdir()):
            if path.suffix == _PARTIAL:
                path.unlink(missing_ok=True)
            elif path.suffix == ENDING:
                try:
                    content = json.loads(path.read_text("ascii"))
                    files = [_look(cells) for cells in content["files"]]
                    note = _Note([_look(cells) for cells in content["proofs"]], {look.name: look for look in files})
                except (OSError, ValueError, KeyError, TypeError) as error:
                    self._log.error("note_of_proofs_unreadable", note=str(path), error=str(error))
                    path.unlink(missing_ok=True)
                    continue
                still = {name: look for name, look in note.files.items() if look_again(self._inbox, name) == look}
                self._keep(path, _Note(note.proofs, still))


def is_note(path: Path) -> bool:
    """Is this file in `.claimed/` one of ours, and no claimed file?"""
    return path.suffix in (ENDING, _PARTIAL)


def _dump(look: Look) -> list[object]:
    return [escape_name(look.name), look.size, look.mtime_ns, look.inode]


def _look(cells: list[object]) -> Look:
    name, size, mtime_ns, inode = cells
    if not (isinstance(name, str) and isinstance(size, int) and isinstance(mtime_ns, int) and isinstance(inode, int)):
        raise TypeError("a note of proofs holds names and numbers")
    return Look(unescape_name(name), Nature.FILE, size, mtime_ns, inode)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
