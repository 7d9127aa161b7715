"""A deposited file to its members: one XML, one PDF, a tar.gz or a zip of them. All is hostile and bounded."""

from __future__ import annotations

import io
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pikepdf

#: chorus-pro.md 1.6
FILE_LIMIT: Final = 10 * 1024 * 1024
FLOW_LIMIT: Final = 30 * 1024 * 1024
#: Ours, against bombs: the whole unpacked flow (120 MB is what Chorus gives one invoice with attachments).
UNPACKED_LIMIT: Final = 256 * 1024 * 1024
MEMBER_LIMIT: Final = 1000

ATTACHMENT_NAMES: Final = ("factur-x.xml", "zugferd-invoice.xml", "ZUGFeRD-invoice.xml", "xrechnung.xml")


class TooLarge(Exception):
    """Above a limit that Chorus Pro answers at once (20001)."""


class Unreadable(Exception):
    """The flow or a member cannot be read; the text goes into the report."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a flow."""

    name: str
    content: bytes


def members(name: str, content: bytes) -> list[Member]:
    """The files of a flow. A file that is neither archive nor compressed is its own only member."""
    if content.startswith(b"\x1f\x8b"):
        if len(content) > FLOW_LIMIT:
            raise TooLarge
        found = list(_untar(_gunzip(content)))
    elif content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        if len(content) > FLOW_LIMIT:
            raise TooLarge
        found = list(_unzip(content))
    else:
        if len(content) > FILE_LIMIT:
            raise TooLarge
        return [Member(name, content)]
    if not found:
        raise Unreadable("IRRECEVABILITE: l'archive ne contient aucun fichier")
    return found


def _gunzip(content: bytes) -> bytes:
    parts: list[bytes] = []
    size = 0
    while content:
        stream = zlib.decompressobj(31)
        try:
            part = stream.decompress(content, UNPACKED_LIMIT - size + 1)
        except zlib.error as error:
            raise Unreadable("IRRECEVABILITE: la compression gzip est illisible") from error
        size += len(part)
        if size > UNPACKED_LIMIT:
            raise TooLarge
        if not stream.eof:
            raise Unreadable("IRRECEVABILITE: l'archive est incomplète")
        parts.append(part)
        # Zero padding after the last stream is tolerated by gzip itself.
        content = stream.unused_data.lstrip(b"\0")
    return b"".join(parts)


def _untar(content: bytes) -> Iterator[Member]:
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
            for count, entry in enumerate(archive, start=1):
                if count > MEMBER_LIMIT:
                    raise Unreadable("IRRECEVABILITE: l'archive contient trop de fichiers")
                if entry.isdir():
                    continue
                source = archive.extractfile(entry) if entry.isreg() else None
                if source is None:
                    raise Unreadable(f"IRRECEVABILITE: {entry.name[:100]} n'est pas un fichier ordinaire")
                if entry.size > FILE_LIMIT:
                    raise TooLarge
                yield Member(entry.name, source.read())
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise Unreadable("IRRECEVABILITE: l'archive tar est illisible") from error


def _unzip(content: bytes) -> Iterator[Member]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if len(entries) > MEMBER_LIMIT:
                raise Unreadable("IRRECEVABILITE: l'archive contient trop de fichiers")
            size = 0
            for entry in entries:
                if entry.is_dir():
                    continue
                if entry.flag_bits & 1:
                    raise Unreadable(f"IRRECEVABILITE: {entry.filename[:100]} est chiffré")
                with archive.open(entry) as source:
                    member = source.read(FILE_LIMIT + 1)
                size += len(member)
                if len(member) > FILE_LIMIT or size > UNPACKED_LIMIT:
                    raise TooLarge
                yield Member(entry.filename, member)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        ValueError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise Unreadable("IRRECEVABILITE: l'archive zip est illisible") from error


def xml_of_pdf(content: bytes) -> bytes:
    """The invoice inside a Factur-X."""
    try:
        with pikepdf.open(io.BytesIO(content)) as pdf:
            for name in ATTACHMENT_NAMES:
                if name in pdf.attachments:
                    return _stream(pdf.attachments[name].obj.EF.F)
    except Unreadable:
        raise
    except Exception as error:  # qpdf's faults come in many classes; each means the same to the depositor
        raise Unreadable("IRRECEVABILITE: le fichier PDF est illisible") from error
    raise Unreadable("IRRECEVABILITE: le fichier PDF ne contient pas de facture Factur-X")


def _stream(stream: Any) -> bytes:
    """Decoded here, with a bound: qpdf would inflate a bomb whole."""
    raw: bytes = stream.read_raw_bytes()
    filters = stream.get("/Filter")
    if filters is None:
        return raw
    names = [str(filters)] if isinstance(filters, pikepdf.Name) else [str(one) for one in filters.as_list()]
    for name in names:
        if name != "/FlateDecode" or "/DecodeParms" in stream:
            raise Unreadable("IRRECEVABILITE: la pièce jointe du PDF est codée d'une façon inattendue")
        raw = zlib.decompressobj().decompress(raw, FILE_LIMIT + 1)
        if len(raw) > FILE_LIMIT:
            raise Unreadable("IRRECEVABILITE: la pièce jointe du PDF est trop volumineuse")
    return raw
