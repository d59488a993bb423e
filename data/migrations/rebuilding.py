"""Changing a constraint in SQLite, which changes none: the table is made anew, row for row."""

from alembic import op


def rebuild(name: str, old: str, new: str) -> None:
    """Make a table anew with other words once in its text. Raises `RuntimeError` where it is another."""
    connection = op.get_bind()
    query = "SELECT type, sql FROM sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL"
    rows = connection.exec_driver_sql(query, (name,)).all()
    (words,) = [sql for kind, sql in rows if kind == "table"]
    head, _, body = words.partition("(")
    if body.count(old) != 1 or name not in head:
        raise RuntimeError(f"the table {name} is not as it was made: {words}")
    connection.exec_driver_sql(f"CREATE TABLE fresh ({body.replace(old, new)}")
    connection.exec_driver_sql(f"INSERT INTO fresh SELECT * FROM {name}")
    connection.exec_driver_sql(f"DROP TABLE {name}")
    connection.exec_driver_sql(f"ALTER TABLE fresh RENAME TO {name}")
    for kind, sql in rows:
        if kind == "index":
            connection.exec_driver_sql(sql)
