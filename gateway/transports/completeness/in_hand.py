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
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from gateway.transports.local import Look, Nature, escape_name, look_again, remove, unescape_name

ENDING: Final = ".vouched"
_PARTIAL: Final = ".vouched-partial"


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """A proof with the files that go with it, as they were looked at: those it vouches for, and those that are to be
    refused in spite of it. Told apart by identity."""

    proof: Look
    files: tuple[Look, ...]
    refused: tuple[Look, ...] = ()


@dataclass(slots=True)
class _Open:
    """A batch, and what of it was not claimed yet."""

    proof: Look
    files: dict[bytes, Look]
    refused: dict[bytes, Look]
    names: frozenset[bytes]  #: of all its files


class InHand:
    """The accepted proofs of one drop folder."""

    def __init__(self, inbox: Path, claimed: Path) -> None:
        self._inbox, self._claimed = inbox, claimed
        self._notes: dict[Path, list[_Open]] = {}
        self._written: set[Batch] = set()
        self._files: dict[bytes, list[_Open]] = {}
        self._proofs: dict[bytes, _Open] = {}
        self._log = structlog.get_logger("gateway.receive")
        self._load()

    def spent(self, look: Look) -> bool:
        """This is a proof that vouches for nothing any more; one of the same name that was written since is not.

        Nor is one with a file that is to be refused and was not claimed: after a crash it is looked at again, for
        the note does not say why it was refused.
        """
        known = self._proofs.get(look.name)
        return known is not None and known.proof == look and not known.refused

    def vouched(self, look: Look) -> bool:
        """A proof was accepted for this file, before a crash or in an earlier look."""
        return any(known.files.get(look.name) == look for known in self._files.get(look.name, ()))

    def write(self, batches: Iterable[Batch], id_: str) -> None:
        """Accept proofs, durably, before any of their files is claimed. Raises OSError, with nothing accepted."""
        fresh = [b for b in dict.fromkeys(batches) if b not in self._written and not self.spent(b.proof)]
        if not fresh:
            return
        path = self._claimed / (id_ + ENDING)
        content = [[_dump(b.proof), [_dump(f) for f in b.files], [_dump(f) for f in b.refused]] for b in fresh]
        partial = path.with_suffix(_PARTIAL)
        with partial.open("w", encoding="ascii") as out:
            json.dump(content, out)
            out.flush()
            os.fsync(out.fileno())
        partial.rename(path)
        _sync(self._claimed)
        self._written.update(fresh)
        self._keep(path, [_opened(b) for b in fresh])

    def taken(self, name: bytes) -> None:
        """A file is about to be claimed, or is no longer there as it was."""
        for known in self._files.pop(name, ()):
            known.files.pop(name, None)
            known.refused.pop(name, None)

    def compare(self, seen: Mapping[bytes, Look]) -> None:
        """Forget files that are no longer there as they were, after a full look."""
        for name, opened in list(self._files.items()):
            now = seen.get(name)
            if now is None or all(now not in (one.files.get(name), one.refused.get(name)) for one in opened):
                self.taken(name)

    def close(self, unsettled: Collection[bytes] = ()) -> None:
        """Remove the proofs whose files are all gone. `unsettled`: the names of all files of the partner whose rows
        are not past the archive; their proofs stay."""
        for path, opened in list(self._notes.items()):
            if any(one.files or one.refused for one in opened):
                continue
            if unsettled and any(not one.names.isdisjoint(unsettled) for one in opened):
                continue
            try:
                for one in opened:
                    remove(self._inbox, one.proof)
                path.unlink(missing_ok=True)
            except OSError as error:  # they stay spent, and are tried again
                self._log.error("proofs_not_removed", note=str(path), error=str(error))
                continue
            del self._notes[path]
            for one in opened:
                if self._proofs.get(one.proof.name) is one:
                    del self._proofs[one.proof.name]
        if not self._notes:
            self._written.clear()

    def _keep(self, path: Path, opened: list[_Open]) -> None:
        self._notes[path] = opened
        for one in opened:
            self._proofs[one.proof.name] = one
            for name in (*one.files, *one.refused):
                self._files.setdefault(name, []).append(one)

    def _load(self) -> None:
        for path in sorted(self._claimed.iterdir()) if self._claimed.is_dir() else ():
            if path.suffix == _PARTIAL:
                path.unlink(missing_ok=True)
            elif path.suffix == ENDING:
                try:
                    opened = [
                        self._reopened(_look(proof), [_look(c) for c in files], [_look(c) for c in refused])
                        for proof, files, refused in json.loads(path.read_text("ascii"))
                    ]
                except (OSError, ValueError, TypeError) as error:
                    self._log.error("note_of_proofs_unreadable", note=str(path), error=str(error))
                    path.unlink(missing_ok=True)
                    continue
                self._keep(path, opened)

    def _reopened(self, proof: Look, files: Iterable[Look], refused: Iterable[Look]) -> _Open:
        """What a note of another process says, and which of its files still wait to be claimed."""
        opened = _opened(Batch(proof, tuple(files), tuple(refused)))
        for looks in (opened.files, opened.refused):
            for name in [name for name, look in looks.items() if look_again(self._inbox, name) != look]:
                del looks[name]
        return opened


def is_note(path: Path) -> bool:
    """Is this file in `.claimed/` one of ours, and no claimed file?"""
    return path.suffix in (ENDING, _PARTIAL)


def _opened(batch: Batch) -> _Open:
    names = frozenset(look.name for look in (*batch.files, *batch.refused))
    return _Open(batch.proof, _by_name(batch.files), _by_name(batch.refused), names)


def _by_name(looks: Iterable[Look]) -> dict[bytes, Look]:
    return {look.name: look for look in looks}


def _dump(look: Look) -> list[object]:
    return [escape_name(look.name), look.size, look.mtime_ns, look.inode]


def _look(cells: list[object]) -> Look:
    name, size, mtime_ns, inode = cells
    if not (isinstance(name, str) and isinstance(size, int) and isinstance(mtime_ns, int) and isinstance(inode, int)):
        raise TypeError("a note of proofs holds names and numbers")
    raw = unescape_name(name)
    if {b"", b".", b".."} & set(raw.split(b"/")) or b"\0" in raw:
        raise ValueError("a note of proofs names what no look finds")  # the partner may be able to write beside in/
    return Look(raw, Nature.FILE, size, mtime_ns, inode)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
