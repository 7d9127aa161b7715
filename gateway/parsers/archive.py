"""Archives to members: zip, tar, tar.gz and a single .gz, in memory, never to disk, under limits.

What endangers the reader or hides something (traversal, bombs, overlapping entries, damage to the container)
refuses the whole archive: `ArchiveRefused`. What concerns one member (encrypted, wrong checksum, a link, too large)
becomes its `fault`, and the other members are still used.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from gateway.domain.finding import Finding, printable
from gateway.parsers import archive_findings as told
from gateway.parsers.sniff import Form, sniff


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """Ceilings on what one archive may hold. `total_bytes` bounds our memory, `members` our time."""

    members: int = 10_000
    member_bytes: int = 30_000_000
    total_bytes: int = 160_000_000  #: an invoice with its attachments is at most 120 MB (domain facts 1.6)
    ratio: int = 250  #: unpacked to packed; XML of many like invoices reaches about 100
    ratio_from_bytes: int = 10_000_000  #: below this the ratio is not looked at
    depth: int = 1  #: 1: an archive inside an archive is not opened
    name_chars: int = 250


DEFAULT_LIMITS: Final = ArchiveLimits()

#: What systems add by themselves and nobody means to send.
_NOISE: Final = frozenset({".ds_store", "thumbs.db", "desktop.ini"})
ARCHIVES: Final = frozenset({Form.ZIP, Form.GZIP, Form.TAR})
ARCHIVE_NAME: Final = re.compile(r"\.(zip|tar|tgz|gz)$", re.IGNORECASE)


class ArchiveRefused(Exception):
    """Nothing of the archive may be used; `finding` says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message.en)
        self.finding = finding


@dataclass(frozen=True, slots=True)
class Member:
    """One file in an archive. `name` uses "/" and NFC; with a `fault`, `content` is empty and must not be used."""

    name: str
    content: bytes
    fault: Finding | None = None

    @property
    def file_name(self) -> str:
        """The last part of the name."""
        return self.name.rsplit("/", 1)[-1]


@dataclass(slots=True)
class Budget:
    """What is left of the limits while one dropped file is read, all nesting levels together."""

    limits: ArchiveLimits
    members: int = field(default=0, init=False)
    bytes_out: int = field(default=0, init=False)

    def member(self) -> None:
        self.members += 1
        if self.members > self.limits.members:
            raise ArchiveRefused(told.TOO_MANY.at(limit=self.limits.members))

    def unpacked(self, count: int) -> None:
        self.bytes_out += count
        if self.bytes_out > self.limits.total_bytes:
            raise ArchiveRefused(told.TOO_LARGE.at(limit=self.limits.total_bytes // 1_000_000))

    def ratio(self, packed: int, unpacked: int) -> None:
        if unpacked > self.limits.ratio_from_bytes and unpacked > packed * self.limits.ratio:
            raise ArchiveRefused(told.BOMB.at(ratio=self.limits.ratio))


def archive_form(content: bytes) -> Form | None:
    """ZIP, GZIP or TAR by content, None for anything else."""
    form = sniff(content).form
    return form if form in ARCHIVES else None


def read_archive(
    name: str, content: bytes, limits: ArchiveLimits = DEFAULT_LIMITS
) -> tuple[tuple[Member, ...], tuple[Finding, ...]]:
    """The members by name, and what concerns the archive as a whole. Raises `ArchiveRefused`."""
    return _tidy(_members(name, content, Budget(limits), limits.depth))


def safe_name(raw: str, limits: ArchiveLimits) -> tuple[str, Finding | None]:
    """`raw` as a relative path with "/", and a fault if it cannot be used. A name that leaves the archive refuses
    it all: nothing here is written to disk, but such an archive was made to attack somebody."""
    name = unicodedata.normalize("NFC", raw).replace("\\", "/")
    parts = name.split("/")
    if "\0" in name or name.startswith("/") or re.match("[A-Za-z]:", name) or ".." in parts:
        raise ArchiveRefused(told.TRAVERSAL.at(name=raw, location=printable(raw)))
    name = "/".join(part for part in parts if part not in ("", "."))
    if not name or len(name) > limits.name_chars or not name.isprintable():
        shown = printable(name, limits.name_chars) or "?"
        return shown, told.BAD_NAME.at(name=shown, limit=limits.name_chars, location=shown)
    return name, None


def is_noise(name: str) -> bool:
    """Files that operating systems leave in archives."""
    file_name = name.rsplit("/", 1)[-1]
    return name.startswith("__MACOSX/") or file_name.startswith("._") or file_name.lower() in _NOISE


def _members(name: str, content: bytes, budget: Budget, depth: int) -> Iterator[Member]:
    from gateway.parsers.archive_tar import gzip_members, tar_members
    from gateway.parsers.archive_zip import zip_members

    match archive_form(content):
        case Form.ZIP:
            found = zip_members(content, budget)
        case Form.GZIP:
            found = gzip_members(name, content, budget)
        case _:
            found = tar_members(content, budget)
    for member in found:
        if depth > 1 and not member.fault and ARCHIVE_NAME.search(member.name) and archive_form(member.content):
            for inner in _members(member.file_name, member.content, budget, depth - 1):
                yield Member(f"{member.name}/{inner.name}", inner.content, inner.fault)
        else:
            yield member


def _tidy(members: Iterable[Member]) -> tuple[tuple[Member, ...], tuple[Finding, ...]]:
    """By name; a name given twice with different content is a fault, since nothing tells which one is meant."""
    by_name: dict[str, Member] = {}
    for member in members:
        first = by_name.setdefault(member.name, member)
        if first is not member and (first.content != member.content or member.fault != first.fault):
            fault = first.fault or told.TWICE.at(name=member.name, location=member.name)
            by_name[member.name] = Member(member.name, b"", fault)
    ordered = tuple(by_name[name] for name in sorted(by_name))
    return ordered, tuple(_case_collisions(ordered))


def _case_collisions(members: Iterable[Member]) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    told_of = 0
    for member in members:
        other = seen.setdefault(member.name.casefold(), member.name)
        if other != member.name and told_of < told.MOST_TOLD:
            told_of += 1
            yield told.CASE.at(name=member.name, other=other, location=member.name)
