"""The JSON shapes of what brokers have, whoever traded it, and of trades compared with another terminal's."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from brokers.contract import BrokerOrder, BrokerTrade, TradedLine
from data.reference.rates import Charges
from data.repositories.accounts.day_account import DayTrade
from data.vocabulary import Product, Side
from engine.close.views import ClientDay
from engine.review.comparing import ClientTrades, TradePair, TradeSeen, TradeSum

if TYPE_CHECKING:
    from engine.desk import Desk


class BrokerOrderShape(Struct, frozen=True):
    """An order at a broker; `ours` says whether this desk sent it."""

    client_id: int
    code: str
    broker_order_id: str
    key: str
    side: Side
    product: Product
    status: str
    quantity: int
    filled_quantity: int
    limit_paise: int | None
    placed_at: datetime | None
    ours: bool


class BrokerTradeShape(Struct, frozen=True):
    """A trade at a broker."""

    client_id: int
    code: str
    broker_order_id: str
    trade_id: str
    key: str
    side: Side
    product: Product
    quantity: int
    price_paise: int
    traded_at: datetime


class KindsShape(Struct, frozen=True):
    """Charges by kind, without the depository's fee."""

    brokerage_paise: int
    stt_paise: int
    exchange_paise: int
    sebi_paise: int
    stamp_paise: int
    gst_paise: int
    total_paise: int


class BrokerChargesShape(Struct, frozen=True):
    """A client's charges of the day by its broker's word and by ours; the broker's are null where untold."""

    client_id: int
    code: str
    broker: KindsShape | None
    ours: KindsShape
    apart_paise: int | None


class ComparedShape(Struct, frozen=True):
    """Trades of a file beside the brokers'. `unread` are clients whose trades could not be read."""

    file: str
    kind: str
    equal: bool
    trades: int
    unread: list[str]
    clients: list["ClientComparedShape"]


class ClientComparedShape(Struct, frozen=True):
    """One client's trades, as far as both do not have the same."""

    code: str
    alike: int
    ours_lack: list[TradeSeen]
    theirs_lack: list[TradeSeen]
    differ: list[TradePair]
    sums: list[TradeSum]


def broker_order_shape(desk: "Desk", client_id: int, order: BrokerOrder, ours: bool) -> BrokerOrderShape:
    """An order as its broker has it."""
    return BrokerOrderShape(
        client_id,
        desk.clients.get(client_id).code,
        order.broker_order_id,
        f"{order.exchange}:{order.tradingsymbol}",
        order.side,
        order.product,
        order.status.value,
        order.quantity,
        order.filled_quantity,
        order.price_paise,
        order.placed_at,
        ours,
    )


def broker_trade_shape(desk: "Desk", client_id: int, trade: BrokerTrade) -> BrokerTradeShape:
    """A trade as its broker has it."""
    return BrokerTradeShape(
        client_id,
        desk.clients.get(client_id).code,
        trade.broker_order_id,
        trade.trade_id,
        f"{trade.exchange}:{trade.tradingsymbol}",
        trade.side,
        trade.product,
        trade.quantity,
        trade.price_paise,
        trade.traded_at,
    )


def client_compared_shape(one: ClientTrades) -> ClientComparedShape:
    """One client's differences."""
    return ClientComparedShape(
        one.code, one.alike, list(one.ours_lack), list(one.theirs_lack), list(one.differ), list(one.sums)
    )


def traded_lines(trades: Sequence[DayTrade]) -> list[TradedLine]:
    """What each order traded, all its trades together, in the order of the first."""
    found: dict[int, list[DayTrade]] = defaultdict(list)
    for trade in trades:
        if trade.quantity:
            found[trade.order_id].append(trade)
    return [
        TradedLine(
            first.exchange,
            first.tradingsymbol,
            first.side,
            first.product,
            sum(one.quantity for one in each),
            sum(one.quantity * one.price_paise for one in each),
        )
        for each in found.values()
        for first in each[:1]
    ]


def broker_charges_shape(day: ClientDay, told: Charges | None) -> BrokerChargesShape:
    """A client's charges in that shape."""
    ours = _kinds(day.charges)
    theirs = None if told is None else _kinds(told)
    apart = None if theirs is None else theirs.total_paise - ours.total_paise
    return BrokerChargesShape(day.client_id, day.code, theirs, ours, apart)


def _kinds(of: Charges) -> KindsShape:
    return KindsShape(
        of.brokerage_paise,
        of.stt_paise,
        of.exchange_paise,
        of.sebi_paise,
        of.stamp_paise,
        of.gst_paise,
        of.total_paise - of.dp_paise,
    )
