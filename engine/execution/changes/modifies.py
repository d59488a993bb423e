"""Changing live orders: what a modify asks for is blocked first, sent once, and confirmed by the order book.

While it is open the larger of both forms of the order stays blocked. One at a time for an order; a cancel
does not wait for it.
"""

import asyncio
from datetime import datetime
from functools import partial

from msgspec import Struct

from brokers.contract import Ambiguous, NotSent, OrderChange, Outcome
from data.audit import AuditAction
from data.clock import span_words
from data.errors import BadInput
from data.ledger import reserve_money, reserve_shares
from data.records import replace
from data.reference.instrument_index import InstrumentIndex
from data.repositories.instruments import name_now
from data.repositories.trading.flattens import exits_of
from data.repositories.trading.requests import changes_made, last_numbers, left_open, open_cancels
from data.repositories.unconfirmed import LIFTED
from data.store import Unit
from data.tables.orders import Order
from data.vocabulary import OrderState, OrderType, RequestKind, RequestState
from engine.book.book import Book
from engine.book.halt_file import halt_file_stands, other_halt_file_stands
from engine.book.halt_scope import Passes, covering
from engine.book.kept import Kept
from engine.book.reading import read_halts
from engine.book.views import OrderView
from engine.booking.facts import ChangeEnded
from engine.booking.order import WorkingOrder
from engine.booking.recorder import Recorder
from engine.booking.requests import Request
from engine.booking.stored import REQUESTS
from engine.booking.working_set import WorkingSet, blocking
from engine.execution.changes.terms import (
    ModifyWish,
    check_as_shown,
    check_change,
    check_limits,
    check_terms,
    check_worth,
    raised,
)
from engine.execution.sending.dispatch import HALTED, LEASE_OVER
from engine.execution.sending.limiting import DoorLimits
from engine.execution.sending.unanswered import LastLook, no_answer, outcome_of
from engine.execution.trading import require_trading
from engine.execution.watching.book_reads import Watcher
from engine.instances import ThisEngine
from engine.market.venues import Venues
from engine.refusals import (
    ChangeTooDear,
    ChangeTooLarge,
    Halted,
    HaltedMeanwhile,
    OrderHalted,
)
from engine.timing import Timing

_JUST_OVER_S = 0.1
"""Beyond its age, so that a modify that waits for its turn wakes too old."""


class ChangedWith(Struct, frozen=True):
    """What follows a modify, and the limits at the door."""

    watcher: Watcher
    limits: DoorLimits


class AskedAt(Struct, frozen=True):
    """When the trader asked for a modify, by the wall's clock and by the monotonic one.

    `newest_halt` is the one that was fired last by then, `passes` which halts one of a flatten passes, None
    for any other.
    """

    at: datetime
    steady_s: float
    newest_halt: int
    passes: Passes | None = None


def _key_now(unit: Unit, order: WorkingOrder) -> str:
    """What an order's instrument is called now."""
    name = name_now(unit, order.security, order.exchange, order.tradingsymbol)
    return f"{order.exchange}:{name}"


def ask_change(
    unit: Unit,
    order_id: int,
    wish: ModifyWish,
    book: Book,
    engine: ThisEngine,
    index: InstrumentIndex,
) -> int:
    """Block what a modify needs beyond the order as it is and write its request; returns its number.

    Raises `BadInput` or a `Refusal`; then nothing has changed.
    """
    change = wish.change
    books = WorkingSet(unit, engine.actor, 0)
    books.load([order_id])
    order = books.orders[order_id]
    epoch = unit.epochs_of([order.client_id])[order.client_id]  # before the book is asked of its client
    _check_open(unit, order, book)
    connection, client = book.carrier_of(order.client_id), book.clients[order.client_id]
    if connection is None:
        raise BadInput("client", client.code, f"this desk has no connection to {client.broker}")
    most = connection.capabilities.most_changes
    if changes_made(unit, order_id) >= most:
        raise BadInput("order", order_id, f"a broker takes {most} changes of one order; cancel it instead")
    order.asked_quantity, order.asked_reserve_paise = check_change(order, change)
    _, more = raised(order)
    _block_more(books, order, book, index)
    books.flush()
    request = Request(
        order_id,
        last_numbers(unit, [order_id]).get(order_id, 0) + 1,
        RequestKind.MODIFY,
        RequestState.REQUESTED,
        wish.why,
        unit.now,
        quantity=change.quantity,
        limit_paise=change.price_paise,
        trigger_paise=change.trigger_paise,
        instance_id=engine.id,
        epoch=epoch,
    )
    REQUESTS.insert(unit, [request])
    books.audit(
        AuditAction.MODIFY_REQUESTED,
        order,
        request=request.number,
        quantity=change.quantity,
        limit_paise=change.price_paise,
        trigger_paise=change.trigger_paise,
        why=wish.why,
        **({"override": wish.override} if wish.override else {}),
        **({LIFTED: more} if more else {}),
    )
    return request.number


def _check_open(unit: Unit, order: WorkingOrder, book: Book) -> None:
    """Refuse a change of an order that is not OPEN, is being changed or cancelled, or is under a halt."""
    if order.state != OrderState.OPEN:
        raise BadInput("order", order.id, f"only an OPEN order can be changed; this one is {order.state}")
    if REQUESTS.open_change(unit, order.id) is not None:
        raise BadInput(
            "order", order.id, "a change of it is under way; wait for its end, or cancel the order"
        )
    if open_cancels(unit, [order.id]):
        raise BadInput("order", order.id, "it is being cancelled")
    if unit.differing(Order, [order.id]):
        raise BadInput("order", order.id, "it is not as the audit left it; let the doctor look at the books")
    over = covering(book.seen(read_halts(unit)), book.clients[order.client_id], _key_now(unit, order))
    if not over:
        return
    found = exits_of(unit, [order.id]).get(order.id)
    if found is None or Passes(frozenset(found.passes), found.halt_file, found.at).stopped_by(over):
        raise OrderHalted


def _block_more(books: WorkingSet, order: WorkingOrder, book: Book, index: InstrumentIndex) -> None:
    """Reserve what the asked form of an order needs beyond what is blocked, or raise a `Refusal`."""
    unit, client_id = books.unit, order.client_id
    more = order.lacks()
    if (more.money or more.loan) and not reserve_money(unit, {client_id: (more.money, more.loan)}):
        raise ChangeTooDear(order.id, more.money, book.funds[client_id].available_paise, more.loan)
    if more.shares:
        instrument = index.get(_key_now(unit, order))
        settled_only = instrument is not None and instrument.trade_to_trade
        wanted = (client_id, order.security, order.product.value, more.shares, settled_only)
        if not reserve_shares(unit, [wanted]):
            raise ChangeTooLarge(order.id, more.shares)
    if more.money:
        books.transfers.append(blocking(order, more.money, reserved=True))
    order.block(*more)
    order.touch()


class Changer:
    """Sends modifies: each once, within its client's budget, never under a halt or when it is too old."""

    def __init__(
        self,
        kept: Kept,
        timing: Timing,
        engine: ThisEngine,
        venues: Venues,
        recorder: Recorder,
        changed_with: ChangedWith,
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._connections = venues.connections
        self._market_data = venues.market_data
        self._recorder = recorder
        self._watcher, self._limits = changed_with.watcher, changed_with.limits
        self._tasks: set[asyncio.Task[None]] = set()

    async def change(
        self,
        order_id: int,
        wish: ModifyWish,
        passes: Passes | None = None,
        shown: OrderView | None = None,
        newest_halt: int | None = None,
    ) -> int:
        """Ask for a live order to be changed; returns the request's number once it is durable.

        `passes` is which halts an order of a flatten passes; `shown` is the order as it was confirmed: it
        must stand so still. `newest_halt` is the one that was fired last when it was confirmed, if that was
        not just now: it is not sent once a later one was over it. Raises `BadInput`, a `Refusal`, or
        `StoreError`; then nothing was sent.
        """
        order, change = self._kept.book.orders[order_id], wish.change
        check_terms(change, order.key, self._market_data)
        newest = self._kept.book.newest_halt if newest_halt is None else newest_halt
        asked = AskedAt(self._timing.wall.now(), self._timing.wall.monotonic(), newest, passes)
        if passes is None and self._kept.book.halted_since(newest, order.client_id, order.key):
            raise HaltedMeanwhile
        if self._file_halts(passes):
            raise Halted
        await require_trading(self._kept.store, self._engine)
        book, index = self._kept.book, self._market_data.index
        at_door = self._limits.look([order_id])

        def work(unit: Unit) -> int:
            if shown is not None:
                check_as_shown(unit, shown)
            if passes is None:
                check_worth(unit, order_id, change, book.people, self._engine.actor)
                check_limits(unit, order_id, wish, at_door, self._timing, book)
            return ask_change(unit, order_id, wish, book, self._engine, index)

        number = await self._kept.store.write(work)
        task = asyncio.create_task(self._send(order_id, number, change, asked))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return number

    async def resume(self) -> None:
        """Put the modifies in doubt that an earlier run of the program left: they may have been sent."""
        async with self._kept.store.reader() as reader:
            left = await left_open(reader, RequestKind.MODIFY, [RequestState.REQUESTED])
        for order_id, number, instance_id in left:
            if self._is_left(order_id, instance_id):
                words = "the program ended while the change was being sent"
                self._recorder.put(ChangeEnded(order_id, number, Ambiguous(words)))

    def _is_left(self, order_id: int, instance_id: int) -> bool:
        """Whether nobody can be sending a change any more that this engine asked for."""
        if not self._engine.shares_books:
            return not self._engine.lives(instance_id)
        return instance_id != self._engine.id and order_id in self._kept.book.orders

    async def settle(self) -> None:
        """Wait until no call is under way."""
        while self._tasks:
            await asyncio.wait(list(self._tasks))

    async def _send(self, order_id: int, number: int, change: OrderChange, asked: AskedAt) -> None:
        last_look = LastLook(partial(self._kept_back, order_id, asked))
        call = self._call(order_id, replace(change, last_look=last_look), asked)
        what, silence = f"a change of order {order_id}", no_answer(self._timing.waits)
        outcome = await outcome_of(call, what, silence, last_look)
        self._engine.reached("modify_sent")
        self._recorder.put(ChangeEnded(order_id, number, outcome))
        await self._watcher.read(self._kept.book.orders[order_id].client_id)

    def _age_s(self, asked: AskedAt) -> float:
        """Seconds since a modify was asked for: the larger of two clocks, since one may be set back."""
        clock = self._timing.wall
        return max((clock.now() - asked.at).total_seconds(), clock.monotonic() - asked.steady_s)

    def _is_halted(self, order: OrderView, asked: AskedAt) -> bool:
        """Whether the HALT file, a halt over an order, or one that was since, keeps its change back."""
        book, client = self._kept.book, self._kept.book.clients[order.client_id]
        over = covering(book.halts, client, order.key)
        if asked.passes is None:
            stopped = bool(over) or book.halted_since(asked.newest_halt, client.id, order.key)
        else:
            stopped = asked.passes.stopped_by(over, covering(book.lifted, client, order.key))
        return stopped or self._file_halts(asked.passes)

    def _file_halts(self, passes: Passes | None) -> bool:
        """Whether the HALT file keeps changes back; those of a flatten pass the one of its start."""
        file = self._kept.halt_file
        return halt_file_stands(file) if passes is None else other_halt_file_stands(file, passes.file)

    def _kept_back(self, order_id: int, asked: AskedAt) -> str:
        """Why a modify must not leave after all; empty where it may. Asked by the thread that sends it."""
        order = self._kept.book.orders[order_id]
        if self._is_halted(order, asked):
            return HALTED
        if differ := self._engine.venues_differ():
            return differ
        if not self._engine.sends_for(order.client_id):
            return LEASE_OVER
        if order.broker_order_id is None or not order.live:
            return "the order has ended"
        age_s, valid_s = self._age_s(asked), self._timing.waits.modify_valid_s
        if age_s > valid_s:
            return f"it was asked for {span_words(age_s)} ago, {valid_s:g} s are allowed; ask again"
        return ""

    async def _call(self, order_id: int, change: OrderChange, asked: AskedAt) -> Outcome:
        """One modify, within the client's budget; given up once it is too old."""
        order = self._kept.book.orders[order_id]
        broker, account = self._connections.broker_of(order.client_id)
        lane = self._connections.lane(order.client_id)
        while (
            not (why := self._kept_back(order_id, asked))
            and (wait := lane.wait_s(self._timing.wall.now())) > 0
        ):
            left_s = self._timing.waits.modify_valid_s - self._age_s(asked)
            await self._timing.wall.sleep(min(wait, left_s + _JUST_OVER_S))
        if why or order.broker_order_id is None:
            return NotSent(why)
        lane.take(self._timing.wall.now())
        if order.order_type is OrderType.SL_M:
            instrument = self._market_data.index.get(order.key)
            tick_paise = 0 if instrument is None else instrument.tick_paise
            change = replace(change, protection_bps=order.protection_bps, tick_paise=tick_paise)
        async with self._timing.wall.timeout(self._timing.waits.send_timeout_s):
            return await broker.modify(account, order.broker_order_id, change)
