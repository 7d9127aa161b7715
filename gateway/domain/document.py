"""An invoice or credit note as EN 16931 terms, whatever syntax it came in.

A `Document` says what stands in the file, not what should: every term may be absent. Money is `Decimal` in
`currency`. `source_lines` gives the line of a term in the XML it was read from, for messages. Where Chorus Pro
and the reform put the same thing in different terms (service code, SIRET), see `domain/routing.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum


class Kind(StrEnum):
    """What a file or payload is, by its content."""

    UBL_INVOICE = "ubl-invoice"
    UBL_CREDITNOTE = "ubl-creditnote"
    CII = "cii"
    FACTURX = "facturx"
    PDF = "pdf"
    ARCHIVE = "archive"
    UNKNOWN = "unknown"


class Profile(StrEnum):
    """Which of the two contradictory French uses a document follows (domain facts 5.6)."""

    LEGACY = "legacy"  #: Chorus Pro: cadre A1…A25, 14-digit SIRET under 1 or 0002
    REFORM = "reform"  #: Flux 2: B1/S1…, 9-digit SIREN under 0002, electronic addresses
    UNDETERMINED = "undetermined"  #: neither shows


@dataclass(frozen=True, slots=True)
class Identifier:
    """An identifier and the scheme that issued it."""

    value: str
    scheme: str = ""


@dataclass(frozen=True, slots=True)
class Party:
    """Seller (BG-4) or buyer (BG-7)."""

    name: str = ""  #: BT-27 / BT-44
    identifiers: tuple[Identifier, ...] = ()  #: BT-29 / BT-46
    legal: Identifier | None = None  #: BT-30 / BT-47
    vat: str = ""  #: BT-31 / BT-48
    endpoint: Identifier | None = None  #: BT-34 / BT-49


@dataclass(frozen=True, slots=True)
class VatLine:
    """One line of the VAT breakdown (BG-23)."""

    base: Decimal | None  #: BT-116
    tax: Decimal | None  #: BT-117
    category: str = ""  #: BT-118
    rate: Decimal | None = None  #: BT-119
    exemption: str = ""  #: BT-120 or BT-121


@dataclass(frozen=True, slots=True)
class Totals:
    """The document totals (BG-22)."""

    lines: Decimal | None = None  #: BT-106
    allowances: Decimal | None = None  #: BT-107
    charges: Decimal | None = None  #: BT-108
    net: Decimal | None = None  #: BT-109
    vat: Decimal | None = None  #: BT-110
    vat_accounting: Decimal | None = None  #: BT-111
    gross: Decimal | None = None  #: BT-112
    paid: Decimal | None = None  #: BT-113
    rounding: Decimal | None = None  #: BT-114
    due: Decimal | None = None  #: BT-115


@dataclass(frozen=True, slots=True)
class Attachment:
    """A supporting document (BG-24): carried inside the XML or PDF, beside it in an archive, or only referenced."""

    name: str  #: BT-125-2, or the member name in the archive
    reference: str = ""  #: BT-122
    description: str = ""  #: BT-123
    mime: str = ""  #: BT-125-1
    size: int | None = None  #: bytes once decoded; None where only referenced
    embedded: bool = True  #: False: beside the document in the archive, or an external URI


@dataclass(frozen=True, slots=True)
class Preceding:
    """A preceding invoice (BG-3)."""

    number: str  #: BT-25
    issued: date | None = None  #: BT-26


@dataclass(frozen=True, slots=True)
class Document:
    """One invoice or credit note. Strings are stripped; an absent term is "" or None."""

    kind: Kind
    profile: Profile = Profile.UNDETERMINED
    number: str = ""  #: BT-1
    issued: date | None = None  #: BT-2
    type_code: str = ""  #: BT-3
    currency: str = ""  #: BT-5
    due: date | None = None  #: BT-9
    buyer_reference: str = ""  #: BT-10
    contract: str = ""  #: BT-12
    order: str = ""  #: BT-13
    payment_terms: str = ""  #: BT-20
    process: str = ""  #: BT-23
    guideline: str = ""  #: BT-24
    preceding: tuple[Preceding, ...] = ()  #: BG-3
    seller: Party = Party()  #: BG-4
    buyer: Party = Party()  #: BG-7
    delivered: date | None = None  #: BT-72
    period_start: date | None = None  #: BT-73
    period_end: date | None = None  #: BT-74
    payment_means: tuple[str, ...] = ()  #: BT-81
    accounts: tuple[str, ...] = ()  #: BT-84
    totals: Totals = Totals()  #: BG-22
    vat_lines: tuple[VatLine, ...] = ()  #: BG-23
    line_count: int = 0  #: BG-25
    attachments: tuple[Attachment, ...] = ()  #: BG-24
    source_lines: Mapping[str, int] = field(default_factory=dict)  #: term → line in the XML
    claimed_profile: str = ""  #: of a Factur-X: what the PDF around it says (XMP ConformanceLevel)

    def line_of(self, term: str) -> int | None:
        """The line in the XML where `term` was read, if it was."""
        return self.source_lines.get(term)

    @property
    def is_credit_note(self) -> bool:
        """UNTDID 1001 codes that credit the buyer; Chorus Pro knows 381 only."""
        return self.kind is Kind.UBL_CREDITNOTE or self.type_code in {"81", "83", "261", "381", "396", "532"}
