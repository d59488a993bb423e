"""Let an order stand without a plan and a run: one of elsewhere that the desk has taken into its books."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_OF_THE_DESK = ("run_number", "plan_number")


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        for name in _OF_THE_DESK:
            op.alter_column("orders", name, existing_type=sa.BigInteger(), nullable=True)
        return
    # The table is made anew from its own words, since reflecting it would lose its checks.
    query = "SELECT type, sql FROM sqlite_master WHERE tbl_name = 'orders' AND sql IS NOT NULL"
    rows = connection.exec_driver_sql(query).all()
    (words,) = [sql for kind, sql in rows if kind == "table"]
    for name in _OF_THE_DESK:
        old = f"{name} BIGINT NOT NULL"
        if words.count(old) != 1:
            raise RuntimeError(f"orders.{name} is not as it was made: {words}")
        words = words.replace(old, f"{name} BIGINT")
    head, _, body = words.partition("(")
    if "orders" not in head:
        raise RuntimeError(f"orders is not as it was made: {words}")
    connection.exec_driver_sql(f"CREATE TABLE orders_without_a_run ({body}")
    connection.exec_driver_sql("INSERT INTO orders_without_a_run SELECT * FROM orders")
    connection.exec_driver_sql("DROP TABLE orders")
    connection.exec_driver_sql("ALTER TABLE orders_without_a_run RENAME TO orders")
    for kind, sql in rows:
        if kind == "index":
            connection.exec_driver_sql(sql)
