"""Pack: documents to be sent become flows. `ready` → `packed`, and a flow in `packed`.

A flow is one file or one archive of documents of one issuer and one syntax, within the platform's limits. Its
bytes are made once, archived and hashed before anything is called, so that a repeat sends the very same bytes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final

from gateway.domain.ack import Action, Event, Level
from gateway.domain.finding import Definition, Finding, Layer, Severity, Text
from gateway.domain.issuer import Issuer, Route
from gateway.domain.severities import decide
from gateway.domain.states import DocumentState, FlowState
from gateway.domain.verdict import Decision
from gateway.ledger.codec import dump_findings
from gateway.ledger.ids import new_id
from gateway.ledger.moves import Move
from gateway.ledger.rows import DocumentRow, FlowRow
from gateway.routes.protocol import Packet, RouteClient, Sendable, Unsendable
from gateway.steps.decide import NO_KEYS
from gateway.steps.house import House
from gateway.steps.receipts import document_ack
from gateway.steps.rounds import Rotation, fair_share

#: Bytes of documents that are held in memory at once while packing.
_BATCH_BYTES: Final = 60_000_000
#: Flows' worth of documents looked at in one round: the more there are, the fuller the flows of each issuer get.
_FLOWS: Final = 20

UNSENDABLE: Final = Definition(
    "CHORUS-UNSENDABLE",
    Layer.CHORUS,
    Severity.HOLD,
    Text("{reason_fr}", "{reason_en}"),
    Text(
        "Allégez la facture (pièces jointes moins lourdes), puis redéposez-la.",
        "Make the invoice lighter (smaller attachments), then drop it again.",
    ),
)
ISSUER_GONE: Final = Definition(
    "ISSUER-GONE",
    Layer.ISSUER,
    Severity.HOLD,
    Text(
        "L'émetteur {issuer} n'est plus configuré dans la passerelle : la facture ne peut pas partir.",
        "The issuer {issuer} is configured in the gateway no more: the invoice cannot leave.",
    ),
    Text(
        "Rien à corriger dans la facture : demandez à l'exploitant de la passerelle de déclarer de nouveau cet "
        "émetteur (issuers.d) ; elle partira alors.",
        "Nothing to mend in the invoice: ask the gateway's operator to declare this issuer again (issuers.d); it then "
        "goes.",
    ),
)
NOT_AS_KEPT: Final = Definition(
    "INTAKE-ARCHIVE-DAMAGED",
    Layer.INTAKE,
    Severity.FATAL,
    Text(
        "La copie archivée de la facture {number} n'est plus celle qui a été reçue ({reason}) ; rien n'a été envoyé.",
        "The archived copy of invoice {number} is no longer what was received ({reason}); nothing was sent.",
    ),
    Text(
        "Redéposez la facture telle quelle. L'exploitant de la passerelle doit examiner le disque de l'archive.",
        "Drop the invoice again as it is. The gateway's operator must look at the archive's disk.",
    ),
)


class Pack:
    """Packs ready documents in fair groups; waits a little for a flow to fill."""

    name = "pack"

    def __init__(self, house: House, *, patient: bool = True) -> None:
        self._house = house
        self._rotation = Rotation()
        self._patient = patient

    def run(self) -> int:
        """Pack one group."""
        rows = self._next()
        if not rows:
            return 0
        groups: dict[tuple[str, str], list[DocumentRow]] = defaultdict(list)
        for row in rows:
            groups[row.terms.issuer, row.id if row.alone else ""].append(row)
        return sum(self._pack(issuer, group) for (issuer, _), group in groups.items())

    def _next(self) -> list[DocumentRow]:
        house = self._house
        full = house.settings.sending.documents_per_flow
        with house.ledger.reading() as unit:
            rows = fair_share(
                self._rotation.order(house.settings.partners),
                _FLOWS * full,
                lambda partner, n: unit.documents(DocumentState.READY, partner, n),
            )
        if self._patient and len(rows) < 2 * full:
            longest = max((house.clock.now() - row.changed_at for row in rows), default=None)
            if longest is None or longest < house.settings.sending.wait:
                return []
        return list(_within(rows, _BATCH_BYTES))

    def _pack(self, siret: str, rows: Sequence[DocumentRow]) -> int:
        issuer = self._house.settings.issuers.get(siret)
        client = self._house.routes.get(issuer.route) if issuer else None
        if issuer is None or client is None:
            self._keep([(row, ISSUER_GONE.at(term="BT-30", issuer=siret)) for row in rows])
            return len(rows)
        sendables = [sendable for row in rows if (sendable := self._sendable(row, issuer))]
        by_id = {row.id: row for row in rows}
        packets = self._packets(client, sendables, by_id)
        for packet in packets:
            self._write_down(issuer, packet, [by_id[id_] for id_ in packet.document_ids])
        return len(rows)

    def _packets(
        self, client: RouteClient, sendables: Sequence[Sendable], rows: Mapping[str, DocumentRow]
    ) -> Sequence[Packet]:
        flow_id = new_id(self._house.clock.now())
        try:
            return client.pack(sendables, flow_id) if sendables else []
        except Unsendable as unsendable:
            reasons = unsendable.reasons.items()
            self._keep([(rows[id_], UNSENDABLE.at(reason_fr=text.fr, reason_en=text.en)) for id_, text in reasons])
            rest = [s for s in sendables if s.document_id not in unsendable.reasons]
            return client.pack(rest, flow_id) if rest else []

    def _sendable(self, row: DocumentRow, issuer: Issuer) -> Sendable | None:
        """The document with its bytes; one whose bytes are not those that were judged is refused, and stops no
        other."""
        try:
            content = self._house.archive.read(row.payload_path)
        except OSError as fault:
            self._keep([(row, NOT_AS_KEPT.at(number=row.terms.number, reason=fault.strerror or str(fault)))])
            return None
        if sha256(content).hexdigest() != row.payload_sha256:
            self._keep([(row, NOT_AS_KEPT.at(number=row.terms.number, reason="SHA-256"))])
            return None
        return Sendable(
            document_id=row.id,
            kind=row.kind,
            number=row.terms.number,
            issued=row.terms.issued,
            issuer=issuer,
            content=content,
            mixed=row.terms.mixed,
        )

    def _write_down(self, issuer: Issuer, packet: Packet, rows: Sequence[DocumentRow]) -> None:
        now = self._house.clock.now()
        flow_id = new_id(now)
        kept = self._house.archive.put_flow(flow_id, packet.content, now)
        flow = FlowRow(
            id=flow_id,
            route=str(issuer.route),
            issuer=issuer.siret,
            state=FlowState.PACKED,
            name=packet.name,
            syntax=packet.syntax,
            sha256=kept.sha256,
            size=kept.size,
            content_path=kept.path,
            documents=len(rows),
            packed_at=now,
            due_at=now,
        )
        with self._house.ledger.writing(self.name) as unit:
            unit.add_flow(flow)
            columns = {"flow_id": flow_id, "route": str(Route(flow.route)), "changed_at": now}
            unit.move(Move(row.id, row.state, DocumentState.PACKED, flow_id, columns) for row in rows)

    def _keep(self, kept: Sequence[tuple[DocumentRow, Finding]]) -> None:
        """Do not send: hold or refuse, as the finding says, and tell."""
        with self._house.ledger.writing(self.name) as unit:
            for row, finding in kept:
                findings = (finding, *row.findings)
                decision = decide(findings)
                columns = {
                    "findings": dump_findings(findings),
                    "decision": str(decision),
                    "changed_at": unit.now,
                    **NO_KEYS,
                }
                unit.move([Move(row.id, row.state, DocumentState.HELD, finding.rule, columns)])
                if decision is Decision.REFUSE:
                    unit.move([Move(row.id, DocumentState.HELD, DocumentState.REFUSED, finding.rule)])
                file = unit.interchange(row.interchange_id)
                assert file is not None
                ack = document_ack(
                    self._house,
                    file,
                    row,
                    Level.DECISION,
                    Event.REFUSED if decision is Decision.REFUSE else Event.HELD,
                    about=f"decision:{row.id}:unsendable:{finding.rule}",
                    findings=findings,
                    decision=str(decision),
                    action=Action.CONTACT if finding.rule == ISSUER_GONE.rule else Action.CORRECT_AND_REDROP,
                )
                unit.owe([ack])


def _within(rows: Iterable[DocumentRow], limit: int) -> Iterable[DocumentRow]:
    """The first rows whose payloads fit into `limit` bytes together; at least one."""
    total = 0
    for row in rows:
        if total and total + row.payload_size > limit:
            return
        total += row.payload_size
        yield row
