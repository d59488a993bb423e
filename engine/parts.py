"""What every service of one desk shares."""

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from brokers.contract import Broker, BrokerAccount
from brokers.pacing import KeyLane, Lane, key_lane
from data.clock import Clock, MarketClock
from data.home import engine_lock, halt_file
from data.locks import is_held
from data.proving.heads import HeadsFile
from data.reference.instruments import InstrumentIndex
from data.reference.phases import Calendar
from data.store import Store, StoreClosed, Unit
from engine.events import Bus
from engine.market.quotes import QuoteMap
from engine.outages import Outages
from engine.rules import Rules, Waits

if TYPE_CHECKING:  # the market's services share these parts too, and stand below the accounts
    from engine.book.book import Book
    from engine.book.views import ClientView

T = TypeVar("T")

POINTS = (
    "reserving",
    "reserved",
    "claimed",
    "answered",
    "heard",
    "booking",
    "booked",
    "cancel_sent",
    "modify_sent",
    "halt_written",
    "reconciling",
)
"""Where on an order's way a program may die, in the order of the way: before and after the commit of a
reservation, after that of a claim, between an answer or an update and its commit, inside that commit, after
it, after a cancel or a modify was sent, after a halt's commit, between two clients of a reconciliation."""


def _passed(point: str) -> None:
    pass


def _passed_on(client_id: int, why: str) -> None:
    pass


def _is_heard(client_id: int) -> bool:
    return False


async def _cannot_sign_on() -> None:
    raise StoreClosed("no desk is open on these books")


@dataclass(slots=True)
class Parts:
    """The shared pieces of one running desk. `brokers` maps a client's broker word to its adapter."""

    home: Path
    mode: str
    actor: str
    clock: Clock
    market_clock: MarketClock
    calendar: Calendar
    rules: Rules
    waits: Waits
    store: Store
    book: "Book"
    bus: Bus
    quotes: QuoteMap
    brokers: Mapping[str, Broker]
    feed: Broker
    random: random.Random
    index: InstrumentIndex = field(default_factory=lambda: InstrumentIndex([]))
    instance_id: int = 0
    may_send: bool = False
    """Whether this engine is signed on, so that others see it alive and the day's books are open; set by
    signing on alone. Without it nothing is reserved, claimed, modified, adopted or imported."""
    sign_on: Callable[[], Awaitable[None]] = _cannot_sign_on
    """Signs on where that is not done. Raises `StoreError`."""
    begun: dict[int, float] = field(default_factory=dict[int, float])
    """The monotonic moment at which each run of this engine was confirmed, or last gone on with."""
    lanes: dict[int, Lane] = field(default_factory=dict[int, Lane])
    key_lanes: dict[str, KeyLane | None] = field(default_factory=dict[str, KeyLane | None])
    outages: Outages = field(default_factory=Outages)
    distrust: str | None = None
    """Why these books are not to be traded on: empty if nothing speaks against it, None before a look.

    Cancels go on all the same.
    """
    heads: HeadsFile = field(default_factory=lambda: HeadsFile(None))
    """Where heads of the audit are kept outside the database."""

    reached: Callable[[str], None] = _passed
    """Told of each of `POINTS`, from whichever thread is there."""

    session_lost: Callable[[int, str], None] = _passed_on
    """Told of a client whose session its broker no longer takes, and the broker's words."""

    is_polled: Callable[[int], bool] = _is_heard
    """Whether a client's api key has no stream, so that its order book is read instead."""

    look_at_secrets: Callable[[], tuple[bool, str]] | None = None
    """Whether api secrets and tokens are where the books expect them, and words; may block. None on paper."""

    async def write_signed_on(self, unit: Callable[[Unit], T]) -> T:
        """`Store.write` for what only an engine that may send writes; any other tries to sign on first.

        Raises what the unit raised, or `StoreError`; then nothing was written.
        """
        await self.sign_on()
        return await self.store.write(unit)

    @property
    def halt_file(self) -> Path:
        """The file whose presence stops every send, checked last before each."""
        return halt_file(self.home)

    def account(self, client: "ClientView") -> BrokerAccount:
        """A client's account as adapters address it; on the paper exchange the client's code is its id."""
        return BrokerAccount(client.id, client.code if self.mode == "PAPER" else client.broker_user_id)

    def client_of(self, broker: Broker, user_id: str) -> int | None:
        """The client whose account at this adapter it is."""
        if self.mode == "PAPER":
            return self.book.by_code.get(user_id.upper())
        words = (word for word, adapter in self.brokers.items() if adapter is broker)
        return next((c for w in words if (c := self.book.by_account.get((w, user_id))) is not None), None)

    def broker_of(self, client_id: int) -> tuple[Broker, BrokerAccount]:
        """The adapter and account of a client. Raises `KeyError` where no adapter serves its broker."""
        client = self.book.clients[client_id]
        return self.brokers[client.broker], self.account(client)

    def served(self, client_id: int) -> bool:
        """Whether an adapter serves this client's broker."""
        return self.book.clients[client_id].broker in self.brokers

    def engine_lives(self, instance_id: int) -> bool:
        """Whether the engine of this row still holds its lock."""
        return instance_id == self.instance_id or is_held(engine_lock(self.home, instance_id))

    def lane(self, client_id: int) -> Lane:
        """The rate budget of a client's account."""
        lane = self.lanes.get(client_id)
        if lane is None:
            broker = self.broker_of(client_id)[0]
            if broker.name not in self.key_lanes:
                self.key_lanes[broker.name] = key_lane(broker.capabilities)
            lane = self.lanes[client_id] = Lane(broker.capabilities, self.key_lanes[broker.name])
        return lane
