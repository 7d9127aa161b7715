"""Documents into flows: one file as it is, several in a tar.gz whose bytes depend on nothing but the documents.

The bytes of a flow are committed before the call and may be sent once more after a lost answer, so they must come
out the same on any day, machine and order of the documents: members sorted, no time, no owner, no name of ours. A
single document goes as itself, byte for byte. One issuer and one syntax in a flow: `find` asks by issuer.
"""

from __future__ import annotations

import hashlib
import io
import re
import struct
import tarfile
import unicodedata
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from gateway.domain.finding import Text
from gateway.routes.chorus_api.settings import Limits
from gateway.routes.chorus_api.syntax import Syntax, syntax_of
from gateway.routes.protocol import Packet, Sendable, Unsendable

LONGEST_NAME: Final = 50  # domain facts 1.6
_LEVEL: Final = 6
_TAR_OVERHEAD: Final = 1024  # a header and the padding of one member
_FRAME_BYTES: Final = 64 * 1024  # the end of the tar, and deflate's worst case on 30 MB of noise
_GZIP_HEAD: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # no name, no time, no system


def pack(sendables: Iterable[Sendable], flow_id: str, limits: Limits, *, mixed_syntax: bool = True) -> list[Packet]:
    """The flows that hold these documents. Raises `Unsendable` before anything is packed."""
    documents = sorted(sendables, key=lambda one: (one.issuer.account, one.issuer.siret, one.number, one.document_id))
    grouped: dict[tuple[str, str, str], list[Sendable]] = {}
    syntaxes: dict[str, Syntax] = {}
    refused: dict[str, Text] = {}
    for one in documents:
        syntax = syntax_of(one.kind, one.mixed and mixed_syntax)
        if syntax is None:
            refused[one.document_id] = _no_syntax(one)
        elif len(one.content) > limits.file_bytes:
            refused[one.document_id] = _too_large(one, limits.file_bytes)
        else:
            syntaxes[syntax.name] = syntax
            grouped.setdefault((one.issuer.account, one.issuer.siret, syntax.name), []).append(one)
    if refused:
        raise Unsendable(refused)
    parts = [(syntaxes[key[2]], part) for key in sorted(grouped) for part in _split(grouped[key], limits)]
    return [
        _packet(syntax, part, _flow_name(syntax, flow_id, number if len(parts) > 1 else 0))
        for number, (syntax, part) in enumerate(parts, start=1)
    ]


def _split(documents: Sequence[Sendable], limits: Limits) -> Iterator[list[Sendable]]:
    """By count, and by size before compression: a bound that holds whatever the documents compress to."""
    part: list[Sendable] = []
    size = _FRAME_BYTES
    for one in documents:
        adds = len(one.content) + _TAR_OVERHEAD
        if part and (len(part) >= limits.documents_per_flow or size + adds > limits.flow_bytes):
            yield part
            part, size = [], _FRAME_BYTES
        part.append(one)
        size += adds
    if part:
        yield part


def _packet(syntax: Syntax, documents: Sequence[Sendable], stem: str) -> Packet:
    if len(documents) == 1:
        name = f"{stem}.{syntax.extension}"
        return Packet(name, syntax.name, documents[0].content, (documents[0].document_id,), (name,))
    names = member_names([one.number for one in documents], syntax.extension)
    return Packet(
        name=f"{stem}.tar.gz",
        syntax=syntax.name,
        content=_tar_gz(sorted(zip(names, (one.content for one in documents), strict=True))),
        document_ids=tuple(one.document_id for one in documents),
        member_names=tuple(names),
    )


def member_names(numbers: Sequence[str], extension: str) -> list[str]:
    """A file name for each number: ASCII, at most 50 characters, distinct even where case does not count."""
    names: list[str] = []
    taken: set[str] = set()
    for number in numbers:
        stem = _ascii(number) or "document"
        name = f"{stem[: LONGEST_NAME - 1 - len(extension)]}.{extension}"
        again = 1
        while name.lower() in taken:
            again += 1
            tail = f"-{again}.{extension}"
            name = stem[: LONGEST_NAME - len(tail)] + tail
        taken.add(name.lower())
        names.append(name)
    return names


def _flow_name(syntax: Syntax, flow_id: str, number: int) -> str:
    """The EDI code, our flow and which part of it, within what the longest extension leaves."""
    room = LONGEST_NAME - len(".tar.gz") - len(syntax.edi_code) - 1
    tail = f"-{number}" if number else ""
    stem = _ascii(flow_id) or "flow"
    if stem != flow_id or len(stem) + len(tail) > room:
        digest = hashlib.sha256(flow_id.encode()).hexdigest()[:10]
        stem = f"{stem[: room - len(tail) - 11]}-{digest}"
    return f"{syntax.edi_code}_{stem}{tail}"


def _ascii(value: str) -> str:
    plain = unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode("ascii")
    return re.sub(r"[^A-Za-z0-9_-]+", "_", plain).strip("_-")


def _tar_gz(members: Iterable[tuple[str, bytes]]) -> bytes:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mode = 0o644
            archive.addfile(entry, io.BytesIO(content))
    tar = plain.getbuffer()
    deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = deflate.compress(tar) + deflate.flush()
    return _GZIP_HEAD + body + struct.pack("<II", zlib.crc32(tar), len(tar) & 0xFFFFFFFF)


def _too_large(one: Sendable, limit_bytes: int) -> Text:
    size, limit = len(one.content) / 1024 / 1024, limit_bytes / 1024 / 1024
    return Text(
        f"Le document {one.number} pèse {size:.1f} Mo ; Chorus Pro en accepte {limit:.0f} au plus par fichier."
        " → Allégez ou retirez ses pièces jointes, puis redéposez-le.",
        f"Document {one.number} weighs {size:.1f} MB; Chorus Pro takes {limit:.0f} at most for one file."
        " → Lighten or remove its attachments and drop it again.",
    )


def _no_syntax(one: Sendable) -> Text:
    return Text(
        f"Le document {one.number} est de nature « {one.kind} » ; Chorus Pro ne reçoit dans un flux que des XML UBL"
        " ou CII et des Factur-X. → Redéposez la facture sous l'une de ces formes.",
        f"Document {one.number} is of kind “{one.kind}”; Chorus Pro takes in a flow only UBL or CII XML and"
        " Factur-X. → Drop the invoice again in one of these forms.",
    )
