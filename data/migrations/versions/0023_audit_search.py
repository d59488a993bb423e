"""Find rows of the audit by client, day, action, run and plan without a long walk; say who verified it."""

import sqlalchemy as sa
from alembic import op

import data.tables.columns

revision = "0023"
down_revision = "0021"


def upgrade() -> None:
    common = "'FILL_APPLIED', 'ORDER_ACCEPTED', 'ORDER_FILLED', 'ORDER_RESERVED', 'ORDER_SENDING'"
    op.drop_index("ix_audit_client_id", "audit")
    op.create_index("audit_by_client", "audit", ["client_id", "seq"])
    op.create_index("audit_by_day", "audit", ["at", "seq"])
    _partial("audit_by_action", "action", f"action NOT IN ({common})")
    _partial("audit_of_runs", "run_number", "run_number IS NOT NULL AND order_id IS NULL")
    _partial("audit_of_plans", "plan_number", "plan_number IS NOT NULL AND order_id IS NULL")
    op.add_column(
        "audit_head", sa.Column("at", data.tables.columns.UtcDateTime(timezone=True), nullable=True)
    )
    op.add_column("audit_head", sa.Column("actor", sa.String(), nullable=False, server_default=""))


def _partial(name: str, column: str, where: str) -> None:
    rows = sa.text(where)
    op.create_index(name, "audit", [column, "seq"], sqlite_where=rows, postgresql_where=rows)
