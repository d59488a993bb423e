"""The books as a faulty broker shows them: rows late, missing or off, never made up.

Every row is one of the inner broker's. Tags, quantities and prices of trades are shown as they are there.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from brokers.contract import BrokerOrder, BrokerStatus, BrokerTrade, OrderRequest, OrderUpdate
from brokers.simulators.faults.dice import FaultDice
from data.clock import Clock
from data.records import replace

STALE_S = 5.0
HIDDEN_S = 2.0
TRADES_LATE_S = 3.0
FLOOD = 20
"""For how long books are stale, a row hidden and trades late, in seconds; how often a hint is repeated."""

REJECTION = "17070 : The price is out of the current execution range."
"""An exchange's words, which orders rejected after acceptance carry."""


class FaultyBooks:
    """Turns the inner broker's rows and updates into what the rehearsal shows of them."""

    def __init__(self, dice: FaultDice, clock: Clock, skew_s: float) -> None:
        self._dice = dice
        self._clock = clock
        self._skew_s = skew_s
        self._placed: dict[tuple[str, str], float] = {}
        self._rejects: dict[tuple[str, str], OrderRequest] = {}
        self._hidden: dict[tuple[str, str], float] = {}
        self._trades_from: dict[tuple[str, str], float] = {}
        self._skewed: set[str] = set()
        self._held: OrderUpdate | None = None

    def note_placing(self, user_id: str, name: str) -> None:
        """An order with this tag or id is placed now."""
        if name:
            self._placed[user_id, name] = self._clock.monotonic()

    def was_placed_here(self, row: BrokerOrder) -> bool:
        """Whether this wrapper placed it."""
        return any((row.user_id, name) in self._placed for name in (row.broker_order_id, *row.tags))

    def show_as_rejected(self, user_id: str, name: str, request: OrderRequest) -> None:
        """Show the order with this tag or id as `request` said, and its cancellation as a rejection."""
        if name:
            self._rejects[user_id, name] = request

    def show_as_it_is(self, user_id: str, name: str) -> None:
        """Take `show_as_rejected` back."""
        self._rejects.pop((user_id, name), None)

    # --- reads --------------------------------------------------------------------------------------------

    def orders(self, user_id: str, rows: Sequence[BrokerOrder], fault: str | None) -> list[BrokerOrder]:
        """A client's order book under `fault`, which is `stale_book`, `truncated_book` or none."""
        now = self._clock.monotonic()
        shown = [row for row in rows if self._hidden.get((user_id, row.broker_order_id), 0.0) <= now]
        kept = shown
        if fault == "stale_book":
            kept = [row for row in shown if not self._is_newer(row, now - STALE_S)]
        elif fault == "truncated_book":
            kept = shown[: len(shown) * 2 // 3]
        if fault and len(kept) < len(shown):
            self._dice.strike(fault)
        for row in kept:
            if row.filled_quantity:
                self._trades_due(user_id, row.broker_order_id)
        return [self.order(row) for row in kept]

    def trades(self, user_id: str, trades: Iterable[BrokerTrade]) -> tuple[BrokerTrade, ...]:
        """The fills that are due to be seen."""
        now = self._clock.monotonic()
        return tuple(trade for trade in trades if self._trades_due(user_id, trade.broker_order_id) <= now)

    def order(self, row: BrokerOrder) -> BrokerOrder:
        """One row of the book as it is shown."""
        names = ((row.user_id, name) for name in (row.broker_order_id, *row.tags))
        request = next((self._rejects[name] for name in names if name in self._rejects), None)
        if request is not None:
            row = replace(
                row,
                order_type=request.order_type,
                price_paise=request.price_paise,
                trigger_paise=request.trigger_paise,
            )
            if row.status is BrokerStatus.CANCELLED and not row.filled_quantity:
                row = replace(row, status=BrokerStatus.REJECTED, status_text="REJECTED", message=REJECTION)
        return self._skew(row) if self._skew_s else row

    def _is_newer(self, row: BrokerOrder, moment: float) -> bool:
        times = (self._placed.get((row.user_id, name)) for name in (row.broker_order_id, *row.tags))
        return any(time is not None and time > moment for time in times)

    def _trades_due(self, user_id: str, broker_order_id: str) -> float:
        """When the fills of an order may be seen, settled at the first sight of any."""
        order = (user_id, broker_order_id)
        due = self._trades_from.get(order)
        if due is None:
            late = self._dice.chance("trades_late", user_id)
            if late:
                self._dice.strike("trades_late")
            due = self._trades_from[order] = self._clock.monotonic() + (TRADES_LATE_S if late else 0.0)
        return due

    def _skew(self, row: BrokerOrder) -> BrokerOrder:
        """Stamps off either way; that of the last change differs between states, so that it may go back."""
        if row.broker_order_id not in self._skewed:
            self._skewed.add(row.broker_order_id)
            self._dice.strike("clock_skew_s")
        state = f"{row.broker_order_id}:{row.status}:{row.filled_quantity}"
        return replace(
            row,
            placed_at=row.placed_at + self._off(row.broker_order_id),
            updated_at=row.updated_at + self._off(state),
        )

    def _off(self, words: str) -> timedelta:
        sign = 1 if self._dice.fixed(f"skew:{words}") < 0.5 else -1
        return timedelta(seconds=sign * self._skew_s)

    # --- updates ------------------------------------------------------------------------------------------

    def updates(self, update: OrderUpdate) -> list[OrderUpdate]:
        """What the stream carries when the inner broker's stream carries `update`."""
        fault = self._dice.pick("update", update.order.user_id)
        shown = OrderUpdate(self.order(update.order), self.trades(update.order.user_id, update.trades))
        passed, self._held = self._held, None
        if fault == "reorder_update" and passed is None:
            self._dice.strike(fault)
            self._held = shown
            return []
        after = [] if passed is None else [passed]
        match fault:
            case "duplicate_update":
                self._dice.strike(fault)
                return [shown, shown, *after]
            case "update_flood":
                self._dice.strike(fault)
                return [shown] * FLOOD + after
            case "lose_update":
                self._dice.strike(fault)
                return after
            case "trade_before_order" if shown.trades:
                self._dice.strike(fault)
                return [self._trades_first(shown), *after]
            case _:
                return [shown, *after]

    def _trades_first(self, update: OrderUpdate) -> OrderUpdate:
        row = update.order
        self._hidden[row.user_id, row.broker_order_id] = self._clock.monotonic() + HIDDEN_S
        untouched = replace(
            row, status=BrokerStatus.OPEN, status_text="OPEN", filled_quantity=0, average_price_paise=0
        )
        return OrderUpdate(untouched, update.trades)
