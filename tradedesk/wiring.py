"""The composition root: puts a home, its store, its brokers and a Desk together."""

import logging
import random
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path

from brokers.contract import Broker, BrokerError
from brokers.paper.broker import PaperBroker
from brokers.paper.exchange import AccountOpening, PaperExchange
from brokers.paper.prices import Listing
from data.clock import Clock, SystemClock
from data.instruments import Instrument
from data.money import BadInput
from data.phases import Calendar, load_calendar
from data.schema import prepare
from data.seed import demo_clients, universe
from data.store import Store
from engine.accounts.book import Book
from engine.accounts.clients import BROKERS, NewClient
from engine.desk import Desk
from engine.events import Bus
from engine.market.quotes import QuoteMap
from engine.parts import Parts
from engine.rules import Rules, Waits
from tradedesk.settings import Settings, home_folder, load_settings

log = logging.getLogger(__name__)

DEMO_WATCHLIST = (
    "RELIANCE",
    "TCS",
    "INFY",
    "HDFCBANK",
    "ICICIBANK",
    "SBIN",
    "BHARTIARTL",
    "ITC",
    "LT",
    "KOTAKBANK",
    "HINDUNILVR",
    "MARUTI",
    "SUNPHARMA",
    "TITAN",
    "RIIL",
)


class PaperDesk(Desk):
    """A desk on the built-in paper exchange: whoever and whatever is added here is known there too."""

    def __init__(self, parts: Parts, kind: str, exchange: PaperExchange) -> None:
        super().__init__(parts, kind)
        self.exchange = exchange

    async def open(self) -> None:
        """Start, then open paper accounts for clients that have none."""
        await super().open()
        try:
            self.meet_exchange()
        except (BrokerError, sqlite3.Error) as problem:
            if self.kind != "cli":  # a halt must be written even when the exchange cannot be
                raise
            log.error("the paper exchange cannot be written: %s", problem)
        self.events.subscribe(lambda event: self.meet_exchange() if event.name == "clients.changed" else None)

    def meet_exchange(self) -> None:
        """Give every client a paper account with its opening money."""
        self.exchange.open_accounts(
            AccountOpening(
                client.code,
                self.funds.of(client.id).available_paise,
                client.mtf_limit_paise,
                self.funds.of(client.id).held_paise,
                client.broker,
            )
            for client in self.clients.all()
        )


@asynccontextmanager
async def open_desk(
    home: Path | None = None,
    kind: str = "api",
    *,
    clock: Clock | None = None,
    settings: Settings | None = None,
    calendar: Calendar | None = None,
    rules: Rules | None = None,
    waits: Waits | None = None,
    exchange: PaperExchange | None = None,
    latency: tuple[float, float] | None = None,
    seed: int | None = None,
) -> AsyncIterator[PaperDesk]:
    """Open the desk of a home and close it again.

    `kind` is `app` (one at a time), `cli` or `api`. The rest is for tests and rehearsals: a clock moved by
    hand, another exchange, no latency in seconds, a seed for tags and rotation; but cancel-all brings its own
    settings and calendar where the home's are broken. Raises `BadInput`,
    `StoreError` or `AppAlreadyRuns`.
    """
    folder = home_folder(home)
    settings = settings or load_settings(folder)
    clock = clock or SystemClock()
    rules = rules or rules_of(settings)
    prepare(folder / "desk.db")
    calendar = calendar or calendar_of(folder)
    exchange = exchange or PaperExchange(folder / "paper.db", clock, calendar, policy=rules.policy)
    low, high = settings.paper_latency_ms
    broker: Broker = PaperBroker(exchange, clock, latency=latency or (low / 1000, high / 1000))
    market_clock = exchange.market_clock
    book = Book(dict.fromkeys(BROKERS, "paper"), lambda: market_clock.trading_day)
    parts = Parts(
        home=folder,
        mode="PAPER",
        actor=settings.trader,
        clock=clock,
        market_clock=market_clock,
        calendar=calendar,
        rules=rules,
        waits=waits or Waits(),
        store=Store(folder / "desk.db", clock),
        book=book,
        bus=Bus(_listener_failed),
        quotes=QuoteMap(),
        brokers=dict.fromkeys(BROKERS, broker),
        feed=broker,
        random=random.Random(seed) if seed is not None else random.SystemRandom(),
    )
    desk = PaperDesk(parts, kind, exchange)
    try:
        await desk.open()
        yield desk
    finally:
        await desk.close()
        exchange.close()


def calendar_of(home: Path) -> Calendar:
    """The exchanges' calendar with the home's changes, if it has any. Raises `BadInput`."""
    changes = home / "calendar.toml"
    return load_calendar(changes if changes.exists() else None)


def rules_of(settings: Settings) -> Rules:
    """The engine's rules as a trader's settings say."""
    return Rules(
        policy=settings.policy,
        protection_bps=round(settings.protection_percent * 100),
        price_age_limit_s=settings.price_age_limit_s,
        drift_limit_bps=round(settings.drift_percent * 100),
        plan_valid_s=settings.plan_valid_s,
    )


def _listener_failed(problem: Exception) -> None:
    log.error("a listener failed", exc_info=problem)


async def prepare_demo(desk: PaperDesk) -> bool:
    """Lay the demonstration's market, clients and watchlist into an empty home; gives whether it did.

    Raises `BadInput` where the home has clients that are not the demonstration's.
    """
    listings = universe()
    codes = {client.code for client in desk.clients.all()}
    demo = demo_clients()
    if codes:
        if not codes >= {client.code for client in demo}:
            raise BadInput(
                "home", str(desk.home), "it holds clients of its own; set TRADEDESK_HOME to an empty folder"
            )
        return False
    desk.exchange.list_instruments(listings)
    await desk.market.store_instruments([row.instrument for row in listings], "demonstration")
    await desk.clients.add([_new_client(client) for client in demo])
    for symbol in DEMO_WATCHLIST:
        if desk.market.index.get(f"NSE:{symbol}"):
            await desk.watchlist.add(f"NSE:{symbol}")
    return True


def _new_client(client: object) -> NewClient:
    names = NewClient.__dataclass_fields__
    return NewClient(**{name: getattr(client, name) for name in names})


async def take_instruments(desk: PaperDesk, instruments: list[Instrument], source: str) -> int:
    """Store imported instruments, and list those with a price on the paper exchange; gives how many."""
    count = await desk.market.store_instruments(instruments, source)
    desk.exchange.list_instruments(
        Listing(one, *[one.prev_close_paise] * 4, volume=0)
        for one in (desk.market.index.get(instrument.key) for instrument in instruments)
        if one is not None and one.prev_close_paise
    )
    return count


def start_logging(home: Path) -> None:
    """Log to a rotating file in the home; no tokens and no client names are ever logged at INFO."""
    folder = home / "logs"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handler = RotatingFileHandler(
        folder / "tradedesk.log", maxBytes=2_000_000, backupCount=5, encoding="utf-8"
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    root.addHandler(handler)
