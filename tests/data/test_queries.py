"""No statement on the way of an order reads a long table of a server from end to end.

One that does is slow only when a firm has traded for months, which is too late to find it.
"""

from pathlib import Path

import pytest

from tests.books import POSTGRES
from tests.server_plans import costs, day_of_work, lengthen, patient_cursor, whole_reads

LONG, ROWS = 10_000, 30_000
"""Rows from which on a table is long, and how many those are made to have that every day makes longer."""

FOR_NOTHING = 2_000
"""Rows that a statement may look at and pass over."""


@pytest.mark.proof
@pytest.mark.parametrize("books_engine", [POSTGRES], indirect=True)
async def test_no_statement_of_a_day_reads_a_long_table_whole(tmp_path: Path, books_engine: str) -> None:
    statements = await day_of_work(tmp_path)
    with patient_cursor(tmp_path) as cursor:
        lengths = lengthen(cursor, ROWS)
        long = {name for name, rows in lengths.items() if rows > LONG}
        assert long >= {"plan", "run", "orders", "attempt", "request", "fill", "txn", "posting", "audit"}
        found = whole_reads(cursor, statements, long)
        found += [one.statement for one in costs(cursor, statements) if one.passed_over > FOR_NOTHING]
    assert len(statements) > 90
    assert found == []
