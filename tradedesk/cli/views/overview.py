"""The shapes of the desk at a glance: its state and its tape."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from msgspec import Struct

from engine.words.tape import news_words

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


class BrokerShape(Struct, frozen=True):
    """The clients of one broker together, in paise. P&L is null where a price is missing."""

    broker: str
    clients: int
    ready: int
    live: int
    available_paise: int
    blocked_paise: int
    net_day_pnl_paise: int | None


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
    brokers: list[BrokerShape]


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
        brokers=_of_brokers(desk),
    )


def _of_brokers(desk: Desk) -> list[BrokerShape]:
    clients: dict[str, list[int]] = defaultdict(list)
    broker_of: dict[int, str] = {}
    for client in desk.clients.all():
        clients[client.broker].append(client.id)
        broker_of[client.id] = client.broker
    live = Counter(broker_of[order.client_id] for order in desk.orders.all(live=True))
    return [
        BrokerShape(
            broker,
            len(ids),
            desk.clients.total(ids).ready,
            live[broker],
            desk.funds.total(ids).available_paise,
            desk.funds.total(ids).blocked_paise,
            None if desk.valuation.unpriced(ids) else desk.valuation.total(ids).net_day_pnl_paise,
        )
        for broker, ids in sorted(clients.items())
    ]


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
