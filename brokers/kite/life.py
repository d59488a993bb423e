"""Kite beside its desk: who is followed and polled, whose token is missing, and the day's instruments."""

import asyncio
import logging
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import date, time, timedelta

from brokers.contract import BrokerAccount, BrokerError
from brokers.kite.access import KiteAccess
from brokers.kite.broker import KiteBroker
from brokers.kite.local_clock import SimulatedMarketClock, market_time
from brokers.kite.streaming.streamless import Streamless, polled_words
from brokers.life import Guest, Host, Life
from data.clock import IST, Clock, MarketClock
from data.errors import BadInput
from data.store import StoreError
from data.vocabulary import SessionProblem

log = logging.getLogger(__name__)

DUMP_AT = time(8, 30, tzinfo=IST)
"""From when a day's instrument dump is fetched (Kite Connect documentation, instruments)."""

DUMP_AGAIN = timedelta(minutes=1)
"""After how long a dump that could not be read is asked for again."""

PULSE_S = 5.0
"""How often a local Kite is asked for its market time, and a day's dump is thought of."""

GATHERED_S = 3.0
"""How long keys without a stream are gathered, so that one line tells of all."""


class KiteLife(Life):
    """Follows sessions with the stream. `feed` is the code of the client whose session has the prices.

    `url` is where its REST calls go. With a `trouble` the tokens could not be read, or nothing answers there.
    """

    def __init__(
        self,
        broker: KiteBroker,
        access: KiteAccess,
        url: str,
        clocks: tuple[Clock, MarketClock],
        feed: str = "",
        trouble: str = "",
    ) -> None:
        self.access = access
        self.url = url
        self.trouble = trouble
        self._broker = broker
        self._clock, self._market = clocks
        self._feed_code = feed.upper()
        self._following: asyncio.Task[None] | None = None
        self._follow_again = False
        self._streamless = Streamless()
        self._polled: dict[int, str] = {}
        self._polled_told = False
        self._feed_lost: BrokerAccount | None = None
        self._heard_only: frozenset[int] | None = None

    def attach(self, host: Host) -> None:
        """Learn which desk it is part of; a command hears nobody until it says whom."""
        self._host = host
        self._heard_only = None if host.keeps_up else frozenset()

    async def meet(self) -> None:
        """Say what Kite lists, and who is signed in."""
        self._broker.learn(self._host.listed_otherwise(), self._host.listings)
        await self._sign_out_without_token()
        await self._streamless.load(self._host)
        await self._follow_sessions()

    def trading_day(self) -> date | None:
        """The day of the market there; none while a local one does not answer."""
        return None if self.trouble else self._market.trading_day

    async def _sign_out_without_token(self) -> None:
        """Take whoever's token is not in the vault for signed out, so that the gate says it before an order.

        Nothing is guessed where the vault was not opened. Only an app does so, of which there is one: a
        command may be run where the system's keyring does not answer, beside an app that has its tokens.
        """
        if not self._host.alone or self.trouble:
            return
        try:
            lost = await asyncio.to_thread(self._without_token, self._signed_in())
            if lost:
                words = "its token is not in the vault: sign in again"
                await self._host.sign_out(lost, words, SessionProblem.NO_TOKEN)
        except BadInput as problem:
            log.warning("whose token is in the vault is not known: %s", problem.expected)
        except StoreError as problem:  # opened for reading and cancels
            log.error("sessions without a token could not be ended: %s", problem)

    def _signed_in(self) -> list[Guest]:
        return [one for one in self._host.guests() if one.signed_in]

    def _without_token(self, guests: Sequence[Guest]) -> list[int]:
        return [one.account.client_id for one in guests if not self.access.token(one.account)]

    async def believes(self, client_id: int) -> bool:
        """Whether word of a lost session counts: a command that lacks its token has heard nothing of it."""
        if self.trouble:
            return False
        if self._host.alone:
            return True
        try:
            here = [one for one in self._host.guests() if one.account.client_id == client_id]
            return not await asyncio.to_thread(self._without_token, here)
        except BadInput:
            return False

    def sessions_changed(self) -> None:
        """Follow who is signed in now."""
        self._follow_soon()

    def instruments_renamed(self) -> None:
        """Learn what Kite lists under the new names, and follow by them."""
        self._broker.learn(self._host.listed_otherwise(), self._host.listings)
        self._follow_soon()

    def _follow_soon(self) -> None:
        """Follow anew with what is known then, once for all that changes meanwhile."""
        self._follow_again = True
        if self._following is None or self._following.done():
            self._following = asyncio.get_running_loop().create_task(self._follow_changes())

    async def _follow_changes(self) -> None:
        while self._follow_again:
            self._follow_again = False
            await self._follow_sessions()
            with suppress(StoreError):  # it is found out again at the next opening
                await self._streamless.keep(self._host)
            with suppress(BrokerError):
                await self._host.follow_again()

    async def _follow_sessions(self) -> None:
        """Have the stream carry the prices and order updates of everyone who is signed in.

        A command takes no more sockets than it needs, since an api key has three: it hears those whose orders
        it waits for, and asks for prices.
        """
        guests = sorted(self._signed_in(), key=lambda guest: guest.code.upper() != self._feed_code)
        streamless = self._streamless.among(
            (one.api_key, one.login_at) for one in guests if one.api_key and one.login_at is not None
        )
        heard, accounts = self._heard_only, [one.account for one in guests]
        await self._broker.follow(
            accounts,
            heard=None if heard is None else [one for one in accounts if one.client_id in heard],
            streamless=streamless,
        )
        self._polled.clear()
        self._polled.update((one.account.client_id, one.code) for one in guests if one.api_key in streamless)
        if self._polled and not self._polled_told and heard is None:
            self._polled_told = True
            self._host.begin(self._tell_polled)

    async def hear(self, client_ids: Collection[int]) -> None:
        """Have a command hear these clients' order updates while it waits for their orders."""
        if self._heard_only is not None:
            self._heard_only = frozenset(client_ids)
            await self._follow_sessions()

    def polls(self, client_id: int) -> bool:
        """Whether a client's api key has no stream."""
        return client_id in self._polled

    async def _tell_polled(self) -> None:
        await self._clock.sleep(GATHERED_S)
        words = polled_words(self._polled.values(), len(self._signed_in()), self._host.polls_every_s)
        if self._broker.feed is None:
            words = f"{words}; no api key brings prices, so plans are refused by their age"
        self._host.tell(words)

    def session_lost(self, account: BrokerAccount) -> None:
        """Say whose token Kite turned away."""
        self._host.session_lost(account.client_id, "the broker no longer accepts the session")

    def no_stream(self, account: BrokerAccount) -> None:
        """Have an account's books polled whose session holds and whose api key has no stream."""
        guest = next((one for one in self._host.guests() if one.account == account), None)
        if guest is None or not guest.api_key:
            return
        if account == self._broker.feed and self._feed_lost is None:
            self._feed_lost = account
            self._host.begin(self._tell_feed)
        self._streamless.mark(guest.api_key, self._clock.now())
        self._follow_soon()

    async def _tell_feed(self) -> None:
        """Say that the one who was to bring the prices cannot, and who does once all have been tried."""
        await self._clock.sleep(GATHERED_S)
        lost, self._feed_lost = self._feed_lost, None
        if lost is None:
            return
        codes = {one.account: one.code for one in self._host.guests()}
        feed = self._broker.feed
        self._host.tell_feed(codes[lost], codes[feed] if feed else "")

    async def keep_day(self) -> None:
        """Follow a local Kite's time, and read each day's instruments once somebody is signed in."""
        clock = self._market
        read: date | None = None
        again_at = clock.now()
        while True:
            if isinstance(clock, SimulatedMarketClock):
                with suppress(BrokerError):
                    clock.jump_to(await market_time(self.url))
            now = clock.now().astimezone(IST)
            wanted = self._host.keeps_up and read != now.date() and now.timetz() >= DUMP_AT
            if wanted and now >= again_at and self._signed_in():  # only who is signed in can ask for it
                again_at = now + DUMP_AGAIN
                if await self._host.read_instruments():
                    read = now.date()
                    self._broker.learn(self._host.listed_otherwise(), self._host.listings)
                    with suppress(BrokerError):
                        await self._host.follow_again()
            await self._clock.sleep(PULSE_S)
