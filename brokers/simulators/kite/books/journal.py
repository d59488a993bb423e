"""The order books: each order's way from the request to its end, its history, and what is announced of it.

An order is known here before it is known at the exchange. It reaches the exchange when it passes the risk
checks, which is when money is blocked, and its fills show from when it is open on.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
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
from brokers.simulators.kite.answers import Row
from brokers.simulators.kite.books.entries import (
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
    entry_from,
    request_of,
    status_at_exchange,
)
from brokers.simulators.kite.books.keeping import Keeping
from brokers.simulators.kite.books.rows import history_row, kite_token, order_row, update_row
from brokers.simulators.kite.mishaps import KiteMishaps, Mishap
from brokers.simulators.kite.switches import Switches
from brokers.simulators.kite.venue import Venue
from data.clock import IST, Clock
from data.vocabulary import PhaseKind

BUSY_S = 0.5
"""After how long an order tries again to reach an exchange that another process holds."""

OrderListener = Callable[[str, Row], None]
"""Told a user id and an order row as the socket carries it."""

MARGIN_CODES = frozenset({"insufficient_funds", "mtf_limit"})


@dataclass(frozen=True, slots=True)
class Delays:
    """How long, in clock seconds, an order stays at each status on its way."""

    received_s: float = 0.02
    validation_s: float = 0.03
    opening_s: float = 0.05
    change_s: float = 0.05
    cancel_s: float = 0.05
    wrong_variety_s: float = 2.0
    """How long Kite takes to fail a change that names the wrong variety."""


UNHEARD_OF = "AWAITING DEPOSITORY"
"""A status that is in no list: Kite says that its own is not exhaustive."""

_OUT_OF_RANGE = "17070 : The price is out of the current execution range"
"""What an exchange says with a cancellation of its own."""

NO_DELAYS = Delays(0, 0, 0, 0, 0, 0)
"""Every call returns with its consequences done."""


class Journal:
    """The order books of every user."""

    def __init__(
        self,
        venue: Venue,
        clock: Clock,
        delays: Delays,
        switches: Switches,
        mishaps: KiteMishaps,
        keeping: Keeping,
    ) -> None:
        self._venue = venue
        self._clock = clock
        self._delays = delays
        self._switches = switches
        self._mishaps = mishaps
        self._keeping = keeping
        self._books: dict[str, dict[str, Entry]] = {}
        self._at_exchange: dict[str, Entry] = {}
        self._unseen: dict[str, OrderUpdate] = {}
        self._held: dict[str, Entry] = {}
        self._listeners: list[OrderListener] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._day = ""
        self._last_id = 0
        self._quiet = False
        venue.on_update = self._meet

    async def open(self) -> None:
        """Read what was kept and what the exchange has, and send on what was on its way."""
        await self._venue.listings()
        self._day = self._today()
        for key, body in self._keeping.all("order"):
            entry = entry_from(body)
            self._last_id = max(self._last_id, int(key))
            if entry.day == self._day or entry.held:
                self._add(entry)
            else:
                self._keeping.drop("order", key)
        self._quiet = True
        await self._venue.write(lambda: None)
        self._quiet = False
        for entry in list(self.entries()):
            if entry.status in IN_FLIGHT:
                self._spawn(self._open_up(entry) if entry.exchange_id else self._carry(entry))

    async def close(self) -> None:
        """Let nothing go on; what is on its way is sent on when the books are opened again."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def listen(self, listener: OrderListener) -> None:
        """Tell `listener` of every change that Kite announces: fills, ends, modifications and triggers."""
        self._listeners.append(listener)

    # --- reading ------------------------------------------------------------------------------------------

    def book(self, user_id: str) -> list[Entry]:
        """A user's orders of the trading day, oldest first, without those that do not show yet."""
        now, today = self._clock.monotonic(), self._today()
        entries = self._books.get(user_id, {}).values()
        return [
            entry for entry in entries if entry.hidden_until <= now and (entry.day == today or entry.held)
        ]

    def find(self, user_id: str, order_id: str) -> Entry | None:
        """One of a user's orders of the day."""
        entry = self._books.get(user_id, {}).get(order_id)
        return entry if entry is not None and (entry.day == self._today() or entry.held) else None

    def row(self, entry: Entry) -> Row:
        """An order's row as it stands."""
        if entry.row is None:
            entry.row = order_row(entry, self._token(entry.key))
        if entry.masked_until > self._clock.monotonic():
            return {**entry.row, "status": UNHEARD_OF}
        return entry.row

    def counts(self) -> dict[str, int]:
        """How many orders of the day stand at each status."""
        counts: dict[str, int] = {}
        for entry in self.entries():
            counts[entry.status] = counts.get(entry.status, 0) + 1
        return counts

    def _token(self, key: str) -> int:
        listing = self._venue.listing(key)
        return 0 if listing is None else kite_token(listing.instrument)

    # --- asked for by clients -----------------------------------------------------------------------------

    async def place(
        self, user_id: str, variety: str, request: OrderRequest, mishap: Mishap | None = None
    ) -> Entry | Refused:
        """Take an order in; refused only where its money is looked at before the answer."""
        now = self._venue.market.now()
        entry = Entry(self._new_id(), user_id, variety, request, self._today(), RECEIVED, now, now)
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
            self._note(entry, AMO_RECEIVED)
            self._held[entry.order_id] = entry
            return entry
        self._note(entry, RECEIVED)
        stuck_s = delay_s if fault == "stuck" else 0.0
        if self._switches.margin_refusal_at_post and not stuck_s and fault != "rms_reject":
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
            self._note(entry, "MODIFY AMO REQ RECEIVED")
            self._note(entry, AMO_RECEIVED)
            return
        entry.changing = True
        self._note(entry, "MODIFY VALIDATION PENDING")
        if mishap is not None and mishap.fault == "not_modified":
            await self._go(self._not_changed(entry), self._delays.change_s)
            return
        await self._go(self._change(entry, change), self._delays.change_s)

    async def cancel(self, entry: Entry) -> None:
        """Ask for an order's end."""
        entry.requested_at = self._venue.market.now()
        if entry.held:
            del self._held[entry.order_id]
            self._note(entry, CANCELLED)
            self._announce(entry, CANCELLED)
            return
        entry.changing = True
        self._note(entry, "CANCEL PENDING")
        await self._go(self._end(entry), self._delays.cancel_s)

    def rename(self, moved: Mapping[str, str]) -> None:
        """Let orders that wait for the market go there under the names of now, given by those before."""
        for entry in self._held.values():
            if entry.key in moved:
                name = moved[entry.key].partition(":")[2]
                entry.request = replace(entry.request, tradingsymbol=name)
                self._note(entry, AMO_RECEIVED)

    async def keep_up(self) -> None:
        """Begin the new day's books, and send held orders to a market that has opened."""
        if self._today() != self._day:
            self._day = self._today()
            for entry in list(self.entries()):
                if entry.day != self._day and not entry.held:
                    self._forget(entry)
        for entry in list(self._held.values()):
            listing = self._venue.listing(entry.key)
            if listing is not None and self._venue.phase(listing) is PhaseKind.CONTINUOUS:
                del self._held[entry.order_id]
                entry.day = self._day
                self._note(entry, VALIDATING)
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
        self._note(entry, VALIDATING)
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
            self._note(entry, OPENING)

    async def _open_up(self, entry: Entry) -> None:
        """Show an order that the exchange has as it is there."""
        await self._wait(self._delays.opening_s)
        update = self._unseen.pop(entry.order_id, None)
        if update is not None:
            self._apply(entry, update)

    async def _change(self, entry: Entry, change: OrderChange) -> None:
        await self._wait(self._delays.change_s)
        if not entry.final:
            self._note(entry, "MODIFY PENDING")
        call = partial(self._venue.exchange.modify, entry.user_id, entry.exchange_id, change)
        try:
            await self._venue.write(call, partial(self._changed, entry))
        except BrokerError as error:
            self._changed(entry, Refused(error.code, str(error)))
        self._settle(entry)

    async def _not_changed(self, entry: Entry) -> None:
        await self._wait(self._delays.change_s)
        if not entry.final:
            self._note(entry, "MODIFY PENDING")
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
            self._note(entry, "MODIFIED")
            self._announce(entry, UPDATE)
        elif not entry.final:
            entry.message = outcome.message
            self._note(entry, "NOT MODIFIED")

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
            self._note(entry, status)

    def _reject(self, entry: Entry, refused: Refused) -> None:
        entry.message = entry.raw_message = refused.message
        if refused.code in MARGIN_CODES:
            entry.message += " Check the orderbook for open orders."
            entry.raw_message = f"RMS:Margin Exceeds,{refused.message}"
        self._note(entry, REJECTED)
        self._announce(entry, REJECTED)

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
        if order.placed_at.astimezone(IST).date().isoformat() != self._today():
            return None
        sought = request_of(order)
        if self._quiet:
            for entry in self._books.get(order.user_id, {}).values():
                if not entry.exchange_id and entry.status in IN_FLIGHT and _same(entry.request, sought):
                    self._link(entry, Accepted(order.broker_order_id))
                    return entry
        at = order.placed_at
        entry = Entry(order.broker_order_id, order.user_id, "regular", sought, self._today(), OPENING, at, at)
        entry.exchange_id = order.broker_order_id
        self._add(entry)
        if not self._quiet:
            self._spawn(self._open_up(entry))
        return entry

    def _apply(self, entry: Entry, update: OrderUpdate) -> None:
        """Take over where the exchange has an order, and announce what Kite announces of it."""
        before, order = entry.order, update.order
        if entry.status in IN_FLIGHT:
            untouched = replace(order, status=BrokerStatus.OPEN, filled_quantity=0, average_price_paise=0)
            entry.order = untouched
            self._note(entry, status_at_exchange(untouched))
        was_final = entry.final
        entry.order, entry.trades, entry.row = order, update.trades, None
        status = status_at_exchange(order)
        if order.message:
            entry.message = order.message
        if status != entry.status and (status in FINAL or not entry.changing):
            self._note(entry, status)
        filled = 0 if before is None else before.filled_quantity
        triggered = before is not None and before.trigger_pending and not order.trigger_pending
        if entry.final and not was_final:
            self._announce(entry, status)
        elif order.filled_quantity > filled or triggered:
            self._announce(entry, COMPLETE if status == COMPLETE else UPDATE)

    # --- keeping and telling ------------------------------------------------------------------------------

    def _note(self, entry: Entry, status: str) -> None:
        entry.status, entry.row = status, None
        entry.history.append(history_row(entry, self.row(entry)))
        self._keeping.put("order", entry.order_id, entry.kept())

    def _announce(self, entry: Entry, event: str) -> None:
        if self._quiet or not self._listeners:
            return
        row = update_row(entry, self.row(entry), event)
        for sent in self._mishaps.updates(entry.user_id, row):
            for listener in self._listeners:
                listener(entry.user_id, sent)

    def _add(self, entry: Entry) -> None:
        self._books.setdefault(entry.user_id, {})[entry.order_id] = entry
        if entry.exchange_id:
            self._at_exchange[entry.exchange_id] = entry
        if entry.held:
            self._held[entry.order_id] = entry

    def _forget(self, entry: Entry) -> None:
        self._books[entry.user_id].pop(entry.order_id, None)
        self._at_exchange.pop(entry.exchange_id, None)
        self._unseen.pop(entry.order_id, None)
        self._keeping.drop("order", entry.order_id)

    def entries(self) -> Iterable[Entry]:
        """Every order kept, of all users."""
        return (entry for book in self._books.values() for entry in book.values())

    def _today(self) -> str:
        return self._venue.market.trading_day.isoformat()

    def _new_id(self) -> str:
        """Nineteen digits that begin with the date; the exchange's own ids stay below a day's nine."""
        first = int(f"{date.fromisoformat(self._today()):%y%m%d}9") * 10**12
        self._last_id = max(self._last_id + 1, first + 1)
        return str(self._last_id)


def _same(request: OrderRequest, other: OrderRequest) -> bool:
    """Whether two requests may be one; a protected market order changes its type and price on the way."""
    facts = ("tag", "exchange", "tradingsymbol", "side", "quantity", "product")
    return all(getattr(request, name) == getattr(other, name) for name in facts)
