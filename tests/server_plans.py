"""How a server carries out the statements of a day's work once its tables are as long as years make them.

`python -m tests.server_plans` writes docs/queries.md: the statements of a bulk, a modify, cancels, a sale
and a halt that cost most.
"""

import argparse
import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import psycopg
import pytest
from psycopg import RawCursor
from sqlalchemy import Table, UniqueConstraint
from sqlmodel import SQLModel

from data.clock import ManualClock
from data.engines.postgres import AsyncMarked, Marked, placed
from data.vocabulary import OrderState, SizingKind
from tests.books import POSTGRES, database_url, standing_on
from tests.desks import START, buy, carry_out, filed_desk, in_time, sell

APART = 10_000
"""By how much the numbers of a copy lie below those of the copy before."""

A_DAY, STOCKS = 20, 40
"""How many copies are of one day, and of how many stocks."""

OF_DAYS: Mapping[str, str] = {
    **dict.fromkeys(("plan", "plan_leg", "run", "orders", "attempt", "request", "fill"), "TRUE"),
    **dict.fromkeys(("txn", "posting"), "order_id IS NOT NULL"),  # capital comes once, orders every day
    **dict.fromkeys(("share_posting", "closed_lot", "audit", "change"), "TRUE"),
    "lot": "quantity_left = 0",
}
"""Tables that every day makes longer, and by which of their rows."""

NUMBERS = ("order_id", "run_number", "plan_number", "txn_id", "fill_id", "lot_id")
"""Columns that name a row of them, by a foreign key or without."""

PLANNED = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")


class Sent(NamedTuple):
    """A statement that was sent to the server: the cells that it had first, and how often."""

    cells: Any
    times: int


Statements = dict[str, Sent]
Cursor = Any  # statements are made of tables' names here, which psycopg's types refuse


async def day_of_work(home: Path) -> Statements:
    """The statements of a bulk, a modify, cancels, a sale of everything and a halt, with 50 clients."""
    async with filed_desk(home, ManualClock(START)) as desk:
        with recorded() as statements:
            await carry_out(desk, buy("RELIANCE", SizingKind.PERCENT_OF_CAPITAL, 2500))
            plan = await desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 1, limit_paise=224_100))
            await desk.runs.start(plan, plan.digest)
            await desk.settle()
            resting = [one.id for one in desk.orders.all() if one.state is OrderState.OPEN]
            await desk.orders.modify(resting[0], 2, None)
            await desk.orders.cancel(resting[:5])
            await desk.settle()
            await carry_out(desk, sell("RELIANCE", SizingKind.PERCENT_OF_POSITION, 10_000))
            await in_time(desk, desk.halt.fire("asha"))
            await desk.settle()
    return statements


def lengthen(cursor: Cursor, least: int) -> dict[str, int]:
    """Lay copies of what these tables hold into them, as if earlier days had brought it; how long each is."""
    cursor.execute("SET session_replication_role = replica")  # no trigger, no foreign key
    lengths: dict[str, int] = {}
    for name, which in OF_DAYS.items():
        table = SQLModel.metadata.tables[name]
        ((there,),) = cursor.execute(f"SELECT count(*) FROM {name} WHERE {which}").fetchall()
        copies = -(-least // there) if there else 0
        names = ", ".join(column.name for column in table.columns)
        values = ", ".join(_copied(table, column.name) for column in table.columns)
        cursor.execute(
            f"INSERT INTO {name} ({names}) SELECT {values} FROM {name}, generate_series(1, {copies}) AS k"
            f" WHERE {which}"
        )
        lengths[name] = there * (copies + 1)
    cursor.execute("ANALYZE")
    return lengths


def _copied(table: Table, name: str) -> str:
    """What a column holds in the copy `k`."""
    column, kind = table.columns[name], str(table.columns[name].type)
    of_days = name in NUMBERS or any(key.column.table.name in OF_DAYS for key in column.foreign_keys)
    own = not column.foreign_keys and _tells_apart(table, name)
    if of_days or (own and kind in ("INTEGER", "BIGINT")):
        return f"{name} - k * {APART}"
    if own and kind == "VARCHAR":
        return f"{name} || '~' || k"
    if name == "security":
        return f"{name} || '~' || k % {STOCKS}"
    if kind in ("DATE", "DATETIME"):
        days = f"(1 + k / {A_DAY})"
        return f"{name} - {days}" if kind == "DATE" else f"{name} - interval '1 day' * {days}"
    return "'{}'" if name == "body" else name


def _tells_apart(table: Table, name: str) -> bool:
    """Whether a column is in what no two rows of its table have alike."""
    column = table.columns[name]
    if column.primary_key or column.unique:
        return True
    rules = [rule.columns for rule in table.constraints if isinstance(rule, UniqueConstraint)]
    return any(name in columns for columns in (*rules, *[one.columns for one in table.indexes if one.unique]))


@contextmanager
def recorded() -> Iterator[Statements]:
    """The statements that are sent to the server meanwhile, each once, with the first cells it had."""
    found: Statements = {}
    with pytest.MonkeyPatch.context() as patch:
        for cursor in (Marked, AsyncMarked):
            for verb in ("execute", "executemany"):
                patch.setattr(cursor, verb, _noting(getattr(cursor, verb), verb, found))
        yield found


def _noting(send: Callable[..., Any], verb: str, found: Statements) -> Callable[..., Any]:
    def noting(self: Any, query: Any, params: Any = None, **options: Any) -> Any:
        of_books = " noted" not in query  # a batch's own table of what it changes
        if params and of_books and query.lstrip().partition(" ")[0] in PLANNED:
            many = verb == "executemany"
            cells, times = found.get(placed(query), Sent(params[0] if many else params, 0))
            found[placed(query)] = Sent(cells, times + (len(params) if many else 1))
        return send(self, query, params, **options)

    return noting


def whole_reads(cursor: Cursor, statements: Statements, long: set[str]) -> list[str]:
    """The statements that would read one of the long tables from end to end, behind its name."""
    found: list[str] = []
    for statement, sent in statements.items():
        ((plan,),) = cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", sent.cells).fetchall()
        read = {node["Relation Name"] for node in _nodes(plan[0]["Plan"]) if node["Node Type"] == "Seq Scan"}
        found += [f"{table}: {statement}" for table in sorted(read & long)]
    return found


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)


class Cost(NamedTuple):
    """What a statement cost once, on long tables: time, pages, and rows that it looked at for nothing."""

    statement: str
    times: int
    ms: float
    pages: int
    passed_over: int


def costs(cursor: Cursor, statements: Statements) -> list[Cost]:
    """What each SELECT costs, the dearest first; what was written is there, and not written again."""
    found: list[Cost] = []
    for statement, sent in statements.items():
        if not statement.startswith(("SELECT", "WITH")):
            continue
        explained = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}"
        cursor.execute(explained, sent.cells)  # so that what it reads is in memory, as on a desk at work
        ((plan,),) = cursor.execute(explained, sent.cells).fetchall()
        top = plan[0]["Plan"]
        pages = top["Shared Hit Blocks"] + top["Shared Read Blocks"]
        over = sum(node.get("Rows Removed by Filter", 0) * node["Actual Loops"] for node in _nodes(top))
        found.append(Cost(statement, sent.times, plan[0]["Execution Time"], pages, round(over)))
    return sorted(found, key=lambda one: -one.ms * one.times)


@contextmanager
def patient_cursor(home: Path) -> Iterator[Cursor]:
    """A cursor on the books of a home that waits as long as a statement takes."""
    address = database_url(home).replace("+psycopg", "")
    with psycopg.connect(address, autocommit=True) as connection:
        yield RawCursor(connection)


def written(least: int, shown: int) -> str:
    """The document: what a day's work costs the server with tables of at least so many rows."""
    with standing_on(POSTGRES), TemporaryDirectory(prefix="plans-") as folder:
        home = Path(folder)
        statements = asyncio.run(day_of_work(home))
        with patient_cursor(home) as cursor:
            lengths = lengthen(cursor, least)
            found = costs(cursor, statements)
    whole = sum(one.ms * one.times for one in found)
    rows = [
        f"| {place} | {one.times} | {one.ms:.2f} | {one.ms * one.times:.1f} | {one.pages} "
        f"| {one.passed_over} | `{_brief(one)}` |"
        for place, one in enumerate(found[:shown], 1)
    ]
    long = ", ".join(f"{name} {rows:,}" for name, rows in lengths.items() if rows)
    return "\n".join(
        (
            HEAD,
            f"Rows: {long}. {len(found)} statements, {sum(one.times for one in found)} times in all, cost the"
            f" server {whole:.0f} ms.",
            "",
            "| | times | ms each | ms | pages | rows passed over | statement |",
            "|---|---|---|---|---|---|---|",
            *rows,
            "",
        )
    )


HEAD = """# What a desk's reading costs a server

Written by `python -m tests.server_plans` on a server of its own. A desk with 50 clients carries out a bulk,
leaves limit orders resting, modifies one and cancels five, sells everything and halts. Then copies of what
it wrote are laid into the tables as if earlier days had brought it, and each statement is carried out once
more by `EXPLAIN (ANALYZE, BUFFERS)`. `tests/data/test_queries.py` fails where one of them would read a
table of more than 10,000 rows from end to end.
"""


def _brief(one: Cost) -> str:
    text = " ".join(one.statement.split()).replace("|", "\\|")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


LONGEST = 220
"""Letters of a statement that are shown."""


def main() -> None:
    """Write the document."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rows", type=int, default=300_000, help="how long the tables are made, at least")
    asked.add_argument("--shown", type=int, default=20, help="how many statements are shown")
    given = asked.parse_args()
    path = Path(__file__).parents[1] / "docs" / "queries.md"
    path.write_text(written(given.rows, given.shown), encoding="utf-8")
    print(f"{path} was written")


if __name__ == "__main__":
    main()
