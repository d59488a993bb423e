"""A run as screens and commands see it."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime

from msgspec import Struct

from data.vocabulary import DeskKind, OrderState, OrderType, PauseReason, RunCount, RunStatus, Side, Validity
from engine.book.pause import Pause
from engine.book.views import OrderView, RunRow

COUNTED = {
    OrderState.FILLED: RunCount.FILLED,
    OrderState.OPEN: RunCount.OPEN,
    OrderState.SENDING: RunCount.SENDING,
    OrderState.RESERVED: RunCount.UNSENT,
    OrderState.CANCELLED: RunCount.CANCELLED,
    OrderState.REJECTED: RunCount.REJECTED,
    OrderState.DENIED: RunCount.DENIED,
    OrderState.UNKNOWN: RunCount.UNKNOWN,
    OrderState.NOT_RECEIVED: RunCount.NOT_RECEIVED,
    OrderState.EXPIRED: RunCount.EXPIRED,
}
"""Under what a run counts each state."""


class Frozen(Struct, frozen=True):
    """An engine whose last heartbeat was long ago, though its lock is held."""

    since: datetime
    kind: DeskKind
    pid: int


class RunView(Struct, frozen=True):
    """A run as it stands. `counts` are current states, plus `sent`, `skipped` and `total`; lines of later
    stages that wait for their turn are unsent orders.

    `eta_s` are the seconds until the unsent could all have left, were brokers instant and nothing paused.
    `trading_date` is that of its orders. `left_paise` is what rounding left of the allocations, `cut_paise`
    what quantities set by hand left beside that. `settled` says that each order has ended, rests or is
    UNKNOWN; `status` is FINISHED by a commit of its own, once all have ended. `pause` says why it is paused;
    `unsent_blocked_paise` is the money that its unsent orders hold.
    """

    number: int
    plan_number: int
    title: str
    status: RunStatus
    started_at: datetime
    finished_at: datetime | None
    counts: dict[RunCount, int]
    elapsed_s: float
    eta_s: float
    left_paise: int
    cut_paise: int
    order_ids: tuple[int, ...]
    settled: bool
    trading_date: date
    pause: Pause | None = None
    unsent_blocked_paise: int = 0
    frozen: Frozen | None = None
    """Its engine, where that lives and does nothing."""
    frozen_s: float = 0.0
    """For how long nothing has come from that engine."""

    @property
    def frozen_since(self) -> datetime | None:
        """When its engine was last heard of, where that lives and does nothing."""
        return self.frozen.since if self.frozen else None

    @property
    def pause_reason(self) -> PauseReason | None:
        """Why it is paused, in a word."""
        return self.pause.reason if self.pause else None

    @property
    def word(self) -> str:
        """How it stands in one word: as stored, or frozen with its engine."""
        return "frozen" if self.frozen_since else self.status.value

    @property
    def paused(self) -> bool:
        """Whether its unsent orders are kept back until the trader goes on with it or stops it."""
        return self.status is RunStatus.PAUSED and self.finished_at is None and self.unsent > 0

    @property
    def needs_attention(self) -> bool:
        """Whether it paused by itself, so that the trader may not know of it."""
        return self.paused and self.pause_reason is not PauseReason.TRADER

    @property
    def unsent(self) -> int:
        """Orders that have not left."""
        return self.counts[RunCount.UNSENT]

    @property
    def at_brokers(self) -> int:
        """Orders that may yet trade at their brokers."""
        return self.counts[RunCount.OPEN] + self.counts[RunCount.SENDING] + self.counts[RunCount.UNKNOWN]

    @property
    def skipped(self) -> int:
        """Lines of the plan for which no order was made."""
        return self.counts[RunCount.SKIPPED]


class LegCounts(Struct, frozen=True):
    """How far one leg of a run has come. `counts` are current states, `sent` and `total`."""

    leg: int
    key: str
    symbol: str
    side: Side
    counts: dict[RunCount, int]


def by_leg(orders: Sequence[OrderView]) -> list[LegCounts]:
    """A run's orders counted leg by leg."""
    legs: dict[int, list[OrderView]] = {}
    for order in orders:
        legs.setdefault(order.leg, []).append(order)
    return [
        LegCounts(
            leg, own[0].key, own[0].tradingsymbol, own[0].side, _counts(own) | {RunCount.TOTAL: len(own)}
        )
        for leg, own in sorted(legs.items())
    ]


def _counts(orders: Sequence[OrderView]) -> dict[RunCount, int]:
    states = Counter(order.state for order in orders)
    counts = {word: states.get(state, 0) for state, word in COUNTED.items()}
    never_left = sum(o.state is OrderState.CANCELLED and o.broker_order_id is None for o in orders)
    counts[RunCount.SENT] = len(orders) - counts[RunCount.UNSENT] - counts[RunCount.DENIED] - never_left
    return counts


def settled(order: OrderView) -> bool:
    """Ended, UNKNOWN, or resting at the broker.

    A protected market order is still at work, unless it waits for its session; an IOC order never rests.
    """
    if order.state is OrderState.OPEN:
        at_work = order.order_type is OrderType.MARKET or order.validity is Validity.IOC
        return order.after_market or not at_work
    return not order.live or order.state is OrderState.UNKNOWN


def run_view(
    run: RunRow,
    orders: Sequence[OrderView],
    *,
    now: datetime,
    trading_day: date,
    eta_s: float,
    frozen: Frozen | None,
) -> RunView:
    """A stored run with its orders, in the order of their numbers; of one without any the day is this one."""
    counts = _counts(orders)
    counts |= {
        RunCount.UNSENT: counts[RunCount.UNSENT] + run.staged,
        RunCount.SKIPPED: run.skipped,
        RunCount.TOTAL: len(orders) + run.staged,
    }
    return RunView(
        number=run.number,
        plan_number=run.plan_number,
        title=run.title,
        status=run.status,
        started_at=run.started_at,
        finished_at=run.finished_at,
        counts=counts,
        elapsed_s=max(0.0, ((run.finished_at or now) - run.started_at).total_seconds()),
        eta_s=eta_s,
        left_paise=run.left_paise,
        cut_paise=run.cut_paise,
        order_ids=tuple(order.id for order in orders),
        settled=not run.staged and all(settled(order) for order in orders),
        trading_date=max((order.trading_date for order in orders), default=trading_day),
        pause=run.pause if run.status is RunStatus.PAUSED else None,
        frozen=frozen,
        frozen_s=(now - frozen.since).total_seconds() if frozen else 0.0,
        unsent_blocked_paise=sum(o.blocked_paise for o in orders if o.state is OrderState.RESERVED),
    )
