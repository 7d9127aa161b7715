"""Rows of the ledger as frozen values, as steps see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gateway.domain.ack import Ack, Level
from gateway.domain.document import Kind, Profile
from gateway.domain.finding import Finding
from gateway.domain.states import AckState, DocumentState, FlowState, InterchangeState
from gateway.domain.terms import KeyTerms
from gateway.domain.verdict import PackVerdict


@dataclass(frozen=True, slots=True)
class InterchangeRow:
    """One file as received."""

    id: str
    partner: str
    state: InterchangeState
    file_name: str
    raw_name: str
    size: int
    seen_at: datetime
    sha256: str = ""
    kind: str = ""
    archive_path: str = ""
    first_id: str | None = None
    documents: int = 0
    attempts: int = 0
    findings: tuple[Finding, ...] = ()
    archived_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """One invoice or credit note. `findings` are those that count on its route; `opening_findings` the parser's."""

    id: str
    interchange_id: str
    position: int
    partner: str
    state: DocumentState
    kind: Kind
    profile: Profile
    content_sha256: str
    payload_sha256: str
    payload_path: str
    payload_size: int
    terms: KeyTerms
    opened_at: datetime
    changed_at: datetime
    member: str = ""
    deposit_year: int | None = None
    transformation: str = ""
    index_row: Mapping[str, str] = field(default_factory=dict)
    partner_reference: str = ""
    route: str = ""
    decision: str = ""
    packs: tuple[PackVerdict, ...] = ()
    opening_findings: tuple[Finding, ...] = ()
    findings: tuple[Finding, ...] = ()
    attempts: int = 0
    replaces: str | None = None
    waits_for: str | None = None
    flow_id: str | None = None
    alone: int = 0
    platform_id: str | None = None
    native_status: str = ""
    native_status_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FlowRow:
    """What was or will be deposited in one call."""

    id: str
    route: str
    issuer: str
    state: FlowState
    name: str
    syntax: str
    sha256: str
    size: int
    content_path: str
    documents: int
    packed_at: datetime
    due_at: datetime
    number: str | None = None
    native_state: str = ""
    looks: int = 0
    repeats: int = 0
    intended_at: datetime | None = None
    sent_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OwedAck:
    """A row to be told. `about` names the thing told, so that it is told once."""

    id: str
    about: str
    partner: str
    level: Level
    ack: Ack
    interchange_id: str = ""
    document_id: str = ""


@dataclass(frozen=True, slots=True)
class AckFileRow:
    """A file of acknowledgements whose name, sequence and bytes are fixed."""

    id: int
    partner: str
    level: Level
    seq: int
    state: AckState
    rows: int
    fixed_at: datetime
    parts: tuple[tuple[str, bytes], ...] = ()
