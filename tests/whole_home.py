"""A home whose every table has rows, closed again, for tests that change the file as no tradedesk does."""

import asyncio
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Date, Integer, func, select
from sqlmodel import SQLModel

from data.proving.readable import WORDS
from data.records import replace
from data.store import Unit
from data.tables.columns import UtcDateTime
from data.vocabulary import ClientStatus, HaltScope, Product, RouteKind, Side, SizingKind
from data.writing.counters import mend_counters
from engine.access.routes import NewRoute
from engine.accounts.client_file import NewClient
from engine.planning.intent import Leg, Sizing
from tests.desks import START, buy, by_phone, carry_out, paper_desk, sell, until
from tradedesk.testing import seam

QTY = SizingKind.FIXED_QUANTITY
ROHAN, PRIYA, LENT = 8, 15, 22

SECOND = Leg(Side.BUY, "NSE:HDFCBANK", Sizing(QTY, 1))


def whole_home(home: Path) -> Path:
    """Make the home; returns its database."""
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
        await carry_out(desk, replace(buy("INFY", QTY, 1, ROHAN), further=(SECOND,)))
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
        await seam(desk).store.write(_fill_empty_tables)


def _fill_empty_tables(unit: Unit) -> None:
    """A row for each table that this day of trading left empty, so that no table is without."""
    for table in SQLModel.metadata.sorted_tables:
        if unit.connection.execute(select(func.count()).select_from(table)).scalar_one() == 0:
            row = {column.name: _some_value(column) for column in table.columns}
            unit.connection.execute(table.insert(), row)
    mend_counters(unit)


def _some_value(column: Column[Any]) -> Any:
    words = WORDS.get((column.table.name, column.name))
    match column.type:
        case _ if column.name == "instance_id" and not column.foreign_keys:
            return 0  # no engine's: this home has its books alone
        case _ if column.foreign_keys or (words is None and isinstance(column.type, Integer)):
            return PRIYA if "client" in column.name else 1
        case UtcDateTime():
            return START
        case Date():
            return START.date()
        case JSON():
            return None if column.nullable else {}
        case Boolean():
            return False
        case _:
            return next(iter(words[0])).value if words else "some"
