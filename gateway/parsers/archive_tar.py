"""The members of a tar, a tar.gz, or the one file in a .gz, under the budget of the whole.

The stream is unpacked once, forwards, in bounded pieces; the unpacked tar is never held. The standard library ends
silently at a damaged header, which would lose every invoice behind it: so where it stopped must be an end mark.
"""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Iterator
from typing import Final

from gateway.domain.finding import printable
from gateway.parsers import archive_findings as told
from gateway.parsers.archive import ArchiveRefused, Budget, Member, is_noise, safe_name
from gateway.parsers.sniff import Form, sniff

_CHUNK_BYTES: Final = 1 << 16
_BLOCK: Final = 512
_RECORD: Final = 20 * _BLOCK
_DAMAGE: Final = (tarfile.TarError, EOFError, ValueError, OverflowError, UnicodeError, RecursionError)


class Gunzip:
    """Unpacks gzip (several members too), forwards and under the budget. `read` raises `ArchiveRefused`."""

    def __init__(self, content: bytes, budget: Budget) -> None:
        self._content = memoryview(content)
        self._budget = budget
        self._position = 0
        self._pending = b""
        self._inflate = zlib.decompressobj(wbits=31)
        self._ended = False
        self._given = 0

    def read(self, size: int) -> bytes:
        """At most `size` bytes, fewer only at the end."""
        parts: list[bytes] = []
        while size > 0 and not self._ended:
            part = self._some(size)
            size -= len(part)
            parts.append(part)
        return b"".join(parts)

    def _some(self, size: int) -> bytes:
        if not self._pending:
            self._pending = bytes(self._content[self._position : self._position + _CHUNK_BYTES])
            self._position += len(self._pending)
            if not self._pending:
                raise ArchiveRefused(told.BROKEN.at(detail="gzip: cut off"))
        try:
            part = self._inflate.decompress(self._pending, size)
        except zlib.error as error:
            raise ArchiveRefused(told.BROKEN.at(detail=printable(f"gzip: {error}", 120))) from error
        self._pending = self._inflate.unconsumed_tail
        self._given += len(part)
        self._budget.unpacked(len(part))
        self._budget.ratio(self._position, self._given)
        if self._inflate.eof:
            self._next_member()
        return part

    def _next_member(self) -> None:
        rest = self._inflate.unused_data
        if self._position < len(self._content) and len(rest) < 2:
            rest += bytes(self._content[self._position : self._position + _CHUNK_BYTES])
            self._position = min(len(self._content), self._position + _CHUNK_BYTES)
        if rest.startswith(b"\x1f\x8b"):
            self._inflate = zlib.decompressobj(wbits=31)
            self._pending = rest
        elif any(rest) or any(self._content[self._position :]):
            raise ArchiveRefused(told.BROKEN.at(detail="gzip: data after the end"))
        else:  # nothing, or the zeros that tape and block devices add
            self._ended = True


class _Watched:
    """Passes a stream on to tarfile and remembers the last bytes, to see at what it stopped."""

    def __init__(self, stream: Gunzip | io.BytesIO, head: bytes = b"") -> None:
        self._stream = stream
        self._head = head
        self.position = 0
        self.tail = b""

    def read(self, size: int) -> bytes:
        part, self._head = self._head[:size], self._head[size:]
        if len(part) < size:
            part += self._stream.read(size - len(part))
        self.position += len(part)
        self.tail = (self.tail + part)[-4 * _RECORD :]
        return part

    def since(self, offset: int) -> bytes | None:
        """What was read from `offset` on, None when it is no longer remembered."""
        back = self.position - offset
        return self.tail[len(self.tail) - back :] if 0 <= back <= len(self.tail) else None


def gzip_members(name: str, content: bytes, budget: Budget) -> Iterator[Member]:
    """The members of a tar.gz, or the one file in a .gz."""
    stream = Gunzip(content, budget)
    head = stream.read(_BLOCK)
    if sniff(head).form is Form.TAR:
        yield from _from_tar(_Watched(stream, head), budget, checked=True)
        return
    budget.member()
    inner = name.rsplit("/", 1)[-1]
    inner = inner[:-3] if inner.lower().endswith(".gz") else inner
    rest = stream.read(budget.limits.member_bytes + 1 - len(head))
    member_name, fault = safe_name(inner or "file", budget.limits)
    if len(head) + len(rest) > budget.limits.member_bytes:
        fault = told.MEMBER_TOO_LARGE.at(
            name=member_name, limit=budget.limits.member_bytes // 1_000_000, location=member_name
        )
    yield Member(member_name, b"" if fault else head + rest, fault)


def tar_members(content: bytes, budget: Budget) -> Iterator[Member]:
    """The members of a plain tar."""
    budget.unpacked(len(content))
    yield from _from_tar(_Watched(io.BytesIO(content)), budget, checked=False)


def _from_tar(stream: _Watched, budget: Budget, *, checked: bool) -> Iterator[Member]:
    try:
        # fileobj needs only `read` in stream mode, which its stubs do not say.
        with tarfile.open(
            fileobj=stream,
            mode="r|",
            bufsize=_RECORD,
            encoding="utf-8",
            errors="surrogateescape",  # type: ignore[call-overload]
        ) as archive:
            while (entry := archive.next()) is not None:
                budget.member()
                if entry.isdir():
                    safe_name(entry.name or ".", budget.limits)
                    continue
                member = _member(archive, entry, budget)
                if not is_noise(member.name):
                    yield member
            _demand_end(stream, archive.offset, checked=checked)
    except _DAMAGE as error:
        raise ArchiveRefused(told.BROKEN.at(detail=printable(f"tar: {error}", 120))) from error


def _member(archive: tarfile.TarFile, entry: tarfile.TarInfo, budget: Budget) -> Member:
    name, fault = safe_name(_name(entry.name), budget.limits)
    if entry.size < 0:
        raise ArchiveRefused(told.BROKEN.at(detail="tar: negative size"))
    if fault is None and (not entry.isreg() or entry.issparse()):
        fault = told.SPECIAL.at(name=name, location=name)
    if fault is None and entry.size > budget.limits.member_bytes:
        fault = told.MEMBER_TOO_LARGE.at(name=name, limit=budget.limits.member_bytes // 1_000_000, location=name)
    stream = None if fault else archive.extractfile(entry)
    if stream is None:
        return Member(name, b"", fault)
    content = stream.read(entry.size)
    if len(content) != entry.size:
        raise EOFError("cut off")
    return Member(name, content)


def _name(raw: str) -> str:
    """A name that is not UTF-8 is taken for Windows-1252; one such byte does not cost the file."""
    try:
        raw.encode("utf-8")
    except UnicodeEncodeError:
        return raw.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
    return raw


def _demand_end(stream: _Watched, offset: int, *, checked: bool) -> None:
    """Behind the last member: zeros to the end. A gzip that ends well may leave them out, a plain tar may not."""
    seen = stream.since(offset)
    if seen is None or any(seen):
        raise EOFError("damaged header")
    ended = bool(seen)
    while part := stream.read(_CHUNK_BYTES):
        ended = True
        if any(part):
            raise EOFError("data after the end")
    if not ended and not checked:
        raise EOFError("cut off")
