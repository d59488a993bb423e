"""The feed of a Kite desk: which account brings the prices, and who is heard by the stream."""

import asyncio
import logging
import tempfile
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct

from brokers.contract import (
    Bar,
    BarSpan,
    BrokerAccount,
    BrokerError,
    BrokerProfile,
    BrokerRows,
    InstrumentRow,
    SessionExpired,
    Tick,
    UnreadRow,
)
from brokers.kite.answers.market import bars_of, ticks_of, tokens_of
from brokers.kite.calls import KiteCalls
from brokers.kite.client import KiteClient
from brokers.kite.outcomes import NO_PERMISSION
from brokers.kite.reading import KiteReading
from brokers.kite.reads import Spaced
from brokers.kite.streaming.stream import KiteStream
from brokers.meter import CallKind
from brokers.wire.access import signed_in
from brokers.wire.symbols import BrokerSymbols
from data.clock import IST, Clock
from data.errors import BadInput
from data.records import replace
from data.reference.instruments import BrokerListing, read_kite_instruments

log = logging.getLogger(__name__)

Lister: TypeAlias = Callable[[Collection[str]], Sequence[BrokerListing]]
"""Says how Kite lists instruments of the desk, by their `EXCHANGE:SYMBOL`; whose token is a number there."""

QUOTES_PER_CALL = 500
"""Kite Connect documentation, market quotes."""


class Followed(Struct, frozen=True):
    """What `follow` was last called with."""

    accounts: tuple[BrokerAccount, ...] = ()
    heard: frozenset[BrokerAccount] | None = None
    streamless: frozenset[str] = frozenset()


class KiteFeed:
    """Follows accounts by the stream, and reads the market by the first whose api key brings prices.

    `on_no_stream` is told of an account whose session holds, by a read of its `profile`, and for whom Kite
    opens no socket all the same.
    """

    def __init__(
        self,
        calls: KiteCalls,
        reading: KiteReading,
        stream: KiteStream,
        clock: Clock,
        profile: Callable[[BrokerAccount], Awaitable[BrokerProfile]],
        on_no_stream: Callable[[BrokerAccount], None],
        symbols: BrokerSymbols,
    ) -> None:
        self._calls = calls
        self._reading = reading
        self._stream = stream
        self._clock = clock
        self._profile = profile
        self._on_no_stream = on_no_stream
        self._symbols = symbols
        self._looks: set[asyncio.Task[None]] = set()
        self._following = asyncio.Lock()
        self.followed = Followed()
        self._feeds: list[BrokerAccount] = []
        self._signed_in: list[BrokerAccount] = []
        self._tokens: dict[str, int] = {}
        self._listings: Lister = lambda keys: ()

    async def follow(
        self,
        accounts: Sequence[BrokerAccount],
        *,
        heard: Collection[BrokerAccount] | None = None,
        streamless: Collection[str] = (),
    ) -> None:
        """Take the feed from the first of these accounts that is signed in, and order updates from all.

        The feed is the account that pays for market data; the others need none. Of api keys that are known to
        be `streamless` no socket is opened. Where `heard` is given, order updates come of those accounts
        alone and the feed answers calls for quotes without a socket, since an api key has three in all.
        Called again after sign-ins; calls follow one another, and what is carried goes on until the next is
        ready.
        """
        async with self._following:
            wanted = await signed_in(accounts, self._calls.session)
            streaming = [one for one, (route, _) in wanted.items() if route.api_key not in streamless]
            feed = streaming[0] if streaming else None
            hears = streaming if heard is None else [one for one in streaming if one in heard]
            self._stream.replace_accounts(
                {one: (*wanted[one], heard is None and one == feed) for one in hears}
            )
            self._feeds, self._signed_in = streaming, list(wanted)
            self.followed = Followed(
                tuple(accounts), None if heard is None else frozenset(heard), frozenset(streamless)
            )

    @property
    def feed(self) -> BrokerAccount | None:
        """The account whose api key brings the prices; None where no one signed in has such a key."""
        return self._feeds[0] if self._feeds else None

    def socket_refused(self, account: BrokerAccount, token: str) -> None:
        """Look into why Kite opens no socket for an account with this token."""
        look = asyncio.get_running_loop().create_task(self._look_into(account, token))
        self._looks.add(look)
        look.add_done_callback(self._looks.discard)

    async def _look_into(self, account: BrokerAccount, token: str) -> None:
        """Ask whether a session holds for which no socket is opened; only REST says that one is over.

        Neither a read that proves nothing nor one made with a later sign-in's token says what the api key
        lacks: the first is made again, after the second the socket is tried again by who follows.
        """
        holds = False
        while not holds:
            try:
                await self._profile(account)
                holds = True
            except SessionExpired:
                return  # told by the call itself
            except BrokerError as error:
                log.warning("whether the session of %s holds is not known: %s", account.user_id, error)
            if await self._calls.is_renewed(account, token):
                return
            if not holds:
                await self._clock.sleep(self._calls.waits.look_again_s)
        self._on_no_stream(account)

    async def instruments(self) -> BrokerRows[InstrumentRow]:
        """NSE and BSE shares and indices of Kite's dump. Raises `BrokerError` for a damaged or cut one."""
        reader = self.feed or next(iter(self._signed_in), None)  # every api key may read them
        dump = await self._reading.answer(
            reader or self._feed_account(), CallKind.INSTRUMENTS, KiteClient.instruments
        )
        self._stream.circuits.clear()  # another day has other bands
        rows = await self._calls.in_thread(lambda: _instrument_rows(dump))
        keys = ((self._symbols.key_here(f"{row.exchange}:{row.tradingsymbol}"), row.token) for row in rows)
        self._tokens.update((key, _number(token)) for key, token in keys)
        return rows

    async def quotes(self, keys: Collection[str]) -> Mapping[str, Tick]:
        """The market now, 500 instruments a call and one call a second. Unknown keys are missing.

        An api key of the free plan is refused them; then the next account's is asked.
        """
        wanted = list(dict.fromkeys(keys))
        found: dict[str, Tick] = {}
        for start in range(0, len(wanted), QUOTES_PER_CALL):
            some = [self._symbols.key_there(key) for key in wanted[start : start + QUOTES_PER_CALL]]
            answer = await self._quoted(some)
            ticks = ticks_of(answer, self._clock.now())
            self._hold_tokens(answer)
            keys = {there: self._symbols.key_here(there) for there in ticks}
            found.update(
                (here, ticks[there] if here == there else replace(ticks[there], key=here))
                for there, here in keys.items()
            )
        for key, tick in found.items():
            self._stream.circuits[key] = (tick.lower_circuit_paise, tick.upper_circuit_paise)
        return found

    def _hold_tokens(self, answer: object) -> None:
        """Go by the token that a quote says where the desk's list has another: ticks come by nothing else."""
        for there, token in tokens_of(answer).items():
            key = self._symbols.key_here(there)
            listed = self._tokens.get(key)
            if listed and listed != token:
                words = "%s has the token %d at Kite, and %d in the desk's list: run the doctor"
                log.error(words, key, token, listed)
                self._tokens[key] = token

    async def _quoted(self, keys: Sequence[str]) -> object:
        while True:
            feed = self._feed_account()
            try:
                return await self._reading.answer(
                    feed, CallKind.QUOTES, partial(_quotes, keys), spaced=Spaced.QUOTES
                )
            except BrokerError as error:
                if error.code != NO_PERMISSION:
                    raise
            if feed == self.feed:  # another call may have found it out meanwhile
                self._on_no_stream(feed)
                self._feeds = [one for one in self._feeds if one != feed]

    async def bars(self, key: str, span: BarSpan, since: datetime, until: datetime) -> list[Bar]:
        """An instrument's bars in this stretch; none of one that Kite does not list. Raises `BrokerError`.

        An api key of the free plan is refused them, and one that brings prices may be too.
        """
        await self._learn_tokens([key])
        if not (token := self._tokens.get(key)):
            return []
        ask = partial(_history, token, span, since, until)
        feed = self._feed_account()
        return bars_of(await self._reading.answer(feed, CallKind.HISTORY, ask, spaced=Spaced.HISTORY))

    def learn(self, listings: Lister) -> None:
        """Ask the desk's own list anew for each token that is needed from now on."""
        self._tokens.clear()
        self._listings = listings

    async def subscribe(self, keys: Collection[str]) -> None:
        """Replace the set of instruments the stream carries; what Kite does not list is left out.

        The dump is read first where a token is not known yet. What is carried for the first time is quoted
        once, which tells the day's price band and whether the token is that instrument's. Raises
        `BrokerError`.
        """
        await self._learn_tokens(keys)
        carried = self._carried(keys)
        await self._stream.subscribe(carried)
        unbounded = [key for key in keys if self._tokens.get(key) and key not in self._stream.circuits]
        if unbounded and self.feed is not None:
            try:
                await self.quotes(unbounded)
            except BrokerError as error:
                log.warning("the day's price bands are not known: %s", error)
            if (told := self._carried(keys)) != carried:
                await self._stream.subscribe(told)

    async def _learn_tokens(self, keys: Collection[str]) -> None:
        unknown = [key for key in keys if key not in self._tokens]
        if unknown:
            self._tokens.update((one.key, _number(one.token)) for one in self._listings(unknown))
        if any(key not in self._tokens for key in unknown):
            await self.instruments()

    def _carried(self, keys: Collection[str]) -> dict[int, str]:
        return {token: key for key in keys if (token := self._tokens.get(key))}

    def _feed_account(self) -> BrokerAccount:
        if self.feed is None:
            raise SessionExpired("No client whose api key brings prices is signed in.", "no_feed")
        return self.feed

    def close(self) -> None:
        """Give up looks that are under way."""
        for look in self._looks:
            look.cancel()


def _number(token: str | None) -> int:
    """An instrument's token as Kite's stream counts it, a number; 0 where there is none."""
    return int(token) if token and token.isdecimal() else 0


def _quotes(keys: Sequence[str], client: KiteClient) -> object:
    return client.quotes(keys)


INTERVALS = {
    BarSpan.MINUTE: "minute",
    BarSpan.FIVE: "5minute",
    BarSpan.FIFTEEN: "15minute",
    BarSpan.DAY: "day",
}
"""Kite's words for the spans of bars (Kite Connect documentation, historical candle data)."""


def _history(token: int, span: BarSpan, since: datetime, until: datetime, client: KiteClient) -> object:
    return client.history(token, INTERVALS[span], since.astimezone(IST), until.astimezone(IST))


def _instrument_rows(dump: bytes) -> BrokerRows[InstrumentRow]:
    """Read a dump as the desk reads one from a file."""
    with tempfile.TemporaryDirectory(prefix="kite-") as folder:
        path = Path(folder) / "instruments.csv"
        path.write_bytes(dump)
        try:
            file = read_kite_instruments(path)
        except BadInput as error:
            raise BrokerError(f"Kite's instruments cannot be read: {error}", "bad_instruments") from None
    found = (
        InstrumentRow(
            token=item.token,
            tradingsymbol=item.tradingsymbol,
            name=item.name,
            exchange=item.exchange,
            segment=item.segment,
            instrument_type="EQ",
            tick_paise=item.tick_paise,
            lot_size=item.lot_size,
            last_paise=item.prev_close_paise,
        )
        for item in file.instruments
    )
    return BrokerRows(tuple(found), tuple(UnreadRow(words) for words in file.unread))
