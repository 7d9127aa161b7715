"""What is told to a partner: the core row of an acknowledgement, its words, and the order of its columns.

The order is a contract (DESIGN 4.5): new columns only at the end, only with a new `ACK_VERSION`; partners pin one.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

ACK_VERSION: Final = 1


class Level(StrEnum):
    """The three questions: did you get it; is it good and did it go; what became of it?"""

    RECEIPT = "receipt"
    DECISION = "decision"
    LIFECYCLE = "lifecycle"


class Source(StrEnum):
    GATEWAY = "gateway"
    CHORUS = "chorus"
    BUYER = "buyer"


class Event(StrEnum):
    """What happened. Life-cycle rows carry Chorus Pro's own code in `native_code` beside `STATUS`."""

    RECEIVED = "received"
    DUPLICATE = "duplicate"
    UNREADABLE = "unreadable"
    INCOMPLETE = "incomplete"
    QUARANTINED = "quarantined"
    REFUSED = "refused"
    HELD = "held"
    RELEASED = "released"
    DEPOSITED = "deposited"
    BOUNCED = "bounced"
    STATUS = "status"


class Action(StrEnum):
    """What the partner is to do; five values, so that an ERP can branch."""

    NONE = "none"
    CORRECT_AND_REDROP = "correct-and-redrop"
    INSTRUCT = "instruct"
    REISSUE = "reissue"
    CONTACT = "contact"


@dataclass(frozen=True, slots=True)
class AckRow:
    """The core row. `ack_seq` is 0 until the row has its file; texts are in the partner's language."""

    ack_version: int
    ack_seq: int
    ack_id: str
    environment: str
    level: Level
    source: Source
    event: Event
    occurred_at: datetime
    recorded_at: datetime
    partner: str
    partner_reference: str = ""
    interchange_id: str = ""
    file_name: str = ""
    sha256: str = ""
    document_id: str = ""
    document_number: str = ""
    document_type: str = ""
    document_date: date | None = None
    issuer_siret: str = ""
    buyer_siret: str = ""
    service_code: str = ""
    ej: str = ""
    contract: str = ""
    currency: str = ""
    net: Decimal | None = None
    vat: Decimal | None = None
    gross: Decimal | None = None
    decision: str = ""
    native_code: str = ""
    native_label: str = ""
    reason_code: str = ""
    reason: str = ""
    retransmittable: bool | None = None
    action: Action = Action.NONE
    remedy: str = ""
    flow_number: str = ""
    platform_invoice_id: str = ""
    comment: str = ""
    findings_fatal: int = 0
    findings_hold: int = 0
    findings_warning: int = 0
    first_rule: str = ""


CORE_COLUMNS: Final = tuple(field.name for field in fields(AckRow))


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A row of the findings child file, joined on `ack_id`."""

    ack_id: str
    layer: str
    pack: str
    pack_version: str
    rule: str
    severity: str
    term: str
    location: str
    line: int | None
    message: str
    remedy: str


FINDING_COLUMNS: Final = tuple(field.name for field in fields(FindingRow))


@dataclass(frozen=True, slots=True)
class Ack:
    """A core row with its findings."""

    row: AckRow
    findings: tuple[FindingRow, ...] = ()
