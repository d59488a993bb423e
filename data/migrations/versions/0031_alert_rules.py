"""Alerts of many subjects a kind and day, with figures; rules, channels, and what waits to be delivered."""

import sqlalchemy as sa
from alembic import op

import data.tables.columns

revision = "0031"
down_revision = "0030"

OLD = "kind, trading_date, at, positions, later, done_at, done_by"


def upgrade() -> None:
    _alerts()
    _rules()
    _outbox()


def _alerts() -> None:
    op.create_table(
        "alert_fresh",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("trading_date", sa.Date(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("positions", sa.JSON(), nullable=False),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.Column("client_ids", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("later", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("done_at", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("kind", "trading_date", "subject"),
    )
    op.execute(
        "INSERT INTO alert_fresh (number, subject, told, client_ids, urgent, " + OLD + ") "
        "SELECT row_number() OVER (ORDER BY at, kind), '', '{}', NULL, false, " + OLD + " FROM alert"
    )
    op.drop_table("alert")
    op.rename_table("alert_fresh", "alert")


def _rules() -> None:
    op.create_table(
        "alert_rule",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("fired", sa.BigInteger(), nullable=False),
        sa.Column("fired_at", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("held", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )


def _outbox() -> None:
    op.create_table(
        "alert_channel",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "alert_delivery",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("alert", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("sent_at", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("ix_alert_delivery_state", "alert_delivery", ["state"])
