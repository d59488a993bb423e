"""People who sign in, their sign-ins and the keys that sign for them; who has confirmed whose plan."""

import sqlalchemy as sa
from alembic import op

import data.tables.columns

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    _people()
    _sign_ins()
    _approvals()


def _people() -> None:
    op.create_table(
        "person",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("scope", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("password", sa.String(), nullable=False),
        sa.Column("recovery", sa.String(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("added_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("added_by", sa.String(), nullable=False),
        sa.Column("disabled_at", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "signing_key",
        sa.Column("kid", sa.String(), nullable=False),
        sa.Column("public", sa.String(), nullable=False),
        sa.Column("made_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("retired_at", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("kid"),
    )


def _sign_ins() -> None:
    op.create_table(
        "sign_in",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("until", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_sign_in_person", "sign_in", ["person"])
    op.create_table(
        "sign_in_try",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("was_right", sa.Boolean(), nullable=False),
        sa.Column("at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_sign_in_try_name", "sign_in_try", ["name"])


def _approvals() -> None:
    op.create_table(
        "approval",
        sa.Column("plan_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("plan_number", "person"),
    )
    op.create_table(
        "approval_rule",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("above_paise", sa.BigInteger(), nullable=False),
        sa.Column("needed", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
