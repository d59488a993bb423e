"""Clients, money, shares, orders, runs and halts as screens and plans see them: frozen, in memory."""

from collections.abc import Iterable
from datetime import date, datetime

from msgspec import Struct

from data.money import BPS, half_up
from data.vocabulary import (
    LIVE_STATES,
    ClientStatus,
    OrderState,
    OrderType,
    PauseReason,
    PhaseKind,
    Product,
    Reason,
    RunStatus,
    SessionState,
    Side,
    Validity,
)
from engine.book.break_views import BreakView
from engine.book.gate_views import GateVerdict, LackingConsent
from engine.book.not_trading import not_trading
from engine.book.pause import Pause

_ENDED_BADLY = {OrderState.UNKNOWN, OrderState.REJECTED, OrderState.DENIED, OrderState.NOT_RECEIVED}


class ClientView(Struct, frozen=True):
    """One client as screens and plans see it. `gate` is None when the client may trade.

    `route_verdict` and `consent_verdict` say what keeps it out there, None where nothing does, and
    `consents_lacking` which consents are missing or about to end; `authorised` is false where the client must
    first allow settled shares to leave its demat account. `connection` names who carries it, or is empty. Not
    `discretionary`, it trades on its own instruction alone; `multiplier_bps` scales what is sized for many.

    `capital_paise` is the trading day's, `next_capital_paise` what counts from the next one on. Of `groups`
    it was put into the `fixed_groups`, and those by rule are true of it now. It is `paused` until the
    market's time of `paused_until`, without an end where that is None.
    """

    id: int
    code: str
    name: str
    broker: str
    broker_user_id: str
    status: ClientStatus
    status_reason: str
    status_since: date | None
    session: SessionState
    route: str
    capital_paise: int
    mtf_limit_paise: int
    groups: tuple[str, ...]
    phone: str
    route_verdict: GateVerdict | None = None
    consent_verdict: GateVerdict | None = None
    consents_lacking: tuple[LackingConsent, ...] = ()
    authorised: bool = True
    connection: str = ""
    discretionary: bool = True
    multiplier_bps: int = BPS
    next_capital_paise: int = 0
    fixed_groups: tuple[str, ...] = ()
    pause_reason: str = ""
    paused_at: datetime | None = None
    paused_until: datetime | None = None

    @property
    def paused(self) -> bool:
        """Whether the trader has it stand aside."""
        return self.paused_at is not None

    @property
    def gate(self) -> Reason | None:
        """The first reason why no order of this client may be sent, if any."""
        if (barred := not_trading(self.status, self.paused)) is not None:
            return barred
        if self.session is SessionState.EXPIRED:
            return Reason.SESSION_EXPIRED
        if self.route_verdict is not None:
            return Reason.ROUTE_NOT_READY
        return None if self.consent_verdict is None else Reason.CONSENT_MISSING


class Readiness(Struct, frozen=True):
    """What stands against a client's trading: the gate, books that differ, books that nobody has compared."""

    gate: Reason | None
    differs: bool
    compared: bool


class BooksCounts(Struct, frozen=True):
    """How many clients that may trade have books that differ, and books that nobody has compared."""

    differ: int
    unread: int


class FundsView(Struct, frozen=True, gc=False):
    """A client's balances in paise. `held_paise` is the part of `blocked_paise` that named holds keep.

    `intraday_loan_paise` is the broker's part of what was bought within the day.
    """

    client_id: int
    available_paise: int = 0
    blocked_paise: int = 0
    held_paise: int = 0
    unsettled_paise: int = 0
    charges_due_paise: int = 0
    mtf_limit_paise: int = 0
    mtf_loan_paise: int = 0
    mtf_reserved_paise: int = 0
    shortfall_paise: int = 0
    intraday_loan_paise: int = 0
    dividends_due_paise: int = 0

    @property
    def net_cash_paise(self) -> int:
        """All that is the client's but for shares: what is free, blocked or on its way, less what is owed."""
        owed = self.mtf_loan_paise + self.intraday_loan_paise + self.charges_due_paise + self.shortfall_paise
        coming = self.unsettled_paise + self.dividends_due_paise
        return self.available_paise + self.blocked_paise + coming - owed

    @property
    def mtf_used_paise(self) -> int:
        """What is lent and what open buys would still draw."""
        return self.mtf_loan_paise + self.mtf_reserved_paise

    @property
    def mtf_used_bps(self) -> int | None:
        """That as a part of the limit in basis points; None without a limit."""
        return half_up(self.mtf_used_paise * BPS, self.mtf_limit_paise) if self.mtf_limit_paise else None


class HoldingView(Struct, frozen=True, gc=False):
    """A client's shares of one product: `blocked` by open sells; `due` ones the broker does not show."""

    client_id: int
    security: str
    key: str
    tradingsymbol: str
    product: Product
    today: int
    t1: int
    free: int
    pledged: int
    blocked: int
    cost_paise: int
    today_cost_paise: int = 0
    due: int = 0

    @property
    def quantity(self) -> int:
        """All shares, sellable or not."""
        return self.today + self.t1 + self.free + self.pledged + self.due

    @property
    def sellable(self) -> int:
        """Shares that a sell may take now; trade-to-trade securities allow only the free ones."""
        return max(0, self.free + self.t1 + self.today - self.blocked)

    @property
    def average_paise(self) -> int:
        """Cost per share, half-up, for display."""
        return half_up(self.cost_paise, self.quantity) if self.quantity else 0


def brokers_quantity(holding: HoldingView, found: Iterable[BreakView]) -> int | None:
    """How many of these shares the broker has where that differs; what traded since counts on both sides."""
    what = (holding.security, holding.product.value)
    beyond = (one.theirs - one.ours for one in found if (one.security, one.product) == what)
    return next((holding.quantity + more for more in beyond), None)


def free_to_sell(holding: HoldingView, found: Iterable[BreakView], trade_to_trade: bool) -> int:
    """Shares that a sell may take now; those that the broker has not are none of them."""
    ours = holding.free - holding.blocked if trade_to_trade else holding.sellable
    theirs = brokers_quantity(holding, found)
    missing = 0 if theirs is None else max(0, holding.quantity - theirs)
    return max(0, ours - missing)


class OrderView(Struct, frozen=True, gc=False):
    """One order as it stands; one of a flatten, or that this desk did not send, has neither run nor plan.

    `key` is what its security is called now, `tradingsymbol` what it was sent under.
    """

    id: int
    run_number: int | None
    plan_number: int | None
    client_id: int
    broker: str
    key: str
    tradingsymbol: str
    side: Side
    product: Product
    order_type: OrderType
    quantity: int
    filled_quantity: int
    filled_notional_paise: int
    limit_paise: int | None
    reserve_price_paise: int
    state: OrderState
    sub_status: str
    reason_code: str
    reason_text: str
    broker_order_id: str | None
    tag: str | None
    flags: tuple[str, ...]
    blocked_paise: int
    instance_id: int
    trading_date: date
    trigger_paise: int | None
    protection_bps: int | None
    validity: Validity
    after_market: bool
    modifying: bool
    created_at: datetime
    sent_at: datetime | None
    updated_at: datetime
    ended_at: datetime | None
    leg: int = 1
    flatten_number: int | None = None
    disclosed_quantity: int = 0

    @property
    def sent_here(self) -> bool:
        """Whether this desk made it, for a run or a flatten; else it was met at the broker."""
        return self.run_number is not None or self.flatten_number is not None

    @property
    def standing(self) -> str:
        """How long it stands: `IOC`, `AMO for 24 Nov`, or empty for an order of the day."""
        return standing_words(self.validity, self.after_market, self.trading_date)

    @property
    def leaves(self) -> int:
        """Shares that could still trade."""
        return max(0, self.quantity - self.filled_quantity) if self.live else 0

    @property
    def sent_key(self) -> str:
        """`EXCHANGE:SYMBOL` as it was sent."""
        return f"{self.key.partition(':')[0]}:{self.tradingsymbol}"

    @property
    def live(self) -> bool:
        """Whether it could still trade."""
        return self.state in LIVE_STATES

    @property
    def needs_attention(self) -> bool:
        """Whether a trader should look: UNKNOWN, refused by anyone, partly filled, or flagged."""
        partly = 0 < self.filled_quantity < self.quantity
        return bool(self.flags) or partly or self.state in _ENDED_BADLY

    @property
    def average_paise(self) -> int | None:
        """Average fill price, half-up, for display."""
        return half_up(self.filled_notional_paise, self.filled_quantity) if self.filled_quantity else None


class RunRow(Struct, frozen=True):
    """A run as stored; `RunView` adds the counts."""

    number: int
    plan_number: int
    title: str
    status: RunStatus
    actor: str
    instance_id: int
    skipped: int
    left_paise: int
    cut_paise: int
    send_within_s: int
    drift_limit_bps: int | None
    priced_paise: int | None
    priced_by: str
    confirmed_at: datetime
    pause_reason: PauseReason | None
    paused_at: datetime | None
    paused_age_s: int | None
    paused_price_paise: int | None
    phase: PhaseKind | None
    lower_circuit_paise: int | None
    upper_circuit_paise: int | None
    held: PauseReason | None
    held_phase: PhaseKind | None
    goes_on_at: datetime | None
    started_at: datetime
    finished_at: datetime | None
    rotation_seed: int | None
    rotation_start: int | None
    staged: int = 0
    """Lines of later stages that are still to be reserved."""

    @property
    def pause(self) -> Pause | None:
        """Why it was paused last, if it ever was."""
        if self.pause_reason is None:
            return None
        age_s = self.paused_age_s or 0
        prices = self.priced_paise, self.paused_price_paise
        market = self.phase, self.held_phase, self.goes_on_at
        return Pause(self.pause_reason, age_s, self.send_within_s, *prices, *market)

    @property
    def paused_by_itself(self) -> bool:
        """Whether the desk paused it, so that the trader may not know of it."""
        paused = self.status is RunStatus.PAUSED and self.finished_at is None
        return paused and self.pause_reason is not PauseReason.TRADER


class DaySale(Struct, frozen=True, gc=False):
    """What a day's sales out of one holding brought against cost, in paise.

    `quantity` and `cost_paise` are of those shares among them that were held before the day.
    """

    key: str
    product: Product
    pnl_paise: int
    quantity: int = 0
    cost_paise: int = 0


class DayCharge(Struct, frozen=True, gc=False):
    """What a day's fills in one security and product cost in charges, in paise."""

    security: str
    product: Product
    charges_paise: int


class DayFigures(Struct, frozen=True):
    """What a client has realised against cost and paid on the current trading day, in paise.

    `paid` divides the charges by what was traded, `interest_paise` is on loans, `dividends_paise` by ex-date.
    """

    charges_paise: int = 0
    sales: tuple[DaySale, ...] = ()
    paid: tuple[DayCharge, ...] = ()
    interest_paise: int = 0
    dividends_paise: int = 0

    @property
    def realised_paise(self) -> int:
        """Profit of the day's sales against cost."""
        return sum(sale.pnl_paise for sale in self.sales)


NO_FIGURES = DayFigures()
"""Those of a client that has neither sold nor paid anything on the day."""


def traded_paise(orders: Iterable[OrderView]) -> int:
    """What orders have traded, at the prices of their fills."""
    return sum(order.filled_notional_paise for order in orders)


def standing_words(validity: Validity, after_market: bool, day: date) -> str:
    """How long an order of a trading day stands, in traders' words; empty for a usual one."""
    if after_market:
        return f"AMO for {day:%d %b}"
    return "" if validity is Validity.DAY else validity.value
