"""The local Kite: an HTTP server on loopback that answers as Kite Connect does, over a paper exchange."""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from aiohttp import web

from brokers.contract import BrokerError, Conversion
from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.kite import control, login
from brokers.simulators.kite.answers import leave_bare
from brokers.simulators.kite.books.authorisations import Authorisations
from brokers.simulators.kite.books.conditionals import Conditionals
from brokers.simulators.kite.books.delays import Delays
from brokers.simulators.kite.books.journal import Journal, OrderListener
from brokers.simulators.kite.books.keeping import Keeping
from brokers.simulators.kite.books.laid_rows import LaidRows
from brokers.simulators.kite.books.ways import OrderWays
from brokers.simulators.kite.limits import CallLimits
from brokers.simulators.kite.mishaps import KiteMishaps
from brokers.simulators.kite.routes import table as routes
from brokers.simulators.kite.sessions import SimulatedSessions
from brokers.simulators.kite.sockets import Sockets
from brokers.simulators.kite.switches import Switches
from brokers.simulators.kite.venue import Venue
from data.clock import Clock
from data.reference.phases import Calendar, load_calendar

HOST = "127.0.0.1"
LONGEST_AWAY = timedelta(hours=1)
"""A server that starts again within this finds its market gone on, so that the clock of a desk beside it does
not step back; after a longer time the day goes on where it was left."""

PULSE_SECONDS = 0.1
"""How often the exchange is driven on."""


class LocalKite:
    """One server. `api_keys` holds each app's secret, `redirects` where its sign-in leads to.

    User ids are those of the exchange's accounts. Waits and limits use `clock`, the ends of sessions and
    every time in a row the exchange's market time. With `keep` orders and sessions outlive a restart.
    """

    def __init__(
        self,
        exchange: PaperExchange,
        clock: Clock,
        *,
        api_keys: Mapping[str, str],
        redirects: Mapping[str, str] | None = None,
        port: int = 0,
        delays: Delays | None = None,
        rng: random.Random | None = None,
        calendar: Calendar | None = None,
        keep: Path | None = None,
    ) -> None:
        self.exchange = exchange
        self.clock = clock
        self.delays = delays or Delays()
        self.redirects = redirects or {}
        self.switches = Switches()
        dice = rng or random.SystemRandom()
        self._keeping = Keeping(keep)
        self.venue = Venue(exchange, calendar or load_calendar())
        self.mishaps = KiteMishaps(clock, dice)
        self.laid_rows = LaidRows()
        self.conditionals = Conditionals()
        self.converted = defaultdict[tuple[date, str], list[Conversion]](list)
        self.limits = CallLimits(clock)
        self.sessions = SimulatedSessions(api_keys, clock, self.venue.market, dice, self._keeping)
        self.authorisations = Authorisations(self.venue.market, dice)
        self.journal = Journal(self.venue, clock, self.mishaps, self._keeping)
        self.ways = OrderWays(self.venue, clock, self.delays, self.switches, self.journal)
        self.received: Counter[tuple[str, str, str]] = Counter()
        """How many order requests have come, by route, user id and tag or order id."""
        self._openings = dict[tuple[str, str], int]()
        for key, body in self._keeping.all("opening"):
            day, _, user_id = key.partition(" ")
            self._openings[day, user_id] = body["paise"]
        self.sockets = Sockets(self)
        self.sessions.on_end = self.sockets.expire
        self.listen_orders(self.sockets.announce)
        self._port = port
        self._runner: web.AppRunner | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def url(self) -> str:
        """The root of every route, without a slash at its end. Known once it has started."""
        return f"http://{HOST}:{self._port}"

    def user_of(self, api_key: str, access_token: str) -> str | None:
        """Whose session this is; `None` where the token is wrong or over."""
        return self.sessions.user_of(api_key, access_token)

    def stream_refusal(self, api_key: str) -> int | None:
        """The status that this app's sockets are refused with; `None` where they are taken."""
        return self.switches.no_stream.get(api_key)

    def listen_orders(self, listener: OrderListener) -> None:
        """Tell `listener` the user id and the row of every change of an order that Kite announces."""
        self.journal.listen(listener)

    async def start(self) -> None:
        """Serve. Raises `OSError` where the port is taken."""
        self.venue.open()
        await self.ways.open()
        await self.venue.write(partial(self.exchange.resume, LONGEST_AWAY))
        app = web.Application()
        app.on_response_prepare.append(leave_bare)
        control.add_to(app, self)
        login.add_to(app, self)
        app.router.add_get("/", self.sockets.serve)
        routes.add_to(app, self)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, self._port)
        await site.start()
        self._port = int(self._runner.addresses[0][1])
        self._tasks = [asyncio.create_task(self._drive()), asyncio.create_task(self.sockets.run())]

    def forget_dumps(self) -> None:
        """Make the day's files of instruments anew when they are next asked for."""
        if self._runner is not None:
            self._runner.app[routes.DUMPS].clear()

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
        self._keeping.close()

    def opening(self, user_id: str, now_paise: int) -> int:
        """A user's money at the day's start, which is what it was when first asked for that day."""
        day = self.venue.market.trading_day.isoformat()
        known = self._openings.get((day, user_id))
        if known is None:
            known = self._openings[day, user_id] = now_paise
            self._keeping.put("opening", f"{day} {user_id}", {"paise": now_paise})
        return known

    async def _drive(self) -> None:
        while True:
            # While another process holds the file the market stands still here.
            with suppress(BrokerError):
                await self.venue.write(self.exchange.advance)
                await self.ways.keep_up()
            self.sessions.sweep()
            await self.clock.sleep(PULSE_SECONDS)
