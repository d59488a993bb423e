"""Keep what clients have agreed to by kind, each with its evidence; a route's consent is one of them."""

import sqlalchemy as sa
from alembic import op

import data.tables.columns

revision = "0038"
down_revision = "0037"

_MOMENT = data.tables.columns.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "consent",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("given_from", sa.Date(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_consent_client_id", "consent", ["client_id"])
    op.create_table(
        "consent_end",
        sa.Column("consent_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["consent_id"], ["consent.id"]),
        sa.PrimaryKeyConstraint("consent_id"),
    )
    op.execute(
        "INSERT INTO consent (id, client_id, kind, reference, until, actor, at)"
        " SELECT ROW_NUMBER() OVER (ORDER BY client_id), client_id, 'trading', consent, consent_until,"
        " 'migration', updated_at FROM client_route WHERE consent <> ''"
    )
    op.execute("INSERT INTO counter (name, next) SELECT 'consent', COUNT(*) + 1 FROM consent")
    with op.batch_alter_table("client_route") as route:
        route.drop_column("consent")
        route.drop_column("consent_until")
