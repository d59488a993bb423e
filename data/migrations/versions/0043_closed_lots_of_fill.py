"""Find what a fill has sold by its number; every sale asks for it, and closed lots grow with the years."""

from alembic import op

revision = "0043"
down_revision = "0042"


def upgrade() -> None:
    op.create_index("closed_lots_of_fill", "closed_lot", ["fill_id"])
