"""Keep every certificate of a halt as a row of its own, and what could not be read of a client's books."""

import sqlalchemy as sa
from alembic import op

import data.tables.columns

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "halt_certificate",
        sa.Column("halt_number", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["halt_number"], ["halt.number"]),
        sa.PrimaryKeyConstraint("halt_number", "version"),
    )
    op.execute(
        "INSERT INTO halt_certificate (halt_number, version, made_at, ended, body) "
        "SELECT number, 1, COALESCE(ended_at, at), ended_at IS NOT NULL, certificate FROM halt "
        "WHERE certificate IS NOT NULL AND CAST(certificate AS TEXT) <> 'null'"
    )
    op.drop_column("halt", "certificate")
    op.add_column("account_break", sa.Column("detail", sa.String(), nullable=False, server_default=""))
