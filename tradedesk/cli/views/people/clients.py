"""The shapes of connections, clients, their money and shares, and what differs from the broker's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from data.vocabulary import BreakKind
from engine.words.breaks import break_words
from tradedesk.cli.views import values

if TYPE_CHECKING:
    from datetime import date, datetime

    from data.repositories.connections import ConnectionRow
    from data.vocabulary import (
        ClientStatus,
        ConnectionKind,
        Product,
        Reason,
        SessionState,
    )
    from engine.access.connecting import ConnectionView
    from engine.accounts.groups import GroupView
    from engine.accounts.round_trips import Transaction
    from engine.book.break_views import BreakView
    from engine.book.views import ClientView, FundsView, HoldingView
    from engine.desk import Desk
    from engine.reconciliation.adoption import Difference
    from engine.review.notes import Note


class ConnectionRowShape(Struct, frozen=True):
    """One connection as the books have it; `address` is null for a file of the home itself."""

    name: str
    kind: ConnectionKind
    broker: str
    address: str | None


def connection_row_shape(row: ConnectionRow) -> ConnectionRowShape:
    """The connection in that shape."""
    return ConnectionRowShape(row.name, row.kind, row.broker, row.address or None)


class ConnectionShape(ConnectionRowShape, frozen=True):
    """One connection with how many clients it carries, and what is wrong with its venue or secrets."""

    clients: int
    brings_prices: bool
    trouble: str | None


def connection_shape(one: ConnectionView) -> ConnectionShape:
    """The connection in that shape."""
    return ConnectionShape(
        **values(connection_row_shape(one.row)),
        clients=one.clients,
        brings_prices=one.brings_prices,
        trouble=one.trouble or None,
    )


class ClientShape(Struct, frozen=True):
    """One client with its gate (`reason` is null when it may trade) and balances."""

    client_id: int
    code: str
    name: str
    broker: str
    broker_user_id: str
    connection: str | None
    status: ClientStatus
    status_reason: str
    reason: Reason | None
    session: SessionState
    capital_paise: int
    available_paise: int
    blocked_paise: int
    mtf_limit_paise: int
    groups: tuple[str, ...]
    discretionary: bool
    multiplier_bps: int
    breaks: int
    next_capital_paise: int
    paused: bool
    pause_reason: str
    paused_until: datetime | None


def client_shape(desk: Desk, client: ClientView) -> ClientShape:
    """The client in that shape."""
    funds = desk.funds.of(client.id)
    return ClientShape(
        client_id=client.id,
        code=client.code,
        name=client.name,
        broker=client.broker,
        broker_user_id=client.broker_user_id,
        connection=client.connection or None,
        status=client.status,
        status_reason=client.status_reason,
        reason=client.gate,
        session=client.session,
        capital_paise=client.capital_paise,
        available_paise=funds.available_paise,
        blocked_paise=funds.blocked_paise,
        mtf_limit_paise=client.mtf_limit_paise,
        groups=client.groups,
        discretionary=client.discretionary,
        multiplier_bps=client.multiplier_bps,
        breaks=len(desk.reconcile.breaks(client.id)),
        next_capital_paise=client.next_capital_paise,
        paused=client.paused,
        pause_reason=client.pause_reason,
        paused_until=client.paused_until,
    )


class GroupShape(Struct, frozen=True):
    """One group: its rule, null where clients are put into it by hand, and the codes of who is in it now."""

    name: str
    rule: str | None
    clients: list[str]


def group_shape(desk: Desk, group: GroupView) -> GroupShape:
    """The group in that shape."""
    codes = [desk.clients.get(client_id).code for client_id in group.client_ids]
    return GroupShape(group.name, group.rule or None, codes)


class NoteShape(Struct, frozen=True):
    """One note, on a client, an order of it, or a run; `seq` is its row of the audit."""

    seq: int
    at: datetime
    by: str
    text: str
    client_id: int | None
    code: str | None
    order_id: int | None
    run: int | None


def note_shape(desk: Desk, note: Note) -> NoteShape:
    """The note in that shape."""
    return NoteShape(
        seq=note.seq,
        at=note.at,
        by=note.by,
        text=note.text,
        client_id=note.client_id,
        code=None if note.client_id is None else desk.clients.get(note.client_id).code,
        order_id=note.order_id,
        run=note.run_number,
    )


class DifferenceShape(Struct, frozen=True):
    """One difference that was taken over from the broker.

    Cash and loan are in paise, shares are quantities, and the other pair is null.
    """

    kind: BreakKind
    symbol: str | None
    product: str | None
    ours_paise: int | None
    theirs_paise: int | None
    ours_quantity: int | None
    theirs_quantity: int | None


def difference_shape(one: Difference | BreakView) -> DifferenceShape:
    """The difference in that shape."""
    shares, money = one.kind is BreakKind.SHARES, one.kind in (BreakKind.CASH, BreakKind.LOAN)
    return DifferenceShape(
        kind=one.kind,
        symbol=one.tradingsymbol or None,
        product=one.product or None,
        ours_paise=one.ours if money else None,
        theirs_paise=one.theirs if money else None,
        ours_quantity=one.ours if shares else None,
        theirs_quantity=one.theirs if shares else None,
    )


class BreakShape(Struct, frozen=True):
    """One difference that stands; cash and loan in paise, shares as quantities, the other pair null.

    Of a fact that could not be booked both are null, and `order_id` and `problem` say what it is.
    """

    client_id: int
    code: str
    kind: BreakKind
    symbol: str | None
    product: str | None
    ours_paise: int | None
    theirs_paise: int | None
    ours_quantity: int | None
    theirs_quantity: int | None
    opened_at: datetime
    order_id: int | None
    problem: str | None
    words: str


def break_shape(desk: Desk, one: BreakView) -> BreakShape:
    """The difference in that shape."""
    return BreakShape(
        client_id=one.client_id,
        code=desk.clients.get(one.client_id).code,
        **values(difference_shape(one)),
        opened_at=one.opened_at,
        order_id=one.order_id,
        problem=one.problem or None,
        words=break_words(one),
    )


class FundsShape(Struct, frozen=True):
    """One client's balances."""

    client_id: int
    code: str
    available_paise: int
    blocked_paise: int
    held_paise: int
    unsettled_paise: int
    charges_due_paise: int
    mtf_limit_paise: int
    mtf_loan_paise: int
    mtf_reserved_paise: int
    shortfall_paise: int
    dividends_due_paise: int


def funds_shape(desk: Desk, funds: FundsView) -> FundsShape:
    """The balances in that shape."""
    return FundsShape(
        client_id=funds.client_id,
        code=desk.clients.get(funds.client_id).code,
        available_paise=funds.available_paise,
        blocked_paise=funds.blocked_paise,
        held_paise=funds.held_paise,
        unsettled_paise=funds.unsettled_paise,
        charges_due_paise=funds.charges_due_paise,
        mtf_limit_paise=funds.mtf_limit_paise,
        mtf_loan_paise=funds.mtf_loan_paise,
        mtf_reserved_paise=funds.mtf_reserved_paise,
        shortfall_paise=funds.shortfall_paise,
        dividends_due_paise=funds.dividends_due_paise,
    )


class HoldingShape(Struct, frozen=True):
    """One client's shares of one stock in one product, at the last price."""

    client_id: int
    code: str
    symbol: str
    key: str
    product: Product
    quantity: int
    sellable: int
    today: int
    t1: int
    free: int
    blocked: int
    pledged: int
    due: int
    cost_paise: int
    average_paise: int
    ltp_paise: int | None
    value_paise: int
    unrealised_paise: int | None
    day_pnl_paise: int | None
    pnl_bps: int | None


def holding_shape(desk: Desk, holding: HoldingView) -> HoldingShape:
    """The shares in that shape."""
    value = desk.valuation.holding(holding)
    return HoldingShape(
        client_id=holding.client_id,
        code=desk.clients.get(holding.client_id).code,
        symbol=holding.tradingsymbol,
        key=holding.key,
        product=holding.product,
        quantity=holding.quantity,
        sellable=desk.holdings.free_to_sell(holding),
        today=holding.today,
        t1=holding.t1,
        free=holding.free,
        blocked=holding.blocked,
        pledged=holding.pledged,
        due=holding.due,
        cost_paise=holding.cost_paise,
        average_paise=holding.average_paise,
        ltp_paise=value.last_paise,
        value_paise=value.value_paise,
        unrealised_paise=value.unrealised_paise,
        day_pnl_paise=value.day_pnl_paise,
        pnl_bps=value.pnl_bps,
    )


class TransactionShape(Struct, frozen=True):
    """One closed round trip."""

    client_id: int
    code: str
    order_id: int
    symbol: str
    product: Product
    quantity: int
    buy_price_paise: int
    sell_price_paise: int
    cost_paise: int
    proceeds_paise: int
    pnl_paise: int
    charges_paise: int
    note_charges_paise: int
    net_paise: int
    opened_on: date
    closed_at: datetime


def transaction_shape(desk: Desk, trip: Transaction) -> TransactionShape:
    """The round trip in that shape."""
    return TransactionShape(
        client_id=trip.client_id,
        code=desk.clients.get(trip.client_id).code,
        order_id=trip.order_id,
        symbol=trip.tradingsymbol,
        product=trip.product,
        quantity=trip.quantity,
        buy_price_paise=trip.buy_price_paise,
        sell_price_paise=trip.sell_price_paise,
        cost_paise=trip.cost_paise,
        proceeds_paise=trip.proceeds_paise,
        pnl_paise=trip.pnl_paise,
        charges_paise=trip.charges_paise,
        note_charges_paise=trip.note_charges_paise,
        net_paise=trip.net_paise,
        opened_on=trip.opened_on,
        closed_at=trip.closed_at,
    )
