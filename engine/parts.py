"""What every service of one desk shares."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from brokers.connections import Connections
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
    """The shared pieces of one running desk."""

    home: Path
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
    connections: Connections
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

    def engine_lives(self, instance_id: int) -> bool:
        """Whether the engine of this row still holds its lock."""
        return instance_id == self.instance_id or is_held(engine_lock(self.home, instance_id))
