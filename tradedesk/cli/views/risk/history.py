"""The shapes of history and of flows in JSON."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct

from tradedesk.cli.views.risk.figures import code_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from data.repositories.history.days import StoredEarlierTrade
    from data.vocabulary import FlowKind, Product, Side, TransferKind
    from engine.desk import Desk
    from engine.history.returns import Day, Drawdown, Month
    from engine.history.views import FlowView, HistoryView


class FlowShape(Struct, frozen=True):
    """What came to a client by no trade; `kind` is null until somebody has said what it was."""

    number: int
    client_id: int
    code: str
    day: date
    at: datetime
    transfer: TransferKind
    amount_paise: int
    kind: FlowKind | None
    by: str
    note: str


class EarlierTradeShape(Struct, frozen=True):
    """A trade of before the books, and where it is from."""

    client_id: int
    code: str
    day: date
    symbol: str
    side: Side
    product: Product
    quantity: int
    notional_paise: int
    charges_paise: int
    source: str


class NetShape(Struct, frozen=True):
    """What one day brought."""

    day: date
    net_paise: int


class MonthShape(Struct, frozen=True):
    """A month by its days."""

    year: int
    month: int
    nets: list[NetShape]
    net_paise: int
    twr_bps: int | None


class HistoryShape(Struct, frozen=True):
    """Days with what they returned; returns are null while flows are unclassed."""

    of: str
    clients: list[str]
    twr_bps: int | None
    twr_year_bps: int | None
    twr_month_bps: int | None
    xirr_bps: int | None
    flows_unclassed: int
    drawdown: Drawdown
    drawdown_paise: int
    sources: tuple[str, ...]
    days: tuple[Day, ...]
    months: list[MonthShape]
    unclassed: list[FlowShape]
    earlier_trades: list[EarlierTradeShape]


def flow_shape(desk: Desk, one: FlowView) -> FlowShape:
    """A flow in that shape."""
    return FlowShape(
        number=one.number,
        client_id=one.client_id,
        code=code_of(desk, one.client_id),
        day=one.day,
        at=one.at,
        transfer=one.transfer,
        amount_paise=one.amount_paise,
        kind=one.kind,
        by=one.by,
        note=one.note,
    )


def _month(one: Month) -> MonthShape:
    nets = [NetShape(one.date_of(day), net) for day, net in one.nets.items()]
    return MonthShape(one.year, one.month, nets, one.net_paise, one.twr_bps)


def history_shape(desk: Desk, view: HistoryView, trades: Sequence[StoredEarlierTrade]) -> HistoryShape:
    """A history in that shape."""
    code = partial(code_of, desk)
    return HistoryShape(
        of=view.name,
        clients=[code(one) for one in view.client_ids],
        twr_bps=view.twr_bps,
        twr_year_bps=view.twr_year_bps,
        twr_month_bps=view.twr_month_bps,
        xirr_bps=view.xirr_bps,
        flows_unclassed=len(view.unclassed),
        drawdown=view.drawdown,
        drawdown_paise=view.drawdown_paise,
        sources=view.sources,
        days=view.days,
        months=[_month(one) for one in view.months],
        unclassed=[flow_shape(desk, one) for one in view.unclassed],
        earlier_trades=[
            EarlierTradeShape(
                client_id=one.client_id,
                code=code(one.client_id),
                day=one.day,
                symbol=one.key.partition(":")[2],
                side=one.side,
                product=one.product,
                quantity=one.quantity,
                notional_paise=one.notional_paise,
                charges_paise=one.charges_paise,
                source=one.source,
            )
            for one in trades
        ],
    )
