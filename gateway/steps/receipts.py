"""Building what is owed to a partner: receipts of interchanges, decisions and life-cycle rows of documents.

Texts are chosen in the partner's language here, once; the files are made elsewhere. `about` names the thing told,
so that the ledger tells it once however often a step is repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, NamedTuple

from gateway.domain.ack import ACK_VERSION, Ack, AckRow, Action, Event, FindingRow, Level, Source
from gateway.domain.finding import Finding, Severity
from gateway.domain.not_whole import NEVER_WHOLE
from gateway.domain.verdict import PackVerdict
from gateway.ledger.archive import Kept
from gateway.ledger.ids import new_id
from gateway.ledger.rows import DocumentRow, InterchangeRow, OwedAck
from gateway.steps.house import House

#: What the sender does about each decision of ours; life-cycle actions come from the status itself.
_ACTIONS: Final = {
    Event.RECEIVED: Action.NONE,
    Event.DUPLICATE: Action.NONE,
    Event.UNREADABLE: Action.CORRECT_AND_REDROP,
    Event.INCOMPLETE: Action.CORRECT_AND_REDROP,
    Event.QUARANTINED: Action.CONTACT,
    Event.REFUSED: Action.CORRECT_AND_REDROP,
    Event.HELD: Action.INSTRUCT,
    Event.RELEASED: Action.NONE,
    Event.DEPOSITED: Action.NONE,
    Event.BOUNCED: Action.CORRECT_AND_REDROP,
}


def refusal_receipt(
    house: House, row: InterchangeRow, kept: Kept | None, *refusals: Finding, event: Event = Event.UNREADABLE
) -> OwedAck:
    """The receipt of a file that was refused as a whole; the first refusal is the reason."""
    if refusals and refusals[0].rule in NEVER_WHOLE:
        event = Event.INCOMPLETE
    if kept:
        row = replace(row, sha256=kept.sha256)
    return receipt(house, row, event, refusals)


def receipt(
    house: House,
    row: InterchangeRow,
    event: Event,
    findings: Sequence[Finding] = (),
    *,
    comment: str = "",
    about: str = "",
    reference: str = "",
) -> OwedAck:
    """A receipt: did you get it, whole, readable?"""
    now = house.clock.now()
    ack_id = new_id(now)
    language = house.language(row.partner)
    worst, counted = _gravest(findings), _count(findings)
    core = AckRow(
        ack_version=ACK_VERSION,
        ack_seq=0,
        ack_id=ack_id,
        environment=house.settings.environment,
        level=Level.RECEIPT,
        source=Source.GATEWAY,
        event=event,
        occurred_at=row.seen_at,
        recorded_at=now,
        partner=row.partner,
        partner_reference=reference,
        interchange_id=row.id,
        file_name=row.file_name,
        sha256=row.sha256,
        reason_code=worst.rule if worst else "",
        reason=worst.message.in_language(language) if worst else "",
        action=_ACTIONS[event],
        remedy=worst.remedy.in_language(language) if worst else "",
        comment=comment,
        findings_fatal=counted.fatal,
        findings_hold=counted.hold,
        findings_warning=counted.warning,
        first_rule=worst.rule if worst else "",
    )
    ack = Ack(core, _children(ack_id, findings, (), language))
    return OwedAck(ack_id, about or f"receipt:{row.id}", row.partner, Level.RECEIPT, ack, row.id)


def document_ack(
    house: House,
    interchange: InterchangeRow,
    document: DocumentRow,
    level: Level,
    event: Event,
    *,
    about: str,
    source: Source = Source.GATEWAY,
    occurred_at: datetime | None = None,
    findings: Sequence[Finding] = (),
    action: Action | None = None,
    **cells: object,
) -> OwedAck:
    """A row about one document; `cells` are further columns of the core row (flow_number, native_code, …)."""
    now = house.clock.now()
    ack_id = new_id(now)
    language = house.language(document.partner)
    terms = document.terms
    worst, counted = _gravest(findings), _count(findings)
    core = AckRow(
        ack_version=ACK_VERSION,
        ack_seq=0,
        ack_id=ack_id,
        environment=house.settings.environment,
        level=level,
        source=source,
        event=event,
        occurred_at=occurred_at or now,
        recorded_at=now,
        partner=document.partner,
        partner_reference=document.partner_reference,
        interchange_id=interchange.id,
        file_name=interchange.file_name,
        sha256=interchange.sha256,
        document_id=document.id,
        document_number=terms.number,
        document_type=terms.type_code,
        document_date=terms.issued,
        issuer_siret=terms.issuer,
        buyer_siret=terms.buyer,
        service_code=terms.service_code,
        ej=terms.ej,
        contract=terms.contract,
        currency=terms.currency,
        net=terms.net,
        vat=terms.vat,
        gross=terms.gross,
        decision=document.decision,
        reason_code=worst.rule if worst else "",
        reason=worst.message.in_language(language) if worst else "",
        action=_ACTIONS.get(event, Action.NONE) if action is None else action,
        remedy=worst.remedy.in_language(language) if worst else "",
        platform_invoice_id=document.platform_id or "",
        findings_fatal=counted.fatal,
        findings_hold=counted.hold,
        findings_warning=counted.warning,
        first_rule=worst.rule if worst else "",
    )
    if document.transformation and "comment" not in cells:
        cells["comment"] = f"transformation={document.transformation}"
    core = replace(core, **cells)  # type: ignore[arg-type]
    ack = Ack(core, _children(ack_id, findings, document.packs, language))
    return OwedAck(ack_id, about, document.partner, level, ack, interchange.id, document.id)


def _gravest(findings: Sequence[Finding]) -> Finding | None:
    asking = [f for f in findings if f.severity is not Severity.INFO] or list(findings)
    return min(asking, key=lambda f: f.severity.rank, default=None)


class _Counted(NamedTuple):
    fatal: int
    hold: int
    warning: int


def _count(findings: Sequence[Finding]) -> _Counted:
    by = [finding.severity for finding in findings]
    return _Counted(by.count(Severity.FATAL), by.count(Severity.HOLD), by.count(Severity.WARNING))


def _children(
    ack_id: str, findings: Sequence[Finding], packs: Sequence[PackVerdict], language: str
) -> tuple[FindingRow, ...]:
    versions = {pack.name: pack.version for pack in packs}
    return tuple(
        FindingRow(
            ack_id=ack_id,
            layer=f.layer,
            pack=f.pack,
            pack_version=versions.get(f.pack, ""),
            rule=f.rule,
            severity=f.severity,
            term=f.term,
            location=f.location,
            line=f.line,
            message=f.message.in_language(language),
            remedy=f.remedy.in_language(language),
        )
        for f in findings
    )
