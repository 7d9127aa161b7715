"""Does a file in a drop folder end as its form must? Looks at head and tail only, so that it costs the same for
1 KB and 1 GB. Weakness: a file cut exactly where a shorter one would end looks whole; that is why this is only
asked of a file that has been quiet for a while.

The name may have been swapped for a link or a pipe since it was listed: nothing is followed, nothing blocks.
"""

from __future__ import annotations

import os
import re
import stat
import zlib
from pathlib import Path
from typing import Final

from gateway.parsers.prolog import read_prolog
from gateway.parsers.sniff import Form, sniff
from gateway.parsers.zip_end import TAIL_BYTES, read_zip_end

_HEAD_BYTES: Final = 64 * 1024
_XML_TAIL_BYTES: Final = 64 * 1024
_PDF_TAIL_BYTES: Final = 2048
#: Work on a gzip: read and unpacked. Beyond it the file counts as whole, and opening it tells the truth.
_GZIP_READ_BYTES: Final = 32_000_000
_GZIP_UNPACK_BYTES: Final = 256_000_000
_CHUNK_BYTES: Final = 1 << 18
_BLOCK: Final = 512

#: After the root's end only comments, processing instructions and blanks may follow (XML 1.0, production 27).
_MISC: Final = re.compile(r"(?:\s|<!--(?:(?!--).)*-->|<\?(?:(?!\?>).)*\?>)*\Z", re.DOTALL)
_CLOSINGS: Final = 10
_EMPTY_ROOT: Final = re.compile(r"/>\s*\Z")


def looks_whole(path: Path) -> bool:
    """False when the file certainly goes on, or cannot be opened as a plain file. Unknown forms are whole."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return False
        return _whole(descriptor, status.st_size)
    except OSError:
        return False
    finally:
        os.close(descriptor)


def _whole(descriptor: int, size: int) -> bool:
    head = os.pread(descriptor, _HEAD_BYTES, 0)
    match sniff(head).form:
        case Form.XML:
            return _xml_ends(head, _tail(descriptor, size, _XML_TAIL_BYTES))
        case Form.PDF:
            return b"%%EOF" in _tail(descriptor, size, _PDF_TAIL_BYTES)
        case Form.ZIP:
            return read_zip_end(_tail(descriptor, size, TAIL_BYTES), size) is not None
        case Form.GZIP:
            return _gzip_ends(descriptor)
        case Form.TAR:
            # Two blocks of zeros end a tar, and its writer fills whole blocks.
            return size % _BLOCK == 0 and not any(_tail(descriptor, size, 2 * _BLOCK))
    return True


def _tail(descriptor: int, size: int, count: int) -> bytes:
    return os.pread(descriptor, count, max(0, size - count))


def _xml_ends(head: bytes, tail: bytes) -> bool:
    prolog = read_prolog(head)
    if not prolog.local:
        # Cut within the prolog, or nothing that we would read anyway: a closing bracket is all that can be asked.
        return tail.rstrip(b"\0 \t\r\n").endswith(b">")
    text = tail.decode(_codec(head), "replace")
    if "</" not in text:
        return _EMPTY_ROOT.search(text) is not None
    closing = re.compile(rf"</(?:[^\s<>/:]+:)?{re.escape(prolog.local)}\s*>")
    # A comment behind the root may hold the same tag: each of the last few is tried.
    ends = [match.end() for match in closing.finditer(text)][-_CLOSINGS:]
    return any(_MISC.match(text, end) for end in ends)


def _codec(head: bytes) -> str:
    """Tags are ASCII in every encoding that we take but UTF-16."""
    if head.startswith((b"\xff\xfe", b"<\0")):
        return "utf-16-le"
    return "utf-16-be" if head.startswith((b"\xfe\xff", b"\0<")) else "iso-8859-1"


def _gzip_ends(descriptor: int) -> bool:
    inflate = zlib.decompressobj(wbits=31)
    offset = unpacked = 0
    pending = b""
    while offset < _GZIP_READ_BYTES and unpacked < _GZIP_UNPACK_BYTES:
        if not pending:
            pending = os.pread(descriptor, _CHUNK_BYTES, offset)
            offset += len(pending)
            if not pending:
                return False
        try:
            unpacked += len(inflate.decompress(pending, _CHUNK_BYTES * 4))
        except zlib.error:
            return True  # damaged, not unfinished: waiting would not mend it
        pending = inflate.unconsumed_tail
        if inflate.eof:
            pending = inflate.unused_data or os.pread(descriptor, _CHUNK_BYTES, offset)
            offset += 0 if inflate.unused_data else len(pending)
            if not pending.startswith(b"\x1f"):
                return True  # the end, or padding: the reader judges it
            inflate = zlib.decompressobj(wbits=31)
    return True
