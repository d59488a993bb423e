"""Add clients' routes, their sessions at the brokers, and waivers of the gate."""

import sqlalchemy as sa
from alembic import op

import data.tables.columns

revision = "0003"
down_revision = "0002"

_MOMENT = data.tables.columns.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "client_route",
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in (
                "kind",
                "api_key",
                "proxy",
                "bind_address",
                "egress_ip",
                "family",
                "permission",
                "consent",
            )
        ),
        sa.Column("consent_until", sa.Date(), nullable=True),
        sa.Column("demat", sa.String(), nullable=False),
        sa.Column("mtf_enabled", sa.Boolean(), nullable=True),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"]),
        sa.PrimaryKeyConstraint("client_id"),
    )
    op.create_table(
        "broker_session",
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("user_name", sa.String(), nullable=False),
        sa.Column("login_at", _MOMENT, nullable=True),
        sa.Column("expires_at", _MOMENT, nullable=True),
        sa.Column("problem_code", sa.String(), nullable=False),
        sa.Column("problem_text", sa.String(), nullable=False),
        sa.Column("checked_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"]),
        sa.PrimaryKeyConstraint("client_id"),
    )
    op.create_table(
        "gate_waiver",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("trading_date", sa.Date(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_gate_waiver_client_id", "gate_waiver", ["client_id"])
