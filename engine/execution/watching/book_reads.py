"""Watching the brokers' order books: what their streams and each client's books say becomes a fact.

The stream is a hint. The order book is read for every client with live orders every few seconds, sooner
for UNKNOWN orders and for a status that is ahead of its trades, and once a minute for everybody else.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Coroutine, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from brokers.connection import Connection
from brokers.connections import Connections, Readers
from brokers.contract import (
    BrokerOrder,
    BrokerRows,
    BrokerStatus,
    BrokerTrade,
    NotAsked,
    OrderUpdate,
    PassedOver,
    SessionExpired,
    UnreadRow,
)
from data.repositories.trading.requests import changes_in
from data.store import StoreError
from data.under_way import UnderWay
from data.vocabulary import ClientStatus, OrderState, RequestState, SessionState
from engine.access.lost import LostSessions
from engine.book.kept import Kept
from engine.book.views import OrderView
from engine.booking.facts import Applied, Seen
from engine.booking.recorder import Recorder
from engine.booking.states import EVENT_OF_STATUS, transition
from engine.booking.unread import ORDERS, TRADES, keep_unread
from engine.events import ExternalOrderSeen, ExternalOrderTraded, TapeLine
from engine.execution.sending.unanswered import NOT_SERVED
from engine.execution.watching.unresolved import Resolver
from engine.instances import ThisEngine
from engine.news import ExternalOrder
from engine.rules import READERS
from engine.timing import Timing

log = logging.getLogger(__name__)

MAY_LIVE = (BrokerStatus.OPEN, BrokerStatus.UNRECOGNISED)
"""Statuses of orders at a broker that may still trade."""


class _Look(Struct, frozen=True):
    """What is kept of a client's order book as last read; the orders themselves stand in the books."""

    live: tuple[str, ...]
    """The broker's ids of orders that may live."""
    unread: tuple[UnreadRow, ...]
    passed_over: tuple[PassedOver, ...]


class Watcher:
    """Turns what brokers say of orders into facts, and reads their books on a schedule."""

    def __init__(
        self,
        kept: Kept,
        timing: Timing,
        engine: ThisEngine,
        connections: Connections,
        recorder: Recorder,
        lost: LostSessions,
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._connections = connections
        self._recorder = recorder
        self._lost = lost
        self.resolver = Resolver(kept, timing)
        self._reading = UnderWay[int, bool]()
        self._read_at: dict[int, datetime] = {}
        self._read_since: dict[int, float] = {}
        self._unread: dict[int, str] = {}
        self._not_asked: set[int] = set()
        self._looks: dict[int, _Look] = {}
        self._odd_books: set[int] = set()
        self._opened_at = timing.wall.now()
        self._soon: set[asyncio.Task[object]] = set()
        self._readers = Readers(kept.book.carrier_of, READERS)
        self._external_told: dict[tuple[int, str], tuple[str, int]] = {}
        recorder.after(self._note_applied)

    def take(self, connection: Connection, update: OrderUpdate) -> None:
        """Record what the stream says of an order of ours."""
        client_id = self._connections.client_of(connection, update.order.user_id)
        if client_id is not None:
            self._recorder.put(Seen(client_id, update.order, update.trades))

    # --- the schedule ---

    async def poll(self) -> None:
        """Read the books of all clients on the schedule of `Waits`."""
        while True:
            await self._timing.wall.sleep(self._timing.waits.not_sent_pause_s)
            now, book = self._timing.wall.now(), self._kept.book
            live: dict[int, list[OrderView]] = defaultdict(list)
            for order in map(book.orders.__getitem__, sorted(book.live)):
                live[order.client_id].append(order)
            unknown = [order for client_id in sorted(live) for order in _unknown(live[client_id])]
            for fact in self.resolver.overdue(unknown, now):
                self._recorder.put(fact)
            for client_id in book.clients:
                if self._due(client_id, live.get(client_id, ())) <= now:
                    self._read_at[client_id] = now
                    self._spawn(self._read_in_turn(client_id))

    def _due(self, client_id: int, live: Sequence[OrderView]) -> datetime:
        """When a client's books are read next: by the age of its UNKNOWN orders, or as it has live ones."""
        waits = self._timing.waits
        last, now = self._read_at.get(client_id, self._opened_at), self._timing.wall.now()
        if last > now:  # the wall's clock was set back, by which nothing would be due for as long
            return now
        if not live:
            idle = waits.look_poll_s if self._engine.looks_only else waits.idle_poll_s
            return last + timedelta(seconds=idle)
        doubtful = self.resolver.read_due(_unknown(live), last)
        watched = any(order.state is OrderState.OPEN for order in live)
        regular = last + timedelta(seconds=waits.live_poll_s if watched else waits.idle_poll_s)
        return regular if doubtful is None else min(doubtful, regular)

    async def _read_in_turn(self, client_id: int) -> None:
        client = self._kept.book.clients.get(client_id)
        if client is None or not self._connections.serves(client_id):
            return
        quiet = not (self._kept.book.orders_of_client.get(client_id, set()) & self._kept.book.live)
        if quiet and (client.status is not ClientStatus.ACTIVE or client.session is not SessionState.OK):
            return
        async with self._readers.of(client_id):
            await self.read(client_id)

    def next_read(self, client_id: int) -> datetime:
        """When a client's books are read next on schedule."""
        book = self._kept.book
        ids = book.orders_of_client.get(client_id, set()) & book.live
        return self._due(client_id, [book.orders[order_id] for order_id in ids])

    def evidence(self, order_id: int) -> str:
        """What reads have shown of an order in doubt so far, in words; empty before the first."""
        return self.resolver.evidence(order_id)

    def _spawn(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.create_task(work)
        self._soon.add(task)
        task.add_done_callback(self._soon.discard)

    def close(self) -> None:
        """Give up reads that wait or are under way."""
        for task in [*self._soon, *self._reading]:
            task.cancel()

    # --- reading ---

    def read_soon(self, client_ids: Iterable[int]) -> None:
        """Start reading the books of these clients, unless that is under way."""
        for client_id in client_ids:
            self._spawn(self.read(client_id))

    async def read(self, client_id: int) -> bool:
        """Read a client's orders and trades and book what is said; returns whether the read succeeded.

        A failed read changes nothing.
        """
        running = self._reading.get(client_id)
        if running is None:
            running = self._reading.begin(client_id, self._read(client_id))
        return await asyncio.shield(running)

    def read_since(self, client_id: int, moment: float) -> bool:
        """Whether a read of a client's books has succeeded that began at this monotonic moment or later."""
        return self._read_since.get(client_id, float("-inf")) >= moment

    def why_unread(self, client_id: int) -> str:
        """Why the latest read of a client's books failed, in the broker's words; empty where it did not."""
        return self._unread.get(client_id, "")

    def odd_rows(self, client_id: int) -> tuple[UnreadRow, ...]:
        """The rows of a client's order book that could not be taken when it was last read."""
        return self._looks[client_id].unread if client_id in self._looks else ()

    def live_rows(self, client_id: int) -> list[str]:
        """The broker's ids of orders that may live by a client's order book as it was last read."""
        return list(self._looks[client_id].live) if client_id in self._looks else []

    def passed_over(self, client_id: int) -> tuple[PassedOver, ...]:
        """Live orders that the desk does not trade, as a client's order book had them when last read."""
        return self._looks[client_id].passed_over if client_id in self._looks else ()

    def was_not_asked(self, client_id: int) -> bool:
        """Whether the latest read failed as the broker could not be asked: something is missing here."""
        return client_id in self._unread and client_id in self._not_asked

    def _note_unread(self, client_id: int, problem: Exception) -> None:
        if isinstance(problem, NotAsked):
            self._not_asked.add(client_id)
        else:
            self._not_asked.discard(client_id)
        if isinstance(problem, TimeoutError):
            self._unread[client_id] = f"no answer within {self._timing.waits.read_timeout_s:g} s"
        else:
            self._unread[client_id] = str(problem) or type(problem).__name__

    async def _read(self, client_id: int) -> bool:
        began = self._read_at[client_id] = self._timing.wall.now()
        moment = self._timing.wall.monotonic()
        try:
            if not self._connections.serves(client_id):
                raise NotAsked(NOT_SERVED)
            broker, account = self._connections.broker_of(client_id)
            async with self._timing.wall.timeout(self._timing.waits.read_timeout_s):
                orders = await broker.orders(account)
                trades = await broker.trades(account)
        except SessionExpired as problem:
            log.warning("the session of client %s has ended: %s", client_id, problem)
            self.resolver.session_lost(client_id)
            self._note_unread(client_id, problem)
            self._lost.note(client_id, str(problem))
            return False
        except Exception as problem:  # whatever it was, nothing is known, and nothing changes
            self._read_ended(client_id, problem)
            self._note_unread(client_id, problem)
            return False
        self._read_ended(client_id, None)
        self._put_seen(client_id, orders, trades, began)
        for fact in self.resolver.book_read(client_id, orders, began):
            self._recorder.put(fact)
        changes = await self._changes_in_doubt(client_id)
        for fact in self.resolver.changes(client_id, orders, changes, began):
            self._recorder.put(fact)
        live = tuple(row.broker_order_id for row in orders if row.status in MAY_LIVE)
        self._looks[client_id] = _Look(live, orders.unread, orders.passed_over)
        if orders.unread or trades.unread:
            self._odd_books.add(client_id)
        else:
            self._odd_books.discard(client_id)
        try:
            await self._recorder.flush()
            await keep_unread(
                self._kept,
                self._timing.market,
                self._engine.actor,
                client_id,
                {ORDERS: orders.unread, TRADES: trades.unread},
            )
        except StoreError as problem:
            self._unread[client_id] = f"read, but not booked: {problem}"
            return False
        self._read_since[client_id] = moment
        self._unread.pop(client_id, None)
        return True

    def _read_ended(self, client_id: int, problem: Exception | None) -> None:
        what, now = f"the books of client {client_id}", self._timing.wall.now()
        self._connections.read_ended(log, client_id, what, problem, now)

    def _put_seen(
        self,
        client_id: int,
        orders: Sequence[BrokerOrder],
        trades: Sequence[BrokerTrade],
        read_at: datetime,
    ) -> None:
        """Put what a read says of each order; of one that has ended as it is known, nothing."""
        book = self._kept.book
        for order in orders:
            order_id = book.known_as(client_id, order.broker_order_id)
            if order_id is None:
                told = (order.status_text, order.filled_quantity)
                if self._external_told.get((client_id, order.broker_order_id)) == told:
                    continue
            else:
                known = book.orders[order_id]
                state, _ = transition(OrderState.OPEN, EVENT_OF_STATUS[order.status])
                as_known = known.state in (OrderState.FILLED, state)
                if not known.live and known.filled_quantity == order.filled_quantity and as_known:
                    continue
            own = tuple(trade for trade in trades if trade.broker_order_id == order.broker_order_id)
            self._recorder.put(Seen(client_id, order, own, read_at))

    async def _changes_in_doubt(self, client_id: int) -> dict[int, int]:
        """The modifies whose calls ended ambiguously, or were taken and have not shown yet, by order."""
        book = self._kept.book
        live = book.orders_of_client.get(client_id, set()) & book.live
        asked = [order_id for order_id in live if book.orders[order_id].modifying]
        if not asked:
            return {}
        async with self._kept.store.reader() as reader:
            return await changes_in(reader, asked, (RequestState.UNKNOWN, RequestState.SENT))

    async def book_of(self, client_id: int) -> BrokerRows[BrokerOrder] | None:
        """A client's order book as the broker has it, booked nowhere; None where it cannot be read."""
        try:
            if not self._connections.serves(client_id):
                raise NotAsked(NOT_SERVED)
            broker, account = self._connections.broker_of(client_id)
            async with self._timing.wall.timeout(self._timing.waits.send_timeout_s):
                return await broker.orders(account)
        except Exception as problem:  # whatever it was, nothing is known, and nothing changes
            log.warning("the orders of client %s could not be read: %r", client_id, problem)
            self._note_unread(client_id, problem)
            return None

    # --- after each batch ---

    def _note_applied(self, applied: Applied) -> None:
        for client_id, order in applied.external:
            self._note_external(client_id, order)
        for client_id, name in applied.booked_external:
            for theirs in (self._kept.book.external_orders, self._kept.book.external_seen):
                theirs.get(client_id, {}).pop(name, None)
        if applied.read_again:
            self._spawn(self._read_after_pause(applied.read_again))

    def _note_external(self, client_id: int, order: BrokerOrder) -> None:
        """Keep an order that this desk did not send while it lives; tell the trader of it and of its trades.

        What had traded before the client's books were first read is in that comparison already.
        """
        name = (client_id, order.broker_order_id)
        first = name not in self._external_told
        before = self._external_told.get(name, ("", 0))
        told = before[1]
        self._external_told[name] = (order.status_text, order.filled_quantity)
        self._kept.book.external_seen.setdefault(client_id, {})[order.broker_order_id] = order
        if first or before != self._external_told[name]:
            self._kept.bus.publish([ExternalOrderSeen(client_id)])
        theirs = self._kept.book.external_orders.setdefault(client_id, {})
        lives = order.status in MAY_LIVE
        if lives:
            theirs[order.broker_order_id] = order
        else:
            theirs.pop(order.broker_order_id, None)
        if order.filled_quantity > told and client_id in self._kept.book.reconciled:
            self._tell(client_id, order, order.filled_quantity - told, traded=True)
            self._kept.bus.publish([ExternalOrderTraded(client_id)])
        elif first and lives:
            self._tell(client_id, order, order.quantity, traded=False)

    def _tell(self, client_id: int, order: BrokerOrder, quantity: int, traded: bool) -> None:
        code = self._kept.book.clients[client_id].code
        news = ExternalOrder(code, order.side, quantity, order.tradingsymbol, order.product, traded)
        self._kept.bus.publish([TapeLine(self._timing.wall.now(), news)])

    async def _read_after_pause(self, client_ids: Iterable[int]) -> None:
        await self._timing.wall.sleep(self._timing.waits.drain_poll_s)
        # An odd row may be what is missing; it does not come sooner by being read again and again.
        self.read_soon(client_id for client_id in client_ids if client_id not in self._odd_books)


def _unknown(orders: Iterable[OrderView]) -> list[OrderView]:
    return [order for order in orders if order.state is OrderState.UNKNOWN]
