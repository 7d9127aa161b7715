"""The rung `checksum`: a sidecar beside the file holds its hash."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from gateway.domain import not_whole
from gateway.domain.finding import Finding, Text
from gateway.domain.partner import Rung
from gateway.transports.completeness.bounded_text import Unusable, lines_of, plain_name, read_text
from gateway.transports.completeness.digest_line import read_digest_line
from gateway.transports.completeness.hashing import Hasher
from gateway.transports.completeness.sighting import Sighting, View, folder_of
from gateway.transports.completeness.word import NOTHING, Orphan, Says, Word
from gateway.transports.local import Look, printable_name

#: Ending of the sidecar → algorithm.
_ENDINGS: Final = {b".sha256": "sha256", b".sha512": "sha512", b".md5": "md5"}
#: A hash, a name of 255 bytes in UTF-16, and some blanks.
_SIDECAR_BYTES: Final = 2048


@dataclass(frozen=True, slots=True)
class _Said:
    """What one shape of a sidecar says: a hash, or why it cannot be used."""

    look: Look
    digest: str = ""
    why: Text | None = None


class Checksum:
    """`x.xml.sha256`, `.sha512` or `.md5` holds the hash of `x.xml`: exact, and finds damage as well. Weakness: the
    sender must make it, and the file is read twice; MD5 finds damage, not malice.

    A mismatch is first of all a file that is still being written (Waarp checks at the end of a transfer for the same
    reason): it waits, and is refused only when nothing changes any more.
    """

    rung = Rung.CHECKSUM

    def __init__(self, hasher: Hasher, minutes: str) -> None:
        self._hasher = hasher
        self._minutes = minutes
        self._said: dict[bytes, _Said] = {}
        self._view = View(0.0, {})
        self._owners: dict[bytes, list[bytes]] = {}

    def companion(self, name: bytes) -> bool:
        """A name that ends as a sidecar's."""
        ending = _ending(name)
        return ending in _ENDINGS and len(name) > len(folder_of(name)) + len(ending)

    def begin(self, view: View) -> None:
        """Take in one look. A sidecar is read once for each shape of it, and only when its file is there."""
        self._view = view
        self._owners = {}
        for name in view.companions:
            self._owners.setdefault(_owner(name), []).append(name)
        self._said = {name: said for name, said in self._said.items() if name in view.companions}

    def word(self, sighting: Sighting) -> Word:
        """Whole when its hash is that of every sidecar it has."""
        if self._hasher.too_large(sighting):
            return NOTHING
        word = NOTHING
        for name in self._owners.get(sighting.look.name, ()):
            word = self._compared(sighting, self._view.companions[name])
            if word.says is not Says.WHOLE:
                break
        return word

    def beside(self, name: bytes) -> tuple[Look, ...]:
        """Its sidecars."""
        return tuple(self._view.companions[sidecar].look for sidecar in self._owners.get(name, ()))

    def missing(self, name: bytes) -> Finding:
        """The finding about a file whose sidecar never came."""
        other = printable_name(name + b".sha256")
        return not_whole.FILE_WITHOUT_CHECKSUM.at(name=printable_name(name), other=other, minutes=self._minutes)

    def orphans(self) -> Iterator[Orphan]:
        """Sidecars of no file that is there."""
        for owner, names in self._owners.items():
            if owner not in self._view.files:
                for name in names:
                    late = owner in self._view.taken
                    yield Orphan(self._view.companions[name], partial(self._alone, name, owner), late)

    def _alone(self, name: bytes, owner: bytes) -> Sequence[Finding]:
        shown, other = printable_name(name), printable_name(owner)
        return (not_whole.CHECKSUM_WITHOUT_FILE.at(name=shown, other=other, minutes=self._minutes),)

    def _compared(self, file: Sighting, sidecar: Sighting) -> Word:
        said = self._read(sidecar, file.look.name)
        since = max(file.unchanged_since, sidecar.unchanged_since)
        if said.why is not None:
            return Word(Says.NOT_WHOLE, since=since, tell=partial(_unreadable, file, sidecar, said.why))
        algorithm = _ENDINGS[_ending(sidecar.look.name)]
        found = self._hasher.digest(file, algorithm, self._view.now)
        if found is None:
            return Word(Says.NOT_WHOLE, pending=True)
        if found == said.digest:
            return Word(Says.WHOLE, sha256=found if algorithm == "sha256" else "")
        return Word(Says.NOT_WHOLE, since=since, tell=partial(_mismatch, file, sidecar, said.digest, found))

    def _read(self, sidecar: Sighting, owner: bytes) -> _Said:
        name = sidecar.look.name
        known = self._said.get(name)
        if known is None or known.look != sidecar.look:
            known = self._said[name] = _said(sidecar.look, sidecar.path, owner)
        return known


def _unreadable(file: Sighting, sidecar: Sighting, why: Text) -> Sequence[Finding]:
    name, other = printable_name(file.look.name), printable_name(sidecar.look.name)
    return (not_whole.CHECKSUM_UNREADABLE.at(name=name, other=other, why=why.fr, why_en=why.en),)


def _mismatch(file: Sighting, sidecar: Sighting, expected: str, found: str) -> Sequence[Finding]:
    return (
        not_whole.CHECKSUM_MISMATCH.at(
            name=printable_name(file.look.name),
            other=printable_name(sidecar.look.name),
            algorithm=_ENDINGS[_ending(sidecar.look.name)].upper(),
            expected=expected,
            found=found,
        ),
    )


def _said(look: Look, path: Path, owner: bytes) -> _Said:
    try:
        return _Said(look, digest=_only_digest(read_text(path, _SIDECAR_BYTES), _ENDINGS[_ending(look.name)], owner))
    except Unusable as wrong:
        return _Said(look, why=wrong.why)
    except OSError:
        return _Said(look, why=Text("elle n'a pas pu être lue", "it could not be read"))


def _only_digest(text: str, algorithm: str, owner: bytes) -> str:
    """The hash in the only line of a sidecar. Raises `Unusable`."""
    lines = lines_of(text)
    if len(lines) != 1:
        raise Unusable(f"elle a {len(lines)} lignes au lieu d'une", f"it has {len(lines)} lines instead of one")
    found = read_digest_line(lines[0].strip())
    if found is None or found.algorithm != algorithm:
        raise Unusable(f"aucune empreinte {algorithm.upper()}", f"no {algorithm.upper()} hash in it")
    if found.name and plain_name(found.name) != owner[len(folder_of(owner)) :]:
        raise Unusable("elle nomme un autre fichier", "it names another file")
    return found.digest


def _ending(name: bytes) -> bytes:
    return name[name.rfind(b".") :].lower() if b"." in name else b""


def _owner(sidecar: bytes) -> bytes:
    return sidecar[: len(sidecar) - len(_ending(sidecar))]
