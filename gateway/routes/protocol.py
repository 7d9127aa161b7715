"""What every route can do, in the words of no platform: pack, deposit, find, report, events.

A route translates between our values and one platform's API. It keeps no state and moves no row: the steps commit
the intent before `deposit`, and settle what is unknown with `find` before anything is repeated (DESIGN 4.4).
Whatever the platform answers is hostile until checked: bounded in size and time, and never trusted to be whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from gateway.domain.document import Kind
from gateway.domain.finding import Text
from gateway.domain.flow_states import FlowOutcome
from gateway.domain.issuer import Issuer

__all__ = [
    "Deposited",
    "FlowOutcome",
    "FlowReport",
    "Misunderstood",
    "NotAllowed",
    "Packet",
    "PlatformInvoice",
    "Refusal",
    "Refused",
    "RouteClient",
    "RouteTrouble",
    "Sendable",
    "StatusEvent",
    "Uncertain",
    "Unreachable",
    "Unsendable",
]


@dataclass(frozen=True, slots=True)
class Sendable:
    """One document ready to go: its exact bytes, and what a platform knows it by."""

    document_id: str
    kind: Kind
    number: str  #: BT-1
    issued: date | None  #: BT-2
    issuer: Issuer
    content: bytes
    mixed: bool = False  #: an XML that carries the readable PDF of the invoice inside (BG-24)


@dataclass(frozen=True, slots=True)
class Packet:
    """A flow before it is sent: one file or one tar.gz. Packing the same documents again gives the same bytes."""

    name: str  #: file name as the platform will see it, ASCII, at most 50 characters
    syntax: str  #: the platform's own word for the syntax
    content: bytes
    document_ids: tuple[str, ...]
    member_names: tuple[str, ...]  #: the name each document has inside, in the order of `document_ids`


@dataclass(frozen=True, slots=True)
class Deposited:
    """The platform took the flow under `number` (empty where it says `already` without naming the first flow)."""

    number: str
    at: datetime
    already: bool = False  #: it says that it had it before: an earlier call had arrived


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the platform refused a flow or one document of it. `number` is empty when it concerns the whole flow."""

    number: str
    issuer: str
    text: str  #: the platform's own words, kept raw (they may be cut off)
    code: str = ""  #: its code where it gives one (ERR_XSD_001)
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class FlowReport:
    """The platform's report of one flow."""

    outcome: FlowOutcome
    native_state: str
    at: datetime | None = None
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class PlatformInvoice:
    """An invoice as the platform lists it."""

    platform_id: str
    number: str
    issuer: str
    flow_number: str
    status: str  #: native code
    status_at: datetime | None
    issued: date | None = None
    deposited: date | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class StatusEvent:
    """One passage in an invoice's life, from the platform's history. Names of persons are never carried."""

    event_id: str  #: the platform's id of the passage, or one derived from (invoice, code, time)
    platform_id: str
    number: str
    status: str
    at: datetime
    comment: str = ""


class RouteTrouble(Exception):
    """A call that did not do its work; `text` says for people what is wrong and what helps."""

    def __init__(self, text: Text | str, *, retry_after_s: float | None = None) -> None:
        self.text = Text(text, text) if isinstance(text, str) else text
        self.retry_after_s = retry_after_s  #: where the platform says when to come back
        super().__init__(self.text.en)


class Unreachable(RouteTrouble):
    """The call certainly had no effect (no connection, refused at the door with 401/403/429, or only a read):
    try later."""


class NotAllowed(Unreachable):
    """The platform refuses our credentials; the message names which one, and the remedy."""


class Misunderstood(Unreachable):
    """The platform does not understand the call (400, 404, 415): nothing was taken, and time alone mends nothing;
    the configuration or this program is wrong."""


class Uncertain(RouteTrouble):
    """The call may have arrived (time-out, cut, 5xx, unreadable answer): settle before repeating."""


class Refused(Exception):
    """The platform took the call and refused it: nothing was deposited, and the same bytes will fail again."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.text)
        self.refusal = refusal


class Unsendable(Exception):
    """These documents can go in no flow of this route (too large, of a kind it does not take). Nothing was packed:
    refuse them for the reasons given, and pack the others again."""

    def __init__(self, reasons: Mapping[str, Text]) -> None:
        super().__init__("; ".join(f"{document_id}: {text.en}" for document_id, text in reasons.items()))
        self.reasons = reasons  #: by document id


class RouteClient(Protocol):
    """One platform. `issuer` chooses the technical account of each call."""

    def pack(self, sendables: Iterable[Sendable], flow_id: str) -> Sequence[Packet]:
        """Group documents by issuer and syntax, within the platform's limits. Deterministic bytes.

        Raises `Unsendable` for the documents that fit no flow, before anything is packed.
        """
        ...

    def deposit(self, packet: Packet, issuer: Issuer) -> Deposited:
        """Send one flow, once. Raises `Unreachable`, `NotAllowed`, `Uncertain` or `Refused`; never repeats a send
        that may have been taken."""
        ...

    def find(
        self, issuer: Issuer, numbers: Sequence[str], since: datetime, until: datetime
    ) -> Sequence[PlatformInvoice]:
        """The invoices of `issuer` with these numbers deposited in the period (all pages)."""
        ...

    def report(self, issuer: Issuer, flow_number: str, syntax: str) -> FlowReport:
        """What became of one flow."""
        ...

    def invoices_of(self, issuer: Issuer, flow_number: str) -> Sequence[PlatformInvoice]:
        """The invoices that a flow made (all pages)."""
        ...

    def changed(self, issuer: Issuer, since: datetime, until: datetime) -> Iterator[PlatformInvoice]:
        """The invoices of `issuer` whose status changed in the period (all pages): one search, not one call each.

        May raise in the middle: what was given so far is true, but the watermark must not move.
        """
        ...

    def history(self, issuer: Issuer, platform_id: str) -> Sequence[StatusEvent]:
        """Every status one invoice passed, oldest first."""
        ...
