"""Keep the audit's head beside it, and let its rows carry proofs of the rows they tell of."""

import sqlalchemy as sa
from alembic import op

import data.tables.columns

revision = "0010"
down_revision = "0009"

GENESIS = "0" * 64


def upgrade() -> None:
    op.add_column("audit", sa.Column("proof", sa.String(), nullable=False, server_default=""))
    heads = op.create_table(
        "audit_head",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "proof_layout",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", data.tables.columns.UtcDateTime(timezone=True), nullable=False),
        sa.Column("layout", sa.JSON(), nullable=False),
        sa.Column("not_held", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    connection = op.get_bind()
    newest = connection.execute(sa.text("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")).first()
    seq, digest = (0, GENESIS) if newest is None else (newest.seq, newest.hash)
    connection.execute(heads.insert(), {"name": "written", "seq": seq, "hash": digest})
    known = sa.text("SELECT value FROM meta WHERE name = 'audit_verified'")
    number, _, verified = str(connection.execute(known).scalar() or f"0 {GENESIS}").partition(" ")
    connection.execute(heads.insert(), {"name": "verified", "seq": int(number), "hash": verified})
    connection.execute(sa.text("DELETE FROM meta WHERE name = 'audit_verified'"))
