"""Desks for tests: the demonstration on an exchange in memory, a clock moved by hand, pinned prices."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from brokers.contract import (
    Accepted,
    Broker,
    BrokerAccount,
    BrokerOrder,
    BrokerRows,
    OrderChange,
    OrderRequest,
    Outcome,
)
from brokers.simulators.exchange.exchange import PaperExchange
from data.clock import ManualClock
from data.reference.instruments import BrokerInstrument, at_broker
from data.reference.phases import load_calendar
from data.repositories.listings import listings_of
from data.store import StoreUnwritable, Unit
from data.vocabulary import DeskKind, GateItem, OrderType, Policy, Product, Side, SizingKind
from engine.desk import Desk
from engine.execution.views import RunView
from engine.planning.intent import Intent, Selection, Sizing
from engine.planning.plan import Plan
from engine.rules import Rules, Waits
from engine.words.gate import verdict_words
from engine.words.tape import news_words
from tests.books import SQLITE, database_url, empty_books, engine_now, full_server
from tests.resting import RestingLoop, quiet
from tradedesk.compose.brokers.paper import exchange_of, prepare_demo
from tradedesk.compose.settings import Settings
from tradedesk.compose.wiring import compose_desk
from tradedesk.testing import seam

T = TypeVar("T")

START = datetime(2026, 11, 18, 3, 45, tzinfo=UTC)
"""09:15 IST of the demonstration's day."""

WAITS = Waits(claim_valid_s=3600.0, exit_read_valid_s=3600.0, gather_s=0.0)
"""The desk's own, but for the ages of claims and exits, since a clock moved by hand runs ahead of threads,
and with facts booked though nobody moves it on."""

MISSION_PINS = {
    "RELIANCE": (245050, 239520),
    "TCS": (250000, 249000),
    "INFY": (150000, 149100),
    "HDFCBANK": (160000, 159000),
}
"""Last price and previous close, in paise, that the scenarios name; on the tick."""


@cache
def _settings(policy: Policy) -> Settings:
    return Settings(policy=policy, trader="tester")


def on_its_books(settings: Settings, home: Path) -> Settings:
    """The settings with the address of a home's books, where those are on a server."""
    address = database_url(home)
    return settings.model_copy(update={"database_url": address}) if address else settings


@asynccontextmanager
async def paper_desk(
    home: Path,
    policy: Policy = Policy.WORST,
    pins: Mapping[str, tuple[int, int]] = MISSION_PINS,
    demo: bool = True,
    shares: bool = False,
    kind: DeskKind = DeskKind.SCRIPT,
    settings: Settings | None = None,
    rules: Rules | None = None,
    clock: ManualClock | None = None,
) -> AsyncIterator[Desk]:
    """A desk in `home` whose market stands still at `pins` and whose clock the test moves.

    Without `shares` its clients have their cash alone, so that a test's own trades are all they hold.
    """
    clock = clock or ManualClock(START)
    exchange = PaperExchange(None, clock, load_calendar(), policy=policy)
    async with compose_desk(
        empty_books(home),
        kind,
        clock=clock,
        settings=on_its_books(settings or _settings(policy), home),
        rules=rules,
        waits=WAITS,
        exchange=exchange,
        latency=(0.0, 0.0),
        seed=7,
    ) as desk:
        if demo:
            await prepare_demo(desk, shares=shares)
            for symbol, (last, previous) in pins.items():
                exchange.pin(symbol, last, previous)
        yield desk


def buy(
    symbol: str,
    kind: SizingKind,
    value: int,
    *client_ids: int,
    product: Product = Product.CNC,
    limit_paise: int | None = None,
    again: bool = False,
) -> Intent:
    """A buy of an NSE symbol."""
    return Intent(
        side=Side.BUY,
        key=f"NSE:{symbol}",
        sizing=Sizing(kind, value),
        order_type=OrderType.MARKET if limit_paise is None else OrderType.LIMIT,
        product=product,
        limit_paise=limit_paise,
        selection=Selection(client_ids=client_ids),
        again=again,
    )


def sell(symbol: str, kind: SizingKind, value: int, *client_ids: int) -> Intent:
    """A market sell of an NSE symbol, product as held."""
    return Intent(
        side=Side.SELL,
        key=f"NSE:{symbol}",
        sizing=Sizing(kind, value),
        product=None,
        selection=Selection(client_ids=client_ids),
    )


def by_phone(
    desk: Desk,
    client_id: int,
    side: Side = Side.BUY,
    quantity: int = 2,
    limit_paise: int | None = None,
    product: Product = Product.CNC,
    symbol: str = "INFY",
) -> str:
    """Have a client trade at the broker without the desk; returns the broker's id."""
    request = OrderRequest(
        "NSE",
        symbol,
        side,
        quantity,
        product,
        OrderType.MARKET if limit_paise is None else OrderType.LIMIT,
        "",
        price_paise=limit_paise,
        protection_bps=200 if limit_paise is None else None,
    )
    done = exchange_of(desk).place(desk.clients.get(client_id).code, request)
    assert isinstance(done, Accepted), done
    return done.broker_order_id


async def carry_out(desk: Desk, intent: Intent) -> tuple[Plan, RunView]:
    """Freeze, confirm and send an intent, and wait until it has settled."""
    plan = await desk.plans.freeze(intent)
    run = await desk.runs.start(plan, plan.digest)
    run = await desk.runs.settled(run.number, 30)
    await desk.settle()
    return plan, run


@asynccontextmanager
async def filed_desk(
    home: Path, clock: ManualClock, kind: DeskKind = DeskKind.SCRIPT, seed: int = 7
) -> AsyncIterator[Desk]:
    """A desk whose exchange is a file in its home, so that another may be opened beside it."""
    settings = on_its_books(Settings(trader=kind), home)
    opening = compose_desk(
        empty_books(home), kind, clock=clock, settings=settings, waits=WAITS, latency=(0.0, 0.0), seed=seed
    )
    async with opening as desk:
        if await prepare_demo(desk, shares=False):
            for symbol, (last, previous) in MISSION_PINS.items():
                exchange_of(desk).pin(symbol, last, previous)
        yield desk


def there(value: T | None) -> T:
    """What the test knows to be there; fails where it is None."""
    assert value is not None
    return value


def sends_nothing(desk: Desk) -> None:
    """Have the desk's program end, as far as its sends go, before the next claim."""
    dispatcher: Any = seam(desk).workers.dispatcher
    dispatcher.submit = lambda ids: None


def manual_clock(desk: Desk) -> ManualClock:
    """The clock of a desk under test, which the test moves by hand."""
    clock = desk.clock
    assert isinstance(clock, ManualClock)
    return clock


def listed_by_feed(desk: Desk) -> list[BrokerInstrument]:
    """Every instrument known, under the token that the broker of the feed has for it."""
    broker = desk.connections.feed.broker.name
    listings = seam(desk).store.glance(lambda connection: listings_of(connection, broker))
    tokens = {one.key: one.token or "" for one in listings}
    return [at_broker(one, tokens.get(one.key, "")) for one in desk.market.index]


async def until(desk: Desk, happened: Callable[[], object], step_s: float = 0.25) -> None:
    """Move the clock on until something has happened; the threads of store and exchange run beside it."""
    changed = asyncio.Event()
    unsubscribe = desk.events.subscribe(lambda event: changed.set())
    clock = manual_clock(desk)
    try:
        async with asyncio.timeout(20):
            while not happened():
                changed.clear()
                await clock.advance(step_s)
                await _answered(changed, happened)
    finally:
        unsubscribe()


async def _answered(changed: asyncio.Event, happened: Callable[[], object]) -> None:
    """Wait for a change before the clock moves on; on a server, which answers later, until all rest."""
    if engine_now() == SQLITE or not isinstance(asyncio.get_running_loop(), RestingLoop):
        with suppress(TimeoutError):
            await asyncio.wait_for(changed.wait(), 0.01)
        return
    resting = asyncio.create_task(quiet())
    with suppress(TimeoutError):
        async with asyncio.timeout(0.25):
            while not (resting.done() or happened()):
                changed.clear()
                change = asyncio.create_task(changed.wait())
                await asyncio.wait({resting, change}, return_when=asyncio.FIRST_COMPLETED)
                change.cancel()
    resting.cancel()


async def in_time(desk: Desk, work: Coroutine[Any, Any, T]) -> T:
    """What this returns; the clock moves on meanwhile, since a read that failed waits before the next."""
    under_way = asyncio.create_task(work)
    await until(desk, under_way.done)
    return await under_way


class Wire:
    """Stands between a desk and its broker: each call may be answered by the test instead."""

    def __init__(self, desk: Desk) -> None:
        self.broker = desk.connections.feed.broker
        self.placed: list[OrderRequest] = []
        self.cancelled: list[str] = []
        self.modified: list[OrderChange] = []
        self.on_place: Callable[[BrokerAccount, OrderRequest], Awaitable[Outcome | None]] | None = None
        self.on_cancel: Callable[[BrokerAccount, str], Awaitable[Outcome | None]] | None = None
        self.on_modify: Callable[[BrokerAccount, str, OrderChange], Awaitable[Outcome | None]] | None = None
        self.on_read: Callable[[BrokerAccount], Awaitable[None]] | None = None
        desk.connections.feed.broker = cast(Broker, self)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.broker, name)

    async def orders(self, account: BrokerAccount) -> BrokerRows[BrokerOrder]:
        if self.on_read is not None:
            await self.on_read(account)
        return await self.broker.orders(account)

    async def place(self, account: BrokerAccount, request: OrderRequest) -> Outcome:
        self.placed.append(request)
        answer = await self.on_place(account, request) if self.on_place else None
        return answer or await self.broker.place(account, request)

    async def modify(self, account: BrokerAccount, broker_order_id: str, change: OrderChange) -> Outcome:
        self.modified.append(change)
        answer = await self.on_modify(account, broker_order_id, change) if self.on_modify else None
        return answer or await self.broker.modify(account, broker_order_id, change)

    async def cancel(self, account: BrokerAccount, broker_order_id: str) -> Outcome:
        self.cancelled.append(broker_order_id)
        answer = await self.on_cancel(account, broker_order_id) if self.on_cancel else None
        return answer or await self.broker.cancel(account, broker_order_id)


async def disk(desk: Desk, full: bool) -> None:
    """Let the database grow no further, or let it grow again."""

    def unit_of_work(unit: Unit) -> None:
        if seam(desk).store.on_server:
            full_server(unit.connection.engine, full)
            return
        pages = unit.connection.exec_driver_sql("PRAGMA page_count").scalar_one() if full else 1_000_000
        unit.connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    while True:
        try:
            return await seam(desk).store.write(unit_of_work)
        except StoreUnwritable:
            continue  # it shared its batch with facts that still found the disk full


async def books_are_sound(desk: Desk) -> None:
    """Fail unless every check of the doctor is ok."""
    assert [check for check in await desk.doctor.run() if not check.ok] == []


def on_tape(desk: Desk, words: str = "") -> list[str]:
    """What the tape has told with these words in it, oldest first."""
    return [told for line in desk.tape() if words in (told := news_words(line.news))]


def gate_words(desk: Desk, client_id: int, item: GateItem) -> str:
    """What the gate says of an item of a client."""
    return verdict_words(desk.gate.of(client_id).check(item).judged, desk.shown_at)
