"""The market stream: its sockets, and the pump that feeds them what has changed."""

import sqlite3
from contextlib import suppress
from datetime import datetime, time
from typing import TYPE_CHECKING

from aiohttp import web

from brokers.contract import BrokerError
from brokers.simulators.exchange.prices import Quote
from brokers.simulators.serving.links import OpenLinks
from brokers.simulators.upstox.answers import Fault
from brokers.simulators.upstox.stream import feeds
from brokers.simulators.upstox.stream.market_link import MarketLink
from data.clock import IST
from data.vocabulary import PhaseKind

if TYPE_CHECKING:
    from brokers.simulators.upstox.server import LocalUpstox


class MarketSockets(OpenLinks[MarketLink]):
    """All open market sockets, and the newest of every instrument that one is subscribed to."""

    def __init__(self, upstox: "LocalUpstox") -> None:
        super().__init__()
        self._upstox = upstox
        self._newest = dict[str, Quote]()
        self._encoded = dict[tuple[str, str], bytes]()
        self._unknown = set[str]()
        self._phase = PhaseKind.UNKNOWN

    # --- the pump -----------------------------------------------------------------------------------------

    async def beat(self) -> None:
        """Offer every socket what has changed since the last time."""
        if not len(self):
            self._forget(set())
            return
        # While the exchange's file is held too long, sockets stay silent and prices age visibly.
        with suppress(BrokerError, sqlite3.Error):
            wanted = set[str]().union(*(link.modes for link in self.links()))
            changed = await self._read(wanted)
            phase = await self._phase_now()
            told, self._phase = phase is not self._phase, phase
            for link in self.links():
                link.offer(changed, info=told)

    def _forget(self, wanted: set[str]) -> None:
        """Keep nothing of an instrument that no socket is subscribed to: it would be old when one is."""
        for key in self._newest.keys() - wanted:
            del self._newest[key]
            for mode in feeds.MODES:
                self._encoded.pop((key, mode), None)

    async def _read(self, wanted: set[str]) -> frozenset[str]:
        self._forget(wanted)
        names: dict[str, str] = {}
        for key in wanted - self._unknown:
            listing = await self._upstox.keys.find(key)
            if listing is None:
                self._unknown.add(key)
            else:
                names[key] = listing.instrument.key
        quotes = await self._upstox.venue.quotes(set(names.values()))
        changed: set[str] = set()
        for key, name in names.items():
            quote = quotes.get(name)
            if quote is not None and quote != self._newest.get(key):
                self._newest[key] = quote
                changed.add(key)
                for mode in feeds.MODES:
                    self._encoded.pop((key, mode), None)
        return frozenset(changed)

    async def _phase_now(self) -> PhaseKind:
        listings = (await self._upstox.venue.listings()).values()
        shares = (one for one in listings if one.instrument.tradable)
        first = next(shares, None)
        return PhaseKind.UNKNOWN if first is None else self._upstox.venue.phase(first)

    # --- what sockets are sent ----------------------------------------------------------------------------

    def knows(self, key: str) -> bool:
        """Whether the pump has met an instrument."""
        return key in self._newest

    def market_info(self) -> bytes | None:
        """The segments' states, as the first message of a socket and whenever they change."""
        if not self._upstox.switches.market_info_first:
            return None
        return feeds.market_info(self._phase, self._upstox.venue.market.now())

    def snapshot(self, modes: dict[str, str]) -> bytes | None:
        """The newest of each key, as the type that is switched."""
        return self._response(self._upstox.switches.snapshot_type, modes)

    def changes(self, modes: dict[str, str]) -> bytes | None:
        """The newest of each key that has changed."""
        return self._response("live_feed", modes)

    def _response(self, kind: str, modes: dict[str, str]) -> bytes | None:
        told = {key: self._feed(key, mode) for key, mode in modes.items() if key in self._newest}
        return feeds.response(kind, told, self._upstox.venue.market.now()) if told else None

    def _feed(self, key: str, mode: str) -> bytes:
        known = self._encoded.get((key, mode))
        if known is None:
            market = self._upstox.venue.market
            at_ms = int(market.now().timestamp() * 1_000)
            day_ms = int(datetime.combine(market.trading_day, time(), IST).timestamp() * 1_000)
            known = self._encoded[key, mode] = feeds.feed(self._newest[key], mode, at_ms, day_ms)
        return known

    # --- opening ------------------------------------------------------------------------------------------

    async def serve(self, request: web.Request, user_id: str, api_key: str) -> web.StreamResponse:
        """Open a socket and hold it to its end; one too many of a user and app is refused with 403."""
        switches = self._upstox.switches
        open_ = sum((link.user_id, link.api_key) == (user_id, api_key) for link in self.links())
        if open_ >= switches.market_sockets:
            fault = Fault("UDAPI100049", "The connection limit is reached", 403)
            return self._upstox.failure(fault)
        link = MarketLink(request, user_id, api_key, self, self._upstox.clock)
        link.split = switches.split_frames
        if not len(self):
            self._phase = await self._phase_now()
        return await self.hold(link)
