"""Files of partners' own servers, and how those servers are

Revision: 0002: SFTP as a client.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "remote_file",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("partner", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remote_file")),
    )
    with op.batch_alter_table("remote_file", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_remote_file_state_partner_id"), ["state", "partner", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_remote_file_partner_name_id"), ["partner", "name", "id"], unique=False)

    op.create_table(
        "remote_server",
        sa.Column("partner", sa.String(length=64), nullable=False),
        sa.Column("reached_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("down_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("next_try", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("partner", name=op.f("pk_remote_server")),
    )
