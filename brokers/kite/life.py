"""Kite beside its desk: whose keys have a stream, and whose order books are polled since theirs has none."""

from datetime import time

from brokers.contract import BrokerAccount
from brokers.kite.broker import KiteBroker
from brokers.kite.streaming.streamless import Streamless, polled_words
from brokers.wire.access import AccountAccess
from brokers.wire.life import SignedInLife
from data.clock import IST, Clock, MarketClock

GATHERED_S = 3.0
"""How long keys without a stream are gathered, so that one line tells of all."""


class KiteLife(SignedInLife):
    """Follows sessions with Kite's stream."""

    dump_at = time(8, 30, tzinfo=IST)  # Kite Connect documentation, instruments

    def __init__(
        self,
        broker: KiteBroker,
        access: AccountAccess,
        url: str,
        clocks: tuple[Clock, MarketClock],
        feed: str = "",
        trouble: str = "",
    ) -> None:
        super().__init__(access, url, clocks, feed, trouble)
        self._broker = broker
        self._streamless = Streamless()
        self._polled: dict[int, str] = {}
        self._polled_told = False
        self._feed_lost: BrokerAccount | None = None

    def _learn(self) -> None:
        self._broker.learn(self._host.listed_otherwise(), self._host.listings)

    async def _begin(self) -> None:
        await self._streamless.load(self._host)

    async def _keep(self) -> None:
        await self._streamless.keep(self._host)

    async def _follow_sessions(self) -> None:
        """Have the stream carry the prices and order updates of everyone who is signed in.

        A command takes no more sockets than it needs, since an api key has three: it hears those whose orders
        it waits for, and asks for prices.
        """
        guests = self._signed_in_feed_first()
        streamless = self._streamless.among(
            (one.api_key, one.login_at) for one in guests if one.api_key and one.login_at is not None
        )
        accounts = [one.account for one in guests]
        heard = self._heard_among(accounts)
        await self._broker.follow(accounts, heard=heard, streamless=streamless)
        self._polled.clear()
        self._polled.update((one.account.client_id, one.code) for one in guests if one.api_key in streamless)
        if self._polled and not self._polled_told and heard is None:
            self._polled_told = True
            self._host.begin(self._tell_polled)

    def polls(self, client_id: int) -> bool:
        """Whether a client's api key has no stream."""
        return client_id in self._polled

    async def _tell_polled(self) -> None:
        await self._clock.sleep(GATHERED_S)
        words = polled_words(self._polled.values(), len(self._signed_in()), self._host.polls_every_s)
        if self._broker.feed is None:
            words = f"{words}; no api key brings prices, so plans are refused by their age"
        self._host.tell(words)

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
