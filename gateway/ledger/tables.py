"""The tables of the ledger, the same on SQLite and PostgreSQL. Changed only together with a migration.

States are plain text, guarded by triggers made from `domain/states.py` (see `guards.py`). Money lives inside the
JSON columns as decimal text, never as a float. Bytes of invoices are in the archive, not here; the bytes of
acknowledgement files are here, because name, sequence and bytes must be fixed in one transaction.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)


class UtcDateTime(TypeDecorator[datetime]):
    """Aware times in, aware UTC times out, on every database (SQLite itself knows no zones)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("the ledger takes aware times only")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        stamp: datetime = value
        return stamp.replace(tzinfo=UTC) if stamp.tzinfo is None else stamp.astimezone(UTC)


metadata: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)

_ID: Final = 26
#: An autoincrementing key on both databases (SQLite increments only INTEGER).
_BIG = BigInteger().with_variant(Integer(), "sqlite")


def _part(name: str, columns: tuple[str, ...], condition: str) -> Index:
    """An index of those rows only that a question is asked about, so that the others do not pay for it."""
    return Index(name, *columns, sqlite_where=text(condition), postgresql_where=text(condition))


interchange: Final = Table(
    "interchange",
    metadata,
    Column("id", String(_ID), primary_key=True),
    Column("partner", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("file_name", Text, nullable=False),  #: printable, with its sub-folder
    Column("raw_name", Text, nullable=False),  #: the same as percent-escaped bytes, to find the file again
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False, default=""),
    Column("kind", String(16), nullable=False, default=""),
    Column("archive_path", Text, nullable=False, default=""),
    Column("first_id", String(_ID)),  #: of a duplicate: the interchange that brought these bytes first
    Column("documents", Integer, nullable=False, default=0),
    Column("attempts", Integer, nullable=False, default=0),  #: workers that died with it in hand
    Column("findings", Text, nullable=False, default="[]"),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("archived_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Index(None, "state", "partner", "id"),
    Index(None, "sha256", "partner", "id"),
)

document: Final = Table(
    "document",
    metadata,
    Column("id", String(_ID), primary_key=True),
    Column("interchange_id", String(_ID), ForeignKey("interchange.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("member", Text, nullable=False, default=""),
    Column("partner", String(64), nullable=False),
    Column("state", String(24), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("profile", String(16), nullable=False),
    Column("issuer", Text, nullable=False, default=""),
    Column("number", Text, nullable=False, default=""),
    Column("issue_year", Integer),
    Column("deposit_year", Integer),
    Column("key_by_issue", Text, unique=True),  #: set while the document occupies its number; see `steps/decide.py`
    Column("key_by_deposit", Text, unique=True),
    Column("content_sha256", String(64), nullable=False),  #: payload and index row together
    Column("payload_sha256", String(64), nullable=False),
    Column("payload_path", Text, nullable=False),
    Column("payload_size", BigInteger, nullable=False),
    Column("transformation", String(32), nullable=False, default=""),
    Column("terms", Text, nullable=False),
    Column("index_row", Text, nullable=False, default="{}"),
    Column("partner_reference", Text, nullable=False, default=""),
    Column("route", String(16), nullable=False, default=""),
    Column("decision", String(8), nullable=False, default=""),
    Column("packs", Text, nullable=False, default="[]"),
    Column("opening_findings", Text, nullable=False, default="[]"),
    Column("findings", Text, nullable=False, default="[]"),
    Column("attempts", Integer, nullable=False, default=0),
    Column("replaces", String(_ID)),
    Column("waits_for", String(_ID)),
    Column("flow_id", String(_ID), ForeignKey("flow.id")),
    Column("alone", Integer, nullable=False, default=0),  #: 1: to be sent in a flow of its own
    Column("platform_id", Text),
    Column("native_status", Text, nullable=False, default=""),
    Column("native_status_at", UtcDateTime),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    UniqueConstraint("interchange_id", "position"),
    Index(None, "state", "partner", "id"),
    Index(None, "issuer", "number"),
    Index(None, "flow_id"),
    Index(None, "platform_id"),
    _part("ix_document_waiting", ("state", "waits_for"), "waits_for IS NOT NULL"),
    _part("ix_document_live", ("state", "native_status_at"), "state = 'live'"),
)

flow: Final = Table(
    "flow",
    metadata,
    Column("id", String(_ID), primary_key=True),
    Column("route", String(16), nullable=False),
    Column("issuer", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("name", Text, nullable=False),
    Column("syntax", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("content_path", Text, nullable=False),
    Column("documents", Integer, nullable=False),
    Column("number", Text),  #: numeroFluxDepot
    Column("native_state", Text, nullable=False, default=""),
    Column("looks", Integer, nullable=False, default=0),  #: searches made since the intent, to settle it
    Column("repeats", Integer, nullable=False, default=0),  #: times the same bytes were sent again
    Column("packed_at", UtcDateTime, nullable=False),
    Column("intended_at", UtcDateTime),
    Column("sent_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("due_at", UtcDateTime, nullable=False),  #: when to do the next thing about it
    Index(None, "state", "due_at"),
)

status_event: Final = Table(
    "status_event",
    metadata,
    Column("id", Text, primary_key=True),  #: platform invoice id and event id
    Column("document_id", String(_ID), ForeignKey("document.id"), nullable=False),
    Column("status", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("reason", Text, nullable=False, default=""),
    Column("comment", Text, nullable=False, default=""),
    Column("recorded_at", UtcDateTime, nullable=False),
    Index(None, "document_id"),
)

ack: Final = Table(
    "ack",
    metadata,
    Column("id", String(_ID), primary_key=True),
    Column("about", Text, nullable=False, unique=True),  #: what it tells, so that one thing is told once
    Column("partner", String(64), nullable=False),
    Column("level", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("interchange_id", String(_ID), nullable=False, default=""),
    Column("document_id", String(_ID), nullable=False, default=""),
    Column("content", Text, nullable=False),  #: core row and findings as JSON
    Column("owed_at", UtcDateTime, nullable=False),
    Column("file_id", _BIG, ForeignKey("ack_file.id")),
    Index(None, "state", "partner", "level", "id"),
    Index(None, "file_id"),
    Index(None, "interchange_id"),
    Index(None, "document_id"),
)

ack_file: Final = Table(
    "ack_file",
    metadata,
    Column("id", _BIG, primary_key=True, autoincrement=True),
    Column("partner", String(64), nullable=False),
    Column("level", String(16), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("rows", Integer, nullable=False),
    Column("fixed_at", UtcDateTime, nullable=False),
    Column("written_at", UtcDateTime),
    Column("picked_up_at", UtcDateTime),
    UniqueConstraint("partner", "level", "seq"),
    Index(None, "state", "partner", "id"),
)

ack_part: Final = Table(
    "ack_part",
    metadata,
    Column("file_id", _BIG, ForeignKey("ack_file.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

ack_sequence: Final = Table(
    "ack_sequence",
    metadata,
    Column("partner", String(64), primary_key=True),
    Column("level", String(16), primary_key=True),
    Column("last", Integer, nullable=False),
)

remote_file: Final = Table(
    "remote_file",
    metadata,
    Column("id", String(_ID), primary_key=True),
    Column("partner", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("name", Text, nullable=False),  #: on the partner's server, as percent-escaped bytes
    Column("size", BigInteger, nullable=False),
    Column("mtime", BigInteger),  #: seconds since 1970, as its server says, if it does
    Column("sha256", String(64), nullable=False),
    Column("fetched_at", UtcDateTime, nullable=False),
    Index(None, "state", "partner", "id"),
    Index(None, "partner", "name", "id"),
)

#: How each partner's own server is: one row a partner, for those who ask from another process.
remote_server: Final = Table(
    "remote_server",
    metadata,
    Column("partner", String(64), primary_key=True),
    Column("reached_at", UtcDateTime),  #: when it last answered
    Column("down_since", UtcDateTime),  #: when it first did not, since then; NULL: it answers
    Column("trouble", Text, nullable=False, default=""),  #: why, for people
    Column("next_try", UtcDateTime),
)

audit: Final = Table(
    "audit",
    metadata,
    Column("id", _BIG, primary_key=True, autoincrement=True),
    Column("at", UtcDateTime, nullable=False),
    Column("who", String(32), nullable=False),  #: the step or command
    Column("what", String(64), nullable=False),  #: the move, or what was done
    Column("subject", String(_ID), nullable=False),
    Column("why", Text, nullable=False, default=""),
    Index(None, "subject"),
)

schedule: Final = Table(
    "schedule",
    metadata,
    Column("job", String(64), primary_key=True),
    Column("last_run", UtcDateTime),
    Column("next_due", UtcDateTime),
)

watermark: Final = Table(
    "watermark",
    metadata,
    Column("route", String(16), primary_key=True),
    Column("issuer", Text, primary_key=True),
    Column("until", UtcDateTime, nullable=False),
)
