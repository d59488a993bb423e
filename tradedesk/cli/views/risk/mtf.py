"""The shapes of clients on margin: what is lent, what it costs, the ladder, the stocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from engine.words.trading.mtf import restoring_words, threshold_words, warning_words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from data.vocabulary import (
        MissedPledge,
        MtfLevel,
        MtfRuleKind,
        MtfWarningKind,
        PledgeState,
    )
    from engine.desk import Desk
    from engine.mtf.ladder import Rung
    from engine.mtf.pledges import PledgeView
    from engine.mtf.views import MtfStock, MtfView, Restoring
    from engine.mtf.warnings import MtfWarning


class RungShape(Struct, frozen=True):
    """A threshold and how far all shares on margin may fall alike until it is reached.

    `fall_bps` is null where no fall reaches it; `kind` null for the desk's own floor of the capital.
    """

    level: MtfLevel
    kind: MtfRuleKind | None
    percent_bps: int
    fall_bps: int | None
    reached: bool
    verified: bool
    source: str
    words: str


def rung_shape(rung: Rung) -> RungShape:
    """The rung in that shape."""
    one = rung.threshold
    return RungShape(
        level=one.level,
        kind=one.kind,
        percent_bps=one.percent_bps,
        fall_bps=rung.fall_bps,
        reached=rung.reached,
        verified=one.verified,
        source=one.source,
        words=threshold_words(one),
    )


class MtfStockShape(Struct, frozen=True):
    """A client's shares of one stock on margin; of `alone_*` null where its own fall reaches nothing.

    `margin_bps` is null where the broker lends on the stock no more, `last_paise` without a price.
    """

    symbol: str
    quantity: int
    cost_paise: int
    own_paise: int
    loan_paise: int
    last_paise: int | None
    value_paise: int
    unrealised_paise: int | None
    margin_bps: int | None
    alone_fall_bps: int | None
    alone_price_paise: int | None


def stock_shape(stock: MtfStock) -> MtfStockShape:
    """The stock in that shape."""
    return MtfStockShape(
        symbol=stock.tradingsymbol,
        quantity=stock.quantity,
        cost_paise=stock.cost_paise,
        own_paise=stock.own_paise,
        loan_paise=stock.loan_paise,
        last_paise=stock.last_paise,
        value_paise=stock.value_paise,
        unrealised_paise=stock.unrealised_paise,
        margin_bps=stock.margin_bps,
        alone_fall_bps=None if stock.alone is None else stock.alone.fall_bps,
        alone_price_paise=None if stock.alone is None else stock.alone.price_paise,
    )


class ToSellShape(Struct, frozen=True):
    """How many shares of a stock would do; null where not even all of them."""

    symbol: str
    quantity: int | None


class RestoringShape(Struct, frozen=True):
    """What takes the client off a threshold that is reached: so much paid in, or sold of one stock."""

    level: MtfLevel
    kind: MtfRuleKind | None
    pay_in_paise: int
    sell: list[ToSellShape]
    words: str


def restoring_shape(one: Restoring) -> RestoringShape:
    """It in that shape."""
    return RestoringShape(
        level=one.threshold.level,
        kind=one.threshold.kind,
        pay_in_paise=one.pay_in_paise,
        sell=[ToSellShape(sale.key.partition(":")[2], sale.quantity) for sale in one.sales],
        words=restoring_words(one),
    )


class WarningShape(Struct, frozen=True):
    """A warning about a client, or about one of its stocks."""

    kind: MtfWarningKind
    symbol: str | None
    words: str


def warning_shape(one: MtfWarning) -> WarningShape:
    """The warning in that shape."""
    symbol = one.pledge.tradingsymbol if one.pledge else one.stock.tradingsymbol if one.stock else None
    return WarningShape(one.kind, symbol, warning_words(one))


class PledgeShape(Struct, frozen=True):
    """What was bought on margin on a day, and how far its pledge is."""

    client_id: int
    code: str
    symbol: str
    bought_on: date
    quantity: int
    loan_paise: int
    state: PledgeState
    accept_by: datetime
    missed: MissedPledge
    verified: bool
    accepted_by: str | None
    note: str | None


def pledge_shape(desk: Desk, one: PledgeView) -> PledgeShape:
    """The pledge in that shape."""
    return PledgeShape(
        client_id=one.client_id,
        code=desk.clients.get(one.client_id).code,
        symbol=one.tradingsymbol,
        bought_on=one.bought_on,
        quantity=one.quantity,
        loan_paise=one.loan_paise,
        state=one.state,
        accept_by=one.accept_by,
        missed=one.missed,
        verified=one.verified,
        accepted_by=one.accepted_by or None,
        note=one.note or None,
    )


class MtfShape(Struct, frozen=True):
    """A client on margin. `estimate` is always true: the broker's own figures decide.

    `base_paise` is the capital that the client came with and what was paid in or out since, null where it is
    not known; `unpriced` says that a stock has no price, so that there is no ladder.
    """

    client_id: int
    code: str
    broker: str
    limit_paise: int
    loan_paise: int
    reserved_paise: int
    own_paise: int
    cost_paise: int
    value_paise: int
    cash_paise: int
    portfolio_paise: int
    base_paise: int | None
    interest_a_day_paise: int
    interest_today_paise: int
    terms_of: date
    list_of: date | None
    list_stale: bool
    unpriced: bool
    estimate: bool
    ladder: list[RungShape]
    stocks: list[MtfStockShape]
    restoring: list[RestoringShape]
    warnings: list[WarningShape]


def mtf_shape(desk: Desk, view: MtfView, warnings: Sequence[MtfWarning]) -> MtfShape:
    """The client in that shape, with those of the warnings that are about it."""
    return MtfShape(
        client_id=view.client_id,
        code=desk.clients.get(view.client_id).code,
        broker=view.broker,
        limit_paise=view.limit_paise,
        loan_paise=view.loan_paise,
        reserved_paise=view.reserved_paise,
        own_paise=view.own_paise,
        cost_paise=view.cost_paise,
        value_paise=view.value_paise,
        cash_paise=view.cash_paise,
        portfolio_paise=view.portfolio_paise,
        base_paise=view.base_paise,
        interest_a_day_paise=view.interest_a_day_paise,
        interest_today_paise=desk.valuation.client(view.client_id).interest_today_paise,
        terms_of=view.terms_of,
        list_of=view.list_of,
        list_stale=view.list_stale,
        unpriced=view.unpriced,
        estimate=True,
        ladder=[rung_shape(rung) for rung in view.rungs],
        stocks=[stock_shape(stock) for stock in view.stocks],
        restoring=[restoring_shape(one) for one in desk.mtf.restoring(view.client_id)],
        warnings=[warning_shape(one) for one in warnings if one.client_id == view.client_id],
    )
