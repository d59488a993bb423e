"""A home whose every table has rows, closed again, for tests that change the file as no tradedesk does."""

import asyncio
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from data.vocabulary import ClientStatus, HaltScope, Product, RouteKind, SizingKind
from engine.accounts.clients import NewClient
from engine.accounts.routes import NewRoute
from tests.desks import buy, by_phone, carry_out, paper_desk, sell, until

QTY = SizingKind.FIXED_QUANTITY
ROHAN, PRIYA, LENT = 8, 15, 22


def whole_home(home: Path) -> Path:
    """Make the home; gives its database."""
    asyncio.run(_trade(home))
    return home / "desk.db"


async def _trade(home: Path) -> None:
    async with paper_desk(home) as desk:
        await desk.clients.add(
            [
                NewClient(
                    "HELD",
                    "Client with a hold",
                    "zerodha",
                    "ZHELD",
                    ClientStatus.ACTIVE,
                    capital_paise=1_00_000_00,
                    available_paise=50_000_00,
                    hold_paise=10_000_00,
                    groups=("swing",),
                )
            ]
        )
        await desk.routes.set(PRIYA, NewRoute(RouteKind.PAPER))
        await carry_out(desk, buy("TCS", QTY, 20, ROHAN, PRIYA))
        await carry_out(desk, buy("RELIANCE", QTY, 3, LENT, product=Product.MTF))
        await carry_out(desk, sell("TCS", QTY, 8, ROHAN))
        await carry_out(desk, sell("TCS", QTY, 5, ROHAN))
        _, run = await carry_out(desk, buy("TCS", QTY, 10, ROHAN, PRIYA, limit_paise=2400_00))
        await desk.orders.modify(run.order_ids[0], quantity=5)
        await desk.settle()
        by_phone(desk, ROHAN)
        await until(desk, lambda: desk.reconcile.breaks(ROHAN), step_s=5)
        await desk.settle()
        await desk.clients.set_status(ROHAN, ClientStatus.INACTIVE, "asked us to")
        made = await desk.halt.fire("tester", HaltScope.CLIENT, str(PRIYA))
        await desk.settle()
        await desk.halt.resume(made.number, "resume", "tester")
        await desk.settle()


def copy_of(database: Path, folder: Path) -> Path:
    """A copy of a closed home's database in another home; gives it."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(database, folder / "desk.db")
    return folder / "desk.db"


def tamper(database: Path, *statements: str | tuple[str, Iterable[Any]]) -> None:
    """Change the file as no tradedesk does, and leave its triggers standing as they were."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints=ON")
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        connection.execute("BEGIN")
        for name, _ in rows:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            words, values = (statement, ()) if isinstance(statement, str) else statement
            connection.execute(words, tuple(values))
        for _, words in rows:
            connection.execute(words)
        connection.execute("COMMIT")
