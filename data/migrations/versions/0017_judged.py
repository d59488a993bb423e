"""Find the newest row of the audit that stops trading, or that ends a stop, by an index of such rows."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    judged = "action IN ('AUDIT_BREAK', 'BOOKS_DISTRUSTED', 'BOOKS_TRUSTED')"
    rows = sa.text(judged)
    op.create_index("audit_judged", "audit", ["seq"], sqlite_where=rows, postgresql_where=rows)
    op.execute("DELETE FROM audit_head WHERE name = 'distrusted'")
