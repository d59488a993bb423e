"""Let one client's part of a run be several orders, numbered within the key of a run."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_KEY = "UNIQUE (run_number, client_id, product)"


def upgrade() -> None:
    op.add_column("orders", sa.Column("slice", sa.Integer(), nullable=False, server_default="1"))
    if op.get_bind().dialect.name == "sqlite":
        _rebuild(op.get_bind())
    else:
        op.drop_constraint("orders_run_number_client_id_product_key", "orders")
        op.create_unique_constraint(None, "orders", ["run_number", "client_id", "product", "slice"])


def _rebuild(connection: sa.Connection) -> None:
    """Make the table anew, row for row: SQLite changes no constraint of one that stands."""

    def stored(kind: str) -> list[str]:
        query = "SELECT sql FROM sqlite_master WHERE type = ? AND tbl_name = 'orders' AND sql IS NOT NULL"
        return [row[0] for row in connection.exec_driver_sql(query, (kind,))]

    (table,), indexes = stored("table"), stored("index")
    changed = table.replace(_KEY, f"{_KEY[:-1]}, slice)").replace(
        "CREATE TABLE orders", "CREATE TABLE fresh", 1
    )
    changed = changed.replace('CREATE TABLE "orders"', "CREATE TABLE fresh", 1)
    if changed.count("slice)") != 1 or "CREATE TABLE fresh" not in changed:
        raise RuntimeError(f"the table of orders is not as it was made: {table}")
    connection.exec_driver_sql(changed)
    connection.exec_driver_sql("INSERT INTO fresh SELECT * FROM orders")
    connection.exec_driver_sql("DROP TABLE orders")
    connection.exec_driver_sql("ALTER TABLE fresh RENAME TO orders")
    for index in indexes:
        connection.exec_driver_sql(index)
