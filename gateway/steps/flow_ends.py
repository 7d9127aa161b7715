"""The ends of a flow, performed on its documents: integrated ones go live, refused ones bounce.

When a whole flow is rejected for the fault of some of its documents, the others are sent again, each in a flow of
its own: nothing of a rejected flow was integrated, and one bad invoice must not drag ninety-nine good ones down. A
document that the platform refuses because it has it already is ours when its flow was sent twice: the caller then
looks for it, and it goes live as what arrived the first time (DESIGN 4.4).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from gateway.domain.ack import Action, Event, Level, Source
from gateway.domain.finding import Definition, Finding, Layer, Severity, Text, printable
from gateway.domain.states import DocumentState, FlowState
from gateway.domain.verdict import Decision
from gateway.ledger.codec import dump_findings
from gateway.ledger.moves import Move
from gateway.ledger.rows import DocumentRow, FlowRow
from gateway.ledger.unit import Unit
from gateway.routes.protocol import PlatformInvoice, Refusal
from gateway.steps.decide import NO_KEYS
from gateway.steps.house import House
from gateway.steps.receipts import document_ack

BOUNCED: Final = Definition(
    "CHORUS-BOUNCED",
    Layer.CHORUS,
    Severity.FATAL,
    Text(
        "Chorus Pro a refusé la facture {number} : « {text} »",
        "Chorus Pro refused invoice {number}: “{text}”",
    ),
    Text(
        "Elle n'existe pas chez Chorus Pro : corrigez le point indiqué et redéposez-la sous le même numéro.",
        "It does not exist at Chorus Pro: mend the point named and drop it again under the same number.",
    ),
)
THERE_ALREADY: Final = Definition(
    "CHORUS-ALREADY-THERE",
    Layer.CHORUS,
    Severity.FATAL,
    Text(
        "Chorus Pro a déjà une facture {number} de cet émetteur, qui n'est pas passée par la passerelle : « {text} »",
        "Chorus Pro has an invoice {number} of this issuer already, which did not pass through the gateway: “{text}”",
    ),
    Text(
        "Vérifiez sur le portail : si c'est la même facture, il n'y a rien à faire ; sinon, émettez celle-ci sous un "
        "autre numéro.",
        "Look on the portal: if it is the same invoice there is nothing to do; else issue this one under another "
        "number.",
    ),
)
#: "Vous avez déjà déposé une demande de paiement avec ce numéro…" (domain facts 2.2); DOUBLON is the reform's word.
_DOUBLE: Final = re.compile(r"d[ée]j[àa]\s+(?:[ée]t[ée]\s+)?d[ée]pos|\bdoublon\b", re.IGNORECASE)


def is_double(refusal: Refusal) -> bool:
    """The platform refuses it because it has it already."""
    return _DOUBLE.search(refusal.text) is not None


def bounce(
    house: House,
    unit: Unit,
    flow: FlowRow,
    refusals: Sequence[Refusal],
    native_state: str = "",
    there: Sequence[PlatformInvoice] = (),
) -> None:
    """The platform rejected the whole flow: nothing of it was integrated, but what was `there` from before."""
    listed = {invoice.number: invoice for invoice in there}
    documents = [d for d in unit.documents_of_flow(flow.id) if d.state is DocumentState.SENT]
    named = _by_number(refusals)
    whole = [r for r in refusals if not r.number] or list(refusals)
    columns = {"ended_at": unit.now, "native_state": native_state}
    unit.move([Move(flow.id, flow.state, FlowState.REJECTED, _words(refusals)[:500], columns)])
    for document in documents:
        own = named.get(document.terms.number)
        if (invoice := listed.get(document.terms.number)) is not None:
            _go_live(house, unit, flow, document, invoice)
        elif own is None and len(documents) > 1:
            again = {"alone": 1, "flow_id": None, "changed_at": unit.now}
            why = f"flow {flow.id} was rejected for another document: sent again alone"
            unit.move([Move(document.id, document.state, DocumentState.READY, why, again)])
        else:
            _bounce(house, unit, flow, document, own or whole)


def integrate(
    house: House,
    unit: Unit,
    flow: FlowRow,
    after: FlowState,
    invoices: Sequence[PlatformInvoice],
    refusals: Sequence[Refusal],
    native_state: str,
) -> None:
    """The platform integrated the flow, or the good part of it. Every document is listed or refused: the caller has
    seen to it (`unaccounted`)."""
    listed = {invoice.number: invoice for invoice in invoices}
    named = _by_number(refusals)
    columns = {"ended_at": unit.now, "native_state": native_state}
    unit.move([Move(flow.id, flow.state, after, native_state, columns)])
    for document in unit.documents_of_flow(flow.id):
        if document.state is not DocumentState.SENT:
            continue
        invoice = listed.get(document.terms.number)
        if invoice is not None:
            _go_live(house, unit, flow, document, invoice)
        else:
            _bounce(house, unit, flow, document, named[document.terms.number])


def unaccounted(
    documents: Sequence[DocumentRow], invoices: Sequence[PlatformInvoice], refusals: Sequence[Refusal]
) -> list[DocumentRow]:
    """The documents that the platform neither lists as invoices nor refuses by number: it is not done with them."""
    told = {invoice.number for invoice in invoices} | {refusal.number for refusal in refusals}
    return [d for d in documents if d.state is DocumentState.SENT and d.terms.number not in told]


def _go_live(house: House, unit: Unit, flow: FlowRow, document: DocumentRow, invoice: PlatformInvoice) -> None:
    columns: dict[str, Any] = {"platform_id": invoice.platform_id, "changed_at": unit.now}
    columns |= {"native_status": "DEPOSEE", "native_status_at": invoice.status_at or unit.now}
    unit.move([Move(document.id, document.state, DocumentState.LIVE, invoice.platform_id, columns)])
    if invoice.status_at is not None:
        # It may have moved on before it was found: the next search must reach back that far.
        reach = invoice.status_at + house.settings.follow.overlap
        unit.lower_watermark(flow.route, flow.issuer, reach)
    _tell(
        house,
        unit,
        document,
        Event.DEPOSITED,
        document.findings,
        decision=str(Decision.SEND),
        flow_number=invoice.flow_number or flow.number or "",
        platform_invoice_id=invoice.platform_id,
        native_code="DEPOSEE",
        native_label="Déposée",
        retransmittable=False,
    )


def _bounce(house: House, unit: Unit, flow: FlowRow, document: DocumentRow, refusals: Sequence[Refusal]) -> None:
    double = any(is_double(refusal) for refusal in refusals)
    fault = THERE_ALREADY if double else BOUNCED
    finding = fault.at(number=document.terms.number, text=_words(refusals), line=_line(refusals))
    findings = (finding, *document.findings)
    columns = {"findings": dump_findings(findings), "changed_at": unit.now, **NO_KEYS}
    unit.move([Move(document.id, document.state, DocumentState.BOUNCED, _words(refusals)[:500], columns)])
    _tell(
        house,
        unit,
        document,
        Event.BOUNCED,
        findings,
        flow_number=flow.number or "",
        native_code=next((r.code for r in refusals if r.code), ""),
        native_label=printable(_words(refusals)),
        retransmittable=not double,
        action=Action.REISSUE if double else Action.CORRECT_AND_REDROP,
    )


def _tell(
    house: House, unit: Unit, document: DocumentRow, event: Event, findings: Sequence[Finding], **cells: Any
) -> None:
    file = unit.interchange(document.interchange_id)
    assert file is not None
    ack = document_ack(
        house,
        file,
        document,
        Level.DECISION,
        event,
        about=f"decision:{document.id}:{event}",
        source=Source.CHORUS,
        findings=findings,
        **cells,
    )
    unit.owe([ack])


def _by_number(refusals: Sequence[Refusal]) -> Mapping[str, list[Refusal]]:
    by: dict[str, list[Refusal]] = {}
    for refusal in refusals:
        if refusal.number:
            by.setdefault(refusal.number, []).append(refusal)
    return by


def _words(refusals: Sequence[Refusal]) -> str:
    return " | ".join(dict.fromkeys(r.text for r in refusals)) or "(sans motif / no reason given)"


def _line(refusals: Sequence[Refusal]) -> int | None:
    return next((r.line for r in refusals if r.line is not None), None)
