"""What the parsers hand on: a `Reading` of one payload, or the `Opened` contents of one dropped file.

Parsers never raise for what stands in a file: whatever is wrong becomes a finding, and what could be read is kept,
so that a refusal can name the invoice. Bytes to be deposited are exactly those that were received.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lxml import etree

from gateway.domain.document import Document, Kind
from gateway.domain.finding import Finding


@dataclass(frozen=True, slots=True)
class Reading:
    """One payload (XML or PDF) as read: its terms, and its tree for the rule packs (None where there is no XML)."""

    document: Document
    tree: etree._ElementTree | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file that stood beside an invoice in an archive."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Payload:
    """One document found in a dropped file. `member` is its name in the archive, "" when it is the file itself."""

    document: Document
    content: bytes
    member: str = ""
    attachments: tuple[AttachedFile, ...] = ()
    index_row: Mapping[str, str] = field(default_factory=dict)  #: the row of the index file that names it
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Opened:
    """What one dropped file holds. `findings` concern the file as a whole; no payloads means it is refused."""

    kind: Kind
    payloads: tuple[Payload, ...] = ()
    findings: tuple[Finding, ...] = ()
