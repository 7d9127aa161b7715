"""One dropped file to what it holds: one payload, or those of an archive. Never raises for what stands in it.

A file that is none of what we take has no payload and one fatal finding that names what it is. What goes wrong in
our own reading (a fault of ours, a ceiling met) becomes a finding as well: the file is refused or asked about, and
the next one is read.
"""

from __future__ import annotations

from typing import Final

from gateway.domain.document import Kind
from gateway.domain.finding import Definition, Finding, Layer, Severity, Text
from gateway.parsers import pdf, refusals
from gateway.parsers.archive import DEFAULT_LIMITS, ArchiveLimits, ArchiveRefused, archive_form, read_archive
from gateway.parsers.grouping import group
from gateway.parsers.office import what_office_document
from gateway.parsers.read import read_document
from gateway.parsers.reading import Opened, Payload

TOO_MUCH: Final = Definition(
    "INTAKE-CEILING",
    Layer.INTAKE,
    Severity.FATAL,
    Text(
        "La lecture du fichier demande plus de mémoire que permis ({what}) : il est refusé, non jugé.",
        "Reading the file takes more memory than allowed ({what}): it is refused, not judged.",
    ),
    Text(
        "Découpez le fichier ou retirez des pièces jointes, puis redéposez-le ; s'il est ordinaire, écrivez-nous.",
        "Split the file or remove attachments, then drop it again; if it is an ordinary one, write to us.",
    ),
)
OUR_FAULT: Final = Definition(
    "INTAKE-READER-FAILED",
    Layer.INTAKE,
    Severity.FATAL,
    Text(
        "Notre lecteur a échoué sur ce fichier ({what}) : il n'est ni lu ni transmis.",
        "Our reader failed on this file ({what}): it is neither read nor sent.",
    ),
    Text(
        "Transmettez-nous le nom du fichier ; en attendant, essayez un autre export de la même facture.",
        "Tell us the name of the file; meanwhile try another export of the same invoice.",
    ),
)


def open_file(name: str, content: bytes, limits: ArchiveLimits = DEFAULT_LIMITS) -> Opened:
    """What a dropped file holds, its payloads ordered by member name."""
    try:
        if archive_form(content) is not None:
            return _archive(name, content, limits)
        return _single(name, content)
    except ArchiveRefused as refused:
        return _refused(Kind.ARCHIVE, refused.finding)
    except (MemoryError, RecursionError) as error:
        return _refused(Kind.UNKNOWN, TOO_MUCH.at(what=type(error).__name__))
    except Exception as error:  # the promise of this function; what it was stands in the finding
        return _refused(Kind.UNKNOWN, OUR_FAULT.at(what=f"{type(error).__name__}: {error}"))


def _refused(kind: Kind, *findings: Finding) -> Opened:
    return Opened(kind, findings=findings)


def _archive(name: str, content: bytes, limits: ArchiveLimits) -> Opened:
    office = what_office_document(content)
    if office is not None:
        return _refused(Kind.UNKNOWN, office)
    members, remarks = read_archive(name, content, limits)
    payloads, findings = group(members)
    return Opened(Kind.ARCHIVE, payloads, (*remarks, *findings))


def _single(name: str, content: bytes) -> Opened:
    reading = read_document(content)
    kind = reading.document.kind
    if kind is Kind.UNKNOWN and not reading.document.number:
        return _refused(kind, *(reading.findings or (refusals.EMPTY.at(),)))
    findings = tuple(pdf.alone(name) if f.rule == pdf.ALONE.rule else f for f in reading.findings)
    payload = Payload(reading.document, content, findings=findings)
    return Opened(kind, (payload,))
