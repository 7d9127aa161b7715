"""One transaction: what a step reads, moves and owes, committed together or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table

from gateway.domain.ack import Level
from gateway.domain.states import ACK_MOVES, AckState, DocumentState, FlowState, InterchangeState, check_move
from gateway.ledger import codec
from gateway.ledger import statements as sql
from gateway.ledger.convert import document_row, document_values, flow_row, interchange_row
from gateway.ledger.moves import AuditLine, Move, Overtaken, apply_moves, write_audit
from gateway.ledger.rows import AckFileRow, DocumentRow, FlowRow, InterchangeRow, OwedAck
from gateway.ledger.tables import document, flow, interchange


class Unit:
    """A transaction in the name of `who`, at one moment. Made by `Ledger.writing` and `Ledger.reading`."""

    def __init__(self, connection: Connection, who: str, now: datetime) -> None:
        self.connection = connection
        self.who = who
        self.now = now

    # --- writing: moves, audit -------------------------------------------------------------------------------

    def move(self, moves: Iterable[Move]) -> None:
        """Carry out moves; see `ledger/moves.py`."""
        write_audit(self.connection, self.who, self.now, apply_moves(self.connection, moves))

    def note(self, lines: Sequence[AuditLine]) -> None:
        """Write lines into the audit trail that belong to no move."""
        write_audit(self.connection, self.who, self.now, lines)

    def set_document(self, id_: str, **columns: Any) -> None:
        """Set columns of a document without moving it."""
        self._set(document, id_, columns)

    def set_flow(self, id_: str, **columns: Any) -> None:
        """Set columns of a flow without moving it."""
        self._set(flow, id_, columns)

    def set_interchange(self, id_: str, **columns: Any) -> None:
        """Set columns of an interchange without moving it."""
        self._set(interchange, id_, columns)

    def _set(self, table: Table, id_: str, columns: Mapping[str, Any]) -> None:
        self.connection.execute(
            sql.amend(table, frozenset(columns)), {"id_": id_, **{f"c_{k}": v for k, v in columns.items()}}
        )

    # --- interchanges ----------------------------------------------------------------------------------------

    def add_interchanges(self, rows: Sequence[InterchangeRow]) -> None:
        """New interchanges, in state `seen`."""
        if rows:
            self.connection.execute(
                sql.ADD_INTERCHANGE,
                [
                    {
                        "id": r.id,
                        "partner": r.partner,
                        "state": str(r.state),
                        "file_name": r.file_name,
                        "raw_name": r.raw_name,
                        "size": r.size,
                        "seen_at": r.seen_at,
                    }
                    for r in rows
                ],
            )
            self.note([AuditLine("seen", r.id, f"{r.partner}: {r.file_name}") for r in rows])

    def interchanges(self, state: InterchangeState, partner: str, limit: int) -> list[InterchangeRow]:
        """The oldest interchanges of `partner` in `state`."""
        rows = self.connection.execute(
            sql.INTERCHANGES_OF_PARTNER, {"state": str(state), "partner": partner, "limit": limit}
        )
        return [interchange_row(row) for row in rows]

    def interchange(self, id_: str) -> InterchangeRow | None:
        """One interchange."""
        row = self.connection.execute(sql.INTERCHANGE, {"id_": id_}).one_or_none()
        return None if row is None else interchange_row(row)

    def interchanges_like(self, wanted: str) -> list[InterchangeRow]:
        """The interchanges with this file name or hash."""
        return [interchange_row(r) for r in self.connection.execute(sql.INTERCHANGES_LIKE, {"wanted": wanted})]

    def same_bytes(self, row: InterchangeRow) -> InterchangeRow | None:
        """The interchange of the same partner that brought the bytes of `row` before, and was itself no duplicate."""
        wanted = {"sha256": row.sha256, "partner": row.partner, "before": row.id}
        found = self.connection.execute(sql.LAST_WITH_BYTES, wanted).one_or_none()
        if found is None:
            return None
        last = interchange_row(found)
        return self.interchange(last.first_id) if last.first_id else last

    def in_flight(self, partner: str) -> int:
        """How many interchanges of `partner` are being taken in."""
        return int(self.connection.execute(sql.IN_FLIGHT, {"partner": partner}).scalar_one())

    # --- documents -------------------------------------------------------------------------------------------

    def add_documents(self, rows: Sequence[DocumentRow]) -> None:
        """New documents, in state `opened`."""
        if rows:
            self.connection.execute(sql.ADD_DOCUMENT, [document_values(row) for row in rows])
            self.note([AuditLine("opened", r.id, f"{r.interchange_id} {r.member}".strip()) for r in rows])

    def documents(self, state: DocumentState, partner: str, limit: int) -> list[DocumentRow]:
        """The oldest documents of `partner` in `state`."""
        rows = self.connection.execute(
            sql.DOCUMENTS_OF_PARTNER, {"state": str(state), "partner": partner, "limit": limit}
        )
        return [document_row(row) for row in rows]

    def document(self, id_: str) -> DocumentRow | None:
        """One document."""
        row = self.connection.execute(sql.DOCUMENT, {"id_": id_}).one_or_none()
        return None if row is None else document_row(row)

    def documents_of_interchange(self, id_: str) -> list[DocumentRow]:
        """The documents that an interchange held."""
        return [document_row(r) for r in self.connection.execute(sql.DOCUMENTS_OF_INTERCHANGE, {"id_": id_})]

    def documents_of_flow(self, id_: str) -> list[DocumentRow]:
        """The documents that a flow carries."""
        return [document_row(r) for r in self.connection.execute(sql.DOCUMENTS_OF_FLOW, {"id_": id_})]

    def documents_like(self, wanted: str) -> list[DocumentRow]:
        """The documents with this number or platform id."""
        return [document_row(r) for r in self.connection.execute(sql.DOCUMENTS_LIKE, {"wanted": wanted})]

    def documents_by_platform_id(self, ids: Iterable[str]) -> list[DocumentRow]:
        """The documents that the platform knows by these ids."""
        rows = self.connection.execute(sql.DOCUMENTS_BY_PLATFORM_ID, {"ids": sql.names(ids)})
        return [document_row(r) for r in rows]

    def same_invoice(self, row: DocumentRow, deposit_year: int) -> list[DocumentRow]:
        """Every decided document with the same issuer and number, in the same year of invoice or deposit."""
        rows = self.connection.execute(
            sql.SAME_INVOICE,
            {
                "issuer": row.terms.issuer,
                "number": row.terms.number,
                "id_": row.id,
                "issue_year": row.terms.issued.year if row.terms.issued else -1,
                "deposit_year": deposit_year,
            },
        )
        return [document_row(r) for r in rows]

    def waits_ended(self, limit: int) -> list[DocumentRow]:
        """Held documents whose wait for another document is over."""
        return [document_row(r) for r in self.connection.execute(sql.WAITS_ENDED, {"limit": limit})]

    def held_by_rule(self, rule: str, after: str, limit: int) -> list[DocumentRow]:
        """Held documents with an id after `after` of which a finding names a rule that begins with `rule`."""
        rows = self.connection.execute(sql.HELD_BY_RULE, {"rule": rule, "after": after, "limit": limit})
        return [document_row(r) for r in rows]

    def silent_since(self, since: datetime, issuers: Iterable[str], limit: int) -> list[DocumentRow]:
        """Live documents of these issuers that nothing was heard of since a moment."""
        bound = {"since": since, "issuers": sql.names(issuers), "limit": limit}
        return [document_row(r) for r in self.connection.execute(sql.SILENT_SINCE, bound)]

    def any_document(self, *states: DocumentState) -> bool:
        """Is there a document in one of these states?"""
        found = self.connection.execute(sql.ANY_DOCUMENT_IN, {"states": [str(s) for s in states]})
        return found.first() is not None

    def any_interchange(self, *states: InterchangeState) -> bool:
        """Is there an interchange in one of these states?"""
        found = self.connection.execute(sql.ANY_INTERCHANGE_IN, {"states": [str(s) for s in states]})
        return found.first() is not None

    def any_flow(self, *states: FlowState) -> bool:
        """Is there a flow in one of these states?"""
        return self.connection.execute(sql.ANY_FLOW_IN, {"states": [str(s) for s in states]}).first() is not None

    def refused_since(self, since: datetime) -> int:
        """How many files and documents were refused since a moment."""
        return int(self.connection.execute(sql.REFUSED_SINCE, {"since": since}).scalar_one())

    def any_flow_due(self, by: datetime, *states: FlowState) -> bool:
        """Is anything to be done up to `by` about a flow in one of these states?"""
        found = self.connection.execute(sql.ANY_FLOW_DUE, {"states": [str(s) for s in states], "by": by})
        return found.first() is not None

    # --- flows -----------------------------------------------------------------------------------------------

    def add_flow(self, row: FlowRow) -> None:
        """A new flow, in state `packed`."""
        self.connection.execute(
            sql.ADD_FLOW,
            {
                name: getattr(row, name)
                for name in (
                    "id", "route", "issuer", "name", "syntax", "sha256", "size", "content_path", "documents",
                    "packed_at", "due_at",
                )
            }
            | {"state": str(row.state)},
        )  # fmt: skip
        self.note([AuditLine("packed", row.id, f"{row.documents} documents as {row.name}")])

    def flows_due(self, state: FlowState, limit: int, left_alone: Iterable[str] = ()) -> list[FlowRow]:
        """Flows in `state` whose time has come, but for those of the issuers in `left_alone`."""
        bound = {"state": str(state), "now": self.now, "limit": limit, "left_alone": sql.names(left_alone)}
        return [flow_row(row) for row in self.connection.execute(sql.FLOWS_DUE, bound)]

    def flow(self, id_: str) -> FlowRow | None:
        """One flow."""
        row = self.connection.execute(sql.FLOW, {"id_": id_}).one_or_none()
        return None if row is None else flow_row(row)

    def flows_intended(self) -> list[FlowRow]:
        """Flows whose call was begun and never ended."""
        return [flow_row(row) for row in self.connection.execute(sql.FLOWS_INTENDED)]

    # --- statuses --------------------------------------------------------------------------------------------

    def issuers_alive(self) -> list[str]:
        """The issuers that have something at the platform whose status may change."""
        return list(self.connection.execute(sql.ISSUERS_ALIVE).scalars())

    def status_ids(self, document_id: str) -> set[str]:
        """The ids of the passages that are written down already."""
        return {row.id for row in self.connection.execute(sql.STATUSES_OF_DOCUMENT, {"id_": document_id})}

    def add_status(self, id_: str, document_id: str, native: str, at: datetime, reason: str, comment: str) -> None:
        """Write down one passage in an invoice's life."""
        self.connection.execute(
            sql.ADD_STATUS,
            {
                "id": id_,
                "document_id": document_id,
                "status": native,
                "at": at,
                "reason": reason,
                "comment": comment,
                "recorded_at": self.now,
            },
        )

    def watermark(self, route: str, issuer: str) -> datetime | None:
        """Up to when the statuses of `issuer` are known."""
        known: datetime | None = self.connection.execute(
            sql.WATERMARK, {"route_": route, "issuer_": issuer}
        ).scalar_one_or_none()
        return known

    def set_watermark(self, route: str, issuer: str, until: datetime) -> None:
        """Note up to when the statuses of `issuer` are known."""
        values = {"route_": route, "issuer_": issuer, "until_": until}
        if self.connection.execute(sql.SET_WATERMARK, values).rowcount == 0:
            self.connection.execute(sql.ADD_WATERMARK, {"route": route, "issuer": issuer, "until": until})

    def lower_watermark(self, route: str, issuer: str, until: datetime) -> None:
        """What happened since `until` is to be searched again; never raises the watermark."""
        known = self.watermark(route, issuer)
        if known is not None and until < known:
            self.set_watermark(route, issuer, until)

    # --- acks ------------------------------------------------------------------------------------------------

    def owe(self, acks: Sequence[OwedAck]) -> None:
        """Owe acks; one about something already told is left out."""
        if not acks:
            return
        known = set(self.connection.execute(sql.ACKS_ABOUT, {"abouts": [a.about for a in acks]}).scalars())
        fresh = {a.about: a for a in acks if a.about not in known}
        if fresh:
            self.connection.execute(
                sql.ADD_ACK,
                [
                    {
                        "id": a.id,
                        "about": a.about,
                        "partner": a.partner,
                        "level": str(a.level),
                        "state": str(AckState.OWED),
                        "interchange_id": a.interchange_id,
                        "document_id": a.document_id,
                        "content": codec.dump_ack(a.ack),
                        "owed_at": self.now,
                    }
                    for a in fresh.values()
                ],
            )

    def acks_owed(self, partner: str, level: Level, limit: int) -> list[OwedAck]:
        """What is owed to `partner` at `level` and in no file yet."""
        rows = self.connection.execute(sql.ACKS_OWED, {"partner": partner, "level": str(level), "limit": limit})
        return [
            OwedAck(r.id, r.about, r.partner, Level(r.level), codec.load_ack(r.content), r.interchange_id,
                    r.document_id)
            for r in rows
        ]  # fmt: skip

    def next_sequence(self, partner: str, level: Level) -> int:
        """The next number of the gapless sequence; it is used up only if this transaction commits."""
        last = self.connection.execute(
            sql.LAST_SEQUENCE, {"partner": partner, "level": str(level)}
        ).scalar_one_or_none()
        if last is None:
            self.connection.execute(sql.START_SEQUENCE, {"partner": partner, "level": str(level), "last": 1})
            return 1
        advanced = self.connection.execute(
            sql.ADVANCE_SEQUENCE, {"p": partner, "l": str(level), "before": last, "after": last + 1}
        )
        _only(advanced.rowcount, 1, "sequence")
        return int(last) + 1

    def fix_ack_file(
        self, partner: str, level: Level, seq: int, acks: Sequence[OwedAck], parts: Sequence[tuple[str, bytes]]
    ) -> int:
        """Fix name, sequence and bytes of a file, and put the acks into it."""
        file_id = int(
            self.connection.execute(
                sql.ADD_ACK_FILE,
                {
                    "partner": partner,
                    "level": str(level),
                    "seq": seq,
                    "state": str(AckState.OWED),
                    "rows": len(acks),
                    "fixed_at": self.now,
                },
            ).scalar_one()
        )
        self.connection.execute(
            sql.ADD_ACK_PART,
            [
                {"file_id": file_id, "position": i, "name": name, "content": content}
                for i, (name, content) in enumerate(parts)
            ],
        )
        put = self.connection.execute(sql.PUT_ACKS_IN_FILE, [{"id_": a.id, "file": file_id} for a in acks])
        _only(put.rowcount, len(acks), "acks without a file")
        return file_id

    def ack_files(self, state: AckState, partner: str, limit: int) -> list[AckFileRow]:
        """Files of acks of `partner` in `state`, without their bytes, in the order of their fixing."""
        rows = self.connection.execute(sql.ACK_FILES_OF, {"state": str(state), "partner": partner, "limit": limit})
        return [AckFileRow(r.id, r.partner, Level(r.level), r.seq, AckState(r.state), r.rows, r.fixed_at) for r in rows]

    def ack_parts(self, file_id: int) -> tuple[tuple[str, bytes], ...]:
        """The names and bytes of a file and its children."""
        rows = self.connection.execute(sql.ACK_PARTS, {"file": file_id})
        return tuple((r.name, bytes(r.content)) for r in rows)

    def names_written(self, partner: str) -> dict[int, set[str]]:
        """The names, by file, of what `partner` has not been seen to take away."""
        names: dict[int, set[str]] = {}
        for row in self.connection.execute(sql.NAMES_WRITTEN, {"partner": partner}):
            names.setdefault(row.file_id, set()).add(row.name)
        return names

    def ack_part_names(self, file_id: int) -> tuple[str, ...]:
        """The names of a file and its children."""
        return tuple(self.connection.execute(sql.ACK_PART_NAMES, {"file": file_id}).scalars())

    def move_ack_file(self, file_id: int, before: AckState, after: AckState) -> None:
        """Move a file and the acks in it. Raises as `move` does."""
        check_move(ACK_MOVES, before, after)
        states = {"file": file_id, "before": str(before), "after": str(after)}
        _only(self.connection.execute(sql.MOVE_ACK_FILE, states).rowcount, 1, "ack file")
        self.connection.execute(sql.MOVE_ACKS_OF_FILE, states)
        stamp = sql.STAMP_WRITTEN if after is AckState.WRITTEN else sql.STAMP_PICKED_UP
        self.connection.execute(stamp, {"file": file_id, "at": self.now})

    def any_ack_owed(self, partners: Iterable[str]) -> bool:
        """Is anything owed to one of these partners and not visible yet?"""
        return self.connection.execute(sql.ANY_ACK_OWED, {"partners": sql.names(partners)}).first() is not None

    # --- bookkeeping -----------------------------------------------------------------------------------------

    def last_run(self, job: str) -> datetime | None:
        """When a job ran last."""
        row = self.connection.execute(sql.JOB, {"name": job}).one_or_none()
        return None if row is None else row.last_run

    def next_due(self, job: str) -> datetime | None:
        """When a job was to run next, as far as was known when it ran last."""
        row = self.connection.execute(sql.JOB, {"name": job}).one_or_none()
        return None if row is None else row.next_due

    def set_last_run(self, job: str, ran: datetime, due: datetime | None = None) -> None:
        """Note that a job ran, and when it is due again."""
        if self.connection.execute(sql.SET_JOB, {"name": job, "ran": ran, "due": due}).rowcount == 0:
            self.connection.execute(sql.ADD_JOB, {"job": job, "last_run": ran, "next_due": due})


def _only(changed: int, expected: int, what: str) -> None:
    """Somebody else was there first unless as many rows changed as were meant to: the transaction is undone."""
    if changed != expected:
        raise Overtaken(f"{what}: {changed} rows changed where {expected} were meant to")
