"""`gateway status` and `gateway show`: what the ledger knows, as plain data; the command line prints it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from gateway.ledger import statements as sql
from gateway.ledger.codec import load_ack
from gateway.ledger.remote_files import RemoteServerRow, remote_servers
from gateway.ledger.rows import DocumentRow, FlowRow, InterchangeRow
from gateway.ledger.unit import Unit


def status(unit: Unit) -> dict[str, Any]:
    """Counts by partner and state, flows, acks owed, and when each job ran."""
    connection = unit.connection
    partners: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: {"interchanges": {}, "documents": {}})
    for row in connection.execute(sql.COUNT_INTERCHANGES):
        partners[row.partner]["interchanges"][row.state] = row.n
    for row in connection.execute(sql.COUNT_DOCUMENTS):
        partners[row.partner]["documents"][row.state] = row.n
    owed: dict[str, dict[str, int]] = defaultdict(dict)
    for row in connection.execute(sql.COUNT_ACKS_OWED):
        owed[row.partner][row.level] = row.n
    return {
        "partners": {name: dict(counts) for name, counts in sorted(partners.items())},
        "flows": {row.state: row.n for row in connection.execute(sql.COUNT_FLOWS)},
        "acks_owed": dict(owed),
        "servers": {row.partner: _server(row) for row in remote_servers(unit)},
        "jobs": {row.job: _moment(row.last_run) for row in connection.execute(sql.JOBS)},
    }


def _server(row: RemoteServerRow) -> dict[str, str]:
    """A partner's own server: `up`, or `down` since when and why."""
    return {
        "state": "down" if row.down_since else "up",
        "reached": _moment(row.reached_at),
        "down_since": _moment(row.down_since),
        "trouble": row.trouble,
        "next_try": _moment(row.next_try),
    }


def find(unit: Unit, wanted: str) -> list[InterchangeRow]:
    """The interchanges behind an id (of interchange, document or flow), a file name, a hash or an invoice number."""
    by_id = unit.interchange(wanted)
    if by_id:
        return [by_id]
    document = unit.document(wanted)
    documents = [document] if document else unit.documents_of_flow(wanted) or unit.documents_like(wanted)
    ids = list(dict.fromkeys(d.interchange_id for d in documents))
    found = [row for id_ in ids if (row := unit.interchange(id_))]
    return found or unit.interchanges_like(wanted)


def story(unit: Unit, file: InterchangeRow) -> dict[str, Any]:
    """The whole life of one file: what it held, what was said of it, where it went, every step with its moment."""
    documents = unit.documents_of_interchange(file.id)
    flows = {d.flow_id: flow for d in documents if d.flow_id and (flow := unit.flow(d.flow_id))}
    subjects = [file.id, *(d.id for d in documents), *(f for f in flows if f)]
    return {
        "file": _file(file),
        "documents": [_document(unit, d, flows.get(d.flow_id or "")) for d in documents],
        "acks": _acks(unit, file),
        "audit": [
            {"at": _moment(row.at), "who": row.who, "what": row.what, "subject": row.subject, "why": row.why}
            for row in unit.connection.execute(sql.AUDIT_OF, {"subjects": subjects})
        ],
    }


def _file(file: InterchangeRow) -> dict[str, Any]:
    return {
        "id": file.id,
        "partner": file.partner,
        "name": file.file_name,
        "state": str(file.state),
        "size": file.size,
        "sha256": file.sha256,
        "kind": file.kind,
        "received": _moment(file.seen_at),
        "archive": file.archive_path,
        "findings": [_finding(f) for f in file.findings],
    }


def _document(unit: Unit, document: DocumentRow, flow: FlowRow | None) -> dict[str, Any]:
    terms = document.terms
    return {
        "id": document.id,
        "state": str(document.state),
        "number": terms.number,
        "issuer": terms.issuer,
        "buyer": terms.buyer,
        "service_code": terms.service_code,
        "ej": terms.ej,
        "gross": f"{terms.gross} {terms.currency}".strip() if terms.gross is not None else "",
        "kind": str(document.kind),
        "member": document.member,
        "transformation": document.transformation,
        "decision": document.decision,
        "packs": [{"name": p.name, "version": p.version, "verdict": str(p.verdict)} for p in document.packs],
        "findings": [_finding(f) for f in document.findings],
        "flow": None if flow is None else {"id": flow.id, "number": flow.number, "state": str(flow.state)},
        "platform_id": document.platform_id,
        "status": document.native_status,
        "statuses": [
            {"at": _moment(row.at), "status": row.status, "comment": row.comment}
            for row in unit.connection.execute(sql.STATUSES_OF_DOCUMENT, {"id_": document.id})
        ],
    }


def _acks(unit: Unit, file: InterchangeRow) -> list[dict[str, Any]]:
    rows: Sequence[Any] = unit.connection.execute(sql.ACKS_OF_INTERCHANGE, {"id_": file.id}).all()
    names = {row.file_id: unit.ack_part_names(row.file_id) for row in rows if row.file_id is not None}
    acks = []
    for row in rows:
        told = load_ack(row.content).row
        acks.append(
            {
                "level": row.level,
                "event": str(told.event),
                "native_code": told.native_code,
                "state": row.state,
                "file": next(iter(names.get(row.file_id, ())), ""),
            }
        )
    return acks


def _finding(finding: Any) -> dict[str, Any]:
    return {
        "severity": str(finding.severity),
        "rule": finding.rule,
        "term": finding.term,
        "line": finding.line,
        "message": {"fr": finding.message.fr, "en": finding.message.en},
        "remedy": {"fr": finding.remedy.fr, "en": finding.remedy.en},
    }


def _moment(moment: Any) -> str:
    return "" if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
