"""Clients on screen: pauses that end by themselves, groups by rule, the columns of a trader's own files."""

import sqlalchemy as sa
from alembic import op

import data.tables.columns

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    moment = data.tables.columns.UtcDateTime
    op.add_column("client", sa.Column("pause_reason", sa.String(), nullable=False, server_default=""))
    op.add_column("client", sa.Column("paused_at", moment(timezone=True), nullable=True))
    op.add_column("client", sa.Column("paused_until", moment(timezone=True), nullable=True))
    op.create_table(
        "group_rule",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "column_map",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("headers", sa.String(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "headers"),
    )
