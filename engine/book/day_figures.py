"""Reading what a trading day has brought clients and cost them, as the book keeps it."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import Connection, Select, and_, func, select

from data.columns import table
from data.order_tables import Fill
from data.store import chunks
from data.tables import ClosedLot, Holding, Lot
from data.vocabulary import Bucket, Product
from engine.book.views import DayFigures, DaySale


def read_figures(
    connection: Connection, client_ids: Iterable[int] | None, day: date
) -> dict[int, DayFigures]:
    """What clients, all where None are named, have realised and paid on a day."""
    fills = table(Fill)
    sales: dict[int, list[DaySale]] = defaultdict(list)
    charges: dict[int, int] = defaultdict(int)
    known: set[int] = set()
    for ids in [None] if client_ids is None else chunks(client_ids):
        sold = _sold_query(day)
        paid = (
            select(fills.c.client_id, func.sum(fills.c.charges_paise))
            .where(fills.c.trading_date == day)
            .group_by(fills.c.client_id)
        )
        if ids is not None:
            sold = sold.where(table(ClosedLot).c.client_id.in_(ids))
            paid = paid.where(fills.c.client_id.in_(ids))
            known.update(ids)
        for row in connection.execute(sold):
            key, product = f"{row.exchange}:{row.tradingsymbol}", Product(row.product)
            carried = (0, 0) if row.bought_today else (int(row.quantity), int(row.cost))
            sales[row.client_id].append(DaySale(key, product, int(row.pnl), *carried))
        for client_id, total in connection.execute(paid):
            charges[client_id] += int(total)
    return {c: DayFigures(charges[c], tuple(sales[c])) for c in known | sales.keys() | charges.keys()}


def _sold_query(day: date) -> Select[*tuple[Any, ...]]:
    """Sales of a day by client, security, product and whether the shares were bought that day.

    A lot says so by its bucket, since one adopted from the broker may have been opened today.
    """
    closed, lots, holdings = table(ClosedLot), table(Lot), table(Holding)
    bought_today = (lots.c.bucket == Bucket.TODAY.value).label("bought_today")
    group = (
        closed.c.client_id,
        holdings.c.exchange,
        holdings.c.tradingsymbol,
        closed.c.product,
        bought_today,
    )
    pnl = closed.c.proceeds_paise - closed.c.cost_paise
    same = [closed.c[name] == holdings.c[name] for name in ("client_id", "security", "product")]
    return (
        select(
            *group,
            func.sum(closed.c.quantity).label("quantity"),
            func.sum(closed.c.cost_paise).label("cost"),
            func.sum(pnl).label("pnl"),
        )
        .join(lots, lots.c.id == closed.c.lot_id)
        .join(holdings, and_(*same))
        .where(closed.c.trading_date == day)
        .group_by(*group)
    )


def costs_of_today(connection: Connection, client_ids: Iterable[int]) -> dict[tuple[int, str, str], int]:
    """What the shares bought today cost, where a holding has others besides; by client, security, product."""
    lots = table(Lot)
    names = (lots.c.client_id, lots.c.security, lots.c.product)
    out: dict[tuple[int, str, str], int] = {}
    for ids in chunks(client_ids):
        query = (
            select(*names, func.sum(lots.c.cost_left_paise))
            .where(lots.c.bucket == Bucket.TODAY.value, lots.c.client_id.in_(ids))
            .group_by(*names)
        )
        for client_id, security, product, cost in connection.execute(query):
            out[int(client_id), security, product] = int(cost)
    return out
