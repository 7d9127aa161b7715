"""The members of a zip archive, under the budget of the whole.

The standard library reads the structure; what it lacks is here: the directory is counted before it is parsed,
entries that overlap (Fifield's bomb, CVE-2024-0450) are refused, only the two usual methods are taken (its bzip2
and LZMA readers unpack without a bound), links are refused, and names without the UTF-8 mark are tried as UTF-8.
"""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from typing import IO, Final

from gateway.domain.finding import Finding, printable
from gateway.parsers import archive_findings as told
from gateway.parsers.archive import ArchiveRefused, Budget, Member, is_noise, safe_name
from gateway.parsers.zip_end import TAIL_BYTES, read_zip_end

_ENTRY: Final = b"PK\x01\x02"
_LOCAL_BYTES: Final = 30
_UTF8: Final = 0x800
#: Traditional and strong encryption, and a masked directory.
_ENCRYPTED: Final = 0x1 | 0x40 | 0x2000
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_CHUNK_BYTES: Final = 1 << 18

#: What the standard library raises for hostile structure (NotImplementedError is a RuntimeError).
_DAMAGE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    ValueError,
    OverflowError,
    IndexError,
    KeyError,
    RuntimeError,
)


def zip_members(content: bytes, budget: Budget) -> Iterator[Member]:
    """Each file of the archive, in the order of its directory. Raises `ArchiveRefused`."""
    end = read_zip_end(content[-TAIL_BYTES:], len(content))
    if end is None:
        raise ArchiveRefused(told.BROKEN.at(detail="zip: no end record"))
    # Counted, not believed: each ZipInfo costs a kilobyte, and a directory of 30 MB would cost 600 MB.
    if content.count(_ENTRY, end.offset, end.offset + end.size) > 2 * budget.limits.members:
        raise ArchiveRefused(told.TOO_MANY.at(limit=budget.limits.members))
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except _DAMAGE as error:
        raise ArchiveRefused(told.BROKEN.at(detail=printable(f"zip: {error}", 120))) from error
    with archive:
        entries = archive.infolist()
        if end.entries != len(entries):
            raise ArchiveRefused(told.BROKEN.at(detail=f"zip: {end.entries} entries stated, {len(entries)} found"))
        _refuse_overlaps(content, entries, end.offset, budget)
        for entry in entries:
            if not entry.is_dir():
                budget.member()
                member = _member(archive, entry, budget)
                if not is_noise(member.name):
                    yield member


def _refuse_overlaps(content: bytes, entries: Iterable[zipfile.ZipInfo], directory: int, budget: Budget) -> None:
    reached = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        start = entry.header_offset
        lengths = content[start + 26 : start + _LOCAL_BYTES]
        if start < reached or len(lengths) < 4:
            raise ArchiveRefused(told.BOMB.at(ratio=budget.limits.ratio))
        name_length, extra_length = struct.unpack("<HH", lengths)
        reached = start + _LOCAL_BYTES + name_length + extra_length + entry.compress_size
    if reached > directory:
        raise ArchiveRefused(told.BOMB.at(ratio=budget.limits.ratio))


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: Budget) -> Member:
    name, fault = safe_name(_name(entry), budget.limits)
    fault = fault or _fault(name, entry, budget)
    if fault is not None:
        return Member(name, b"", fault)
    # The entry that the archive opens must be this one, not another of the same name: pass the entry, not the name.
    try:
        with archive.open(entry) as stream:
            return Member(name, _read(stream, entry, budget))
    except _Longer:
        raise ArchiveRefused(told.BOMB.at(ratio=budget.limits.ratio)) from None
    except _DAMAGE as error:
        return Member(name, b"", told.CHECKSUM.at(name=name, detail=printable(str(error), 120), location=name))


def _name(entry: zipfile.ZipInfo) -> str:
    """Without the UTF-8 mark a name is in code page 437 by the book, and in UTF-8 in practice (macOS, Java)."""
    raw = entry.orig_filename
    if entry.flag_bits & _UTF8:
        return raw
    try:
        return raw.encode("cp437").decode("utf-8")
    except UnicodeError:
        return raw


def _fault(name: str, entry: zipfile.ZipInfo, budget: Budget) -> Finding | None:
    mode = entry.external_attr >> 16
    if entry.flag_bits & _ENCRYPTED:
        return told.ENCRYPTED.at(name=name, location=name)
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return told.SPECIAL.at(name=name, location=name)
    if entry.compress_type not in _METHODS:
        return told.METHOD.at(name=name, method=entry.compress_type, location=name)
    if entry.file_size > budget.limits.member_bytes:
        return told.MEMBER_TOO_LARGE.at(name=name, limit=budget.limits.member_bytes // 1_000_000, location=name)
    budget.ratio(entry.compress_size, entry.file_size)
    return None


class _Longer(Exception):
    """The entry unpacks to more than it states."""


def _read(stream: IO[bytes], entry: zipfile.ZipInfo, budget: Budget) -> bytes:
    parts: list[bytes] = []
    count = 0
    while part := stream.read(_CHUNK_BYTES):
        count += len(part)
        budget.unpacked(len(part))
        if count > entry.file_size:
            raise _Longer
        parts.append(part)
    if count != entry.file_size:
        raise EOFError(f"{count} bytes instead of {entry.file_size}")
    return b"".join(parts)
