"""What guards look at, kept as the book changes, and one sample of all of them at a time."""

from collections.abc import Collection, Iterable
from datetime import date

from msgspec import Struct

from brokers.contract import BrokerOrder
from data.errors import BadInput
from data.reference.instrument_index import InstrumentIndex
from data.reference.instruments import Instrument
from data.reference.mtf import interest_a_day
from data.repositories.trading.guards import StoredGuard
from data.vocabulary import FlattenWhat, GuardWait, HaltScope, Product, Side, TripKind
from engine.book.book import Book
from engine.book.views import NO_FIGURES, ClientView, OrderView
from engine.execution.sending.reducing import reduces
from engine.flatten.viewing import in_scope
from engine.guards.counting import (
    Counted,
    ExitCosts,
    Mark,
    SetBooks,
    books_of,
    count,
    mark_of,
    together,
)
from engine.guards.judging import GuardLimits, Watched, limits_of, near
from engine.market.market import Market
from engine.timing import Timing


class TripDue(Struct, frozen=True):
    """A guard that trips by the sample that was just taken, and the figures of that, whatever the next shows.

    `net_paise` is None where nothing could be seen.
    """

    guard: StoredGuard
    kind: TripKind
    net_paise: int | None
    limits: GuardLimits


class Sampler:
    """Counts the sets of guards, and remembers of each what samples have shown."""

    def __init__(self, book: Book, timing: Timing, market: Market) -> None:
        self._book = book
        self._timing = timing
        self._market = market
        self._sets: dict[tuple[int, FlattenWhat], SetBooks] = {}
        self._exits: dict[int, ExitCosts] = {}
        self._day: date | None = None
        self._at: float | None = None
        self.watched: dict[int, Watched] = {}

    def forget(self, client_ids: Iterable[int] | None = None) -> None:
        """Read the books of these clients anew, of all where None are named."""
        if client_ids is None:
            self._sets.clear()
            return
        gone = set(client_ids)
        for pair in [pair for pair in self._sets if pair[0] in gone]:
            del self._sets[pair]

    def members(self, guard: StoredGuard) -> list[ClientView]:
        """The clients whom a guard is of."""
        if guard.scope is HaltScope.CLIENT:  # at every sample, so that not all are looked through
            client = self._book.clients.get(int(guard.value))
            return [] if client is None else [client]
        return in_scope(self._book, guard.scope, guard.value)

    def base_of(self, guard: StoredGuard) -> int:
        """The day's sizing base of whom a guard is of, in paise."""
        return sum(client.capital_paise for client in self.members(guard))

    def keys(self, guards: Iterable[StoredGuard] | None = None) -> set[str]:
        """Every instrument whose price these guards need, or all."""
        return {
            key
            for guard in (self._book.guards.values() if guards is None else guards)
            for client in self.members(guard)
            for key in self._set(client.id, guard.what).keys
        }

    def sample(self) -> list[TripDue]:
        """Take one sample of every guard; returns those that trip by it."""
        self._begin_day()
        at = self._timing.wall.monotonic()
        marks = self._marks()
        counted: dict[tuple[int, FlattenWhat], Counted] = {}
        due: list[TripDue] = []
        for guard in self._book.guards.values():
            watched = self.watched.get(guard.number)
            if watched is None or watched.of != guard.set_at:
                watched = self.watched[guard.number] = Watched(of=guard.set_at)
            members = self.members(guard)
            for client in members:
                pair = client.id, guard.what
                if pair not in counted:
                    counted[pair] = self._count(client, guard.what, marks)
            of = [counted[client.id, guard.what] for client in members]
            whole = of[0] if len(of) == 1 else together(of)
            limits = limits_of(guard, sum(client.capital_paise for client in members))
            if (kind := watched.sample(whole, limits, at)) is not None:
                due.append(TripDue(guard, kind, whole.net_paise, limits))
        for number in self.watched.keys() - self._book.guards.keys():
            del self.watched[number]
        self._at = at
        return due

    def is_quiet(self, guard: StoredGuard) -> bool:
        """Whether a guard has been seen, and far from its limits."""
        watched = self.watched.get(guard.number)
        if watched is None or watched.counted is None or watched.limits is None:
            return True
        net = watched.counted.net_paise
        return net is not None and not watched.limits.unknown and not near(net, watched.limits)

    def once(self, guard: StoredGuard) -> Watched:
        """What one look at a guard shows that need not be set."""
        marks = self._marks([guard])
        members, watched = self.members(guard), Watched()
        whole = together([self._count(client, guard.what, marks) for client in members])
        limits = limits_of(guard, sum(client.capital_paise for client in members))
        watched.sample(whole, limits, self._timing.wall.monotonic())
        return watched

    @property
    def age_s(self) -> float | None:
        """How long ago the last sample was taken; None before the first."""
        return None if self._at is None else max(0.0, self._timing.wall.monotonic() - self._at)

    def _begin_day(self) -> None:
        day = self._timing.market.trading_day
        if day != self._day:
            self._day = day
            self._sets.clear()
            self._exits.clear()
            self.watched.clear()

    def _count(self, client: ClientView, what: FlattenWhat, marks: dict[str, Mark]) -> Counted:
        books = self._set(client.id, what)
        if client.id not in self._book.reconciled and (books.held or books.sold):
            return Counted(None, open=len(books.held), wait=GuardWait.BOOKS)
        exits = self._exits.get(client.id)
        if exits is None:
            day = self._timing.market.trading_day
            exits = self._exits[client.id] = ExitCosts(client.broker, day)
        return count(books, marks, exits)

    def _set(self, client_id: int, what: FlattenWhat) -> SetBooks:
        made = self._sets.get((client_id, what))
        if made is None:
            book = self._book
            held = book.holdings.get(client_id, ())
            figures = book.figures.get(client_id, NO_FIGURES)
            keys = {one.key for one in held} | {sale.key for sale in figures.sales}
            owed = book.owed.get(client_id, ())
            interest = self._interest(client_id) if what in (FlattenWhat.MTF, FlattenWhat.ALL) else 0
            made = books_of(what, held, owed, figures, self._trade_to_trade(keys), interest)
            self._sets[client_id, what] = made
        return made

    def _interest(self, client_id: int) -> int:
        """What a day of a client's margin loan costs."""
        funds, client = self._book.funds.get(client_id), self._book.clients[client_id]
        lent = 0 if funds is None else funds.mtf_loan_paise
        day = self._timing.market.trading_day
        return interest_a_day(client.broker, day, lent) if lent else 0

    def _trade_to_trade(self, keys: Collection[str]) -> frozenset[str]:
        index = self._market.index
        found = ((key, index.get(key)) for key in keys)
        return frozenset(key for key, one in found if one is not None and one.trade_to_trade)

    def _marks(self, guards: Iterable[StoredGuard] | None = None) -> dict[str, Mark]:
        keys = self.keys(guards)
        old = self._market.old(keys)
        index, quote = self._market.index, self._market.quote
        trading: dict[tuple[bool, str], bool] = {}
        marks: dict[str, Mark] = {}
        for key in keys:
            instrument = index.get(key)
            of = (False, "") if instrument is None else (instrument.fno, instrument.exchange)
            if of not in trading:
                trading[of] = self._trades(instrument)
            marks[key] = mark_of(quote(key), key in old, trading[of])
        return marks

    def _trades(self, instrument: Instrument | None) -> bool:
        """Whether an instrument is in continuous trading now."""
        try:
            return instrument is not None and self._timing.phase(instrument).continuous
        except BadInput:  # the calendar does not reach this day
            return False

    def trades_any(self, guard: StoredGuard) -> bool:
        """Whether anything that a guard guards trades continuously now, or there is nothing."""
        keys = {key for client in self.members(guard) for key in self._set(client.id, guard.what).keys}
        index = self._market.index
        return not keys or any(self._trades(index.get(key)) for key in keys)


def opening_orders(book: Book, index: InstrumentIndex, client_ids: Iterable[int]) -> list[OrderView]:
    """Live orders of these clients that would make a position larger, or turn it."""
    found: list[OrderView] = []
    for client_id in client_ids:
        for order_id in sorted(book.orders_of_client.get(client_id, set()) & book.live):
            order = book.orders[order_id]
            if order.flatten_number is None and not _reduces(book, index, order, order.key, order.leaves):
                found.append(order)
    return found


def opening_elsewhere(book: Book, index: InstrumentIndex, client_id: int) -> list[BrokerOrder]:
    """The same of a client's live orders at the broker that this desk did not send."""
    return [
        one
        for one in book.external_orders.get(client_id, {}).values()
        if not _reduces(
            book,
            index,
            _External(client_id, one.side, one.product),
            f"{one.exchange}:{one.tradingsymbol}",
            max(0, one.quantity - one.filled_quantity),
        )
    ]


class _External(Struct, frozen=True):
    client_id: int
    side: Side
    product: Product


def _reduces(
    book: Book, index: InstrumentIndex, order: OrderView | _External, key: str, quantity: int
) -> bool:
    instrument = index.get(key)
    security = key if instrument is None else instrument.security
    held = sum(
        one.quantity
        for one in book.holdings.get(order.client_id, ())
        if (one.security, one.product) == (security, order.product)
    )
    if order.product is Product.MIS:
        held -= sum(one.quantity for one in book.owed.get(order.client_id, ()) if one.security == security)
    return reduces(held, order.side, quantity, 0)
