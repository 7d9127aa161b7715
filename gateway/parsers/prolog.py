"""What stands before and in the root tag of an XML file, read without an XML parser.

Cheap and safe on hostile bytes: nothing is expanded, every search is linear and only ever forward. It tells the
encoding, whether there is a DOCTYPE (which is refused before any parser sees it), and the name of the root. Only
encodings in which `<!DOCTYPE` reads as ASCII or UTF-16 are let through: libxml2 would also decode UTF-7 or EBCDIC,
in which a DOCTYPE could hide from this look.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

#: Most files show their root within this; the rest is only looked at when they do not.
WINDOW_BYTES: Final = 16 * 1024

_BYTE_FAMILY: Final = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "ascii",
    "ascii": "ascii",
    "iso-8859-1": "iso-8859-1",
    "latin1": "iso-8859-1",
    "iso-8859-15": "iso-8859-15",
    "windows-1252": "cp1252",
}
_WIDE_FAMILY: Final = frozenset({"utf-16", "utf-16le", "utf-16be"})
#: Starts of files in encodings that are not taken: UTF-32 in both orders, EBCDIC.
_FOREIGN_STARTS: Final = (
    b"\xff\xfe\x00\x00",
    b"\x00\x00\xfe\xff",
    b"<\x00\x00\x00",
    b"\x00\x00\x00<",
    b"\x4c\x6f\xa7\x94",
)

_DECLARATION: Final = re.compile(
    r"""<\?xml\s+version\s*=\s*(?:"1\.[0-9]+"|'1\.[0-9]+')
        (?:\s+encoding\s*=\s*(?:"(?P<double>[A-Za-z][A-Za-z0-9._-]*)"|'(?P<single>[A-Za-z][A-Za-z0-9._-]*)'))?
        (?:\s+standalone\s*=\s*(?:"(?:yes|no)"|'(?:yes|no)'))?
        \s*\?>""",
    re.VERBOSE,
)
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_NAME: Final = re.compile(r"<(?:(?P<prefix>[^\s<>/:=\"'&!?]+):)?(?P<local>[^\s<>/:=\"'&!?]+)(?=[\s/>])")
_ATTRIBUTE: Final = re.compile(r"\s+(?P<name>[^\s<>/=\"'&]+)\s*=\s*(?:\"(?P<double>[^\"<]*)\"|'(?P<single>[^'<]*)')")
_TAG_END: Final = re.compile(r"\s*/?>")


class Fault(StrEnum):
    """Why the look ended without a root."""

    NOT_XML = "not-xml"  #: no markup where it should begin, or it ends within the prolog
    ENCODING = "encoding"  #: an encoding that is not taken, or one that contradicts the bytes
    DOCTYPE = "doctype"


@dataclass(frozen=True, slots=True)
class Prolog:
    """The root's name and namespace, or the fault. `encoding` is the one declared, or what the bytes show."""

    namespace: str = ""
    local: str = ""
    encoding: str = ""
    fault: Fault | None = None


class _NeedsMoreText(Exception):
    """The window ends within the prolog."""


def read_prolog(content: bytes) -> Prolog:
    """Look at the start of `content`; all of it only where comments push the root out of the window."""
    try:
        return _read(content[:WINDOW_BYTES])
    except _NeedsMoreText:
        pass
    if len(content) > WINDOW_BYTES:
        try:
            return _read(content)
        except _NeedsMoreText:
            pass
    return Prolog(fault=Fault.NOT_XML)


def _read(content: bytes) -> Prolog:
    if content.startswith(_FOREIGN_STARTS):
        return Prolog(encoding="UTF-32 / EBCDIC", fault=Fault.ENCODING)
    wide = _wide_codec(content)
    text = _decoded(content, wide or "iso-8859-1")
    if not text.startswith("<?xml") or text[5:6] not in (" ", "\t", "\r", "\n"):
        return _root(text, 0, wide or "utf-8")
    declaration = _DECLARATION.match(text)
    if declaration is None:
        if "?>" not in text:
            raise _NeedsMoreText
        # What this grammar cannot read, a more lenient parser might read as another encoding.
        return Prolog(encoding=text[: text.index("?>") + 2][:80], fault=Fault.ENCODING)
    declared = (declaration["double"] or declaration["single"] or "").lower()
    family = _WIDE_FAMILY if wide else _BYTE_FAMILY.keys()
    if declared and declared not in family:
        return Prolog(encoding=declared, fault=Fault.ENCODING)
    if declared in _BYTE_FAMILY:
        text = _decoded(content, _BYTE_FAMILY[declared])
    return _root(text, declaration.end(), declared or wide or "utf-8")


def _wide_codec(content: bytes) -> str:
    """The UTF-16 codec that a byte order mark or the first character shows; "" for one byte a character."""
    if content.startswith((codecs.BOM_UTF16_LE, b"<\x00")):
        return "utf-16-le"
    if content.startswith((codecs.BOM_UTF16_BE, b"\x00<")):
        return "utf-16-be"
    return ""


def _decoded(content: bytes, codec: str) -> str:
    if content.startswith(codecs.BOM_UTF8):
        content = content[3:]
    return content.decode(codec, errors="replace").removeprefix("\ufeff")


def _root(text: str, position: int, encoding: str) -> Prolog:
    """Pass over comments and processing instructions to the root's start tag."""
    while True:
        space = _SPACE.match(text, position)
        position = space.end() if space else position
        if position >= len(text):
            raise _NeedsMoreText
        if text.startswith("<!--", position):
            position = _after(text, "-->", position + 4)
        elif text.startswith("<?", position):
            position = _after(text, "?>", position + 2)
        elif text.startswith("<!", position):
            # Nothing else may begin with "<!" before the root: whatever its letter case, it goes no further.
            return Prolog(encoding=encoding, fault=Fault.DOCTYPE)
        else:
            return _start_tag(text, position, encoding)


def _after(text: str, end: str, position: int) -> int:
    found = text.find(end, position)
    if found < 0:
        raise _NeedsMoreText
    return found + len(end)


def _start_tag(text: str, position: int, encoding: str) -> Prolog:
    name = _NAME.match(text, position)
    if name is None:
        if text.startswith("<", position) and ">" not in text[position:]:
            raise _NeedsMoreText
        return Prolog(encoding=encoding, fault=Fault.NOT_XML)
    wanted = f"xmlns:{name['prefix']}" if name["prefix"] else "xmlns"
    namespace = ""
    position = name.end()
    while attribute := _ATTRIBUTE.match(text, position):
        if attribute["name"] == wanted:
            namespace = attribute["double"] or attribute["single"] or ""
        position = attribute.end()
    if _TAG_END.match(text, position) is None:
        if ">" not in text[position:]:
            raise _NeedsMoreText
        return Prolog(encoding=encoding, fault=Fault.NOT_XML)
    return Prolog(namespace=namespace, local=name["local"], encoding=encoding)
