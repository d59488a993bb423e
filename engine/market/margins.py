"""What a buy takes of a client's own money, asked where a broker tells it and its listings do not."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any

from msgspec import Struct

from brokers.connections import Connections
from brokers.contract import BrokerError, TellsMargins
from data.audit import AuditAction, AuditEntry
from data.records import replace
from data.reference.instruments import Instrument
from data.repositories.instruments import save_instrument
from data.store import StoreError, Unit
from data.vocabulary import Product, SessionState, Side
from engine.book.kept import Kept
from engine.book.views import ClientView
from engine.instances import ThisEngine
from engine.market.market_data import MarketData
from engine.timing import Timing

log = logging.getLogger(__name__)

LENT = (Product.MTF, Product.MIS)
"""The products in which a client pays less than the whole price."""

SOURCES = 3
"""Clients through whom one try asks, one after another: one whose reads fail keeps nobody waiting."""

Begin = Callable[[Callable[[], Coroutine[Any, Any, None]]], asyncio.Task[None]]
"""Begins a task that is the desk's own."""


class _DayMargins(Struct, frozen=True):
    """The margins that a broker told on a trading day, by field of the instrument."""

    day: date
    fields: Mapping[str, int | None]


class _Asking(Struct, frozen=True):
    """One try to learn an instrument's margins, begun at a moment of the clock's seconds."""

    began: float
    task: asyncio.Task[None]


class Margins:
    """Asks for each instrument once a trading day and keeps the answer with it; the last known one stands.

    Nothing here raises or holds a plan up for long.
    """

    def __init__(
        self,
        kept: Kept,
        timing: Timing,
        engine: ThisEngine,
        connections: Connections,
        market_data: MarketData,
        begin: Begin,
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._connections = connections
        self._market_data = market_data
        self._begin = begin
        self._known: dict[str, _DayMargins] = {}
        self._asking: dict[str, _Asking] = {}

    async def learned(self, instrument: Instrument, clients: Sequence[ClientView]) -> Instrument:
        """The instrument with the margins that the brokers of these clients tell, if they do so in time."""
        told = self._known_today(instrument.key)
        if told is None:
            asked = [client for client in clients if self._tells(client)]
            if not asked or instrument.trade_to_trade or not instrument.tradable:
                return instrument
            await self._wait(self._try(instrument, asked), instrument.key)
            told = self._known_today(instrument.key)
        return instrument if told is None else replace(instrument, **told.fields)

    def _tells(self, client: ClientView) -> bool:
        connections = self._connections
        return connections.serves(client.id) and isinstance(connections.of(client.id).broker, TellsMargins)

    def _known_today(self, key: str) -> _DayMargins | None:
        told = self._known.get(key)
        return told if told is not None and told.day == self._timing.market.trading_day else None

    def _try(self, instrument: Instrument, clients: Sequence[ClientView]) -> _Asking:
        """The try that is under way or was made just now, else one that begins here."""
        now, last = self._timing.wall.monotonic(), self._asking.get(instrument.key)
        again_at = 0.0 if last is None else last.began + self._timing.waits.margin_again_s
        if last is not None and (now < again_at or not last.task.done()):
            return last
        asking = _Asking(now, self._begin(partial(self._ask, instrument, clients)))
        self._asking[instrument.key] = asking
        return asking

    async def _wait(self, asking: _Asking, key: str) -> None:
        """Wait for a try's end, within its first seconds."""
        left = asking.began + self._timing.waits.margin_s - self._timing.wall.monotonic()
        if asking.task.done() or left <= 0:
            return
        try:
            async with self._timing.wall.timeout(left):
                await asyncio.wait({asking.task})  # whoever waits, the try is nobody's to cancel
        except TimeoutError:
            log.warning("the margins of %s are slow to come; plans go on without", key)

    async def _ask(self, instrument: Instrument, clients: Sequence[ClientView]) -> None:
        key = instrument.key
        day = self._timing.market.trading_day
        quote = self._market_data.quotes.quote(key) or (await self._market_data.fetch([key])).get(key)
        price = quote.last_paise if quote is not None else instrument.prev_close_paise
        sources = self._sources(key, clients)
        if price <= 0 or not sources:
            why = "nobody of whom it could be asked is signed in" if price > 0 else "no price is known"
            log.warning("the margins of %s could not be read: %s", key, why)
            return
        for client in sources[:SOURCES]:
            broker, account = self._connections.broker_of(client.id)
            assert isinstance(broker, TellsMargins)
            try:
                async with self._timing.wall.timeout(self._timing.waits.read_timeout_s):
                    shares = await broker.margins(account, instrument, price, LENT)
            except (BrokerError, TimeoutError) as problem:
                words = problem if isinstance(problem, BrokerError) else "no answer in time"
                log.warning("the margins of %s could not be read: %s", key, words)
                continue
            self._known[key] = _DayMargins(
                day, {_FIELDS[product]: share for product, share in shares.items()}
            )
            await self._keep(key, client.code)
            return

    def _sources(self, key: str, clients: Sequence[ClientView]) -> list[ClientView]:
        """Those who are signed in, first the ones whose answer holds for the others.

        One whose account has no MTF may be refused it, and who has sold the stock today buys back for less.
        """
        book, day = self._kept.book, self._timing.market.trading_day
        sold = {
            order.client_id
            for order in book.orders.values()
            if order.key == key and order.side is Side.SELL and order.trading_date == day
        }

        def apart(client: ClientView) -> bool:
            route = book.access.routes.get(client.id)
            return client.id in sold or (route is not None and route.mtf_enabled is False)

        signed_in = [client for client in clients if client.session is SessionState.OK]
        return sorted(signed_in, key=apart)

    async def _keep(self, key: str, code: str) -> None:
        """Store what came with the instrument, where it is other than what was known."""
        told = self._known[key]
        known = self._market_data.index.get(key)
        if known is None or (fresh := replace(known, **told.fields)) == known:
            return
        self._market_data.index.put(fresh)

        def unit_of_work(unit: Unit) -> None:
            save_instrument(unit, fresh, *told.fields)
            details = {"key": key, "through": code, **told.fields}
            unit.audit(AuditEntry(AuditAction.MARGINS_TOLD, self._engine.actor, details=details))
            unit.touched.market = True

        try:
            await self._kept.store.write(unit_of_work)
        except StoreError as problem:
            log.warning("the margins of %s could not be kept: %s", key, problem)


_FIELDS = {Product.MTF: "mtf_margin_bps", Product.MIS: "mis_margin_bps"}
