"""The shapes of a client's page: what it has and has earned, its shares and their lots, its statement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from data.vocabulary import Right
from engine.words.day.statements import move_words
from tradedesk.cli.views.people.clients import (
    ClientShape,
    FundsShape,
    HoldingShape,
    NoteShape,
    client_shape,
    funds_shape,
    holding_shape,
    note_shape,
)

if TYPE_CHECKING:
    from datetime import date, datetime

    from data.repositories.accounts.statement import OpenLot
    from data.vocabulary import Product, Side, TransferKind
    from engine.accounts.statement import StatementLine
    from engine.desk import Desk


class WeighedShape(Struct, frozen=True):
    """One of a client's holdings, with its weight in the client's portfolio."""

    holding: HoldingShape
    weight_bps: int | None


class LotShape(Struct, frozen=True):
    """What is left of shares bought together, and what it is worth now; no gain is known without a price."""

    symbol: str
    product: Product
    opened_on: date
    quantity: int
    cost_paise: int
    loan_paise: int
    charges_paise: int
    average_paise: int
    own_paise: int
    last_paise: int | None
    unrealised_paise: int | None


def lot_shape(desk: Desk, lot: OpenLot) -> LotShape:
    """The lot in that shape."""
    from engine.accounts.statement import lot_worth

    worth = lot_worth(lot, desk.market.quote(lot.key))
    return LotShape(
        symbol=lot.tradingsymbol,
        product=lot.product,
        opened_on=lot.opened_on,
        quantity=lot.quantity,
        cost_paise=lot.cost_paise,
        loan_paise=lot.loan_paise,
        charges_paise=lot.charges_paise,
        average_paise=worth.average_paise,
        own_paise=worth.own_paise,
        last_paise=worth.last_paise,
        unrealised_paise=worth.unrealised_paise,
    )


class StatementShape(Struct, frozen=True):
    """One line of a client's statement; what it moved, and cash and loans after it."""

    trading_date: date
    at: datetime
    kind: TransferKind
    words: str
    symbol: str | None
    side: Side | None
    quantity: int
    amount_paise: int
    balance_paise: int
    loan_paise: int
    order_id: int | None
    evidence: str


def statement_shape(line: StatementLine) -> StatementShape:
    """The line in that shape."""
    move = line.move
    return StatementShape(
        trading_date=move.trading_date,
        at=move.at,
        kind=move.kind,
        words=move_words(move),
        symbol=move.tradingsymbol,
        side=move.side,
        quantity=move.quantity,
        amount_paise=move.cash_paise,
        balance_paise=line.balance_paise,
        loan_paise=line.loan_paise,
        order_id=move.order_id,
        evidence=move.evidence,
    )


class PageShape(Struct, frozen=True):
    """A client's page. `net_day_bps` is of the portfolio at the day's opening, `total_bps` of the capital."""

    client: ClientShape
    funds: FundsShape
    net_day_pnl_paise: int
    day_pnl_paise: int
    net_day_bps: int | None
    opening_paise: int
    charges_today_paise: int
    interest_today_paise: int
    realised_today_paise: int
    unrealised_paise: int
    portfolio_paise: int
    unpriced: bool
    live_orders: int
    holdings: list[WeighedShape]
    cash_paise: int
    shares_paise: int
    loans_paise: int
    realised_net_paise: int
    total_net_paise: int
    total_bps: int | None
    capital_paise: int
    capital_of: date
    lots: list[LotShape]
    notes: list[NoteShape]


async def page_shape(desk: Desk, client_id: int) -> PageShape:
    """The client in that shape."""
    from engine.accounts.statement import standing

    value, held = desk.valuation.client(client_id), desk.holdings.of(client_id)
    client, brought = desk.clients.get(client_id), await desk.statements.contributed(client_id)
    stands = standing(client, desk.funds.of(client_id), value, brought)
    return PageShape(
        client=client_shape(desk, desk.clients.get(client_id)),
        funds=funds_shape(desk, desk.funds.of(client_id)),
        net_day_pnl_paise=value.net_day_pnl_paise,
        day_pnl_paise=value.day_pnl_paise,
        net_day_bps=value.net_day_bps,
        opening_paise=value.opening_paise,
        charges_today_paise=value.charges_today_paise,
        interest_today_paise=value.interest_today_paise,
        realised_today_paise=value.realised_today_paise,
        unrealised_paise=value.unrealised_paise,
        portfolio_paise=value.portfolio_paise,
        unpriced=desk.valuation.unpriced((client_id,)),
        live_orders=len(desk.orders.all(live=True, client_id=client_id)),
        holdings=[
            WeighedShape(holding_shape(desk, one), desk.valuation.weight_bps(client_id, one)) for one in held
        ],
        cash_paise=stands.cash_paise,
        shares_paise=stands.shares_paise,
        loans_paise=stands.loans_paise,
        realised_net_paise=stands.realised_net_paise,
        total_net_paise=stands.total_net_paise,
        total_bps=stands.total_bps,
        capital_paise=stands.capital_paise,
        capital_of=desk.market_clock.trading_day,
        lots=[lot_shape(desk, lot) for lot in await desk.statements.lots(client_id)],
        notes=[note_shape(desk, note) for note in await desk.notes.of(client_id)]
        if desk.who.may(Right.READ_AUDIT)
        else [],
    )
