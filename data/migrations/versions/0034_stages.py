"""Keep model portfolios by version, and what later stages of a run have still to order."""

import sqlalchemy as sa
from alembic import op

import data.tables.columns

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    op.create_table(
        "model_version",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("saved_by", sa.String(), nullable=False),
        sa.Column("saved_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", "version"),
    )
    op.create_table(
        "staged_line",
        sa.Column("run_number", sa.BigInteger(), nullable=False),
        sa.Column("leg", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("security", sa.String(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("later", sa.BigInteger(), nullable=False),
        sa.Column("trading_date", sa.Date(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("changed_at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("taken_by", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"]),
        sa.ForeignKeyConstraint(["run_number"], ["run.number"]),
        sa.PrimaryKeyConstraint("run_number", "leg", "client_id"),
    )
    rows = sa.text("taken_by IS NULL")
    op.create_index("staged_lines_left", "staged_line", ["model"], sqlite_where=rows, postgresql_where=rows)
    op.add_column("run", sa.Column("staged", sa.BigInteger(), nullable=False, server_default="0"))
