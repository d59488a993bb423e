"""A desk at local brokers in one process: a clock moved by the test, sockets on loopback, own apps."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import time
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from brokers.contract import Accepted, BrokerAccount, OrderRequest
from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.exchange.openings import AccountOpening
from brokers.simulators.groww.apps import keys_of
from brokers.simulators.groww.apps import own_app as groww_app
from brokers.simulators.groww.server import LocalGroww
from brokers.simulators.kite.apps import own_app as kite_app
from brokers.simulators.kite.server import LocalKite
from brokers.simulators.serving.delays import NO_DELAYS
from brokers.simulators.serving.homes import own_address
from brokers.simulators.serving.server import AnySimulatedBroker, ServedAt
from brokers.simulators.upstox.apps import own_app as upstox_app
from brokers.simulators.upstox.server import LocalUpstox
from data.clock import ManualClock, SystemClock
from data.records import replace
from data.reference.phases import load_calendar
from data.reference.seed import universe
from data.vocabulary import ClientStatus, ConnectionKind, Demat, HaltScope, RouteKind
from engine.access.routes import NewRoute
from engine.accounts.client_file import NewClient
from engine.book.views import ClientView
from engine.desk import Desk
from engine.events import TapeLine
from engine.execution.views import RunView
from engine.halt.certificate import Certificate
from engine.news import InstrumentsRead
from engine.planning.intent import Intent
from engine.planning.plan import Plan
from tests.books import empty_books
from tests.desks import START, WAITS, on_its_books
from tradedesk.compose.brokers.groww import groww_row
from tradedesk.compose.brokers.kite import kite_row
from tradedesk.compose.brokers.upstox import upstox_row
from tradedesk.compose.desk_access import GROWW, UPSTOX, ZERODHA, access_of
from tradedesk.compose.settings import Settings
from tradedesk.compose.wiring import compose_desk

REAL = SystemClock()

AppOf = Callable[[str], tuple[str, str]]


class AtBroker(NamedTuple):
    """How a broker's clients are named here, and what is theirs at its local one: api key and secret."""

    code: str
    user_id: str
    app: AppOf


AT = {
    ZERODHA: AtBroker("KC", "ZK", kite_app),
    UPSTOX: AtBroker("UC", "UP", upstox_app),
    GROWW: AtBroker("GC", "GW", groww_app),
}
"""By the word of client files."""

PASSPHRASE = "only for rehearsals"


@dataclass(frozen=True)
class Person:
    """A client as the desk has it, its account at the broker, and its route.

    `cash_paise` is what the broker has; the desk was told `told_paise`, the same unless given.
    """

    number: int
    cash_paise: int = 11_00_000_00
    told_paise: int | None = None
    mtf_limit_paise: int = 0
    capital_paise: int = 11_00_000_00
    status: ClientStatus = ClientStatus.ACTIVE
    route: NewRoute = field(default_factory=lambda: NewRoute(RouteKind.OWN, consent="2026-01"))
    broker: str = ZERODHA

    @property
    def code(self) -> str:
        return f"{AT[self.broker].code}{self.number:04d}"

    @property
    def user_id(self) -> str:
        return f"{AT[self.broker].user_id}{self.number:04d}"

    @property
    def app(self) -> tuple[str, str]:
        """Api key and secret of its own app."""
        return AT[self.broker].app(self.user_id)

    @property
    def account(self) -> BrokerAccount:
        return BrokerAccount(self.number, self.user_id)


@dataclass
class Morning:
    """The desk, the local Kite it stands at, and the exchange behind that."""

    desk: Desk
    kite: LocalKite
    exchange: PaperExchange
    clock: ManualClock
    close_desk: Callable[[], Awaitable[None]]
    """Closes the desk before the morning ends."""
    others: Mapping[str, AnySimulatedBroker] = field(default_factory=dict[str, AnySimulatedBroker])
    """The other local brokers that the morning has clients at, over the same exchange."""

    @property
    def upstox(self) -> LocalUpstox:
        found = self.others[UPSTOX]
        assert isinstance(found, LocalUpstox)
        return found

    def client(self, person: Person) -> ClientView:
        return self.desk.clients.get(person.number)

    @property
    def groww(self) -> LocalGroww:
        found = self.others[GROWW]
        assert isinstance(found, LocalGroww)
        return found

    def token(self, person: Person, user: Person | None = None) -> str:
        """A fresh request token of this client's app, where it or somebody else has signed in."""
        broker = self.others.get(person.broker, self.kite)
        return broker.sessions.request_token(person.app[0], (user or person).user_id)

    async def sign_in(self, people: Iterable[Person]) -> None:
        for person in people:
            await self.desk.sessions.sign_in(person.number, self.token(person))

    async def until(self, happened: Callable[[], object], step_s: float = 0.1) -> None:
        """Move the clock on until something has happened, in small steps beside the sockets and threads."""
        async with asyncio.timeout(20):
            while not happened():
                await self.clock.advance(step_s)
                await REAL.sleep(0.01)

    async def at_once(self, happened: Callable[[], object]) -> None:
        """Wait for something that takes none of the clock's time."""
        async with asyncio.timeout(10):
            while not happened():
                await REAL.sleep(0.005)

    async def passed(self, seconds: float) -> None:
        """Let time go by."""
        end = self.clock.monotonic() + seconds
        await self.until(lambda: self.clock.monotonic() >= end)

    async def compared(self, people: Collection[Person]) -> None:
        """Have the books of these clients read and compared, once their orders have stood still."""
        left = list(people)
        for _ in range(4):  # one that was under way may have read before orders stood still
            await self.passed(4)
            checks = [asyncio.create_task(self.desk.reconcile.check(one.number)) for one in left]
            await self.until(lambda checks=checks: all(check.done() for check in checks))
            left = [one for one, check in zip(left, checks, strict=True) if not await check]
            if not left:
                break
        assert left == []

    async def listed(self) -> None:
        """Wait until each broker beside Kite has told what it lists; its first sign-in has it asked."""
        await self.until(lambda: self.others.keys() <= {*map(_listed_by, self.desk.tape())})

    async def priced(self, key: str) -> None:
        """Have a price that is fresh enough for a plan; calls for quotes wait for their turn.

        Right after a sign-in the feed is still being followed anew, and brings none.
        """
        async with asyncio.timeout(20):
            while True:
                asked = asyncio.create_task(self.desk.market.fetch([key]))
                await self.until(asked.done)
                if key in await asked:
                    return
                await self.passed(0.1)

    async def halted(self) -> Certificate:
        """Halt everything and wait for the certificate."""
        fired = asyncio.create_task(self.desk.halt.fire("tester", HaltScope.EVERYTHING, ""))
        await self.until(fired.done)
        return await fired

    async def by_phone(self, person: Person, request: OrderRequest) -> str:
        """Place an order as at another terminal, and have Kite's books show it at once; its id at the broker.

        Placed at the exchange alone it would be in no answer of Kite's before its next pulse.
        """
        placed = await self.kite.venue.write(partial(self.exchange.place, person.user_id, request))
        assert isinstance(placed, Accepted), placed
        name = placed.broker_order_id
        await self.at_once(lambda: (row := self.kite.journal.find(person.user_id, name)) and row.order)
        return name

    async def send(self, intent: Intent) -> tuple[Plan, RunView]:
        """Freeze, confirm and send an intent while the clock stands, until every call has ended.

        On a busy machine a connection may not come about in time. Such an order is tried again after a pause
        of the clock, which is granted once nothing else has happened for a while.
        """
        plan = await self.desk.plans.freeze(intent)
        run = await self.desk.runs.start(plan, plan.digest)

        def left() -> bool:
            return not {"unsent", "sending"} & _standing(self.desk.runs.get(run.number))

        try:
            await self.at_once(left)
        except TimeoutError:
            await self.until(left)
        return plan, self.desk.runs.get(run.number)


def _listed_by(line: TapeLine) -> str:
    return line.news.broker if isinstance(line.news, InstrumentsRead) else ""


def _standing(run: RunView) -> set[str]:
    return {word for word, count in run.counts.items() if count}


@asynccontextmanager
async def kite_morning(
    home: Path,
    people: Sequence[Person],
    begins: time | None = None,
    bare: bool = False,
    on_paper: Sequence[NewClient] = (),
    **more: Any,
) -> AsyncIterator[Morning]:
    """These clients at a local Kite and on a desk, each with a route and an app of its own; none signed in.

    Those of another broker are at a local one of theirs, over the same exchange.

    The market's day begins at its opening, or at `begins`. On a `bare` desk the instruments are as Kite's
    dump has them, without margins. Clients `on_paper` trade beside them at the paper exchange of the home.
    `more` are settings of the desk.

    Every client has an own api key, since Kite counts ten reads a second for a key: the books of all of
    these clients are read side by side, where one key's turn would take more than a minute.
    """
    clock = ManualClock(START)
    exchange = PaperExchange(None, clock, load_calendar(), begins=begins)
    listings = universe()
    exchange.list_instruments(listings)
    exchange.open_accounts(
        AccountOpening(one.user_id, one.cash_paise, one.mtf_limit_paise, rates=one.broker) for one in people
    )
    apps = dict(one.app for one in people if one.broker == ZERODHA)
    kite = LocalKite(exchange, clock, api_keys=apps, delays=NO_DELAYS, rng=random.Random(7))
    undecided = {one.user_id: "" for one in people if one.route.demat is Demat.NONE}
    kite.switches.change({"demat_consent": undecided})
    await kite.start()
    others = {
        broker: serve(exchange, clock, there)
        for broker, (serve, _) in OTHERS.items()
        if (there := [one for one in people if one.broker == broker])
    }
    for other in others.values():
        await other.start()
    try:
        empty_books(home)
        market = "paper" if on_paper else "kite"
        settings = on_its_books(
            Settings(market=market, kite_url=kite.url, vault="file", trader="tester", **more), home
        )
        if on_paper:
            async with compose_desk(
                home, clock=clock, settings=on_its_books(Settings(trader="tester"), home)
            ) as alone:
                await alone.connecting.add(kite_row(kite.url))
        if others:
            async with compose_desk(
                home, clock=clock, settings=settings, passphrase=lambda: PASSPHRASE
            ) as alone:
                for broker, other in others.items():
                    await alone.connecting.add(OTHERS[broker][1](other.url))
        opening = compose_desk(
            home,
            clock=clock,
            settings=settings,
            waits=WAITS,
            latency=(0.0, 0.0),
            seed=7,
            passphrase=lambda: PASSPHRASE,
        )
        async with AsyncExitStack() as stack:
            desk = await stack.enter_async_context(opening)
            await lay_people(desk, people, bare)
            await desk.clients.add(on_paper)
            yield Morning(desk, kite, exchange, clock, stack.aclose, others)
    finally:
        for other in others.values():
            await other.stop()
        await kite.stop()
        exchange.close()


def _local_upstox(
    exchange: PaperExchange, clock: ManualClock, people: Iterable[Person]
) -> AnySimulatedBroker:
    place = ServedAt(delays=NO_DELAYS, rng=random.Random(11))
    return LocalUpstox(exchange, clock, api_keys=dict(one.app for one in people), place=place)


def _local_groww(exchange: PaperExchange, clock: ManualClock, people: Iterable[Person]) -> AnySimulatedBroker:
    keys = {key: one for person in people for key, one in keys_of(person.user_id).items()}
    place = ServedAt(delays=NO_DELAYS, rng=random.Random(13))
    return LocalGroww(exchange, clock, api_keys=keys, place=place)


OTHERS = {UPSTOX: (_local_upstox, upstox_row), GROWW: (_local_groww, groww_row)}
"""What serves a broker's clients beside Kite's, and the connection to it at an address."""


async def lay_people(desk: Desk, people: Sequence[Person], bare: bool = False) -> None:
    """Lay these clients into an empty desk, with the secrets of their apps and their routes."""
    access = {one.broker.name: access_of(one) for one in desk.connections if one.kind is ConnectionKind.SIM}
    for one in people:
        access[one.broker].keep_secret(*one.app)
    listed = [row.instrument for row in universe()]
    if bare:
        listed = [replace(one, mtf_margin_bps=None, mis_margin_bps=None) for one in listed]
    await desk.market.store_instruments(listed, "test")
    await desk.clients.add([_new_client(one) for one in people])
    for one in people:
        await desk.routes.set(one.number, _route(one))


def _new_client(one: Person) -> NewClient:
    told = one.cash_paise if one.told_paise is None else one.told_paise
    return NewClient(
        one.code,
        f"Client {one.number}",
        one.broker,
        one.user_id,
        one.status,
        capital_paise=one.capital_paise,
        available_paise=told,
        mtf_limit_paise=one.mtf_limit_paise,
    )


def _route(one: Person) -> NewRoute:
    demat = one.route.demat if one.route.demat is not Demat.UNKNOWN else Demat.DDPI
    return replace(
        one.route,
        api_key=one.app[0],
        bind_address=own_address(one.number),
        demat=demat,
    )
