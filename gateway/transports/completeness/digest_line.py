"""The forms in which programs write a hash and a file name into one line."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

#: The algorithms that are understood, by the length of their hash in hexadecimal.
ALGORITHMS: Final = {32: "md5", 64: "sha256", 128: "sha512"}

#: `hex  name` and `hex *name` of coreutils; also with a tab.
_HEX_FIRST: Final = re.compile(r"([0-9a-fA-F]+)(?:[ \t]+\*?(.+))?")
#: `SHA256 (name) = hex` of BSD, `SHA2-256(name)= hex` of OpenSSL 3.
_NAME_FIRST: Final = re.compile(r"([A-Za-z0-9-]{3,10}) ?\((.+)\) ?= ?([0-9a-fA-F]+)")
_SPELT: Final = {
    "MD5": "md5", "SHA256": "sha256", "SHA2-256": "sha256", "SHA-256": "sha256",
    "SHA512": "sha512", "SHA2-512": "sha512", "SHA-512": "sha512",
}  # fmt: skip


class DigestLine(NamedTuple):
    """A hash in small letters; `name` is "" where the line has none."""

    algorithm: str
    digest: str
    name: str


def read_digest_line(line: str) -> DigestLine | None:
    """What a line without its end says; None when it is in no form that is known. Linear in its length."""
    if found := _HEX_FIRST.fullmatch(line):
        digest, name = found[1].lower(), found[2] or ""
        algorithm = ALGORITHMS.get(len(digest))
    elif found := _NAME_FIRST.fullmatch(line):
        digest, name = found[3].lower(), found[2]
        algorithm = _SPELT.get(found[1].upper())
        if ALGORITHMS.get(len(digest)) != algorithm:
            return None
    else:
        return None
    return DigestLine(algorithm, digest, name) if algorithm else None
