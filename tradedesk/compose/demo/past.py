"""The demonstration's days before its first: what its clients' shares were worth, by the market's own closes.

All of a client's cash was there from the first of these days on, and what it bought since was paid from it.
They are made up with the market, and say so.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from data.reference.seed import DemoClient, DemoLot, demo_clients, demo_closes, demo_lots
from data.repositories.history.days import ToldDay, ToldTrade
from data.vocabulary import Side
from engine.desk import Desk

SOURCE = "demonstration, made from its seed"


async def lay_demo_past(desk: Desk) -> None:
    """Lay the demonstration's earlier days and trades into the books of its clients."""
    by_code: dict[str, list[DemoLot]] = defaultdict(list)
    for lot in demo_lots():
        by_code[lot.code].append(lot)
    days: list[ToldDay] = []
    trades: list[ToldTrade] = []
    for client in demo_clients():
        lots = by_code[client.code]
        days += _days(client, lots)
        trades += [_trade(client.client_id, lot) for lot in lots]
    trades.sort(key=lambda one: (one.day, one.client_id))
    await desk.history.lay(days, SOURCE, trades)


def _days(client: DemoClient, lots: Sequence[DemoLot]) -> Iterator[ToldDay]:
    closes = demo_closes()
    before = None
    for day in next(iter(closes.values())):
        worth = client.available_paise + client.hold_paise + sum(_worth(lots, day, closes))
        net = 0 if before is None else worth - before
        yield ToldDay(client.client_id, day, worth, 0, net)
        before = worth


def _worth(lots: Iterable[DemoLot], day: date, closes: Mapping[str, Mapping[date, int]]) -> Iterator[int]:
    """What each purchase was worth on a day: its own money before it, its shares less the loan since."""
    for lot in lots:
        if lot.bought_on > day:
            yield lot.cost_paise - lot.loan_paise
        else:
            yield lot.quantity * closes[f"NSE:{lot.symbol}"][day] - lot.loan_paise


def _trade(client_id: int, lot: DemoLot) -> ToldTrade:
    return ToldTrade(
        client_id=client_id,
        day=lot.bought_on,
        key=f"NSE:{lot.symbol}",
        side=Side.BUY,
        product=lot.product,
        quantity=lot.quantity,
        notional_paise=lot.cost_paise,
        charges_paise=0,
    )
