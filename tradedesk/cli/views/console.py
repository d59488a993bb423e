"""JSON of a tradebook and a ledger held against a client's books."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from datetime import date

    from data.reference.files.console_files import LedgerKind
    from data.vocabulary import Side
    from engine.desk import Desk
    from engine.history.console import LedgerCheck, LedgerDayCheck, RowState, TradebookCheck, TradeRow


class TradeRowShape(Struct, frozen=True):
    """A row of a tradebook; `our_quantity` and `our_price_paise` are null where the books lack the trade."""

    row: int
    state: RowState
    day: date
    symbol: str
    exchange: str
    side: Side
    quantity: int
    price_paise: int
    trade_id: str
    our_quantity: int | None
    our_price_paise: int | None


class BookedTradeShape(Struct, frozen=True):
    """A booked trade that a tradebook has not."""

    day: date
    symbol: str
    exchange: str
    side: Side
    quantity: int
    price_paise: int
    trade_id: str
    order_id: int


class TradebookShape(Struct, frozen=True):
    """A tradebook held against a client's books; `taken` are trades that became history now."""

    client_id: int
    code: str
    came_on: date | None
    agrees: bool
    taken: int
    others: int
    rows: list[TradeRowShape]
    lacking: list[BookedTradeShape]


def tradebook_shape(desk: Desk, check: TradebookCheck) -> TradebookShape:
    """The check in that shape."""
    return TradebookShape(
        client_id=check.client_id,
        code=desk.clients.get(check.client_id).code,
        came_on=check.came_on,
        agrees=check.agrees,
        taken=check.taken,
        others=check.others,
        rows=[_trade_row(one) for one in check.rows],
        lacking=[
            BookedTradeShape(
                day=one.trading_date,
                symbol=one.tradingsymbol,
                exchange=one.exchange,
                side=one.side,
                quantity=one.quantity,
                price_paise=one.price_paise,
                trade_id=one.trade_id,
                order_id=one.order_id,
            )
            for one in check.lacking
        ],
    )


def _trade_row(one: TradeRow) -> TradeRowShape:
    return TradeRowShape(
        row=one.told.row,
        state=one.state,
        day=one.told.day,
        symbol=one.told.symbol,
        exchange=one.told.exchange,
        side=one.told.side,
        quantity=one.told.quantity,
        price_paise=one.told.price_paise,
        trade_id=one.told.trade_id,
        our_quantity=one.ours_quantity,
        our_price_paise=one.ours_price_paise,
    )


class LedgerRowShape(Struct, frozen=True):
    """A row of a ledger."""

    row: int
    particulars: str
    amount_paise: int
    balance_paise: int


class LedgerDayShape(Struct, frozen=True):
    """What a day's rows of one kind come to; `ours_paise` is null where the books have nothing of it."""

    day: date
    kind: LedgerKind
    state: RowState
    theirs_paise: int
    ours_paise: int | None
    rows: list[LedgerRowShape]


class LedgerShape(Struct, frozen=True):
    """A ledger held against a client's books, by day and kind."""

    client_id: int
    code: str
    came_on: date | None
    agrees: bool
    closing_paise: int | None
    days: list[LedgerDayShape]


def ledger_shape(desk: Desk, check: LedgerCheck) -> LedgerShape:
    """The check in that shape."""
    return LedgerShape(
        client_id=check.client_id,
        code=desk.clients.get(check.client_id).code,
        came_on=check.came_on,
        agrees=check.agrees,
        closing_paise=check.closing_paise,
        days=[_ledger_day(one) for one in check.days],
    )


def _ledger_day(one: LedgerDayCheck) -> LedgerDayShape:
    rows = [LedgerRowShape(r.row, r.particulars, r.amount_paise, r.balance_paise) for r in one.rows]
    return LedgerDayShape(one.day, one.kind, one.state, one.theirs_paise, one.ours_paise, rows)
