"""The day's figures of 1,000 clients with 20 holdings each and 5,000 orders, to the digests of their days.

Held against reading the same rows by the driver alone. PDFs and workbooks are measured by `bench_reports`.
Memory is what the process grew by over one round, at its highest.
"""

import argparse
import asyncio
import random
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import create_async_engine

from data.home import books_file
from data.repositories.close.figures import BooksOfDay, books_of_day
from data.vocabulary import Account, ClientStatus, OrderState, SessionState, Side
from engine.book.views import ClientView
from engine.close.figures import ClosePrices, client_days
from engine.close.sealing import stored_day
from tests.bench.frame import Aim, Bench, Figures
from tests.books import empty_books

CLIENTS, HELD, ORDERS = 1_000, 20, 5_000
DAY, AT = date(2026, 11, 18), datetime(2026, 11, 18, 10, 30, tzinfo=UTC)
AIMS = (Aim("figures", 10.0), Aim("memory MB", 150.0, "MB"))
SAME_ROWS = (
    f"SELECT * FROM orders WHERE trading_date = '{DAY}'",
    f"SELECT * FROM fill WHERE trading_date = '{DAY}'",
    "SELECT * FROM holding",
    "SELECT * FROM funds",
    f"SELECT p.* FROM txn t JOIN posting p ON p.txn_id = t.id WHERE t.trading_date = '{DAY}'",
    f"SELECT s.* FROM txn t JOIN share_posting s ON s.txn_id = t.id WHERE t.trading_date = '{DAY}'",
)
"""What the figures are made of, as the driver reads it."""


def insert(books: sqlite3.Connection, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; of the columns that they leave out, those that need one get a value that says nothing."""
    columns = books.execute(f"PRAGMA table_info('{name}')").fetchall()
    blank = {"DATE": str(DAY), "DATETIME": "2026-11-18 10:00:00.000000", "VARCHAR": "", "JSON": "{}"}
    needed = {row[1]: blank.get(row[2], 0) for row in columns if row[3] and row[4] is None}
    whole = [{**needed, **row} for row in rows]
    names = list(whole[0])
    places = ", ".join("?" * len(names))
    books.executemany(
        f"INSERT INTO {name} ({', '.join(names)}) VALUES ({places})",
        [tuple(row[one] for one in names) for row in whole],
    )


def lay(home: Path) -> None:
    """Books of that many clients, shares and orders, all of one day."""
    dice, ids, shares = random.Random(1), range(1, CLIENTS + 1), [f"S{n:03d}" for n in range(200)]
    with closing(sqlite3.connect(books_file(home))) as books, books:
        insert(books, "client", [{"id": n, "code": f"C{n}", "broker_user_id": f"U{n}"} for n in ids])
        insert(books, "funds", [{"client_id": n, "available_paise": 10**7} for n in ids])
        held = [(n, one) for n in ids for one in dice.sample(shares, HELD)]
        insert(
            books,
            "holding",
            [
                {
                    "client_id": n,
                    "security": one,
                    "product": "CNC",
                    "exchange": "NSE",
                    "tradingsymbol": one,
                    "free": 10,
                    "cost_paise": 10_000_00,
                }
                for n, one in held
            ],
        )
        orders = [(number, *dice.choice(held)) for number in range(1, ORDERS + 1)]
        of_order = [
            {
                "id": number,
                "client_id": n,
                "exchange": "NSE",
                "tradingsymbol": one,
                "security": one,
                "side": Side.BUY.value,
                "product": "CNC",
                "state": OrderState.FILLED.value,
                "quantity": 10,
                "trading_date": str(DAY),
                "slice": number,
            }
            for number, n, one in orders
        ]
        insert(books, "orders", of_order)
        insert(
            books,
            "fill",
            [
                {
                    "id": number,
                    "client_id": n,
                    "order_id": number,
                    "exchange": "NSE",
                    "trading_date": str(DAY),
                    "trade_id": str(number),
                    "broker_order_id": str(number),
                    "quantity": 10,
                    "price_paise": 1_000_00,
                    "charges_paise": 1_500,
                }
                for number, n, _ in orders
            ],
        )
        kind = {"kind": "fill", "trading_date": str(DAY)}
        insert(books, "txn", [{"id": number, "client_id": n, **kind} for number, n, _ in orders])
        lines = ((Account.STOCK_COST, 10_000_00), (Account.CHARGES, 1_500), (Account.AVAILABLE, -10_015_00))
        insert(
            books,
            "posting",
            [
                {"txn_id": number, "line": k, "client_id": n, "account": a.value, "amount_paise": paise}
                for number, n, _ in orders
                for k, (a, paise) in enumerate(lines)
            ],
        )
        insert(
            books,
            "share_posting",
            [
                {
                    "txn_id": number,
                    "line": k,
                    "client_id": n,
                    "security": one,
                    "product": "CNC",
                    "bucket": bucket,
                    "quantity": quantity,
                }
                for number, n, one in orders
                for k, (bucket, quantity) in enumerate((("today", 10), ("outside", -10)))
            ],
        )


def view(number: int) -> ClientView:
    """A client as the desk knows it."""
    return ClientView(
        id=number,
        code=f"C{number}",
        name="",
        broker="zerodha",
        broker_user_id="",
        status=ClientStatus.ACTIVE,
        status_reason="",
        status_since=None,
        session=SessionState.OK,
        route="",
        capital_paise=0,
        mtf_limit_paise=0,
        groups=(),
        phone="",
    )


async def read(home: Path, clients: Sequence[ClientView]) -> BooksOfDay:
    """What the books say of the day, by the reader that the desk uses."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{books_file(home)}")
    try:
        async with engine.connect() as reader:
            return await books_of_day(reader, DAY, [one.id for one in clients])
    finally:
        await engine.dispose()


def driver_s(home: Path) -> float:
    """Processor seconds in which the driver alone reads the same rows."""
    with closing(sqlite3.connect(books_file(home))) as books:
        began = time.process_time()
        for query in SAME_ROWS:
            books.execute(query).fetchall()
        return time.process_time() - began


@contextmanager
def rounds(options: argparse.Namespace) -> Iterator[Callable[[], Figures]]:
    """Lay the books once; a round reads them, works the days out and hashes each."""
    with tempfile.TemporaryDirectory() as folder:
        home = empty_books(Path(folder) / "home")
        lay(home)
        clients = [view(number) for number in range(1, CLIENTS + 1)]

        def measure() -> Figures:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            by_driver, began = driver_s(home), time.process_time()
            books = asyncio.run(read(home, clients))
            keys = {one.key for one in books.held}
            prices = ClosePrices(dict.fromkeys(keys, 1_010_00), dict.fromkeys(keys, 1_000_00))
            days = client_days(DAY, clients, books, prices, lambda key: False)
            kept = [stored_day(one, DAY, 1, AT) for one in days]
            ours = time.process_time() - began
            assert len(kept) == CLIENTS
            assert sum(one.orders for one in days) == ORDERS
            grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
            return {"figures": ours / by_driver, "figures ms": 1e3 * ours, "memory MB": grown}

        yield measure


if __name__ == "__main__":
    sys.exit(Bench(AIMS, rounds).run(__doc__))
