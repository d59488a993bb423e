"""The shapes of the desk at a glance: its state, its tape, and a client's page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from engine.words.tape import news_words
from tradedesk.cli.views.clients import (
    ClientShape,
    FundsShape,
    HoldingShape,
    client_shape,
    funds_shape,
    holding_shape,
)

if TYPE_CHECKING:
    from datetime import date, datetime

    from data.vocabulary import HaltScope, HaltStrength, PhaseKind
    from engine.desk import Desk
    from engine.events import TapeLine


class StandingHaltShape(Struct, frozen=True):
    """A halt that stands."""

    number: int
    scope: HaltScope
    value: str
    strength: HaltStrength
    by: str
    at: datetime


class StatusShape(Struct, frozen=True):
    """What the strip shows, with everything that it has no room for. P&L is null where a price is missing."""

    mode: str
    trading_date: date
    market_at: datetime
    phase: PhaseKind
    phase_ends_at: datetime | None
    fno_phase: PhaseKind
    fno_phase_ends_at: datetime | None
    feed_age_s: float | None
    feed_stale: bool
    live: int
    unsent: int
    unknown: int
    ready: int
    clients: int
    needs_attention: int
    halts: list[StandingHaltShape]
    trading_disabled: str | None
    net_day_pnl_paise: int | None
    day_pnl_paise: int | None
    charges_today_paise: int


def status_shape(desk: Desk) -> StatusShape:
    """The desk in that shape."""
    counts, total = desk.counts(), desk.valuation.desk_total()
    known = not desk.valuation.unpriced(client.id for client in desk.clients.all())
    phase, fno_phase = desk.market.phase_of(fno=False), desk.market.phase_of(fno=True)
    age = desk.market.feed_age()
    return StatusShape(
        mode=desk.mode,
        trading_date=desk.market_clock.trading_day,
        market_at=desk.market.now(),
        phase=phase.kind,
        phase_ends_at=phase.ends_at,
        fno_phase=fno_phase.kind,
        fno_phase_ends_at=fno_phase.ends_at,
        feed_age_s=None if age is None else round(age, 3),
        feed_stale=desk.market.feed_stale(),
        live=counts.live,
        unsent=counts.unsent,
        unknown=counts.unknown,
        ready=counts.ready,
        clients=counts.clients,
        needs_attention=counts.needs_attention,
        halts=[
            StandingHaltShape(one.number, one.scope, one.value, one.strength, one.by, one.at)
            for one in desk.halt.active()
        ],
        trading_disabled=desk.trading_disabled,
        net_day_pnl_paise=total.net_day_pnl_paise if known else None,
        day_pnl_paise=total.day_pnl_paise if known else None,
        charges_today_paise=total.charges_today_paise,
    )


class TapeShape(Struct, frozen=True):
    """A line of the tape; `page` and `number` say what it is about, null where that has no page."""

    at: datetime
    words: str
    page: str | None
    number: int | None


def tape_shape(one: TapeLine) -> TapeShape:
    """The line in that shape."""
    subject = one.news.subject
    page = None if subject is None else subject.page.value
    return TapeShape(one.at, news_words(one.news), page, None if subject is None else subject.number)


class WeighedShape(Struct, frozen=True):
    """One of a client's holdings, with its weight in the client's portfolio."""

    holding: HoldingShape
    weight_bps: int | None


class PageShape(Struct, frozen=True):
    """A client's page. Percentages are of the portfolio at the day's opening."""

    client: ClientShape
    funds: FundsShape
    net_day_pnl_paise: int
    day_pnl_paise: int
    net_day_bps: int | None
    opening_paise: int
    charges_today_paise: int
    realised_today_paise: int
    unrealised_paise: int
    portfolio_paise: int
    unpriced: bool
    live_orders: int
    holdings: list[WeighedShape]


def page_shape(desk: Desk, client_id: int) -> PageShape:
    """The client in that shape."""
    value, held = desk.valuation.client(client_id), desk.holdings.of(client_id)
    return PageShape(
        client=client_shape(desk, desk.clients.get(client_id)),
        funds=funds_shape(desk, desk.funds.of(client_id)),
        net_day_pnl_paise=value.net_day_pnl_paise,
        day_pnl_paise=value.day_pnl_paise,
        net_day_bps=value.net_day_bps,
        opening_paise=value.opening_paise,
        charges_today_paise=value.charges_today_paise,
        realised_today_paise=value.realised_today_paise,
        unrealised_paise=value.unrealised_paise,
        portfolio_paise=value.portfolio_paise,
        unpriced=desk.valuation.unpriced((client_id,)),
        live_orders=len(desk.orders.all(live=True, client_id=client_id)),
        holdings=[
            WeighedShape(holding_shape(desk, one), desk.valuation.weight_bps(client_id, one)) for one in held
        ],
    )
