"""Looks inside a PDF without changing it: attached files, XMP, signatures, encryption, damage.

pikepdf (qpdf) rather than factur-x's own extraction: it recovers damaged files, and it decodes under ceilings
(`flate_max_memory`), where a Python reader unpacks a deflate bomb to its end. Everything walked here may be cyclic,
of the wrong type, or endless, so each walk is bounded and remembers where it was.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pikepdf
from pikepdf import settings

from gateway.domain.finding import printable
from gateway.parsers.xmp import NO_CLAIM, XmpClaim, read_xmp

#: One decoded stream (qpdf's ceiling), and all attachments of one PDF together.
STREAM_LIMIT_BYTES: Final = 50_000_000
TOTAL_LIMIT_BYTES: Final = 120_000_000
FILES_LIMIT: Final = 500
_NODES_LIMIT: Final = 5_000
_NAME_LIMIT: Final = 255

#: LZW has no ceiling in qpdf and is forbidden in PDF/A; DCT and its kin make no sense on a file.
_DECODABLE: Final = frozenset({"/FlateDecode", "/ASCIIHexDecode", "/ASCII85Decode", "/RunLengthDecode"})


class Encrypted(Exception):
    """A password is needed to open it."""


class Unreadable(Exception):
    """No PDF could be made of it."""


class Bomb(Exception):
    """It unpacks to more than the ceilings allow."""


@dataclass(frozen=True, slots=True)
class EmbeddedFile:
    """A file attached to the PDF. `content` is kept for XML only; None: not XML, or not decodable."""

    name: str
    size: int | None  #: bytes once decoded; None where it could not be decoded
    content: bytes | None = None
    mime: str = ""
    relationship: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class PdfInside:
    """What was found."""

    files: tuple[EmbeddedFile, ...] = ()
    xmp: XmpClaim = NO_CLAIM
    signed: bool = False
    restricted: bool = False  #: encrypted, opens without a password
    damaged: bool = False  #: qpdf had to repair it to look inside


def look_inside(content: bytes) -> PdfInside:
    """What a PDF holds. Raises `Encrypted`, `Unreadable` or `Bomb`."""
    # Process-wide and idempotent: whoever opens a PDF in this process does it under the ceilings.
    settings.set_qpdf_limits(
        flate_max_memory=STREAM_LIMIT_BYTES,
        run_length_max_memory=STREAM_LIMIT_BYTES,
        png_max_memory=STREAM_LIMIT_BYTES,
        tiff_max_memory=STREAM_LIMIT_BYTES,
        doc_max_warnings=500,
    )
    try:
        with pikepdf.open(io.BytesIO(content), suppress_warnings=True) as pdf:
            return PdfInside(
                files=tuple(_files(pdf)),
                xmp=_xmp(pdf),
                signed=_signed(pdf),
                restricted=bool(pdf.is_encrypted),
                damaged=bool(pdf.get_warnings()),
            )
    except pikepdf.PasswordError as error:
        raise Encrypted from error
    except Bomb:
        raise
    except (pikepdf.PdfError, ValueError, TypeError, KeyError, IndexError, RuntimeError, RecursionError) as error:
        if _is_limit(error):
            raise Bomb from error
        # pikepdf names the stream by its address in memory: a message must be the same each time.
        raise Unreadable(printable(str(error).rsplit(">: ", 1)[-1], 120)) from error


def _files(pdf: pikepdf.Pdf) -> Iterator[EmbeddedFile]:
    total = 0
    seen: set[tuple[int, int]] = set()
    for count, (key, spec) in enumerate(_file_specs(pdf)):
        if count >= FILES_LIMIT:
            raise Bomb
        if spec.objgen != (0, 0):
            if spec.objgen in seen:
                continue
            seen.add(spec.objgen)
        file = _file(key, spec)
        if file is not None:
            total += file.size or 0
            if total > TOTAL_LIMIT_BYTES:
                raise Bomb
            yield file


def _file_specs(pdf: pikepdf.Pdf) -> Iterator[tuple[str, pikepdf.Object]]:
    """File specifications of the name tree, then those only in /AF (some writers forget the tree)."""
    names = _get(pdf.Root, "/Names")
    yield from _name_tree(_get(names, "/EmbeddedFiles"))
    associated = _get(pdf.Root, "/AF")
    for spec in _items(associated):
        if isinstance(spec, pikepdf.Dictionary):
            yield "", spec


def _name_tree(root: object) -> Iterator[tuple[str, pikepdf.Object]]:
    todo, seen, nodes = [root], set[tuple[int, int]](), 0
    while todo:
        node = todo.pop()
        if not isinstance(node, pikepdf.Dictionary) or node.objgen in seen:
            continue
        nodes += 1
        if nodes > _NODES_LIMIT:
            raise Bomb
        if node.objgen != (0, 0):
            seen.add(node.objgen)
        pairs = _items(_get(node, "/Names"))
        for key, spec in zip(pairs[::2], pairs[1::2], strict=False):
            if isinstance(spec, pikepdf.Dictionary):
                yield _text(key), spec
        todo.extend(reversed(_items(_get(node, "/Kids"))))


def _file(key: str, spec: pikepdf.Object) -> EmbeddedFile | None:
    streams = _get(spec, "/EF")
    stream = _get(streams, "/UF") or _get(streams, "/F")
    if not isinstance(stream, pikepdf.Stream):
        return None
    name = _text(_get(spec, "/UF")) or _text(_get(spec, "/F")) or key
    content = _decoded(stream)
    is_xml = content is not None and (name.lower().endswith(".xml") or _looks_like_xml(content))
    return EmbeddedFile(
        # Some writers store a path; only its last part is a name.
        name=printable(name.replace("\\", "/").rsplit("/", 1)[-1], _NAME_LIMIT),
        size=None if content is None else len(content),
        content=content if is_xml else None,
        mime=printable(_text(_get(stream, "/Subtype")).lstrip("/"), 100),
        relationship=printable(_text(_get(spec, "/AFRelationship")).lstrip("/"), 50),
        description=printable(_text(_get(spec, "/Desc"))),
    )


def _decoded(stream: pikepdf.Object) -> bytes | None:
    filters = _get(stream, "/Filter")
    names = [_text(item) for item in _items(filters)] if isinstance(filters, pikepdf.Array) else [_text(filters)]
    if any(name and name not in _DECODABLE for name in names):
        return None
    try:
        return bytes(stream.read_bytes())
    except (pikepdf.PdfError, RuntimeError) as error:
        if _is_limit(error):
            raise Bomb from error
        return None


def _is_limit(error: Exception) -> bool:
    """qpdf says so in words only, under several exceptions."""
    return "memory limit" in str(error).lower()


def _xmp(pdf: pikepdf.Pdf) -> XmpClaim:
    packet = _get(pdf.Root, "/Metadata")
    content = _decoded(packet) if isinstance(packet, pikepdf.Stream) else None
    return read_xmp(content) if content else NO_CLAIM


def _signed(pdf: pikepdf.Pdf) -> bool:
    """A signature field with a value, wherever it sits in the field tree."""
    todo, seen, nodes = _items(_get(_get(pdf.Root, "/AcroForm"), "/Fields")), set[tuple[int, int]](), 0
    while todo and nodes < _NODES_LIMIT:
        field = todo.pop()
        if not isinstance(field, pikepdf.Dictionary) or field.objgen in seen:
            continue
        nodes += 1
        if field.objgen != (0, 0):
            seen.add(field.objgen)
        value = _get(field, "/V")
        if isinstance(value, pikepdf.Dictionary) and (
            _text(_get(field, "/FT")) == "/Sig" or _get(value, "/ByteRange") is not None
        ):
            return True
        todo.extend(_items(_get(field, "/Kids")))
    return isinstance(_get(_get(pdf.Root, "/Perms"), "/DocMDP"), pikepdf.Dictionary)


def _looks_like_xml(content: bytes) -> bool:
    start = content[:100].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")
    return start.startswith((b"<?xml", b"<\0?\0", b"<rsm:", b"<Invoice", b"<CrossIndustry"))


def _get(holder: object, key: str) -> object:
    """The value under `key`, None where there is none or `holder` is no dictionary."""
    if isinstance(holder, pikepdf.Dictionary | pikepdf.Stream):
        return holder.get(key)
    return None


def _items(array: object) -> list[object]:
    if not isinstance(array, pikepdf.Array):
        return []
    if len(array) > 2 * _NODES_LIMIT:
        raise Bomb
    return [array[index] for index in range(len(array))]


def _text(value: object) -> str:
    if isinstance(value, pikepdf.String | pikepdf.Name | str):
        return str(value)
    return ""
