"""A desk at Zerodha, or at a local Kite to rehearse against."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import date, datetime, time, timedelta
from functools import partial

import aiohttp
from sqlalchemy import select

from brokers.connection import Connection
from brokers.contract import BrokerAccount, BrokerError
from brokers.kite.access import KiteRoots, kite_roots
from brokers.kite.broker import KiteBroker
from data.clock import IST, Clock, MarketClock, WallMarketClock
from data.columns import table
from data.errors import BadInput
from data.home import books_file
from data.secrets import ClosedVault, NoVault, Vault, open_vault
from data.store import StoreError, Unit
from data.tables import Meta
from data.vocabulary import ConnectionKind, SessionProblem
from engine.book.views import ClientView
from engine.days import LAST_DAY
from engine.desk import Desk
from engine.events import Event, InstrumentsRenamed, SessionsChanged, TapeLine
from engine.news import BrokerSaid, FeedMoved, News
from tradedesk.compose.foundation import KITE_OF_HOME, Foundation, fact_of_home
from tradedesk.compose.kite_access import ZERODHA, DeskAccess
from tradedesk.compose.kite_streams import Streamless, polled_words
from tradedesk.compose.vault_look import look

log = logging.getLogger(__name__)

DUMP_AT = time(8, 30, tzinfo=IST)
"""From when a day's instrument dump is fetched (Kite Connect documentation, instruments)."""

DUMP_AGAIN = timedelta(minutes=1)
"""After how long a dump that could not be read is asked for again."""

PULSE_S = 5.0
"""How often a local Kite is asked for its market time, and a day's dump is thought of."""

GATHERED_S = 3.0
"""How long keys without a stream are gathered, so that one line tells of all."""


class SimulatedMarketClock:
    """The market time of a local Kite, which runs beside wall time until it jumps to its next day."""

    def __init__(self, clock: Clock, market_time: datetime) -> None:
        self._clock = clock
        self._apart = market_time - clock.now()

    def now(self) -> datetime:
        """Aware UTC time of the simulated market."""
        return self._clock.now() + self._apart

    @property
    def trading_day(self) -> date:
        """The simulated date in India."""
        return self.now().astimezone(IST).date()

    def heard(self, market_time: datetime) -> None:
        """Follow a jump; what a call takes on its way is let pass."""
        apart = market_time - self._clock.now()
        if abs(apart - self._apart) > timedelta(seconds=1):
            self._apart = apart


def _own(unit: Unit, address: str) -> None:
    """Keep which Kite these books belong to, once."""
    meta = table(Meta)
    if unit.connection.execute(select(meta.c.name).where(meta.c.name == KITE_OF_HOME)).first() is None:
        unit.insert(Meta, [{"name": KITE_OF_HOME, "value": address}])


class KiteDesk(Desk):
    """A desk whose clients are at Zerodha. `feed` is the code of the client whose session has the prices."""

    exchange_trouble = ""

    def attach(self, broker: KiteBroker, access: DeskAccess, kite_url: str, feed: str) -> None:
        """Say, before it is opened, which adapter it has and where that leads."""
        self.access = access
        access.route_of = self.routes.of
        access.session_of = self.sessions.of
        self._broker = broker
        self.kite_url = kite_url
        self._feed_code = feed.upper()
        self._following: asyncio.Task[None] | None = None
        self._follow_again = False
        self._streamless = Streamless(self._kept.store)
        self._polled: dict[int, str] = {}
        self._polled_told = False
        self._feed_lost: BrokerAccount | None = None
        self._heard_only: frozenset[int] | None = frozenset() if self.kind == "cli" else None
        self.connections.is_polled = self._polled.__contains__

    async def open(self) -> None:
        """Start, then read the day's instruments and keep the market's time."""
        await super().open()
        if self._engine.may_send:
            await self._kept.store.write(lambda unit: _own(unit, self.kite_url))
        self.events.subscribe(self._heard)
        self._spawn(self._keep_day())

    async def _meet_brokers(self) -> None:
        """Say which tokens the instruments have, and who is signed in."""
        self._broker.learn({one.key: one.token for one in self.market.index})
        await self._sign_out_without_token()
        await self._streamless.load()
        await self._follow_sessions()

    async def _sign_out_without_token(self) -> None:
        """Take whoever's token is not in the vault for signed out, so that the gate says it before an order.

        Nothing is guessed where the vault was not opened. Only an app does so, of which there is one: a
        command may be run where the system's keyring does not answer, beside an app that has its tokens.
        """
        if self.kind != "app" or self.exchange_trouble or self._kept.store.trouble:
            return
        signed_in = [c for c in self.clients.all() if c.broker == ZERODHA and self._holds(c.id)]
        try:
            lost = await asyncio.to_thread(self._without_token, signed_in)
            if lost:
                words = "its token is not in the vault: sign in again"
                await self.sessions.expire_all(lost, words, SessionProblem.NO_TOKEN)
        except BadInput as problem:
            log.warning("whose token is in the vault is not known: %s", problem.expected)
        except StoreError as problem:  # opened for reading and cancels
            log.error("sessions without a token could not be ended: %s", problem)

    def _holds(self, client_id: int) -> bool:
        session = self.sessions.of(client_id)
        return session is not None and session.ok

    def _anybody(self) -> bool:
        return any(c.broker == ZERODHA and self._holds(c.id) for c in self.clients.all())

    def _without_token(self, clients: Sequence[ClientView]) -> list[int]:
        return [one.id for one in clients if not self.access.token(self.connections.account(one))]

    async def _end_session(self, client_id: int, why: str) -> None:
        """Take a client for signed out; a command that lacks its token has heard nothing of its session."""
        if self.kind != "app":
            try:
                here = [self.clients.get(client_id)]
                if await asyncio.to_thread(self._without_token, here):
                    return
            except BadInput:
                return
        await super()._end_session(client_id, why)

    def _heard(self, event: Event) -> None:
        if isinstance(event, SessionsChanged):
            self._follow_soon()
        elif isinstance(event, InstrumentsRenamed):
            self._broker.learn({one.key: one.token for one in self.market.index})
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
                await self._streamless.keep()
            with suppress(BrokerError):
                await self.market.follow_again()

    async def _follow_sessions(self) -> None:
        """Have the stream carry the prices and order updates of everyone who is signed in.

        A command takes no more sockets than it needs, since an api key has three: it hears those whose orders
        it waits for, and asks for prices.
        """
        clients = [c for c in self.clients.all() if c.broker == ZERODHA and self._holds(c.id)]
        clients.sort(key=lambda client: client.code.upper() != self._feed_code)
        keys = {client.id: route.api_key for client in clients if (route := self.routes.of(client.id))}
        streamless = self._streamless.among(
            (key, session.login_at)
            for client_id, key in keys.items()
            if (session := self.sessions.of(client_id)) and session.login_at
        )
        heard = self._heard_only
        accounts = [self.connections.account(client) for client in clients]
        await self._broker.follow(
            accounts,
            heard=None if heard is None else [one for one in accounts if one.client_id in heard],
            streamless=streamless,
        )
        self._polled.clear()
        self._polled.update((c.id, c.code) for c in clients if keys.get(c.id) in streamless)
        if self._polled and not self._polled_told and heard is None:
            self._polled_told = True
            self._load(self._tell_polled)

    async def hear(self, client_ids: Collection[int]) -> None:
        """Have a command hear these clients' order updates while it waits for their orders."""
        if self._heard_only is not None:
            self._heard_only = frozenset(client_ids)
            await self._follow_sessions()

    async def _tell_polled(self) -> None:
        await self._timing.wall.sleep(GATHERED_S)
        signed_in = [c for c in self.clients.all() if c.broker == ZERODHA and self._holds(c.id)]
        words = polled_words(self._polled.values(), len(signed_in), self._timing.waits)
        if self._broker.feed is None:
            words = f"{words}; no api key brings prices, so plans are refused by their age"
        self._tell(BrokerSaid(words))

    def no_stream(self, account: BrokerAccount) -> None:
        """Have an account's books polled whose session holds and whose api key has no stream."""
        route = self.routes.of(account.client_id)
        if route is None:
            return
        if account == self._broker.feed and self._feed_lost is None:
            self._feed_lost = account
            self._load(self._tell_feed)
        self._streamless.mark(route.api_key, self._timing.wall.now())
        self._follow_soon()

    async def _tell_feed(self) -> None:
        """Say that the one who was to bring the prices cannot, and who does once all have been tried."""
        await self._timing.wall.sleep(GATHERED_S)
        lost, self._feed_lost = self._feed_lost, None
        if lost is None:
            return
        feed = self._broker.feed
        by = self.clients.get(feed.client_id).code if feed else ""
        self._tell(FeedMoved(self.clients.get(lost.client_id).code, by))

    def _tell(self, news: News) -> None:
        self.events.publish([TapeLine(self._timing.wall.now(), news)])

    async def _keep_day(self) -> None:
        clock = self._timing.market
        read: date | None = None
        again_at = clock.now()
        while True:
            if isinstance(clock, SimulatedMarketClock):
                with suppress(BrokerError):
                    clock.heard(await market_time(self.kite_url))
            now = clock.now().astimezone(IST)
            wanted = self.kind != "cli" and read != now.date() and now.timetz() >= DUMP_AT
            if wanted and self._anybody() and now >= again_at:  # only who is signed in can ask for it
                again_at = now + DUMP_AGAIN
                report = await self.instruments.refresh()
                if report is None or not report.problem:
                    read = now.date()
                    self._broker.learn({one.key: one.token for one in self.market.index})
                    with suppress(BrokerError):
                        await self.market.follow_again()
            await self._timing.wall.sleep(PULSE_S)


@asynccontextmanager
async def open_kite(
    base: Foundation,
    kind: str,
    passphrase: Callable[[], str] | None = None,
    emergency: bool = False,
    needs_secrets: bool = True,
) -> AsyncIterator[KiteDesk]:
    """Open the desk of a home at Kite and close it again.

    Which Kite the books belong to was kept when they were first opened; an `emergency` goes there whatever
    the settings say, without its secrets where those cannot be read. A desk that needs none calls nobody
    where they do not open. Raises `BadInput`.
    """
    roots = _roots_of(base, emergency)
    vault, trouble = await _vault_of(base, passphrase, emergency, needs_secrets)
    access = DeskAccess(vault)
    market_clock: MarketClock = WallMarketClock(base.clock)
    if roots.is_local:
        try:
            market_clock = SimulatedMarketClock(base.clock, await market_time(roots.rest))
        except BrokerError as problem:
            day = fact_of_home(books_file(base.home), LAST_DAY)
            if not emergency or day is None:
                expected = f"start it with `tradedesk simulate kite` first ({problem})"
                raise BadInput("kite_url", roots.rest, expected) from problem
            trouble = trouble or str(problem)
            market_clock = SimulatedMarketClock(
                base.clock, datetime.combine(date.fromisoformat(day), time(12, tzinfo=IST))
            )

    def session_lost(account: BrokerAccount) -> None:
        desk.connections.session_lost(account.client_id, "the broker no longer accepts the session")

    def no_stream(account: BrokerAccount) -> None:
        desk.no_stream(account)

    broker = KiteBroker(
        access,
        roots,
        base.clock,
        rng=base.random,
        on_session_lost=session_lost,
        on_no_stream=no_stream,
    )
    other_end = ConnectionKind.SIM if roots.is_local else ConnectionKind.LIVE
    connection = Connection("kite", other_end, broker, frozenset({ZERODHA}))
    desk = base.desk(KiteDesk, kind, market_clock, connection)
    desk.attach(broker, access, roots.rest, base.settings.kite_feed)
    desk.exchange_trouble = trouble
    if port := base.settings.sign_in_port:
        from brokers.kite.listener import RedirectListener  # a web server, wanted by those who set it alone

        desk.sessions.redirects = partial(RedirectListener, port)
    opened = vault

    def look_at_secrets() -> tuple[bool, str]:
        found = look(base.home, base.settings.vault, lambda: opened, market_clock.now())
        return found.ok, found.words

    desk.doctor.look_at_secrets = look_at_secrets
    if trouble:
        desk.connections.session_lost = _keep_session
    try:
        await desk.open()
        yield desk
    finally:
        await desk.close()


def _keep_session(_client_id: int, _why: str) -> None:
    """A session is not over because its token could not be read here."""


def _roots_of(base: Foundation, emergency: bool) -> KiteRoots:
    owned = fact_of_home(books_file(base.home), KITE_OF_HOME)
    known = None if owned is None else KiteRoots() if owned == KiteRoots().rest else kite_roots(owned)
    if emergency and known is not None:
        return known
    roots = kite_roots(base.settings.kite_url or None)
    if known is not None and known != roots:
        expected = f"the books of {base.home} belong to {owned}; use another home"
        raise BadInput("kite_url", roots.rest, expected)
    return roots


async def _vault_of(
    base: Foundation, passphrase: Callable[[], str] | None, emergency: bool, needs_secrets: bool = True
) -> tuple[Vault, str]:
    """The home's vault; in an emergency one without secrets, and why, where it cannot be read.

    A closed one where it cannot be read and nobody needs it.
    """

    def opened() -> Vault:
        vault = open_vault(base.home, passphrase, base.settings.vault)
        vault.get("probe")
        return vault

    try:
        return await asyncio.to_thread(opened), ""
    except BadInput as problem:
        if not emergency and not needs_secrets:
            return ClosedVault(problem), ""
        if not emergency:
            raise
        log.error("going on without secrets: %s", problem)
        return NoVault(), f"no client's token can be read ({problem})"


async def market_time(kite_url: str) -> datetime:
    """The market time of a local Kite. Raises `BrokerError`."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(5)) as session,
            session.get(f"{kite_url}/control/clock") as answer,
        ):
            return datetime.fromisoformat((await answer.json())["market_time"])
    except (aiohttp.ClientError, TimeoutError, KeyError, ValueError) as problem:
        raise BrokerError(f"no local Kite answers at {kite_url}: {type(problem).__name__}") from problem
