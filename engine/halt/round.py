"""The round of a halt: every client's books read until nothing lives there, whoever sent it."""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from brokers.contract import Accepted, BrokerOrder, BrokerRows, Outcome, PassedOver
from data.reference.emergency import emergency_paths
from data.repositories.halts import keep_met
from data.store import StoreError, Unit
from data.vocabulary import HaltScope, OrderState, SessionState
from engine.book.halt_scope import covers
from engine.book.kept import Kept
from engine.book.views import ClientView, HaltView, OrderView
from engine.execution.book_reads import MAY_LIVE, Watcher
from engine.execution.cancels import Canceller, CancelsAsked, ask
from engine.halt.certificate import (
    CertificateExternal,
    CertificatePassedOver,
    CertificateRow,
    CertificateUnread,
)
from engine.halt.sweep import Before, Sent
from engine.market.venues import Venues
from engine.rules import READERS
from engine.timing import Timing

log = logging.getLogger(__name__)

CALLS = 2
"""Reads that a look at one client takes: orders and trades."""

ETA_MARGIN_S = 15.0
"""How long after the brokers' budgets have let every read through a round still waits."""


@dataclass(frozen=True, slots=True)
class FromBooks:
    """What cancels came to that nothing could be written of.

    `others` counts live orders beside those that the desk's books have, `taken` all cancels brokers took.
    """

    taken: int
    others: int


class Round:
    """Reads each client after the halt and after its own last cancel, and cancels what it finds live.

    A client is in it who had a session or anything live or in doubt at the halt, whatever its status. One
    that cannot be read is read again, at growing intervals, until `close`. Orders of this desk that come to
    live while the halt stands, such as one that its broker had called cancelled, join those of `before`; but
    not those that were made under a halt of strength `reduce`, and left since they do.
    """

    def __init__(
        self,
        kept: Kept,
        timing: Timing,
        venues: Venues,
        canceller: Canceller,
        watcher: Watcher,
        halt: HaltView,
        before: Before,
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._connections = venues.connections
        self._market_data = venues.market_data
        self._canceller = canceller
        self._watcher = watcher
        self._halt = halt
        self._before = before
        self._began = timing.wall.monotonic()
        self._readers = asyncio.Semaphore(READERS)
        self._met: dict[tuple[int, str], BrokerOrder] = {}
        self._odd_met: set[tuple[int, str]] = set()
        self._ahead_met: set[int] = set()
        self.late: dict[int, int] = {}
        """Blocked paise of the orders that have joined those of `before`."""
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._books: dict[int, tuple[float, BrokerRows[BrokerOrder]]] = {}
        self._orders = defaultdict[int, list[int]](list)
        for order_id in before.orders.keys() & kept.book.orders.keys():
            self._orders[kept.book.orders[order_id].client_id].append(order_id)
        inside = [c for c in kept.book.clients.values() if self._in_scope(c)]
        known = self._orders.keys() & kept.book.clients.keys()
        asked = {client.id for client in inside if self._may_have_orders(client)} | known
        self.clients = sorted(asked)
        self.not_signed_in = tuple(sorted(client.code for client in inside if client.id not in asked))

    def _in_scope(self, client: ClientView) -> bool:
        return self._halt.scope is HaltScope.SYMBOL or covers(self._halt, client, "")

    def _may_have_orders(self, client: ClientView) -> bool:
        signed_in = client.session is SessionState.OK and self._connections.serves(client.id)
        return signed_in or bool(self._kept.book.external_orders.get(client.id))

    def deadline_s(self) -> float:
        """How long this round is waited for, by the time that its reads take within the brokers' budgets."""
        connections = self._connections
        pairs = [connections.broker_of(one) for one in self.clients if connections.serves(one)]
        accounts = {id(broker): [a for b, a in pairs if b is broker] for broker, _ in pairs}
        brokers = {id(broker): broker for broker, _ in pairs}
        eta = max((brokers[key].read_eta_s(accounts[key], CALLS) for key in brokers), default=0.0)
        return max(self._timing.waits.halt_deadline_s, eta + ETA_MARGIN_S if eta else 0.0)

    # --- reading ---

    async def go_on(self, seconds: float) -> None:
        """Read every client that is not settled, until all are, but no longer than this."""
        for client_id in self.clients:
            under_way = self._tasks.get(client_id)
            going_on = under_way is not None and not under_way.done()
            if not going_on and (not self.is_settled(client_id) or self._odd(client_id)):
                self._tasks[client_id] = asyncio.create_task(self._until_settled(client_id))
        going = [task for task in self._tasks.values() if not task.done()]
        if going:
            patience = asyncio.create_task(self._timing.wall.sleep(seconds))
            everyone = asyncio.create_task(_all(going))
            await asyncio.wait({everyone, patience}, return_when=asyncio.FIRST_COMPLETED)
            everyone.cancel()
            patience.cancel()

    def close(self) -> None:
        """Give up what is under way."""
        for task in self._tasks.values():
            task.cancel()

    async def _until_settled(self, client_id: int) -> None:
        waits, clock = self._timing.waits, self._timing.wall
        await self._canceller.first_answers(client_id, waits.cancel_repeat_s)
        pause = waits.halt_readback_s
        while True:
            if client_id in self._orders:
                await self._read(client_id)
            else:
                async with self._readers:
                    await self._read(client_id)
            if self.is_settled(client_id):
                return
            await clock.sleep(pause)
            pause = min(pause * 2, waits.live_poll_s)

    async def _read(self, client_id: int) -> None:
        """Read a client's books and cancel what is live there and was not asked to end yet."""
        await self._watcher.read(client_id)
        await self._cancel_late(client_id)
        client = self._kept.book.clients[client_id]
        theirs = {
            name: order
            for name, order in self._kept.book.external_orders.get(client_id, {}).items()
            if covers(self._halt, client, self._key(order))
        }
        self._met |= {(client_id, name): order for name, order in theirs.items()}
        odd = () if self._halt.scope is HaltScope.SYMBOL else self._odd(client_id)
        names = [*theirs, *(name for name in odd if name and (client_id, name) not in self._odd_met)]
        self._odd_met |= {(client_id, name) for name in odd}
        if names:
            await asyncio.gather(*(self._canceller.cancel_external(client_id, name) for name in names))
            await self._watcher.read(client_id)

    async def _cancel_late(self, client_id: int) -> None:
        """Cancel orders of this desk that have come to live after the halt, and count them in it."""
        if not self._stands():
            return
        late = [o for o in self._live_here(client_id) if not self._canceller.is_cancelling(o.id)]
        if late:
            try:
                asked = await self._kept.store.write(lambda unit: self._ask(unit, late))
            except StoreError as problem:  # asked for again at the next read
                log.error("cancels of orders that came back could not be written: %s", problem)
                await self._canceller.without_store([order.id for order in late])
                return
            for order in late:
                self._count(order)
            self._before.unsent_freed += len(asked.freed)
            self._canceller.carry_out(asked.requests)
            await self._canceller.first_answers(client_id, self._timing.waits.cancel_repeat_s)
            await self._watcher.read(client_id)
        ahead = [o for o in self._live_there(client_id) if o.id not in self._ahead_met]
        self._ahead_met |= {order.id for order in ahead}
        calls = [
            self._canceller.cancel_external(client_id, o.broker_order_id) for o in ahead if o.broker_order_id
        ]
        ends = await asyncio.gather(*calls)
        for order, end in zip(ahead, ends, strict=True):
            if isinstance(end, Accepted):
                self._count(order)
        if ahead:
            await self._watcher.read(client_id)

    def _ask(self, unit: Unit, late: Sequence[OrderView]) -> CancelsAsked:
        """Ask for their cancels, and keep in the halt's row that they are of it."""
        number, before = self._halt.number, self._before
        asked = ask(unit, [order.id for order in late], f"halt {number}", self._halt.by, number)
        orders = {order.id: order.blocked_paise for order in late} | before.orders
        available = {order.client_id: self._available(order.client_id) for order in late} | before.available
        now = Before(orders, available, before.unsent_freed + len(asked.freed))
        keep_met(unit, number, now.to_json())
        return asked

    def _available(self, client_id: int) -> int:
        funds = self._kept.book.funds.get(client_id)
        return 0 if funds is None else funds.available_paise

    def _stands(self) -> bool:
        return any(halt.number == self._halt.number for halt in self._kept.book.halts)

    def _count(self, order: OrderView) -> None:
        """Take an order in among those of the halt."""
        if order.id in self._before.orders:
            return
        self.late[order.id] = self._before.orders[order.id] = order.blocked_paise
        self._before.available.setdefault(order.client_id, self._available(order.client_id))
        self._orders[order.client_id].append(order.id)

    def _live_here(self, client_id: int) -> list[OrderView]:
        """The client's orders that live by this desk's books: the halt's, and others while it stands."""
        book = self._kept.book
        client = book.clients.get(client_id)
        stands = self._stands()
        live = [book.orders[i] for i in sorted(book.orders_of_client.get(client_id, set()) & book.live)]
        return [
            order
            for order in live
            if order.id in self._before.orders
            or (stands and client is not None and self._is_over(client, order))
        ]

    def _is_over(self, client: ClientView, order: OrderView) -> bool:
        """Whether an order is the halt's to end: in its scope, and not one that left under it."""
        may_leave = self._halt.reduces and order.run_number is not None
        left_under_it = may_leave and order.created_at >= self._halt.at
        return covers(self._halt, client, order.key) and not left_under_it

    def _live_there(self, client_id: int) -> list[OrderView]:
        """The client's orders that have ended by this desk's books, and live by the broker's as last read.

        Either is behind the other: which, the next reads tell.
        """
        book = self._kept.book
        client = book.clients.get(client_id)
        names = ((client_id, name) for name in self._watcher.live_rows(client_id))
        ours = [book.orders[book.by_broker_id[name]] for name in names if name in book.by_broker_id]
        return [
            order
            for order in ours
            if not order.live
            and order.state is not OrderState.FILLED
            and client is not None
            and self._is_over(client, order)
        ]

    def _odd(self, client_id: int) -> set[str]:
        """The ids in rows that could not be read of orders that may live; empty text where a row has none."""
        return {row.broker_order_id for row in self._watcher.odd_rows(client_id) if row.may_live}

    async def cancel_from_books(self) -> FromBooks:
        """Cancel what lives in the scope once, by the desk's books and by the brokers', writing nothing."""
        taken = await self._canceller.without_store(self._before.orders)
        looked = await asyncio.gather(*(self._cancel_from_book(c, taken) for c in self.clients))
        others = [end for ends in looked if ends is not None for end in ends]
        more = sum(isinstance(end, Accepted) for end in others)
        return FromBooks(len(taken) + more, len(others))

    async def _cancel_from_book(
        self, client_id: int, taken: Collection[tuple[int, str]]
    ) -> Sequence[Outcome] | None:
        """How cancels ended of what else a client's own book shows live; None where it cannot be read."""
        orders = await self._look(client_id)
        if orders is None:
            return None
        book = self._kept.book
        live = [one.broker_order_id for one in self._live_in(client_id)]
        ours = {name: book.by_broker_id.get((client_id, name)) for name in live}
        late = {name: i for name, i in ours.items() if i is not None and i not in self._before.orders}
        for order_id in late.values():
            self._count(book.orders[order_id])
        theirs = {
            (client_id, order.broker_order_id): order
            for order in self._live_in(client_id)
            if (client_id, order.broker_order_id) not in taken and ours[order.broker_order_id] is None
        }
        self._met |= theirs
        names = [*late, *(name for _, name in theirs)]
        if self._halt.scope is not HaltScope.SYMBOL:
            names += [row.broker_order_id for row in orders.unread if row.may_live and row.broker_order_id]
        return await asyncio.gather(*(self._canceller.cancel_external(client_id, name) for name in names))

    async def _look(self, client_id: int) -> BrokerRows[BrokerOrder] | None:
        """A client's own book, booked nowhere; None where it cannot be read."""
        moment = self._timing.wall.monotonic()
        async with self._readers:
            orders = await self._watcher.book_of(client_id)
        if orders is not None:
            self._books[client_id] = (moment, orders)
        return orders

    async def read_back(self) -> None:
        """After `cancel_from_books`, read the brokers' books until nothing lives there or the deadline.

        A client whose broker cannot be asked from here is not waited for.
        """
        deadline, left = self._timing.wall.monotonic() + self.deadline_s(), self.clients
        while True:
            await asyncio.gather(*(self._look(client_id) for client_id in left))
            left = [c for c in left if not (self._is_quiet_in_book(c) or self._watcher.was_not_asked(c))]
            if not left or self._timing.wall.monotonic() >= deadline:
                return
            await self._timing.wall.sleep(self._timing.waits.halt_readback_s)

    # --- what the brokers' own books have come to, where nothing can be booked ---

    @property
    def orders(self) -> Collection[int]:
        """The orders of the halt."""
        return self._before.orders

    @property
    def tried(self) -> set[int]:
        """Orders of which no cancel has left this machine."""
        return self._canceller.tried

    @property
    def sent(self) -> Sent:
        """When the first and the latest cancel of each order left."""
        return self._canceller.sent

    def _live_in(self, client_id: int) -> list[BrokerOrder]:
        """The orders in the halt's scope that live in a client's book as last read."""
        client = self._kept.book.clients[client_id]
        return [
            order
            for order in self._book_of(client_id)
            if order.status in MAY_LIVE and covers(self._halt, client, self._key(order))
        ]

    def _book_of(self, client_id: int) -> BrokerRows[BrokerOrder]:
        return self._books[client_id][1] if client_id in self._books else BrokerRows[BrokerOrder]()

    def _is_read_in_book(self, client_id: int) -> bool:
        """Whether a client's book was read after its own last cancel."""
        read_at = self._books[client_id][0] if client_id in self._books else float("-inf")
        return read_at >= self._canceller.ended_at.get(client_id, self._began)

    def _is_quiet_in_book(self, client_id: int) -> bool:
        odd = any(row.may_live for row in self._book_of(client_id).unread)
        return self._is_read_in_book(client_id) and not self._live_in(client_id) and not odd

    def books_are_quiet(self) -> bool:
        """Whether every client's book was read after its last cancel and nothing lives there."""
        return all(self._is_quiet_in_book(client_id) for client_id in self.clients) and not self._lost()

    def in_book(self, order: OrderView) -> BrokerOrder | None:
        """One of our orders as its client's book has it; None where it was not read, or is not there."""
        if not self._is_read_in_book(order.client_id):
            return None
        for one in self._book_of(order.client_id):
            if one.broker_order_id == order.broker_order_id or (order.tag and order.tag in one.tags):
                return one
        return None

    def unread_books(self) -> tuple[CertificateUnread, ...]:
        """The clients whose books were not read, with the broker's words."""
        tried = Counter(self._kept.book.orders[order_id].client_id for order_id in self._tried())
        return tuple(self._unread(c, tried[c], True) for c in self.clients if not self._is_read_in_book(c))

    def rows_unread_in_books(self) -> tuple[CertificateRow, ...]:
        """The rows that could not be read in the books that were."""
        return tuple(
            CertificateRow(c, self._code(c), row.words, row.broker_order_id, row.may_live)
            for c in self.clients
            for row in self._book_of(c).unread
        )

    def passed_over_in_books(self) -> tuple[CertificatePassedOver, ...]:
        """Live orders in the books read that the desk does not trade and no cancel here touches."""
        return tuple(self._passed(c, one) for c in self.clients for one in self._book_of(c).passed_over)

    def external_in_books(self) -> tuple[CertificateExternal, ...]:
        """What has become, by the books read, of each order met that this desk had not sent."""
        live = {(c, order.broker_order_id) for c in self.clients for order in self._live_in(c)}
        return tuple(self._external(one, order, one in live) for one, order in sorted(self._met.items()))

    # --- what it has come to ---

    def is_read(self, client_id: int) -> bool:
        """Whether a client's books were read after the halt and after its own last cancel."""
        since = max(self._began, self._canceller.ended_at.get(client_id, self._began))
        return self._watcher.read_since(client_id, since)

    def is_settled(self, client_id: int) -> bool:
        """Whether a client has been read and nothing of it lives in the halt's scope but in odd rows."""
        odd = {row.broker_order_id for row in self._watcher.odd_rows(client_id)}
        ours = any(order.broker_order_id not in odd for order in self._live_here(client_id))
        ours = ours or bool(self._live_there(client_id))
        theirs = any(owner == client_id and self._lives(owner, name) for owner, name in self._met)
        return self.is_read(client_id) and not ours and not theirs

    def _lost(self) -> bool:
        """Whether orders may live of which nobody can be asked: their or their clients' rows are missing."""
        book = self._kept.book
        found = (book.orders.get(order_id) for order_id in self._before.orders)
        return any(order is None or (order.live and order.client_id not in book.clients) for order in found)

    def is_quiet(self) -> bool:
        """Whether every client is settled: what is left are odd rows, which no reading here ends."""
        return all(self.is_settled(client_id) for client_id in self.clients)

    def is_ended(self) -> bool:
        """Whether every client is settled and no odd row is left that may be of a live order."""
        odd = any(self._odd(client_id) for client_id in self.clients)
        return self.is_quiet() and not odd and not self._lost()

    def unread_rows(self) -> tuple[CertificateRow, ...]:
        """The rows that could not be read in the order books that were."""
        return tuple(
            CertificateRow(client_id, self._code(client_id), row.words, row.broker_order_id, row.may_live)
            for client_id in self.clients
            for row in self._watcher.odd_rows(client_id)
        )

    def only_doubt(self) -> bool:
        """Whether nothing that is left can be ended by reading on here.

        Left then are orders whose sends are in doubt, and clients for whom something is missing here that
        their broker must be asked with.
        """
        doubt = (OrderState.SENDING, OrderState.UNKNOWN)
        for client_id in self.clients:
            if self.is_settled(client_id) or self._watcher.was_not_asked(client_id):
                continue
            live = self._live_here(client_id)
            doubtful = all(o.state in doubt and o.broker_order_id is None for o in live)
            doubtful = doubtful and not self._live_there(client_id)
            strange = any(owner == client_id and self._lives(owner, name) for owner, name in self._met)
            if not self.is_read(client_id) or not doubtful or strange:
                return False
        return True

    def unread(self, final: bool) -> tuple[CertificateUnread, ...]:
        """The clients who were not read, with the broker's words; a final word leaves none without."""
        tried = Counter(self._kept.book.orders[order_id].client_id for order_id in self._tried())
        return tuple(self._unread(c, tried[c], final) for c in self.clients if not self.is_read(c))

    def _tried(self) -> Iterable[int]:
        return self._before.orders.keys() & self._canceller.tried

    def _unread(self, client_id: int, tried: int, final: bool) -> CertificateUnread:
        client = self._kept.book.clients[client_id]
        why = self._watcher.why_unread(client_id) or ("not read in time" if final else "")
        day = self._timing.market.trading_day
        return CertificateUnread(
            client_id, client.code, client.name, why, tried, emergency_paths(client.broker, day)
        )

    def _key(self, order: BrokerOrder) -> str:
        """What the instrument of a broker's order is called now."""
        return self._market_data.index.key_now(f"{order.exchange}:{order.tradingsymbol}")

    def _lives(self, client_id: int, name: str) -> bool:
        return name in self._kept.book.external_orders.get(client_id, {})

    def passed_over(self) -> tuple[CertificatePassedOver, ...]:
        """Live orders of these clients that the desk does not trade and no cancel here touches."""
        return tuple(self._passed(c, one) for c in self.clients for one in self._watcher.passed_over(c))

    def _passed(self, client_id: int, one: PassedOver) -> CertificatePassedOver:
        return CertificatePassedOver(
            client_id,
            self._code(client_id),
            one.broker_order_id,
            one.what,
            one.tradingsymbol,
            one.side,
            one.quantity,
        )

    def _code(self, client_id: int) -> str:
        return self._kept.book.clients[client_id].code

    def external(self) -> tuple[CertificateExternal, ...]:
        """What has become of each order met that this desk had not sent."""
        return tuple(
            self._external(one, order, self._lives(*one)) for one, order in sorted(self._met.items())
        )

    @staticmethod
    def _external(one: tuple[int, str], order: BrokerOrder, lives: bool) -> CertificateExternal:
        client_id, name = one
        key = f"{order.exchange}:{order.tradingsymbol}"
        result = "live" if lives else "ended"
        return CertificateExternal(client_id, name, key, order.side.value, order.quantity, result)


async def _all(tasks: Iterable["asyncio.Task[None]"]) -> None:
    await asyncio.wait(list(tasks))
