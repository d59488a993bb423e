"""A broker whose clients sign in, beside its desk: who is followed, whose token is missing, the dump."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import date, time, timedelta

from brokers.contract import BrokerAccount, BrokerError
from brokers.life import Guest, Host, Life
from brokers.wire.access import AccountAccess
from brokers.wire.local_clock import SimulatedMarketClock, market_time
from data.clock import IST, Clock, MarketClock
from data.errors import BadInput
from data.store import StoreError
from data.vocabulary import SessionProblem

log = logging.getLogger(__name__)

DUMP_AGAIN = timedelta(minutes=1)
"""After how long a dump that could not be read is asked for again."""

PULSE_S = 5.0
"""How often a stand-in on this machine is asked for its market time, and a day's dump is thought of."""


class SignedInLife(Life, ABC):
    """Follows sessions with the stream. `feed` is the code of the client whose session has the prices.

    `url` is where its REST calls go. With a `trouble` the tokens could not be read, or nothing answers there.
    """

    dump_at: time
    """From when a day's instruments are fetched."""

    def __init__(
        self,
        access: AccountAccess,
        url: str,
        clocks: tuple[Clock, MarketClock],
        feed: str = "",
        trouble: str = "",
    ) -> None:
        self.access = access
        self.url = url
        self.trouble = trouble
        self._clock, self._market = clocks
        self._feed_code = feed.upper()
        self._following: asyncio.Task[None] | None = None
        self._follow_again = False
        self._heard_only: frozenset[int] | None = None

    # --- what each broker does in its own way -------------------------------------------------------------

    @abstractmethod
    def _learn(self) -> None:
        """Tell the adapter how its broker lists what the desk has."""

    @abstractmethod
    async def _follow_sessions(self) -> None:
        """Have the stream carry the prices and order updates of everyone who is signed in."""

    async def _keep(self) -> None:
        """Store what following has shown. Raises `StoreError`."""

    async def _begin(self) -> None:
        """Read what was stored, before anybody is followed."""

    async def _day_begun(self) -> None:
        """Do what is done once each morning, when the day's instruments are at hand."""

    # --- beside the desk ----------------------------------------------------------------------------------

    def attach(self, host: Host) -> None:
        """Learn which desk it is part of; a command hears nobody until it says whom."""
        self._host = host
        self._heard_only = None if host.keeps_up else frozenset()

    async def meet(self) -> None:
        """Say what the broker lists, and who is signed in."""
        self._learn()
        await self._sign_out_without_token()
        await self._begin()
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
        """Learn what the broker lists under the new names, and follow by them."""
        self._learn()
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
                await self._keep()
            with suppress(BrokerError):
                await self._host.follow_again()

    def _signed_in_feed_first(self) -> list[Guest]:
        return sorted(self._signed_in(), key=lambda guest: guest.code.upper() != self._feed_code)

    def _heard_among(self, accounts: Sequence[BrokerAccount]) -> list[BrokerAccount] | None:
        """Those of these accounts that a command hears; None where all of them are heard."""
        heard = self._heard_only
        return None if heard is None else [one for one in accounts if one.client_id in heard]

    async def hear(self, client_ids: Collection[int]) -> None:
        """Have a command hear these clients' order updates while it waits for their orders."""
        if self._heard_only is not None:
            self._heard_only = frozenset(client_ids)
            await self._follow_sessions()

    def session_lost(self, account: BrokerAccount) -> None:
        """Say whose token the broker turned away."""
        self._host.session_lost(account.client_id, "the broker no longer accepts the session")

    def tells_instruments(self) -> bool:
        """Whether the day's file is made by now and somebody is signed in, who alone can ask for it."""
        return self._market.now().astimezone(IST).timetz() >= self.dump_at and bool(self._signed_in())

    async def keep_day(self) -> None:
        """Follow a stand-in's time, and read each day's instruments once somebody is signed in."""
        clock = self._market
        read: date | None = None
        again_at = clock.now()
        while True:
            if isinstance(clock, SimulatedMarketClock):
                with suppress(BrokerError):
                    clock.jump_to(await market_time(self.url))
            now = clock.now().astimezone(IST)
            wanted = self._host.keeps_up and read != now.date() and now >= again_at
            if wanted and self.tells_instruments():
                again_at = now + DUMP_AGAIN
                if await self._host.read_instruments():
                    read = now.date()
                    self._learn()
                    await self._day_begun()
                    with suppress(BrokerError):
                        await self._host.follow_again()
            await self._clock.sleep(PULSE_S)
