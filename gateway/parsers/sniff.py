"""What a file is, by its content and never by its name.

Only the start is looked at, nothing is unpacked, decoded at length or handed to a parser, so that it is cheap and
safe on hostile bytes. Whether the rest keeps the promise of the start is for the reader of that form to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.domain.document import Kind
from gateway.domain.finding import Finding, Text
from gateway.parsers import refusals
from gateway.parsers.prolog import Fault, Prolog, read_prolog
from gateway.parsers.xml_kinds import INVOICES, not_an_invoice


class Form(StrEnum):
    """The container, which says who reads it."""

    EMPTY = "empty"
    XML = "xml"
    PDF = "pdf"
    ZIP = "zip"
    GZIP = "gzip"  #: a tar.gz, or one file compressed: only its reader can tell
    TAR = "tar"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Sniffed:
    """`kind` is PDF for every PDF (Factur-X shows only inside) and UNKNOWN where it is no invoice.

    `finding` says what it is instead; it is None where only the form's reader can tell (a broken XML).
    """

    kind: Kind
    form: Form
    finding: Finding | None = None
    root: str = ""  #: of an XML: the local name of its root


#: ISO 32000 readers look for the header this far in; mail gateways put lines before it.
_PDF_HEADER_WITHIN: Final = 1024
_TAR_BLOCK: Final = 512

_ZIP_STARTS: Final = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
#: Starts of what people drop by mistake.
_OTHERS: Final[Mapping[bytes, Text]] = {
    b"\xd0\xcf\x11\xe0": Text("un document Office ancien (Word, Excel)", "an old Office document (Word, Excel)"),
    b"\x89PNG": Text("une image PNG", "a PNG image"),
    b"\xff\xd8\xff": Text("une image JPEG", "a JPEG image"),
    b"II*\x00": Text("une image TIFF", "a TIFF image"),
    b"MM\x00*": Text("une image TIFF", "a TIFF image"),
    b"GIF8": Text("une image GIF", "a GIF image"),
    b"{\\rtf": Text("un document RTF", "an RTF document"),
    b"7z\xbc\xaf": Text(
        "une archive 7z (seuls zip et tar.gz sont pris)", "a 7z archive (only zip and tar.gz are taken)"
    ),
    b"Rar!": Text("une archive RAR (seuls zip et tar.gz sont pris)", "a RAR archive (only zip and tar.gz are taken)"),
    b"BZh": Text(
        "une archive bzip2 (seuls zip et tar.gz sont pris)", "a bzip2 archive (only zip and tar.gz are taken)"
    ),
    b"\xfd7zXZ": Text(
        "une archive xz (seuls zip et tar.gz sont pris)", "an xz archive (only zip and tar.gz are taken)"
    ),
    b"UNA": Text("un message EDIFACT", "an EDIFACT message"),
    b"UNB+": Text("un message EDIFACT", "an EDIFACT message"),
    b"ISA*": Text("un message X12", "an X12 message"),
    b"EDI_DC": Text("un IDoc SAP", "a SAP IDoc"),
    b"%!PS": Text("un document PostScript", "a PostScript document"),
    b"MZ": Text("un programme Windows", "a Windows program"),
    b"\x7fELF": Text("un programme", "a program"),
    b"-----BEGIN": Text("un certificat ou un message signé", "a certificate or a signed message"),
    b"\x30\x80": Text("un message signé (PKCS#7)", "a signed message (PKCS#7)"),
    b"\x30\x82": Text("un message signé (PKCS#7)", "a signed message (PKCS#7)"),
    b"MIME-Version": Text("un courriel", "an e-mail"),
    b"{": Text("du JSON", "JSON"),
    b"[": Text("du JSON", "JSON"),
}
_SEND: Final = Text(
    "Déposez la facture en UBL 2.1, CII D16B/D22B, Factur-X ou PDF, seule ou dans une archive zip ou tar.gz.",
    "Drop the invoice as UBL 2.1, CII D16B/D22B, Factur-X or PDF, alone or in a zip or tar.gz archive.",
)


def sniff(content: bytes) -> Sniffed:
    """What `content` is. Its first kilobytes are enough, unless long comments stand before the root of an XML."""
    if content.startswith(_ZIP_STARTS):
        return Sniffed(Kind.ARCHIVE, Form.ZIP)
    if content.startswith(b"\x1f\x8b"):
        return Sniffed(Kind.ARCHIVE, Form.GZIP)
    # Before PDF: the content of a tar's first member begins at byte 512, within reach of the PDF header.
    if _is_tar(content[:_TAR_BLOCK]):
        return Sniffed(Kind.ARCHIVE, Form.TAR)
    # Before PDF too: `%PDF-` may stand in the first comment of an XML.
    if _looks_like_xml(content[:_PDF_HEADER_WITHIN]):
        return _xml(read_prolog(content))
    if b"%PDF-" in content[: _PDF_HEADER_WITHIN + 5]:
        return Sniffed(Kind.PDF, Form.PDF)
    return _other(content)


def _looks_like_xml(start: bytes) -> bool:
    """Markup first, after byte order marks, blanks and the zero bytes of UTF-16."""
    return start.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n").startswith(b"<")


def _xml(prolog: Prolog) -> Sniffed:
    if prolog.fault is Fault.DOCTYPE:
        return Sniffed(Kind.UNKNOWN, Form.XML, refusals.DOCTYPE.at())
    if prolog.fault is Fault.ENCODING:
        return Sniffed(Kind.UNKNOWN, Form.XML, refusals.ENCODING.at(encoding=prolog.encoding))
    if prolog.fault is Fault.NOT_XML:
        return Sniffed(Kind.UNKNOWN, Form.XML)
    kind = INVOICES.get((prolog.namespace, prolog.local))
    if kind is not None:
        return Sniffed(kind, Form.XML, root=prolog.local)
    return Sniffed(Kind.UNKNOWN, Form.XML, not_an_invoice(prolog.namespace, prolog.local), prolog.local)


def _is_tar(header: bytes) -> bool:
    """A tar header carries its own checksum, also where no `ustar` marks it."""
    if len(header) < _TAR_BLOCK or header[0] == 0:
        return False
    written = header[148:156].strip(b" \x00")
    if not written or len(written) > 7 or not all(byte in b"01234567" for byte in written):
        return False
    return int(written, 8) == sum(header[:148]) + 8 * 0x20 + sum(header[156:])


def _other(content: bytes) -> Sniffed:
    start = content[:_PDF_HEADER_WITHIN].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start and not content.strip():
        return Sniffed(Kind.UNKNOWN, Form.EMPTY, refusals.EMPTY.at())
    what = next((text for magic, text in _OTHERS.items() if start.startswith(magic)), None)
    if what is None:
        what = Text(
            "un contenu qui n'est ni XML, ni PDF, ni archive", "content that is neither XML, PDF nor an archive"
        )
    finding = refusals.NOT_AN_INVOICE.at(what_fr=what.fr, what_en=what.en, remedy_fr=_SEND.fr, remedy_en=_SEND.en)
    return Sniffed(Kind.UNKNOWN, Form.OTHER, finding)
