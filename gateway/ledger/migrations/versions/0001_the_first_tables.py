"""The first tables

Revision: 0001: the start.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ack_file",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("partner", sa.String(length=64), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("fixed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("picked_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ack_file")),
        sa.UniqueConstraint("partner", "level", "seq", name=op.f("uq_ack_file_partner_level_seq")),
    )
    with op.batch_alter_table("ack_file", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ack_file_state_partner_id"), ["state", "partner", "id"], unique=False)

    op.create_table(
        "ack_sequence",
        sa.Column("partner", sa.String(length=64), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("partner", "level", name=op.f("pk_ack_sequence")),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.String(length=32), nullable=False),
        sa.Column("what", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=26), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_subject"), ["subject"], unique=False)

    op.create_table(
        "flow",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("route", sa.String(length=16), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("syntax", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("content_path", sa.Text(), nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("native_state", sa.Text(), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("repeats", sa.Integer(), nullable=False),
        sa.Column("packed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("intended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flow")),
    )
    with op.batch_alter_table("flow", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_flow_state_due_at"), ["state", "due_at"], unique=False)

    op.create_table(
        "interchange",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("partner", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("raw_name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("archive_path", sa.Text(), nullable=False),
        sa.Column("first_id", sa.String(length=26), nullable=True),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interchange")),
    )
    with op.batch_alter_table("interchange", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_interchange_sha256_partner_id"), ["sha256", "partner", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_interchange_state_partner_id"), ["state", "partner", "id"], unique=False)

    op.create_table(
        "schedule",
        sa.Column("job", sa.String(length=64), nullable=False),
        sa.Column("last_run", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_due", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("job", name=op.f("pk_schedule")),
    )
    op.create_table(
        "watermark",
        sa.Column("route", sa.String(length=16), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("route", "issuer", name=op.f("pk_watermark")),
    )
    op.create_table(
        "ack",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("partner", sa.String(length=64), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("interchange_id", sa.String(length=26), nullable=False),
        sa.Column("document_id", sa.String(length=26), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("owed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("file_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["file_id"], ["ack_file.id"], name=op.f("fk_ack_file_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ack")),
        sa.UniqueConstraint("about", name=op.f("uq_ack_about")),
    )
    with op.batch_alter_table("ack", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ack_document_id"), ["document_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_ack_file_id"), ["file_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_ack_interchange_id"), ["interchange_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_ack_state_partner_level_id"), ["state", "partner", "level", "id"], unique=False
        )

    op.create_table(
        "ack_part",
        sa.Column("file_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["ack_file.id"], name=op.f("fk_ack_part_file_id")),
        sa.PrimaryKeyConstraint("file_id", "position", name=op.f("pk_ack_part")),
    )
    op.create_table(
        "document",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("interchange_id", sa.String(length=26), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("partner", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("profile", sa.String(length=16), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("issue_year", sa.Integer(), nullable=True),
        sa.Column("deposit_year", sa.Integer(), nullable=True),
        sa.Column("key_by_issue", sa.Text(), nullable=True),
        sa.Column("key_by_deposit", sa.Text(), nullable=True),
        sa.Column("content_sha256", sa.String(length=64), nullable=False),
        sa.Column("payload_sha256", sa.String(length=64), nullable=False),
        sa.Column("payload_path", sa.Text(), nullable=False),
        sa.Column("payload_size", sa.BigInteger(), nullable=False),
        sa.Column("transformation", sa.String(length=32), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("index_row", sa.Text(), nullable=False),
        sa.Column("partner_reference", sa.Text(), nullable=False),
        sa.Column("route", sa.String(length=16), nullable=False),
        sa.Column("decision", sa.String(length=8), nullable=False),
        sa.Column("packs", sa.Text(), nullable=False),
        sa.Column("opening_findings", sa.Text(), nullable=False),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("replaces", sa.String(length=26), nullable=True),
        sa.Column("waits_for", sa.String(length=26), nullable=True),
        sa.Column("flow_id", sa.String(length=26), nullable=True),
        sa.Column("alone", sa.Integer(), nullable=False),
        sa.Column("platform_id", sa.Text(), nullable=True),
        sa.Column("native_status", sa.Text(), nullable=False),
        sa.Column("native_status_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["flow_id"], ["flow.id"], name=op.f("fk_document_flow_id")),
        sa.ForeignKeyConstraint(["interchange_id"], ["interchange.id"], name=op.f("fk_document_interchange_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
        sa.UniqueConstraint("interchange_id", "position", name=op.f("uq_document_interchange_id_position")),
        sa.UniqueConstraint("key_by_deposit", name=op.f("uq_document_key_by_deposit")),
        sa.UniqueConstraint("key_by_issue", name=op.f("uq_document_key_by_issue")),
    )
    with op.batch_alter_table("document", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_document_flow_id"), ["flow_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_document_issuer_number"), ["issuer", "number"], unique=False)
        batch_op.create_index(batch_op.f("ix_document_platform_id"), ["platform_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_document_state_partner_id"), ["state", "partner", "id"], unique=False)
        batch_op.create_index(
            "ix_document_waiting",
            ["state", "waits_for"],
            unique=False,
            sqlite_where=sa.text("waits_for IS NOT NULL"),
            postgresql_where=sa.text("waits_for IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_document_live",
            ["state", "native_status_at"],
            unique=False,
            sqlite_where=sa.text("state = 'live'"),
            postgresql_where=sa.text("state = 'live'"),
        )

    op.create_table(
        "status_event",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("document_id", sa.String(length=26), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_status_event_document_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_status_event")),
    )
    with op.batch_alter_table("status_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_status_event_document_id"), ["document_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("status_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_status_event_document_id"))

    op.drop_table("status_event")
    with op.batch_alter_table("document", schema=None) as batch_op:
        batch_op.drop_index("ix_document_live")
        batch_op.drop_index("ix_document_waiting")
        batch_op.drop_index(batch_op.f("ix_document_state_partner_id"))
        batch_op.drop_index(batch_op.f("ix_document_platform_id"))
        batch_op.drop_index(batch_op.f("ix_document_issuer_number"))
        batch_op.drop_index(batch_op.f("ix_document_flow_id"))

    op.drop_table("document")
    op.drop_table("ack_part")
    with op.batch_alter_table("ack", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ack_state_partner_level_id"))
        batch_op.drop_index(batch_op.f("ix_ack_interchange_id"))
        batch_op.drop_index(batch_op.f("ix_ack_file_id"))
        batch_op.drop_index(batch_op.f("ix_ack_document_id"))

    op.drop_table("ack")
    op.drop_table("watermark")
    op.drop_table("schedule")
    with op.batch_alter_table("interchange", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_interchange_state_partner_id"))
        batch_op.drop_index(batch_op.f("ix_interchange_sha256_partner_id"))

    op.drop_table("interchange")
    with op.batch_alter_table("flow", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_flow_state_due_at"))

    op.drop_table("flow")
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_subject"))

    op.drop_table("audit")
    op.drop_table("ack_sequence")
    with op.batch_alter_table("ack_file", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ack_file_state_partner_id"))

    op.drop_table("ack_file")
