"""Where the elements of one part of an XML stand, in bytes, so that text can be spliced in and all else left alone.

expat rather than lxml, because expat tells byte positions in its input, whatever the encoding. Only the children of
one element are kept, and of these only the wanted ones with what is in them: an invoice of 10,000 lines costs no
more than its header.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

_DSIG = "http://www.w3.org/2000/09/xmldsig#"


class Unsuitable(Exception):
    """Nothing may be spliced into this XML."""


@dataclass(slots=True)
class Span:
    """An element: `start` … `inner` is its start tag, `close` … `end` its end tag; all equal `end` for `<x/>`."""

    local: str
    attributes: dict[str, str]
    start: int
    inner: int = -1
    close: int = -1
    end: int = -1
    text: str = ""
    children: list[Span] = field(default_factory=list)

    def walk(self) -> Iterator[Span]:
        """The elements inside, in document order."""
        for child in self.children:
            yield child
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class Layout:
    """The children of the holder; `end` is where its end tag begins."""

    encoding: str
    children: tuple[Span, ...]
    end: int


def read_layout(xml: bytes, holder: tuple[str, ...], wanted: str) -> Layout:
    """The children of the element at `holder` (local names below the root). Raises `Unsuitable`."""
    reader = _Reader(xml, holder, wanted)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.XmlDeclHandler = reader.declaration
    parser.StartDoctypeDeclHandler = reader.doctype
    parser.StartElementHandler = lambda name, attributes: reader.start(name, attributes, parser.CurrentByteIndex)
    parser.EndElementHandler = lambda name: reader.ended(parser.CurrentByteIndex)
    parser.CharacterDataHandler = reader.characters
    try:
        parser.Parse(xml, True)
    except (expat.ExpatError, LookupError) as error:
        raise Unsuitable(f"not well-formed: {error}") from error
    if reader.end < 0:
        raise Unsuitable(f"no {holder[-1] if holder else 'root'} element")
    return Layout(reader.encoding, tuple(reader.children), reader.end)


class _Reader:
    def __init__(self, xml: bytes, holder: tuple[str, ...], wanted: str) -> None:
        self.encoding = _wide(xml) or "utf-8"
        self.children: list[Span] = []
        self.end = -1
        self._xml = xml
        self._holder = holder
        self._wanted = wanted
        self._path: list[str] = []
        self._open: list[Span] = []  #: the wanted child and what is open in it
        self._done = False

    def declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding and not _wide(self._xml):
            self.encoding = codecs.lookup(encoding).name

    def doctype(self, *_: object) -> None:
        raise Unsuitable("it has a DOCTYPE")

    def start(self, name: str, attributes: dict[str, str], here: int) -> None:
        namespace, _, local = name.rpartition(" ")
        if namespace == _DSIG:
            raise Unsuitable("it is signed, and would no longer be what was signed")
        depth = len(self._path)
        if self._open or (depth == len(self._holder) + 1 and self._in_holder()):
            span = Span(local, attributes, here)
            (self._open[-1].children if self._open else self.children).append(span)
            if self._open or local == self._wanted:
                span.inner = self._after_tag(here)
                self._open.append(span)
        self._path.append(local)

    def characters(self, text: str) -> None:
        if self._open:
            self._open[-1].text += text

    def ended(self, here: int) -> None:
        if self._open:
            span = self._open.pop()
            span.text = span.text.strip()
            # expat puts the end of `<x/>` at either side of it.
            empty = self._xml[max(0, span.inner - 4) : span.inner].endswith((b"/>", b"/\0>\0", b"\0/\0>"))
            span.close = span.inner if empty else here
            span.end = span.inner if empty else self._after_tag(here)
        elif len(self._path) == len(self._holder) + 1 and self._in_holder():
            self.end = here
            self._done = True
        self._path.pop()

    def _in_holder(self) -> bool:
        return not self._done and tuple(self._path[1:]) == self._holder

    def _after_tag(self, start: int) -> int:
        """The position behind the tag that starts at `start`; values of attributes may hold `>`."""
        wide = _wide(self._xml)
        step = 2 if wide else 1
        first = 1 if wide == "utf-16-be" else 0
        quote = 0
        for position in range(start, len(self._xml) - step + 1, step):
            char = self._xml[position + first]
            if wide and self._xml[position + 1 - first]:
                continue
            if quote:
                quote = 0 if char == quote else quote
            elif char in b"\"'":
                quote = char
            elif char == ord(">"):
                return position + step
        raise Unsuitable("it is cut off")


def _wide(xml: bytes) -> str:
    if xml.startswith((codecs.BOM_UTF16_LE, b"<\0")):
        return "utf-16-le"
    return "utf-16-be" if xml.startswith((codecs.BOM_UTF16_BE, b"\0<")) else ""
