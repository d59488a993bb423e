"""Give the audit a chain a writer, beside the lone desk's, and the firm a gate that a halt can close."""

import sqlalchemy as sa
from alembic import op

import data.tables.columns

revision = "0044"
down_revision = "0043"


def upgrade() -> None:
    on_file = op.get_bind().dialect.name == "sqlite"
    op.add_column("audit", sa.Column("chain", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_index("audit_of_chain", "audit", ["chain", "seq"], sqlite_where=sa.text("chain != 0"))
    if on_file:
        op.rename_table("audit_head", "former_head")
        _make_heads()
        op.execute(
            "INSERT INTO audit_head (name, chain, seq, hash, at, actor)"
            " SELECT name, 0, seq, hash, at, actor FROM former_head"
        )
        op.drop_table("former_head")
    else:
        op.add_column("audit_head", sa.Column("chain", sa.BigInteger(), nullable=False, server_default="0"))
        op.drop_constraint("audit_head_pkey", "audit_head", type_="primary")
        op.create_primary_key("audit_head_pkey", "audit_head", ["name", "chain"])
        op.execute("CREATE SEQUENCE audit_number")
        op.execute("SELECT setval('audit_number', greatest(max(seq), 1), max(seq) IS NOT NULL) FROM audit")
    op.create_table(
        "firm_gate", sa.Column("name", sa.String(), nullable=False), sa.PrimaryKeyConstraint("name")
    )


def _make_heads() -> None:
    op.create_table(
        "audit_head",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("chain", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("at", data.tables.columns.UtcDateTime(timezone=True), nullable=True),
        sa.Column("actor", sa.String(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("name", "chain"),
    )
