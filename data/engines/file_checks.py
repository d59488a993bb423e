"""What SQLite itself finds wrong with a whole file."""

from data.repositories.base import On, sql

MOST = 20
"""Faults that a walk over the file names before it ends."""


def integrity_faults(on: On) -> list[str]:
    """What is damaged in the file, in SQLite's words; nothing where it is whole."""
    found = [str(row[0]) for row in sql(on).exec_driver_sql(f"PRAGMA integrity_check({MOST})")]
    return [] if found == ["ok"] else found


def broken_references(on: On) -> list[str]:
    """Rows that refer to rows which are not there, in words."""
    rows = sql(on).exec_driver_sql("PRAGMA foreign_key_check").all()
    return [f"row {row[1]} of {row[0]} refers to a row of {row[2]} that is not there" for row in rows]
