"""What a desk does when something has changed: each commit is projected and told, and its services follow."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from brokers.life import Life
from data.repositories.base import On
from data.writing.changes import Touched
from engine.accounts.valuation import Valuation
from engine.background import Background
from engine.book.book import Projection
from engine.book.kept import Kept
from engine.events import (
    ClientsChanged,
    Event,
    FundsChanged,
    InstrumentsRenamed,
    OrderChanged,
    RunChanged,
    SessionsChanged,
)
from engine.market.lists.watchlists import Watchlists
from engine.market.market import Market
from engine.tape import Tape

POSITIONS = "positions"
"""Under which name the engine itself follows prices: of everything held."""

Reader = Callable[[], Coroutine[Any, Any, None]]


class Projecting:
    """Brings each commit into the book, and tells of it; of another process's commits more is read anew.

    `clients_changed` and `halts_changed` read what hangs on those, `clients_came` what is still to be
    carried out of clients that another desk had.
    """

    def __init__(
        self,
        kept: Kept,
        tape: Tape,
        background: Background,
        clients_changed: Sequence[Reader],
        halts_changed: Sequence[Reader],
        clients_came: Sequence[Reader] = (),
    ) -> None:
        self._kept = kept
        self._tape = tape
        self._background = background
        self._clients_changed = clients_changed
        self._halts_changed = halts_changed
        self._clients_came = clients_came
        self.begun = False
        """Whether the desk is at work: what comes before it takes up as it begins."""

    def project(self, connection: On, touched: Touched) -> object:
        """Read back what a commit touched, on the writer's thread."""
        return self._kept.book.project(connection, touched)

    def deliver(self, projection: object, events: Sequence[object], by_others: bool) -> None:
        """Apply what was read and tell of it, on the event loop; `by_others` is another process's commit."""
        told: list[Event] = [event for event in events if isinstance(event, Event)]
        if isinstance(projection, Projection):
            book = self._kept.book
            read_before = bool(book.clients)
            halts, runs, clients = book.halts, dict(book.runs), book.clients
            told = book.apply(projection) + told
            if by_others and read_before:
                told += self._tape.done_by_others(halts, runs, told)
            if projection.market and (by_others or projection.people is not None):
                self._background.load(*self._clients_changed)
            if self.begun and projection.mine is not None and book.clients.keys() - clients.keys():
                self._background.load(*self._clients_came)
            if by_others and projection.halts is not None:
                self._background.load(*self._halts_changed)
        self._kept.bus.publish(told)

    async def read_everything(self) -> None:
        """Bring all of the books into the book, where no commit could do it."""
        async with self._kept.store.reader() as connection:
            everything = Touched(everything=True)
            projection = await connection.run_sync(lambda plain: self.project(plain, everything))
        self.deliver(projection, [], False)


def tell_connection(life: Life, event: Event) -> None:
    """Tell a connection of what it follows."""
    if isinstance(event, ClientsChanged):
        life.clients_changed()
    elif isinstance(event, SessionsChanged):
        life.sessions_changed()
    elif isinstance(event, InstrumentsRenamed):
        life.instruments_renamed()


class Following:
    """Has prices and values follow what is held, and orders that wait looked at again."""

    def __init__(
        self,
        kept: Kept,
        market: Market,
        watchlists: Watchlists,
        valuation: Valuation,
        background: Background,
        wake: Callable[[], None],
    ) -> None:
        self._kept = kept
        self._market = market
        self._watchlists = watchlists
        self._valuation = valuation
        self._background = background
        self._wake = wake

    async def begin(self) -> None:
        """Follow from now on."""
        self._kept.bus.subscribe(self._follow)
        self._valuation.refresh(self._kept.book.clients)
        await self._follow_positions()

    def _follow(self, event: Event) -> None:
        if isinstance(event, InstrumentsRenamed):
            self._watchlists.renamed(event.moved)
        elif isinstance(event, FundsChanged):
            self._valuation.refresh(event.client_ids)
            if frozenset(self._valuation.keys()) != self._market.followed_by(POSITIONS):
                self._background.load(self._follow_positions)
        elif isinstance(event, ClientsChanged):
            self._valuation.refresh(self._kept.book.clients)
        elif isinstance(event, (OrderChanged, RunChanged)):
            self._wake()

    async def _follow_positions(self) -> None:
        """Keep the prices of everything held coming, whatever the screens show."""
        await self._market.follow(self._valuation.keys(), POSITIONS)
