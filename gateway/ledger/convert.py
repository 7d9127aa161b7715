"""Rows of the database to values and back: enums from text, findings and terms from JSON."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from gateway.domain.document import Kind, Profile
from gateway.domain.states import DocumentState, FlowState, InterchangeState
from gateway.ledger import codec
from gateway.ledger.rows import DocumentRow, FlowRow, InterchangeRow


def interchange_row(row: Row[Any]) -> InterchangeRow:
    """An interchange as read."""
    values = dict(row._mapping)
    values["state"] = InterchangeState(values["state"])
    values["findings"] = codec.load_findings(values["findings"])
    return InterchangeRow(**values)


_DOCUMENT_DERIVED = ("issuer", "number", "issue_year", "key_by_issue", "key_by_deposit")


def document_row(row: Row[Any]) -> DocumentRow:
    """A document as read; the columns that only serve searches are left out."""
    values = dict(row._mapping)
    for name in _DOCUMENT_DERIVED:
        del values[name]
    values["state"] = DocumentState(values["state"])
    values["kind"] = Kind(values["kind"])
    values["profile"] = Profile(values["profile"])
    values["terms"] = codec.load_terms(values["terms"])
    values["index_row"] = codec.load_index_row(values["index_row"])
    values["packs"] = codec.load_packs(values["packs"])
    values["opening_findings"] = codec.load_findings(values["opening_findings"])
    values["findings"] = codec.load_findings(values["findings"])
    return DocumentRow(**values)


def document_values(row: DocumentRow) -> dict[str, Any]:
    """The columns of a new document."""
    return {
        "id": row.id,
        "interchange_id": row.interchange_id,
        "position": row.position,
        "member": row.member,
        "partner": row.partner,
        "state": str(row.state),
        "kind": str(row.kind),
        "profile": str(row.profile),
        "issuer": row.terms.issuer,
        "number": row.terms.number,
        "issue_year": row.terms.issued.year if row.terms.issued else None,
        "content_sha256": row.content_sha256,
        "payload_sha256": row.payload_sha256,
        "payload_path": row.payload_path,
        "payload_size": row.payload_size,
        "transformation": row.transformation,
        "terms": codec.dump_terms(row.terms),
        "index_row": codec.dump(dict(row.index_row)),
        "partner_reference": row.partner_reference,
        "opening_findings": codec.dump_findings(row.opening_findings),
        "opened_at": row.opened_at,
        "changed_at": row.changed_at,
    }


def flow_row(row: Row[Any]) -> FlowRow:
    """A flow as read."""
    values = dict(row._mapping)
    values["state"] = FlowState(values["state"])
    return FlowRow(**values)
