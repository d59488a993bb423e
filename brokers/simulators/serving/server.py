"""A simulated broker: an HTTP server on loopback over a paper exchange. Each real broker's is a subclass."""

import asyncio
import random
from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from aiohttp import web
from msgspec import Struct

from brokers.contract import BrokerError, BrokerFunds, Conversion, Refused
from brokers.simulators.exchange import conversions
from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.serving.answers import Envelopes, Turned, leave_bare
from brokers.simulators.serving.delays import Delays
from brokers.simulators.serving.keeping import Keeping
from brokers.simulators.serving.mishaps import Menu, MishapRules
from brokers.simulators.serving.orders.day_trades import PricedDay, days_of
from brokers.simulators.serving.orders.journal import Journal, OrderListener, Wording
from brokers.simulators.serving.orders.laid_rows import LaidRows
from brokers.simulators.serving.orders.ways import OrderWays
from brokers.simulators.serving.sessions import SimulatedSessions
from brokers.simulators.serving.switchboard import Switchboard
from brokers.simulators.serving.venue import Venue
from data.clock import Clock
from data.vocabulary import Product

HOST = "127.0.0.1"
LONGEST_AWAY = timedelta(hours=1)
"""A server that starts again within this finds its market gone on, so that the clock of a desk beside it does
not step back; after a longer time the day goes on where it was left."""

PULSE_SECONDS = 0.1
"""How often the exchange is driven on."""


class Streams(Protocol):
    """The sockets of a simulated broker, as a rehearsal handles them; `None` stands for every user."""

    def __len__(self) -> int:
        """How many are open."""
        ...

    def stall(self, on: bool, user_id: str | None = None) -> None:
        """Let a user's sockets stay open without a byte, or let them speak again."""
        ...

    def drop(self, user_id: str | None = None) -> None:
        """Cut a user's sockets without a closing handshake."""
        ...

    def message(self, user_id: str | None, text: str) -> None:
        """Say something on a user's sockets."""
        ...

    async def run(self) -> None:
        """Send what is to be sent, until cancelled."""
        ...

    async def close(self) -> None:
        """End every socket."""
        ...


class Manner(Struct, frozen=True):
    """How one broker speaks: the name of its venue, its books' words, the mishaps on its menu, its envelopes.

    `books` has the field that names a row in each book; `money_at_post` tells whether an order without money
    is refused at once.
    """

    name: str
    wording: Wording
    menu: Menu
    books: Mapping[str, str]
    envelopes: Envelopes
    money_at_post: Callable[[], bool]


class ServedAt(Struct, frozen=True):
    """Where a simulated broker serves and keeps, how long orders take there, and its dice.

    Port 0 is any free one; without `keep` orders and sessions end with the process.
    """

    port: int = 0
    delays: Delays = Delays()
    rng: random.Random | None = None
    keep: Path | None = None


SessionsT = TypeVar("SessionsT", bound=SimulatedSessions, covariant=True)
SwitchesT = TypeVar("SwitchesT", bound=Switchboard, covariant=True)
StreamsT = TypeVar("StreamsT", bound=Streams, covariant=True)


class SimulatedBroker(ABC, Generic[SessionsT, SwitchesT, StreamsT]):
    """One server. A subclass sets `sessions`, `switches` and `sockets` before it starts.

    User ids are those of the exchange's accounts. Waits and limits use `clock`, the ends of sessions and
    every time in a row the exchange's market time.
    """

    sessions: SessionsT
    switches: SwitchesT
    sockets: StreamsT

    def __init__(self, exchange: PaperExchange, clock: Clock, manner: Manner, place: ServedAt) -> None:
        self.name = manner.name
        self.exchange = exchange
        self.clock = clock
        self.delays = place.delays
        self.envelopes = manner.envelopes
        self.dice = place.rng or random.SystemRandom()
        self.keeping = Keeping(place.keep)
        self.venue = Venue(exchange)
        self.mishaps = MishapRules(manner.menu, clock, self.dice)
        self.laid_rows = LaidRows(manner.books)
        self.journal = Journal(manner.wording, self.venue, clock, self.mishaps, self.keeping)
        self.ways = OrderWays(self.venue, clock, self.delays, self.journal, manner.money_at_post)
        self.received: Counter[tuple[str, str, str]] = Counter()
        """How many order requests have come, by route, user id and tag or order id."""
        self._converted = defaultdict[tuple[str, str], list[Conversion]](list)
        for key, body in self.keeping.all("converted"):
            day, user_id, _ = key.split(" ")
            body |= {name: Product(body[name]) for name in ("from_product", "to_product")}
            self._converted[day, user_id].append(Conversion(**body))
        self._openings = dict[tuple[str, str], int]()
        for key, body in self.keeping.all("opening"):
            day, _, user_id = key.partition(" ")
            self._openings[day, user_id] = body["paise"]
        self._port = place.port
        self._runner: web.AppRunner | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @abstractmethod
    def add_routes(self, app: web.Application) -> None:
        """Serve the broker's routes, pages and sockets."""

    @abstractmethod
    def failure(self, turned: Turned) -> web.Response:
        """A refusal in the broker's error envelope."""

    @abstractmethod
    def wrong_address(self, request: web.Request) -> Turned:
        """The refusal of an order from an address that it must not come from."""

    @property
    def url(self) -> str:
        """The root of every route, without a slash at its end. Known once it has started."""
        return f"http://{HOST}:{self._port}"

    def listen_orders(self, listener: OrderListener) -> None:
        """Tell `listener` the user id and the row of every change of an order that is announced."""
        self.journal.listen(listener)

    async def start(self) -> None:
        """Serve. Raises `OSError` where the port is taken."""
        self.venue.open()
        await self.ways.open()
        await self.venue.write(partial(self.exchange.resume, LONGEST_AWAY))
        app = web.Application()
        app.on_response_prepare.append(leave_bare)
        self.add_routes(app)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, self._port)
        await site.start()
        self._port = int(self._runner.addresses[0][1])
        self._tasks = [asyncio.create_task(self._drive()), asyncio.create_task(self.sockets.run())]

    async def stop(self) -> None:
        """Serve no more; what is on its way is sent on after a start over the same file."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.sockets.close()
        if self._runner is not None:
            await self._runner.cleanup()
        await self.ways.close()
        await self.venue.close()
        self.keeping.close()

    # --- a user's books -----------------------------------------------------------------------------------

    async def money(self, user_id: str) -> tuple[BrokerFunds, int]:
        """A user's money now, and at the day's start in paise: what it was when first asked for that day."""
        funds = await self.venue.read(partial(self.exchange.funds, user_id))
        day = self.venue.market.trading_day.isoformat()
        known = self._openings.get((day, user_id))
        if known is None:
            known = self._openings[day, user_id] = funds.available_paise + funds.blocked_paise
            self.keeping.put("opening", f"{day} {user_id}", {"paise": known})
        return funds, known

    async def convert(self, user_id: str, wanted: Conversion) -> Refused | None:
        """Have bought shares go on in another product; None where that is done."""
        done = await self.venue.write(partial(conversions.convert, self.exchange, user_id, wanted))
        if isinstance(done, Refused):
            return done
        day = self.venue.market.trading_day.isoformat()
        converted = self._converted[day, user_id]
        body = {
            "exchange": wanted.exchange,
            "tradingsymbol": wanted.tradingsymbol,
            "quantity": wanted.quantity,
            "from_product": wanted.from_product.value,
            "to_product": wanted.to_product.value,
            "overnight": wanted.overnight,
        }
        self.keeping.put("converted", f"{day} {user_id} {len(converted):06d}", body)
        converted.append(wanted)
        return None

    async def priced_day(self, user_id: str, *, held: bool = True) -> PricedDay:
        """A user's trades of the day at the market's prices, with what it holds unless `held` is false."""
        shares = await self.venue.read(partial(self.exchange.holdings, user_id)) if held else ()
        trades = [trade for entry in self.journal.book(user_id) for trade in entry.trades]
        keys = {f"{row.exchange}:{row.tradingsymbol}" for row in (*shares, *trades)}
        quotes = await self.venue.quotes(keys)
        listings = {key: listing for key in keys if (listing := self.venue.listing(key)) is not None}
        converted = self._converted.get((self.venue.market.trading_day.isoformat(), user_id), ())
        return PricedDay(shares, days_of(trades, converted), listings, quotes)

    async def _drive(self) -> None:
        while True:
            # While another process holds the file the market stands still here.
            with suppress(BrokerError):
                await self.venue.write(self.exchange.advance)
                await self.ways.keep_up()
            self.sessions.sweep()
            await self.clock.sleep(PULSE_SECONDS)


AnySimulatedBroker = SimulatedBroker[SimulatedSessions, Switchboard, Streams]
"""Whichever broker it stands for."""
