"""The end of a zip file: the record that says where its directory is and how many entries it has.

Read from the tail alone, so that a growing file can be told from a whole one without reading it, and so that a
directory of a million entries is refused before any of it is parsed. Source: APPNOTE 4.3.14 to 4.3.16.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

_END: Final = struct.Struct("<4s4H2LH")
_END_64: Final = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64: Final = struct.Struct("<4sLQL")
_SIGNATURE: Final = b"PK\x05\x06"
_SIGNATURE_64: Final = b"PK\x06\x06"
_LOCATOR_SIGNATURE_64: Final = b"PK\x06\x07"

#: The record, a comment of 65,535 bytes, the zip64 record (with its extensible part unused) and its locator.
TAIL_BYTES: Final = _END.size + 65_535 + _END_64.size + _LOCATOR_64.size


@dataclass(frozen=True, slots=True)
class ZipEnd:
    """Where the directory lies in the file, and the number of entries it states."""

    offset: int
    size: int
    entries: int


def read_zip_end(tail: bytes, file_size: int) -> ZipEnd | None:
    """The end record in `tail` (the last bytes of a file of `file_size`), None unless it is consistent with it."""
    position = len(tail)
    while (position := tail.rfind(_SIGNATURE, 0, position)) >= 0:
        end = _at(tail, position, file_size)
        if end is not None:
            return end
    return None


def _at(tail: bytes, position: int, file_size: int) -> ZipEnd | None:
    if len(tail) - position < _END.size:
        return None
    _, disk, start_disk, _, entries, size, offset, comment = _END.unpack_from(tail, position)
    if position + _END.size + comment != len(tail) or disk not in (0, 0xFFFF) or start_disk not in (0, 0xFFFF):
        return None
    directory_end = file_size - len(tail) + position
    if 0xFFFF in (entries,) or 0xFFFFFFFF in (size, offset):
        wide = _zip64(tail, position, file_size)
        if wide is not None:
            return wide
    # Exactly: what we take begins with an entry, so nothing shifts the directory. Were a shift allowed, a zip cut
    # off behind an uncompressed zip within it would look whole.
    return ZipEnd(offset, size, entries) if offset + size == directory_end else None


def _zip64(tail: bytes, position: int, file_size: int) -> ZipEnd | None:
    locator = position - _LOCATOR_64.size
    record = locator - _END_64.size
    if record < 0 or not tail.startswith(_LOCATOR_SIGNATURE_64, locator) or not tail.startswith(_SIGNATURE_64, record):
        return None
    *_, entries, size, offset = _END_64.unpack_from(tail, record)
    directory_end = file_size - len(tail) + record
    return ZipEnd(offset, size, entries) if offset + size == directory_end else None
