"""Groww beside its desk: who is followed, whose books are polled, and prices that are polled."""

from datetime import time

from brokers.contract import BrokerAccount
from brokers.groww.broker import GrowwBroker
from brokers.wire.access import AccountAccess
from brokers.wire.life import SignedInLife
from brokers.wire.ticks import KeptDoubts, keep_soon
from data.clock import IST, Clock, MarketClock

_SOLD = "groww_sold/"
"""How the fact of a home begins that keeps whether holdings count what was sold of them today."""


class GrowwLife(SignedInLife):
    """Follows sessions with Groww's feed."""

    dump_at = time(8, 0, tzinfo=IST)  # the file is made anew each morning; when is not documented

    def __init__(
        self,
        broker: GrowwBroker,
        access: AccountAccess,
        url: str,
        clocks: tuple[Clock, MarketClock],
        feed: str = "",
        trouble: str = "",
    ) -> None:
        super().__init__(access, url, clocks, feed, trouble)
        self._broker = broker
        self._followed: dict[int, BrokerAccount] = {}
        broker.books.counting.on_learnt = self._learnt
        broker.feed_stream.on_polling = self._polling

    def _learn(self) -> None:
        self._broker.learn(self._host.listings, self._host.listed_otherwise())

    async def _begin(self) -> None:
        """Take up again what was learnt: ticks in doubt, and how sales are counted."""
        self._doubts = KeptDoubts(self._broker.market.ticks, self._host)
        await self._doubts.load()
        sold = (await self._host.kept(_SOLD)).get("counted")
        if sold is not None:
            self._broker.books.counting.counted = sold == "yes"

    def _learnt(self, counted: bool) -> None:
        keep_soon(self._host, {_SOLD + "counted": "yes" if counted else "no"})

    def _polling(self, polling: bool) -> None:
        every = self._broker.feed_stream.poll_every_s
        words = f"are polled every {every:.0f} s, since its feed does not stand: they show their age"
        self._host.tell(f"Groww's prices {words if polling else 'come by its feed again'}")

    async def _follow_sessions(self) -> None:
        """Have the feed carry the prices and order updates of everyone who is signed in.

        A command takes no connection that it does not need: it hears those whose orders it waits for, and
        asks for prices.
        """
        accounts = [one.account for one in self._signed_in_feed_first()]
        heard = self._heard_among(accounts)
        self._followed = {one.client_id: one for one in (accounts if heard is None else heard)}
        await self._broker.follow(accounts, heard=heard)

    def polls(self, client_id: int) -> bool:
        """Whether a client's connection does not stand, so that its order book is read."""
        account = self._followed.get(client_id)
        return account is not None and not self._broker.hears(account)
