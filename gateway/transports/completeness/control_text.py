"""The text of a control file: which files belong to a batch, with their sizes and hashes where it states them.

One file a line: `name`, or `name;size`, or `name;size;sha256` (either may be empty; a line of these words heads the
table), or a line of SHA256SUMS, SHA512SUMS or MD5SUMS. Names are names, never paths.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple

from gateway.transports.completeness.bounded_text import Unusable, lines_of, plain_name, read_text
from gateway.transports.completeness.digest_line import ALGORITHMS, read_digest_line

#: Enough for 100,000 names with their hashes.
CONTROL_BYTES: Final = 16 * 1024 * 1024
CONTROL_NAMES: Final = 100_000
_HEADING: Final = re.compile(r"(?:file_?)?name;size(;sha256)?", re.IGNORECASE)
_SIZE: Final = re.compile(r"[0-9]{0,15}")
_HASH: Final = re.compile(r"[0-9a-fA-F]*")


class Listed(NamedTuple):
    """What a control file states of one file; None and "" where it states nothing."""

    size: int | None = None
    algorithm: str = ""
    digest: str = ""


def read_control(path: Path, own_name: bytes) -> dict[bytes, Listed]:
    """The files that a control file lists, by name, itself left out. Raises `Unusable`, and OSError."""
    lines = lines_of(read_text(path, CONTROL_BYTES))
    if lines and _HEADING.fullmatch(lines[0].strip()):
        del lines[0]
    if len(lines) > CONTROL_NAMES:
        raise Unusable(f"il nomme plus de {CONTROL_NAMES} fichiers", f"it lists more than {CONTROL_NAMES} files")
    listed: dict[bytes, Listed] = {}
    for number, line in enumerate(lines, 1):
        name, stated = _line(line, number)
        if listed.setdefault(name, stated) != stated:
            raise Unusable(f"la ligne {number} contredit une autre", f"line {number} contradicts another one")
    listed.pop(own_name, None)
    if not listed:
        raise Unusable("il ne nomme aucun fichier", "it lists no file")
    return listed


def _line(line: str, number: int) -> tuple[bytes, Listed]:
    try:
        if ";" in line:
            return _cells(line)
        found = read_digest_line(line.strip())
        if found and found.name:
            return plain_name(found.name), Listed(None, found.algorithm, found.digest)
        return plain_name(line.strip()), Listed()
    except Unusable as wrong:
        raise Unusable(f"ligne {number} : {wrong.why.fr}", f"line {number}: {wrong.why.en}") from None


def _cells(line: str) -> tuple[bytes, Listed]:
    name, *rest = (cell.strip() for cell in line.split(";"))
    size, digest = ([*rest, ""])[:2]
    known = not digest or len(digest) in ALGORITHMS
    if len(rest) > 2 or not _SIZE.fullmatch(size) or not _HASH.fullmatch(digest) or not known:
        raise Unusable("la forme est nom;taille;sha256", "the form is name;size;sha256")
    return plain_name(name), Listed(int(size) if size else None, ALGORITHMS.get(len(digest), ""), digest.lower())
