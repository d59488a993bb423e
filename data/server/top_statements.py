"""The statements that have kept a server longest, where it counts them."""

from collections.abc import Sequence

from sqlalchemy import Connection

from data.engines.driver import fetch
from data.engines.postgres import PostgresBooks

MOST = 10


def top_statements(books: PostgresBooks) -> Sequence[tuple[str, int, float]]:
    """Text, calls, milliseconds in all of the ten longest; none where `pg_stat_statements` is not there."""
    return books.read(_top)


def _top(connection: Connection) -> Sequence[tuple[str, int, float]]:
    if fetch(connection, "SELECT to_regclass('pg_stat_statements')")[0][0] is None:
        return ()
    rows = fetch(
        connection,
        "SELECT query, calls, total_exec_time FROM pg_stat_statements"
        f" ORDER BY total_exec_time DESC, query LIMIT {MOST}",
    )
    return [
        (" ".join(str(query).split()), int(calls), round(float(spent), 1)) for query, calls, spent in rows
    ]
