"""The ways of orders: each from the request to the exchange, what is met there, and its changes.

An order is in the books (`journal.py`) before it is known at the exchange. It reaches the exchange when it
passes the risk checks, which is when money is blocked, and its fills show from when it is open on.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from functools import partial

from brokers.contract import (
    Accepted,
    BrokerError,
    BrokerOrder,
    BrokerStatus,
    OrderChange,
    OrderRequest,
    OrderUpdate,
    Refused,
)
from brokers.simulators.exchange.exchange import ExchangeBusy
from brokers.simulators.serving.delays import Delays
from brokers.simulators.serving.mishaps import Mishap
from brokers.simulators.serving.orders.entries import (
    AMO_RECEIVED,
    CANCELLED,
    COMPLETE,
    FINAL,
    IN_FLIGHT,
    OPENING,
    RECEIVED,
    REJECTED,
    UPDATE,
    VALIDATING,
    Entry,
    request_of,
    status_at_exchange,
)
from brokers.simulators.serving.orders.journal import Journal
from brokers.simulators.serving.venue import Venue
from data.clock import IST, Clock
from data.records import replace
from data.vocabulary import PhaseKind

BUSY_S = 0.5
"""After how long an order tries again to reach an exchange that another process holds."""

MARGIN_CODES = frozenset({"insufficient_funds", "mtf_limit"})

_OUT_OF_RANGE = "17070 : The price is out of the current execution range"
"""What an exchange says with a cancellation of its own."""


class OrderWays:
    """Takes every user's orders and changes to the exchange, and what it says of them into the books.

    `money_at_post` tells whether an order without money is refused at once or accepted and then rejected.
    """

    def __init__(
        self, venue: Venue, clock: Clock, delays: Delays, journal: Journal, money_at_post: Callable[[], bool]
    ) -> None:
        self._venue = venue
        self._clock = clock
        self._delays = delays
        self._money_at_post = money_at_post
        self._journal = journal
        self._at_exchange: dict[str, Entry] = {}
        self._unseen: dict[str, OrderUpdate] = {}
        self._held: dict[str, Entry] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._day = ""
        venue.on_update = self._meet

    async def open(self) -> None:
        """Read what was kept and what the exchange has, and send on what was on its way."""
        await self._venue.listings()
        self._day = self._journal.today()
        self._journal.load()
        for entry in self._journal.entries():
            self._place(entry)
        with self._journal.quiet():
            await self._venue.write(lambda: None)
        for entry in list(self._journal.entries()):
            if entry.status in IN_FLIGHT:
                self._spawn(self._open_up(entry) if entry.exchange_id else self._carry(entry))

    async def close(self) -> None:
        """Let nothing go on; what is on its way is sent on when the books are opened again."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _place(self, entry: Entry) -> None:
        """Know an order by where it is: at the exchange, or waiting for the market."""
        if entry.exchange_id:
            self._at_exchange[entry.exchange_id] = entry
        if entry.held:
            self._held[entry.order_id] = entry

    def _add(self, entry: Entry) -> None:
        self._journal.add(entry)
        self._place(entry)

    def _forget(self, entry: Entry) -> None:
        self._journal.forget(entry)
        self._at_exchange.pop(entry.exchange_id, None)
        self._unseen.pop(entry.order_id, None)

    # --- asked for by clients -----------------------------------------------------------------------------

    async def place(
        self, user_id: str, variety: str, request: OrderRequest, mishap: Mishap | None = None
    ) -> Entry | Refused:
        """Take an order in; refused only where its money is looked at before the answer."""
        now = self._venue.market.now()
        entry = Entry(
            self._journal.new_id(), user_id, variety, request, self._journal.today(), RECEIVED, now, now
        )
        fault = "" if mishap is None else mishap.fault
        delay_s = 0.0 if mishap is None else mishap.delay_s
        if fault == "late_in_book":
            entry.hidden_until = self._clock.monotonic() + delay_s
        if fault == "unknown_status":
            entry.masked_until = self._clock.monotonic() + delay_s
        if fault == "partial_fill":
            entry.at_most = request.quantity // 2
            self._spawn(self._rest_trades(entry, delay_s))
        if fault == "exchange_cancel":
            self._spawn(self._taken_off(entry, delay_s))
        self._add(entry)
        if request.after_market:
            self._journal.note(entry, AMO_RECEIVED)
            self._held[entry.order_id] = entry
            return entry
        self._journal.note(entry, RECEIVED)
        stuck_s = delay_s if fault == "stuck" else 0.0
        if self._money_at_post() and not stuck_s and fault != "rms_reject":
            refused = await self._carry(entry, at_post=True)
            return refused or entry
        way = self._carry(entry, stuck_s=stuck_s, rejected=fault == "rms_reject")
        await self._go(
            way, stuck_s + self._delays.received_s + self._delays.validation_s + self._delays.opening_s
        )
        return entry

    async def modify(self, entry: Entry, change: OrderChange, mishap: Mishap | None = None) -> None:
        """Change an order; whether the exchange agreed shows in the book."""
        entry.requested_at = self._venue.market.now()
        if entry.held:
            values = {"quantity": change.quantity, "price_paise": change.price_paise}
            given = {name: value for name, value in values.items() if value is not None}
            entry.request = replace(entry.request, **given)
            entry.modifications += 1
            self._journal.note(entry, "MODIFY AMO REQ RECEIVED")
            self._journal.note(entry, AMO_RECEIVED)
            return
        entry.changing = True
        self._journal.note(entry, "MODIFY VALIDATION PENDING")
        if mishap is not None and mishap.fault == "not_modified":
            await self._go(self._not_changed(entry), self._delays.change_s)
            return
        await self._go(self._change(entry, change), self._delays.change_s)

    async def cancel(self, entry: Entry) -> None:
        """Ask for an order's end."""
        entry.requested_at = self._venue.market.now()
        if entry.held:
            del self._held[entry.order_id]
            self._journal.note(entry, CANCELLED)
            self._journal.announce(entry, CANCELLED)
            return
        entry.changing = True
        self._journal.note(entry, "CANCEL PENDING")
        await self._go(self._end(entry), self._delays.cancel_s)

    def rename(self, moved: Mapping[str, str]) -> None:
        """Let orders that wait for the market go there under the names of now, given by those before."""
        for entry in self._held.values():
            if entry.key in moved:
                name = moved[entry.key].partition(":")[2]
                entry.request = replace(entry.request, tradingsymbol=name)
                self._journal.note(entry, AMO_RECEIVED)

    async def keep_up(self) -> None:
        """Begin the new day's books, and send held orders to a market that has opened."""
        if self._journal.today() != self._day:
            self._day = self._journal.today()
            for entry in list(self._journal.entries()):
                if entry.day != self._day and not entry.held:
                    self._forget(entry)
        for entry in list(self._held.values()):
            listing = self._venue.listing(entry.key)
            if listing is not None and self._venue.phase(listing) is PhaseKind.CONTINUOUS:
                del self._held[entry.order_id]
                entry.day = self._day
                self._journal.note(entry, VALIDATING)
                self._spawn(self._send(entry))

    # --- on the way ---------------------------------------------------------------------------------------

    async def _go(self, way: Coroutine[object, object, object], seconds: float) -> None:
        """Go a way at once where nothing on it takes time, else beside the caller."""
        if seconds:
            self._spawn(way)
        else:
            await way

    def _spawn(self, way: Coroutine[object, object, object]) -> None:
        async def run() -> None:
            await way

        task = asyncio.get_running_loop().create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _wait(self, seconds: float) -> None:
        if seconds:
            await self._clock.sleep(seconds)

    async def _carry(
        self, entry: Entry, *, at_post: bool = False, stuck_s: float = 0.0, rejected: bool = False
    ) -> Refused | None:
        await self._wait(self._delays.received_s + stuck_s)
        self._journal.note(entry, VALIDATING)
        await self._wait(self._delays.validation_s)
        if rejected:
            self._reject(entry, Refused("rms", "RMS:Rule: Check circuit limit including square off order"))
            return None
        return await self._send(entry, at_post=at_post)

    async def _send(self, entry: Entry, *, at_post: bool = False) -> Refused | None:
        call = partial(self._venue.exchange.place, entry.user_id, entry.request, entry.at_most)
        while True:
            try:
                outcome = await self._venue.write(call, partial(self._link, entry))
                break
            except ExchangeBusy:
                await self._clock.sleep(BUSY_S)
        if isinstance(outcome, Accepted):
            await self._open_up(entry)
            return None
        if at_post and outcome.code in MARGIN_CODES:
            self._forget(entry)
            return outcome
        self._reject(entry, outcome)
        return None

    def _link(self, entry: Entry, outcome: Accepted | Refused) -> None:
        if isinstance(outcome, Accepted):
            entry.exchange_id = outcome.broker_order_id
            self._at_exchange[entry.exchange_id] = entry
            self._journal.note(entry, OPENING)

    async def _open_up(self, entry: Entry) -> None:
        """Show an order that the exchange has as it is there."""
        await self._wait(self._delays.opening_s)
        update = self._unseen.pop(entry.order_id, None)
        if update is not None:
            self._apply(entry, update)

    async def _change(self, entry: Entry, change: OrderChange) -> None:
        await self._wait(self._delays.change_s)
        if not entry.final:
            self._journal.note(entry, "MODIFY PENDING")
        call = partial(self._venue.exchange.modify, entry.user_id, entry.exchange_id, change)
        try:
            await self._venue.write(call, partial(self._changed, entry))
        except BrokerError as error:
            self._changed(entry, Refused(error.code, str(error)))
        self._settle(entry)

    async def _not_changed(self, entry: Entry) -> None:
        await self._wait(self._delays.change_s)
        if not entry.final:
            self._journal.note(entry, "MODIFY PENDING")
        self._changed(entry, Refused("exchange", "16346 : Order cannot be modified"))
        self._settle(entry)

    async def allow(self, entry: Entry, quantity: int | None) -> Accepted | Refused:
        """Let `quantity` more shares trade of an order that trades in parts, or all that is left of it."""
        if entry.exchange_id:
            call = partial(self._venue.exchange.allow, entry.user_id, entry.exchange_id, quantity)
            return await self._venue.write(call)
        entry.at_most = None if quantity is None else (entry.at_most or 0) + quantity
        return Accepted(entry.order_id)

    async def _rest_trades(self, entry: Entry, after_s: float) -> None:
        """Let all that is left of an order trade."""
        await self._clock.sleep(after_s)
        if not entry.final:
            with suppress(BrokerError):
                await self.allow(entry, None)

    async def _taken_off(self, entry: Entry, after_s: float) -> None:
        """Have the exchange cancel an order by itself."""
        await self._clock.sleep(after_s)
        if entry.final or not entry.exchange_id:
            return
        entry.message = entry.raw_message = _OUT_OF_RANGE
        call = partial(self._venue.exchange.cancel, entry.user_id, entry.exchange_id)
        with suppress(BrokerError):
            await self._venue.write(call)

    def _changed(self, entry: Entry, outcome: Accepted | Refused) -> None:
        entry.changing = False
        if isinstance(outcome, Accepted):
            entry.modifications += 1
            entry.message = ""
            self._journal.note(entry, "MODIFIED")
            self._journal.announce(entry, UPDATE)
        elif not entry.final:
            entry.message = outcome.message
            self._journal.note(entry, "NOT MODIFIED")

    async def _end(self, entry: Entry) -> None:
        await self._wait(self._delays.cancel_s)
        call = partial(self._venue.exchange.cancel, entry.user_id, entry.exchange_id)
        try:
            await self._venue.write(call, lambda _: setattr(entry, "changing", False))
        except BrokerError as error:
            entry.changing, entry.message = False, str(error)
        self._settle(entry)

    def _settle(self, entry: Entry) -> None:
        """Leave the status of a change that is over, where no event of the exchange has done so."""
        status = "" if entry.order is None else status_at_exchange(entry.order)
        if status and entry.status != status:
            self._journal.note(entry, status)

    def _reject(self, entry: Entry, refused: Refused) -> None:
        entry.message = entry.raw_message = refused.message
        if refused.code in MARGIN_CODES:
            entry.message += " Check the orderbook for open orders."
            entry.raw_message = f"RMS:Margin Exceeds,{refused.message}"
        self._journal.note(entry, REJECTED)
        self._journal.announce(entry, REJECTED)

    # --- heard from the exchange --------------------------------------------------------------------------

    def _meet(self, update: OrderUpdate) -> None:
        entry = self._at_exchange.get(update.order.broker_order_id) or self._adopt(update.order)
        if entry is None:
            return
        if entry.status in IN_FLIGHT:
            self._unseen[entry.order_id] = update
        else:
            self._apply(entry, update)

    def _adopt(self, order: BrokerOrder) -> Entry | None:
        """Find the order that was on its way when this process ended, or take in one placed elsewhere."""
        if order.placed_at.astimezone(IST).date().isoformat() != self._journal.today():
            return None
        sought = request_of(order)
        if self._journal.is_quiet:
            for entry in self._journal.of_user(order.user_id):
                if not entry.exchange_id and entry.status in IN_FLIGHT and _same(entry.request, sought):
                    self._link(entry, Accepted(order.broker_order_id))
                    return entry
        at = order.placed_at
        entry = Entry(
            order.broker_order_id, order.user_id, "regular", sought, self._journal.today(), OPENING, at, at
        )
        entry.exchange_id = order.broker_order_id
        self._add(entry)
        if not self._journal.is_quiet:
            self._spawn(self._open_up(entry))
        return entry

    def _apply(self, entry: Entry, update: OrderUpdate) -> None:
        """Take over where the exchange has an order, and announce what the broker announces of it."""
        before, order = entry.order, update.order
        if entry.status in IN_FLIGHT:
            untouched = replace(order, status=BrokerStatus.OPEN, filled_quantity=0, average_price_paise=0)
            entry.order = untouched
            self._journal.note(entry, status_at_exchange(untouched))
        was_final = entry.final
        entry.order, entry.trades, entry.row = order, update.trades, None
        status = status_at_exchange(order)
        if order.message:
            entry.message = order.message
        if status != entry.status and (status in FINAL or not entry.changing):
            self._journal.note(entry, status)
        filled = 0 if before is None else before.filled_quantity
        triggered = before is not None and before.trigger_pending and not order.trigger_pending
        if entry.final and not was_final:
            self._journal.announce(entry, status)
        elif order.filled_quantity > filled or triggered:
            self._journal.announce(entry, COMPLETE if status == COMPLETE else UPDATE)


def _same(request: OrderRequest, other: OrderRequest) -> bool:
    """Whether two requests may be one; a protected market order changes its type and price on the way."""
    facts = ("tag", "exchange", "tradingsymbol", "side", "quantity", "product")
    return all(getattr(request, name) == getattr(other, name) for name in facts)
