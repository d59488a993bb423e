"""Upstox beside its desk: who is followed, whose books are polled, and ticks whose unit is in doubt."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, time
from functools import partial

from brokers.contract import BrokerAccount, BrokerError, KillSwitch
from brokers.life import Guest, OrdersBarred
from brokers.upstox.broker import UpstoxBroker
from brokers.wire.access import AccountAccess
from brokers.wire.life import SignedInLife
from brokers.wire.ticks import KeptDoubts, keep_soon
from data.clock import IST, Clock, MarketClock
from data.store import StoreError

log = logging.getLogger(__name__)

_LOCKED = "upstox_locked/"
"""How the facts of a home begin that keep, of a day, in which segments a client's kill switch is on."""

OF_SHARES = ("NSE_EQ", "BSE_EQ")
"""Segments whose kill switch bars what the desk trades."""

_SOLD = "upstox_sold/"
"""How the fact of a home begins that keeps whether holdings count what was sold of them today."""


class UpstoxLife(SignedInLife):
    """Follows sessions with Upstox's streams."""

    dump_at = time(6, 30, tzinfo=IST)  # the file is made about 06:00 (Upstox API documentation, instruments)

    def __init__(
        self,
        broker: UpstoxBroker,
        access: AccountAccess,
        url: str,
        clocks: tuple[Clock, MarketClock],
        feed: str = "",
        trouble: str = "",
        algos: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(access, url, clocks, feed, trouble)
        self._broker = broker
        self._algos = algos or {}
        self._followed: dict[int, BrokerAccount] = {}
        self._locked: dict[int, tuple[str, ...]] = {}
        self._looked: dict[int, datetime | None] = {}
        broker.books.counting.on_learnt = self._learnt

    def _learn(self) -> None:
        self._broker.learn(self._host.listings, self._host.listed_under)

    async def _begin(self) -> None:
        """Take up again what was learnt: ticks in doubt, kill switches that are on, how sales are counted."""
        self._doubts = KeptDoubts(self._broker.market.ticks, self._host)
        await self._doubts.load()
        today = f"{self._market.trading_day}"
        for client_id, told in (await self._host.kept(_LOCKED)).items():
            day, _, segments = told.partition(" ")
            if day == today and segments:
                self._locked[int(client_id)] = tuple(segments.split(","))
        sold = (await self._host.kept(_SOLD)).get("counted")
        if sold is not None:
            self._broker.books.counting.counted = sold == "yes"

    def _learnt(self, counted: bool) -> None:
        keep_soon(self._host, {_SOLD + "counted": "yes" if counted else "no"})

    async def _follow_sessions(self) -> None:
        """Have the stream carry the prices and order updates of everyone who is signed in.

        A command takes no socket that it does not need: it hears those whose orders it waits for, and asks
        for prices.
        """
        accounts = [one.account for one in self._signed_in_feed_first()]
        heard = self._heard_among(accounts)
        self._followed = {one.client_id: one for one in (accounts if heard is None else heard)}
        await self._broker.follow(accounts, heard=heard)
        self._look_at_kill_switches()

    # --- kill switches ------------------------------------------------------------------------------------

    def _look_at_kill_switches(self) -> None:
        """Read them of everyone who has signed in since: a client may bar itself at the broker's own app."""
        if not self._host.keeps_up:
            return
        for guest in self._signed_in():
            client_id = guest.account.client_id
            if self._looked.get(client_id) != guest.login_at:
                self._looked[client_id] = guest.login_at
                self._host.begin(partial(self._read_kill_switches, guest))

    async def _read_kill_switches(self, guest: Guest) -> None:
        try:
            self.kill_switches_told(guest.account.client_id, await self._broker.kill_switches(guest.account))
        except BrokerError as problem:
            self._looked.pop(guest.account.client_id, None)  # with the next sign-in of anybody
            log.warning("the kill switches of %s are not known: %s", guest.account.user_id, problem)

    def kill_switches_told(self, client_id: int, switches: Sequence[KillSwitch]) -> None:
        """Close the gate for a client whose orders its own switch bars, and say so."""
        on = tuple(one.segment for one in switches if one.on)
        if on == self._locked.get(client_id, ()):
            return
        self._locked[client_id] = on
        keep_soon(self._host, {f"{_LOCKED}{client_id}": f"{self._market.trading_day} {','.join(on)}"})
        code = next((one.code for one in self._host.guests() if one.account.client_id == client_id), "")
        said = f"is on for {', '.join(on)}: Upstox takes no order there" if on else "is off again"
        self._host.tell(f"the kill switch of {code} {said}")
        self._host.begin(self._judge_again)

    async def _judge_again(self) -> None:
        try:
            await self._host.judge_again()
        except StoreError as problem:
            log.error("the gate could not be judged again: %s", problem)

    def barred(self, client_id: int, api_key: str) -> OrdersBarred | None:
        """Whether an app's algo has no name, or a kill switch bars the client's orders in shares."""
        if self._algos.get(api_key) == "":
            return OrdersBarred.NO_ALGO_NAME
        locked = self._locked.get(client_id, ())
        return OrdersBarred.KILL_SWITCH if any(one in OF_SHARES for one in locked) else None

    def polls(self, client_id: int) -> bool:
        """Whether a client's own stream does not stand, so that its order book is read."""
        account = self._followed.get(client_id)
        return account is not None and not self._broker.hears(account)
