"""Find the lines of later stages that wait without walking those of all days."""

from alembic import op

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    op.create_index("staged_lines_by_state", "staged_line", ["state", "client_id"])
