"""Names that a partner's server tells: bytes, and hostile until looked at.

A name that is usable stands for one thing in one folder, whatever it is used in: no way up, no other folder, no end
amid it. Control characters, direction marks and bytes that are no UTF-8 are legal; they are shown through
`printable_name`, never as they are. No name of the remote side becomes a name of ours.
"""

from __future__ import annotations

import hashlib
from typing import Final

LONGEST: Final = 255  #: bytes, on nearly every file system


def is_usable(name: bytes) -> bool:
    """Whether `name` can be the name of a file in a folder, and nothing else."""
    return 0 < len(name) <= LONGEST and name not in (b".", b"..") and b"/" not in name and b"\0" not in name


def inside(folder: bytes, name: bytes) -> bytes:
    """The path of `name` in `folder`. Raises ValueError for a name that could lead elsewhere."""
    if not is_usable(name):
        raise ValueError(f"not a name of a file: {name[:300]!r}")
    return folder.rstrip(b"/") + b"/" + name if folder else name


def temporary(name: bytes, attempt: int = 0) -> bytes:
    """Under which we write before the rename: hidden, and ending as `is_temporary` of `local` knows them. Another for
    each attempt: a rename of the one before, carried out late, must not hit what this one has written by half."""
    ending = b".%d.part" % attempt if attempt else b".part"
    usual = b"." + name + ending
    return usual if len(usual) <= LONGEST else b"." + hashlib.sha256(name).hexdigest().encode() + ending


def numbered(name: bytes, number: int) -> bytes:
    """`name` with a number, for a folder where it is taken already: `a.xml`, `a.1.xml`, `a.2.xml`…"""
    if number == 0:
        return name
    stem, dot, ending = name.rpartition(b".")
    if not dot or not stem or len(ending) > 16:
        stem, ending = name, b""
    tail = b".%d" % number + (b"." + ending if ending else b"")
    return stem[: LONGEST - len(tail)] + tail


def local_id(*parts: object) -> str:
    """A name of ours for something remote: the same for the same parts, and harmless."""
    # Each part with its length, so that no two lists of parts look alike.
    text = b"".join(b"%d:%s" % (len(piece), piece) for piece in (_bytes(part) for part in parts))
    return hashlib.sha256(text).hexdigest()[:40]


def _bytes(part: object) -> bytes:
    return part if isinstance(part, bytes) else str(part).encode()
