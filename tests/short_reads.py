"""The SQL of the short reads, as the repositories send it; `python -m tests.short_reads` writes it."""

import sys
from collections.abc import Callable
from datetime import date
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection, event

from data.engines.sqlite import writer_engine
from data.repositories import projected
from data.repositories.trading import fills
from data.vocabulary import LIVE_STATES
from engine.book.break_views import BreakView
from engine.book.views import FundsView, OrderView, RunRow
from tests.books import empty_books

FILE = Path(__file__).parents[1] / "data" / "engines" / "short_reads.py"
DAY, CLIENT = date(1999, 9, 9), 9_999_999
GIVEN: dict[Any, Any] = {DAY: ":day", DAY.isoformat(): ":day", CLIENT: ":client", f"[{CLIENT}]": ":numbers"}
"""Values by which what is given is known again among the parameters."""

READS: dict[str, Callable[[Connection], object]] = {
    "FUNDS": lambda on: projected.funds(FundsView).read(on, None),
    "ORDERS": lambda on: projected.orders(OrderView).read(on, None, day=DAY),
    "ORDERS_OF_DAY": lambda on: projected.orders_of_runs(OrderView).all(on, day=DAY),
    "RUNS": lambda on: projected.runs(RunRow).all(on, numbers=[CLIENT]),
    "CLIENTS": lambda on: projected.CLIENTS.all(on, day=DAY),
    "GROUPS": projected.GROUPS.all,
    "GROUP_RULES": projected.GROUP_RULES.all,
    "BREAKS": lambda on: projected.breaks(BreakView).read(on, None),
    "UNBOOKED": lambda on: projected.unbooked_facts(BreakView).read(on, None),
    "SALES": fills.EVERY_SALE.all,
    "NOTED_DAYS": fills.EVERY_NOTED_DAY.all,
    "NOTED_DAYS_OF_CLIENT": lambda on: fills.NOTED_DAYS_OF_CLIENT.all(on, client=CLIENT),
    "SALES_OF_CLIENT": lambda on: fills.SALES_OF_CLIENT.all(on, client=CLIENT),
}


def written() -> str:
    """The file as the repositories say it."""
    lines = [
        '"""SQLite\'s text of the short reads: what the repositories send, for who may not import them.',
        "",
        "Written by `python -m tests.short_reads`, and held to the repositories by a test.",
        '"""',
        "",
    ]
    with TemporaryDirectory() as folder:
        engine = writer_engine(empty_books(Path(folder)) / "desk.db")
        with engine.connect() as connection:
            for name, read in READS.items():
                sql, parameters = _sent(connection, read)
                text = " ".join(sql.split())
                lines += [f"{name} = (", *(f"    {piece!r}" for piece in _pieces(text)), ")"]
                lines += [f"{name}_GIVEN = ("]
                lines += [*(f"    {one!r}," for one in _given(parameters)), ")", ""]
        engine.dispose()
    return "\n".join(lines)


def _sent(connection: Connection, read: Callable[[Connection], object]) -> tuple[str, tuple[Any, ...]]:
    sent: list[tuple[str, tuple[Any, ...]]] = []

    def note(_: Any, __: Any, sql: str, parameters: Any, *___: Any) -> None:
        sent.append((sql, tuple(parameters or ())))

    event.listen(connection, "before_cursor_execute", note)
    read(connection)
    event.remove(connection, "before_cursor_execute", note)
    ((sql, parameters),) = sent
    return sql, parameters


def _given(parameters: tuple[Any, ...]) -> tuple[Any, ...]:
    """The parameters, states among them in the order of the alphabet: a set has none of its own."""
    live = [state.value for state in LIVE_STATES]
    found: list[Any] = []
    for is_state, some in groupby(parameters, lambda one: one in live):
        named = [GIVEN.get(one, one) for one in some]
        found += sorted(named) if is_state else named
    return tuple(found)


def _pieces(text: str) -> list[str]:
    pieces = [""]
    for word in text.split(" "):
        if len(pieces[-1]) + len(word) > 95:
            pieces.append("")
        pieces[-1] += f"{word} "
    pieces[-1] = pieces[-1].rstrip()
    return pieces


if __name__ == "__main__":
    FILE.write_text(written())
    sys.stderr.write(f"{FILE} was written\n")
