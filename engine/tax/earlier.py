"""Trades of before clients came, as the tax reads them: charged by the tables of rates, and what they prove.

A tradebook tells no charges: they are reckoned as a contract note of each day has them, the depository's fees
apart, and none for days before the tables. Where the trades leave exactly the shares that a client came with,
these are the lots; else the lots are those that the client came with, and the trades tell of sales alone.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from fractions import Fraction

from msgspec import Struct

from data.errors import BadInput
from data.reference.contract_notes import DayOrder, note_charges
from data.reference.instrument_index import InstrumentIndex
from data.repositories.accounts.tax import BookedFill, SharesMoved
from data.repositories.history.tradebooks import StoredTradebookTrade
from data.vocabulary import Product, Side, TransferKind
from engine.tax.queue import SharesBecome, TaxTrade, tax_book


class Proven(Struct, frozen=True):
    """Whose opening lots the trades of before have bought, and where they have not, when their queue ends."""

    shares: frozenset[tuple[int, str]]
    ended: Mapping[tuple[int, str], SharesBecome]


def earlier_fills(
    trades: Sequence[StoredTradebookTrade], brokers: Mapping[int, str], index: InstrumentIndex
) -> list[BookedFill]:
    """Trades of tradebooks as booked ones, with reckoned charges."""
    by_day: dict[tuple[int, date], list[StoredTradebookTrade]] = defaultdict(list)
    for one in trades:
        by_day[one.client_id, one.day].append(one)
    found: list[BookedFill] = []
    for (client_id, day), rows in sorted(by_day.items()):
        broker = brokers.get(client_id, "")
        named = [(one, _security(one, index)) for one in rows]
        whole = _charges(day, broker, named)
        traded = sum(one.quantity * one.price_paise for one in rows)
        passed = given = 0
        for one, security in named:
            passed += one.quantity * one.price_paise
            part = whole * passed // traded - given
            given += part
            found.append(
                BookedFill(
                    client_id=client_id,
                    security=security,
                    exchange=one.exchange,
                    tradingsymbol=one.tradingsymbol,
                    side=one.side,
                    product=Product.CNC,
                    broker=broker,
                    order_id=0,
                    trading_date=day,
                    traded_at=one.traded_at,
                    trade_id=one.trade_id,
                    quantity=one.quantity,
                    price_paise=one.price_paise,
                    charges_paise=part,
                )
            )
    return found


def _security(one: StoredTradebookTrade, index: InstrumentIndex) -> str:
    """Under what the shares are held here; what is known by nothing is known by its ISIN."""
    found = index.of_isin(one.isin, one.exchange) if one.isin else None
    found = found or index.get(f"{one.exchange}:{one.tradingsymbol}")
    if found is not None and not (one.isin and found.isin and found.isin != one.isin):
        return found.security
    return one.isin or f"{one.exchange}:{one.tradingsymbol}"


def _charges(day: date, broker: str, rows: Sequence[tuple[StoredTradebookTrade, str]]) -> int:
    numbers = {
        order: n for n, order in enumerate(dict.fromkeys(one.order_id or one.trade_id for one, _ in rows))
    }
    orders: dict[tuple[int, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for one, security in rows:
        place = numbers[one.order_id or one.trade_id], security, one.side.value
        orders[place][0] += one.quantity
        orders[place][1] += one.quantity * one.price_paise
    exchange = {security: one.exchange for one, security in rows}
    try:
        return note_charges(
            day,
            broker,
            [
                DayOrder(number, security, exchange[security], Product.CNC, Side(side), traded[0], traded[1])
                for (number, security, side), traded in orders.items()
            ],
        ).total_paise
    except BadInput:
        return 0


def proven_by(
    trades: Mapping[tuple[int, str], Sequence[TaxTrade]],
    earlier: Collection[tuple[int, str]],
    moved: Sequence[SharesMoved],
    came: Mapping[int, date],
) -> Proven:
    """Whose opening shares are exactly those that the trades of before leave; `came` is each client's day."""
    opened: dict[tuple[int, str], int] = defaultdict(int)
    for one in moved:
        if one.kind is TransferKind.OPENING:
            opened[one.client_id, one.security] += one.quantity
    proven: set[tuple[int, str]] = set()
    ended: dict[tuple[int, str], SharesBecome] = {}
    for share in earlier:
        day = came.get(share[0])
        if day is None:
            continue
        left = tax_book([one for one in trades.get(share, ()) if one.day < day]).lots
        if sum(lot.quantity for lot in left) == opened[share]:
            proven.add(share)
        else:
            ended[share] = SharesBecome(day, Fraction(1), leave=True)
    return Proven(frozenset(proven), ended)
