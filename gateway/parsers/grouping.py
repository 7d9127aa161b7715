"""The members of an archive to payloads: each invoice with its row of the index and the files that belong to it.

Every member ends somewhere, and somebody is told: as an invoice, as an attachment, as a document that is refused or
held, as index, or as a leftover with a finding. What belongs to what is `belonging.py`'s.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gateway.domain.document import Attachment, Document, Kind
from gateway.domain.finding import Finding
from gateway.parsers import archive_findings as told
from gateway.parsers import pdf
from gateway.parsers.archive import ARCHIVE_NAME, ARCHIVES, Member
from gateway.parsers.attachments import check_attachment
from gateway.parsers.belonging import Belonging, Head, assign
from gateway.parsers.index import INDEX_NAME, Index, IndexRow, read_index
from gateway.parsers.read import read_document
from gateway.parsers.reading import AttachedFile, Payload
from gateway.parsers.refusals import EMPTY
from gateway.parsers.skeleton import NEEDED_FOR_PDF
from gateway.parsers.sniff import Form, sniff

_INVOICES: Final = frozenset({Kind.UBL_INVOICE, Kind.UBL_CREDITNOTE, Kind.CII, Kind.FACTURX})


@dataclass(frozen=True, slots=True)
class _Read:
    """A member with what it says. `document` is UNKNOWN for all that is neither XML nor PDF."""

    member: Member
    form: Form
    document: Document
    findings: tuple[Finding, ...] = ()

    @property
    def name(self) -> str:
        return self.member.name

    @property
    def is_invoice(self) -> bool:
        return self.document.kind in _INVOICES

    @property
    def claims_to_be_one(self) -> bool:
        """Left over, it is refused by name rather than mentioned: its sender may believe that it was sent."""
        if self.document.kind is Kind.ARCHIVE or self.member.fault is not None:
            return True
        return self.form is Form.XML or (not self.member.content and self.name.lower().endswith((".xml", ".pdf")))


def group(members: Sequence[Member]) -> tuple[tuple[Payload, ...], tuple[Finding, ...]]:
    """The payloads by member name, and what concerns the archive as a whole."""
    index = _index(members)
    if not index.readable:
        # Without its index nothing tells which files belong together: nothing is sent.
        return (), index.findings
    rows = _Rows(index, members)
    reads = [_read(member) for member in members if not _is_index(member)]
    heads = _heads(reads, rows)
    documents = {head.name for head in heads}
    belonging = assign([read.name for read in reads if read.name not in documents], heads)
    for read in reads:
        # Where there is no invoice at all, each PDF may be one; beside invoices it may as well be an annex.
        if read.name not in belonging.owners and (read.claims_to_be_one or (read.form is Form.PDF and not heads)):
            documents.add(read.name)
    attached: dict[str, list[_Read]] = defaultdict(list)
    for read in reads:
        for owner in belonging.owners.get(read.name, ()):
            attached[owner].append(read)
    payloads = tuple(_payload(read, rows, attached[read.name]) for read in reads if read.name in documents)
    left = [read for read in reads if read.name not in documents and read.name not in belonging.owners]
    findings = (*index.findings, *_leftovers(left, belonging), *rows.absent())
    return payloads, findings if payloads else (told.NO_INVOICE.at(), *findings)


class _Rows:
    """The rows of the index by member: by its path, else by its last part where that is one member's only."""

    def __init__(self, index: Index, members: Sequence[Member]) -> None:
        self._index = index
        self._paths = {member.name.casefold() for member in members}
        self._same_name = Counter(member.file_name.casefold() for member in members)

    def of(self, member: Member) -> IndexRow | None:
        key = self._key(member)
        return None if key is None else self._index.rows.get(key)

    def twice(self, member: Member) -> bool:
        return self._key(member) in self._index.twice

    def absent(self) -> Iterator[Finding]:
        """Rows that name no member."""
        absent = [row for key, row in self._index.rows.items() if key not in self._paths | self._same_name.keys()]
        for row in absent[: told.MOST_TOLD]:
            yield told.INDEX_NO_FILE.at(name=row.file_name, location=INDEX_NAME, line=row.line)

    def _key(self, member: Member) -> str | None:
        path, last = member.name.casefold(), member.file_name.casefold()
        if path in self._index.rows:
            return path
        return last if last in self._index.rows and self._same_name[last] == 1 else None


def _is_index(member: Member) -> bool:
    return member.name.lower() == INDEX_NAME


def _index(members: Sequence[Member]) -> Index:
    member = next((member for member in members if _is_index(member)), None)
    if member is None:
        return Index()
    if member.fault is not None:
        return Index(findings=(member.fault,), readable=False)
    return read_index(member.content)


def _read(member: Member) -> _Read:
    if member.fault is not None:
        return _Read(member, Form.OTHER, Document(Kind.UNKNOWN), (member.fault,))
    if not member.content:
        return _Read(member, Form.EMPTY, Document(Kind.UNKNOWN), (EMPTY.at(location=member.name),))
    form = sniff(member.content).form
    if form in ARCHIVES and ARCHIVE_NAME.search(member.name):
        nested = told.NESTED.at(name=member.name, location=member.name)
        return _Read(member, form, Document(Kind.ARCHIVE), (nested,))
    if form not in (Form.XML, Form.PDF):
        return _Read(member, form, Document(Kind.UNKNOWN))
    reading = read_document(member.content)
    findings = tuple(pdf.alone(member.name) if f.rule == pdf.ALONE.rule else f for f in reading.findings)
    return _Read(member, form, reading.document, findings)


def _heads(reads: Sequence[_Read], rows: _Rows) -> list[Head]:
    """The invoices, less those that another invoice claims as its own picture or attachment; XML and members that
    cannot be read too, so that their annexes stay with them; and each PDF with a row of its own in the index."""
    heads = [
        _head(read, rows)
        for read in reads
        if read.is_invoice
        or (read.claims_to_be_one and read.name.lower().endswith(".xml"))
        or (read.form is Form.PDF and rows.of(read.member) is not None)
    ]
    claimed = {name.casefold() for head in heads for name in head.indexed}
    referred = {name.casefold() for head in heads for name in head.references}
    invoices = {read.name for read in reads if read.is_invoice}
    pictures = _pictures(reads)
    return [
        head
        for head in heads
        if head.name not in pictures
        and not {head.name.casefold(), head.name.rsplit("/", 1)[-1].casefold()} & claimed
        # An XML that is no invoice may be the annex to which an invoice refers.
        and (head.name in invoices or head.name.rsplit("/", 1)[-1].casefold() not in referred)
    ]


def _pictures(reads: Sequence[_Read]) -> set[str]:
    """A Factur-X of the same name and number as an XML invoice is its readable picture, not a second invoice."""
    numbers = {
        (_stem(read.name), read.document.number)
        for read in reads
        if read.is_invoice and read.document.kind is not Kind.FACTURX
    }
    return {
        read.name
        for read in reads
        if read.document.kind is Kind.FACTURX and (_stem(read.name), read.document.number) in numbers
    }


def _head(read: _Read, rows: _Rows) -> Head:
    row = rows.of(read.member)
    references = tuple(
        name
        for attachment in read.document.attachments
        if not attachment.embedded
        for name in (attachment.name, attachment.reference)
        if name
    )
    return Head(read.name, references, row.attachments if row else ())


def _payload(read: _Read, rows: _Rows, attached: Sequence[_Read]) -> Payload:
    row = rows.of(read.member)
    findings = list(read.findings)
    if row is not None:
        findings = _with_row(findings, read, row)
        if rows.twice(read.member):
            findings.append(told.INDEX_TWICE.at(name=read.name, location=INDEX_NAME, line=row.line))
        present = {name.casefold() for other in attached for name in (other.name, other.member.file_name)}
        findings += [
            told.MISSING_ATTACHMENT.at(name=name, location=INDEX_NAME, line=row.line)
            for name in row.attachments
            if name.casefold() not in present
        ]
    for other in attached:
        findings += _attachment_faults(other)
    files = [other.member for other in attached if other.member.fault is None]
    return Payload(
        document=replace(read.document, attachments=_with_files(read.document.attachments, files)),
        content=read.member.content,
        member=read.name,
        attachments=tuple(AttachedFile(file.file_name, file.content) for file in files),
        index_row=dict(row.cells) if row else {},
        findings=tuple(findings),
    )


def _with_row(findings: Sequence[Finding], read: _Read, row: IndexRow) -> list[Finding]:
    """A PDF with its row is no longer alone."""
    rest = [finding for finding in findings if finding.rule != pdf.ALONE.rule]
    if len(rest) == len(findings):
        return rest
    missing = [column for column in NEEDED_FOR_PDF if column not in row.cells]
    name = read.name
    if missing:
        columns = ", ".join(missing)
        return [told.PDF_ROW_INCOMPLETE.at(name=name, columns=columns, location=INDEX_NAME, line=row.line), *rest]
    return [told.PDF_ROW.at(name=name, location=INDEX_NAME, line=row.line), *rest]


def _attachment_faults(read: _Read) -> Iterator[Finding]:
    name = read.member.file_name
    if read.member.fault is not None:
        yield read.member.fault
        return
    yield from check_attachment(name, len(read.member.content))
    if any(finding.rule == pdf.ENCRYPTED.rule for finding in read.findings):
        yield told.ENCRYPTED_ATTACHMENT.at(name=name, location=name, term="BT-125")


def _with_files(own: Sequence[Attachment], files: Sequence[Member]) -> tuple[Attachment, ...]:
    """The document's attachments, those it only refers to filled from the files beside it, then the other files."""
    left = {file.file_name.casefold(): file for file in files}
    filled: list[Attachment] = []
    for attachment in own:
        file = None
        if not attachment.embedded:
            file = left.pop(attachment.name.casefold(), None) or left.pop(attachment.reference.casefold(), None)
        filled.append(replace(attachment, name=file.file_name, size=len(file.content)) if file else attachment)
    rest = (Attachment(file.file_name, size=len(file.content), embedded=False) for file in left.values())
    return (*filled, *rest)


def _leftovers(left: Sequence[_Read], belonging: Belonging) -> Iterator[Finding]:
    for read in left[: told.MOST_TOLD]:
        if read.name in belonging.ambiguous:
            heads = ", ".join(belonging.ambiguous[read.name][:5])
            yield told.AMBIGUOUS.at(name=read.name, heads=heads, location=read.name)
        else:
            yield told.LEFTOVER.at(name=read.name, location=read.name)
    if len(left) > told.MOST_TOLD:
        yield told.MORE_LEFTOVERS.at(count=len(left) - told.MOST_TOLD)


def _stem(name: str) -> str:
    stem, dot, _ = name.rpartition(".")
    return (stem if dot else name).casefold()
