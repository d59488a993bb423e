"""Before the closing auction: which live orders end with it, since the exchange does not take them over."""

import logging
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from data.json_values import read_as
from data.money import moved_bps
from data.records import replace, values_of
from data.reference.files.calendar_file import AuctionRules
from data.repositories.alerting.alerts import StoredAlert
from data.vocabulary import AlertKind, Dies, OrderState, OrderType, PhaseKind, Side
from engine.book.book import Book
from engine.book.kept import Kept
from engine.book.views import OrderView
from engine.book.watched.alert_views import AlertDying
from engine.instances import ThisEngine
from engine.market.market_data import MarketData
from engine.market_news import HandOverNear
from engine.raising import AlertTold, raise_alert
from engine.timing import Timing

log = logging.getLogger(__name__)

TOLD_AHEAD = timedelta(minutes=10)
"""So long before it begins they are listed."""

LOOK_EVERY_S = 5.0
"""Seconds between two looks."""

_STOPS = frozenset({OrderType.SL, OrderType.SL_M})


class HandOver:
    """Lists those orders once a day."""

    def __init__(self, kept: Kept, timing: Timing, engine: ThisEngine, market_data: MarketData) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._market_data = market_data
        self._told: date | None = None

    async def keep(self) -> None:
        """Look for as long as the desk lives."""
        while True:
            try:
                await self._look()
            except Exception as problem:  # whatever it was, the next look comes soon
                log.warning("the orders before the auction could not be looked at: %s", problem)
            await self._timing.wall.sleep(LOOK_EVERY_S)

    async def _look(self) -> None:
        begins = begins_at(self._timing)
        if begins is None or self._timing.market.now() < begins - TOLD_AHEAD:
            return
        dying = self._dying()
        if not dying:
            return
        day, of = self._timing.market.trading_day, frozenset(one.client_id for one in dying)
        if day == self._told:
            return
        told = AlertTold(
            AlertKind.HAND_OVER,
            client_ids=of,
            told={"orders": [one.order_id for one in dying], "begins": begins.isoformat()},
            named=[values_of(one) for one in dying],
            urgent=True,
            news=HandOverNear(len(dying), len(of), begins),
        )
        await self._kept.store.write(lambda unit: raise_alert(unit, told, day, self._engine.actor))
        self._told = day

    def _dying(self) -> Sequence[AlertDying]:
        """Stops not triggered, disclosed quantities, limits out of its band.

        Its reference price is not known before it begins: a limit is held against the last price.
        """
        rules, book = self._timing.calendar.auction_rules(self._timing.market.trading_day), self._kept.book
        if rules is None:
            return []
        orders = (book.orders[order_id] for order_id in sorted(book.live))
        told = ((order, self._why(order, rules)) for order in orders)
        return [_told(order, why) for order, why in told if why is not None]

    def _why(self, order: OrderView, rules: AuctionRules) -> Dies | None:
        instrument = self._market_data.index.get(order.key)
        if order.state is not OrderState.OPEN or instrument is None or not instrument.fno:
            return None
        if order.order_type in _STOPS and "trigger" in order.sub_status.casefold():
            return Dies.STOP
        if order.disclosed_quantity and not rules.disclosed:
            return Dies.DISCLOSED
        quote = self._market_data.quotes.quote(order.key)
        away = moved_bps(quote.last_paise if quote else 0, order.limit_paise or 0)
        return Dies.BAND if away is not None and abs(away) > rules.band_bps else None


def _told(order: OrderView, why: Dies) -> AlertDying:
    prices = order.limit_paise or 0, order.trigger_paise or 0
    of = order.client_id, order.key, order.tradingsymbol
    return AlertDying(order.id, *of, order.side, order.leaves, *prices, why)


def begins_at(timing: Timing) -> datetime | None:
    """When the closing auction of shares with derivatives begins today; None where there is none.

    Only while they trade continuously, so that whoever opens later is told nothing.
    """
    phase = timing.phase_of(fno=True)
    ends_in_auction = phase.continuous and phase.next_kind is PhaseKind.AUCTION_REFERENCE
    return phase.ends_at if ends_in_auction else None


def still_dying(book: Book, alert: StoredAlert) -> Iterable[AlertDying]:
    """Those orders of an alert that live still."""
    for told in alert.positions:
        dying = AlertDying(**read_as(told, side=Side, why=Dies))
        order = book.orders.get(dying.order_id)
        if order is not None and order.live:
            yield replace(dying, leaves=order.leaves)
