"""The named transformation `embed-attachments`: files that stood beside an XML invoice go into it as BG-24.

The result is the received bytes with text spliced in and nothing else changed: declaration, prefixes, comments,
blanks and quoting of the rest stay as they were, so that a person can compare the two. The same input gives the
same bytes. Where the invoice already names a file without holding it, that reference is filled; else one is added where
the schema wants it. Sources: UBL 2.1 (DocumentReferenceType), CII D22B (ReferencedDocumentType), EN 16931 BG-24,
domain facts 2.3 (CII: IssuerAssignedID is the file name).
"""

from __future__ import annotations

import base64
import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from gateway.domain.document import Kind
from gateway.parsers.reading import AttachedFile
from gateway.routes.spans import Layout, Span, Unsuitable, read_layout

NAME: Final = "embed-attachments"

_CAC: Final = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
_CBC: Final = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
_RAM: Final = "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"


class NotEmbeddable(Exception):
    """Nothing can be put into this document: a PDF, a signed XML, or one that is not of its schema."""


@dataclass(frozen=True, slots=True)
class _Syntax:
    """Where a reference goes. `after`: siblings that the schema puts behind what is inserted."""

    holder: tuple[str, ...]  #: local names below the root of the element that holds the references; () is the root
    reference: str
    after: frozenset[str]
    names: tuple[str, ...]  #: children of a reference that may give the file's name
    within: str  #: child of a reference that holds the object; "" when the reference itself does
    binary: str
    after_binary: frozenset[str]


_UBL_AFTER: Final = frozenset(
    {"ProjectReference", "Signature", "AccountingSupplierParty"}  # the last is mandatory: nothing more is needed
)
#: Only credit notes have these two behind AdditionalDocumentReference; invoices have them before it.
_CREDIT_NOTE_AFTER: Final = frozenset({"StatementDocumentReference", "OriginatorDocumentReference"})
_UBL_NAMES: Final = ("ID", "URI")
_UBL_AFTER_ATTACHMENT: Final = frozenset({"ValidityPeriod", "IssuerParty", "ResultOfVerification"})

_SYNTAXES: Final = {
    Kind.UBL_INVOICE: _Syntax(
        (), "AdditionalDocumentReference", _UBL_AFTER, _UBL_NAMES, "Attachment", "EmbeddedDocumentBinaryObject",
        _UBL_AFTER_ATTACHMENT,
    ),
    Kind.UBL_CREDITNOTE: _Syntax(
        (), "AdditionalDocumentReference", _UBL_AFTER | _CREDIT_NOTE_AFTER, _UBL_NAMES, "Attachment",
        "EmbeddedDocumentBinaryObject", _UBL_AFTER_ATTACHMENT,
    ),
    Kind.CII: _Syntax(
        ("SupplyChainTradeTransaction", "ApplicableHeaderTradeAgreement"),
        "AdditionalReferencedDocument",
        frozenset(
            {
                "RequisitionerReferencedDocument", "BuyerAgentTradeParty", "PurchaseConditionsReferencedDocument",
                "SpecifiedProcuringProject", "UltimateCustomerOrderReferencedDocument",
            }
        ),
        ("IssuerAssignedID", "URIID"),
        "",
        "AttachmentBinaryObject",
        frozenset(
            {
                "Information", "ReferenceTypeCode", "SectionName", "PreviousRevisionID", "FormattedIssueDateTime",
                "EffectiveSpecifiedPeriod", "IssuerTradeParty", "AttachedSpecifiedBinaryFile",
            }
        ),
    ),
}  # fmt: skip


def embed(kind: Kind, xml: bytes, attachments: Sequence[AttachedFile]) -> bytes:
    """`xml` with `attachments` inside. Raises `NotEmbeddable`."""
    syntax = _SYNTAXES.get(kind)
    if syntax is None:
        raise NotEmbeddable(f"{kind.value} takes no attachments")
    if not attachments:
        return xml
    try:
        layout = read_layout(xml, syntax.holder, syntax.reference)
    except Unsuitable as error:
        raise NotEmbeddable(str(error)) from error
    unfilled = [span for span in layout.children if span.local == syntax.reference and not _holds(syntax, span)]
    insert_at = next((span.start for span in layout.children if span.local in syntax.after), layout.end)
    splices = []
    for file in attachments:
        reference = next((span for span in unfilled if file.name.casefold() in _names(syntax, span)), None)
        if reference is None:
            splices.append(_Splice(insert_at, insert_at, _reference(kind, file)))
        else:
            unfilled.remove(reference)
            splices.append(_filled(syntax, reference, file))
    return _spliced(xml, splices, layout)


@dataclass(frozen=True, slots=True)
class _Splice:
    start: int
    end: int
    text: str


def _object(syntax: _Syntax, reference: Span) -> Span | None:
    return next((span for span in reference.walk() if span.local == syntax.binary), None)


def _holds(syntax: _Syntax, reference: Span) -> bool:
    binary = _object(syntax, reference)
    return binary is not None and bool(binary.text)


def _names(syntax: _Syntax, reference: Span) -> set[str]:
    """The file names under which a reference may mean a file."""
    names = {span.text.rsplit("/", 1)[-1] for span in reference.walk() if span.local in syntax.names}
    binary = _object(syntax, reference)
    if binary is not None:
        names.add(binary.attributes.get("filename", "").strip())
    return {name.casefold() for name in names if name}


def _filled(syntax: _Syntax, reference: Span, file: AttachedFile) -> _Splice:
    binary = _binary(syntax, file)
    empty = _object(syntax, reference)
    if empty is not None:
        return _Splice(empty.start, empty.end, binary)
    if syntax.within:
        within = next((span for span in reference.children if span.local == syntax.within), None)
        if within is not None and within.inner < within.end:
            return _Splice(within.inner, within.inner, binary)
        binary = f'<cac:{syntax.within} xmlns:cac="{_CAC}">{binary}</cac:{syntax.within}>'
        if within is not None:  # `<cac:Attachment/>`
            return _Splice(within.start, within.end, binary)
    at = next((span.start for span in reference.children if span.local in syntax.after_binary), reference.close)
    return _Splice(at, at, binary)


def _reference(kind: Kind, file: AttachedFile) -> str:
    name = escape(file.name)
    if kind is Kind.CII:
        return (
            f'<ram:AdditionalReferencedDocument xmlns:ram="{_RAM}">'
            f"<ram:IssuerAssignedID>{name}</ram:IssuerAssignedID><ram:TypeCode>916</ram:TypeCode>"
            f"<ram:Name>{name}</ram:Name>{_binary(_SYNTAXES[kind], file)}</ram:AdditionalReferencedDocument>"
        )
    return (
        f'<cac:AdditionalDocumentReference xmlns:cac="{_CAC}" xmlns:cbc="{_CBC}"><cbc:ID>{name}</cbc:ID>'
        f"<cac:Attachment>{_binary(_SYNTAXES[kind], file)}</cac:Attachment></cac:AdditionalDocumentReference>"
    )


def _binary(syntax: _Syntax, file: AttachedFile) -> str:
    prefix, namespace = ("cbc", _CBC) if syntax.within else ("ram", _RAM)
    content = base64.b64encode(file.content).decode("ascii")
    return (
        f'<{prefix}:{syntax.binary} xmlns:{prefix}="{namespace}" mimeCode="{_mime(file.name)}" '
        f"filename={quoteattr(file.name)}>{content}</{prefix}:{syntax.binary}>"
    )


#: What EN 16931 names (BT-125-1) and Chorus Pro takes, so that the result does not hang on the machine's tables.
_MIMES: Final = {
    "pdf": "application/pdf",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "xml": "application/xml",
    "txt": "text/plain",
    "zip": "application/zip",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "odt": "application/vnd.oasis.opendocument.text",
}
_STANDARD_MIMES: Final = mimetypes.MimeTypes()


def _mime(name: str) -> str:
    extension = name.rpartition(".")[2].lower()
    guessed = _MIMES.get(extension) or _STANDARD_MIMES.guess_type(f"x.{extension}")[0]
    return guessed or "application/octet-stream"


def _spliced(xml: bytes, splices: Sequence[_Splice], layout: Layout) -> bytes:
    parts: list[bytes] = []
    position = 0
    for splice in sorted(splices, key=lambda splice: splice.start):  # stable: insertions stay in order
        parts += (xml[position : splice.start], splice.text.encode(layout.encoding, "xmlcharrefreplace"))
        position = splice.end
    return b"".join((*parts, xml[position:]))
