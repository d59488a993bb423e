"""The statements that kept a server longest, as its `pg_stat_statements` has them."""

from pathlib import Path

import pytest

from data.engines.postgres import PostgresBooks
from data.server.top_statements import MOST, top_statements
from tests.books import POSTGRES, database_of, empty_books


@pytest.mark.parametrize("books_engine", [POSTGRES], indirect=True)
def test_a_server_that_counts_its_statements_tells_the_longest_first(
    tmp_path: Path, books_engine: str
) -> None:
    empty_books(tmp_path)
    books = database_of(tmp_path)
    assert isinstance(books, PostgresBooks)
    assert top_statements(books) == ()  # the wheel's has not the extension: a view stands for it below
    engine = books.writer()
    with engine.connect() as connection:
        connection.exec_driver_sql(
            "CREATE VIEW pg_stat_statements AS SELECT 'SELECT ' || chr(10) || n AS query,"
            " CAST(n AS BIGINT) AS calls, CAST(n * 1.25 AS DOUBLE PRECISION) AS total_exec_time"
            " FROM generate_series(1, 12) AS n"
        )
    engine.dispose()
    found = top_statements(books)
    assert (len(found), found[0], found[-1][0]) == (MOST, ("SELECT 12", 12, 15.0), "SELECT 3")
