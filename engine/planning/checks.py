"""The checks before an order: what a plan looks at, and every reason for which it skips a client.

The order of the checks is fixed, so that the same trouble always shows under the same word:
the client first, then the market, then the size, then shares and money.
"""

from datetime import date, datetime

from msgspec import Struct

from data.money import BPS
from data.reference.instruments import BrokerListing, Instrument
from data.vocabulary import (
    ClientStatus,
    HaltStrength,
    OrderType,
    PhaseKind,
    Policy,
    Product,
    Reason,
    SessionState,
    Side,
    SizingKind,
    Validity,
)
from engine.book.break_views import BreakView
from engine.book.gate_views import ConsentFigures, GateVerdict, LackingConsent, RouteFigures
from engine.book.not_trading import not_trading
from engine.market.several_quotes import PricesApart
from engine.planning.intent import Intent, Sizing
from engine.planning.limits.broker_why import BrokerIsDown, NoSuchValidity, OfTwoBrokers
from engine.planning.limits.figures import NOTHING_AROUND, ClientExposure, Surroundings
from engine.planning.need import Need
from engine.planning.sizing import PlanPrices, whole_lots
from engine.planning.why import (
    AtGate,
    ClientPaused,
    LineRefusal,
    LotTooDear,
    MoneyShort,
    NoInstruction,
    NoNextSession,
    NoPrice,
    NotActive,
    NotAuthorised,
    NotCompared,
    NotSignedIn,
    OffBand,
    OnlySells,
    OverMtf,
    PhaseTakesNone,
    PortfolioUnpriced,
    PriceOld,
    ReduceOnly,
    SessionOn,
    TooLarge,
    UnderHalt,
)

CHECK_ORDER = (
    Reason.HALTED,
    Reason.CLIENT_PENDING,
    Reason.CLIENT_INACTIVE,
    Reason.CLIENT_CLOSED,
    Reason.CLIENT_PAUSED,
    Reason.SESSION_EXPIRED,
    Reason.ROUTE_NOT_READY,
    Reason.CONSENT_MISSING,
    Reason.BROKER_DOWN,
    Reason.NOT_RECONCILED,
    Reason.OPEN_BREAK,
    Reason.MARKET_CLOSED,
    Reason.PRICE_STALE,
    Reason.OUTSIDE_PRICE_BAND,
    Reason.VALIDITY_NOT_OFFERED,
    Reason.NOT_LISTED,
    Reason.SERIES_DIFFERS,
    Reason.INSTRUCTION_MISSING,
    Reason.INSTRUMENT_IN_DOUBT,
    Reason.PRODUCT_NOT_OFFERED,
    Reason.MTF_NO_CONSENT,
    Reason.NOT_MTF_ELIGIBLE,
    Reason.QUANTITY_ZERO,
    Reason.OVER_ORDER_LIMIT,
    Reason.DISCLOSED_QUANTITY,
    Reason.DUPLICATE_INTENT,
    Reason.OVER_LIMIT,
    Reason.OVER_SOFT_LIMIT,
    Reason.INSUFFICIENT_HOLDING,
    Reason.AUTHORISATION_MISSING,
    Reason.MTF_LIMIT,
    Reason.INSUFFICIENT_FUNDS,
    Reason.OTHER_LEG,
)
"""In which order the reasons are looked for; the first that holds is the line's reason."""

MARKET_PHASES = frozenset(
    {
        PhaseKind.CONTINUOUS,
        PhaseKind.PRE_OPEN,
        PhaseKind.REOPENING,
        PhaseKind.AUCTION_ENTRY,
        PhaseKind.POST_CLOSE,
    }
)
"""Phases that take a MARKET order."""

LIMIT_PHASES = frozenset(
    {
        PhaseKind.CONTINUOUS,
        PhaseKind.PRE_OPEN,
        PhaseKind.PRE_OPEN_LIMIT_ONLY,
        PhaseKind.REOPENING,
        PhaseKind.AUCTION_ENTRY,
        PhaseKind.AUCTION_LIMIT_ONLY,
    }
)
"""Phases that take a LIMIT order; the post-close session trades at the closing price alone."""


class HeldShares(Struct, frozen=True):
    """A client's shares of the planned stock in one product.

    `sellable` is what no order has blocked,
    `today` what was bought today and never reached the demat account,
    `at_broker` how many the broker has where that is another number than `quantity`.
    """

    product: Product
    sellable: int
    quantity: int
    today: int = 0
    at_broker: int | None = None


class ClientInput(Struct, frozen=True):
    """One client as frozen for a plan.

    `base_paise` is the day's sizing base. Of the `consents_lacking`, which are missing or about to end, the
    `consent_verdict` is the worst that keeps all orders back. `mtf_agreed` is false where the client has not
    agreed to its broker's terms of MTF, `mtf_listed` where the broker's list has the stock no more. `halt` is
    what a halt of this client, its group, its broker or the symbol lets leave;
    `reduce_only` for books that differ from the broker's, `unread` a book of which not every row could be
    read; `down_since` for a broker that answers nobody; `reconciled` for books read from the broker since the
    desk was opened; `duplicate` for the same side, symbol and sizing sent within the last minute;
    `authorised` for settled shares that may leave the client's demat account, else `authorised_shares` of
    them may. `products`, `validities` and
    `takes_after_market` are what its connection offers; `venue` is its broker, whose `listing` of the
    instrument counts, None where there is none, unless it trades whatever the desk knows (`lists_all`);
    `intraday_over` is when it ended intraday buying. `sized_on_paise` is what a percentage of the available
    money is of where earlier legs took of it, else None. `ref` is its instruction of a moment ago, which one
    that is not `discretionary` needs; `portfolio_paise` what all it has is worth, None where that is not
    known or not asked for; `ordered` the shares that its live orders of the stock would add or take away;
    `pause` why it stands aside and until when; `exposure` what limits are held against, if looked up;
    `funded_later` where what it buys is paid by sales that come first, so that its cash is not asked now.
    """

    client_id: int
    code: str
    name: str
    broker: str
    base_paise: int
    available_paise: int
    status: ClientStatus = ClientStatus.ACTIVE
    status_reason: str = ""
    status_since: date | None = None
    session: SessionState = SessionState.OK
    route_verdict: GateVerdict | None = None
    consent_verdict: GateVerdict | None = None
    consents_lacking: tuple[LackingConsent, ...] = ()
    authorised: bool = True
    authorised_shares: int = 0
    mtf_limit_paise: int = 0
    mtf_loan_paise: int = 0
    mtf_reserved_paise: int = 0
    mtf_agreed: bool = True
    mtf_listed: bool = True
    holdings: tuple[HeldShares, ...] = ()
    halt: HaltStrength | None = None
    reduce_only: bool = False
    unread: BreakView | None = None
    reconciled: bool = True
    down_since: datetime | None = None
    duplicate: bool = False
    products: frozenset[Product] = frozenset(Product)
    takes_after_market: bool = True
    validities: frozenset[Validity] = frozenset(Validity)
    venue: str = ""
    listing: BrokerListing | None = None
    lists_all: bool = True
    intraday_over: datetime | None = None
    sized_on_paise: int | None = None
    discretionary: bool = True
    ref: str = ""
    multiplier_bps: int = BPS
    portfolio_paise: int | None = None
    ordered: int = 0
    takes_disclosed: bool = True
    pause: ClientPaused | None = None
    exposure: ClientExposure | None = None
    funded_later: bool = False

    @property
    def mtf_used_paise(self) -> int:
        """Loans taken and reserved against the MTF limit."""
        return self.mtf_loan_paise + self.mtf_reserved_paise

    @property
    def mtf_room_paise(self) -> int:
        """How much may still be lent; negative when the limit was lowered below the loans."""
        return self.mtf_limit_paise - self.mtf_used_paise


class PlanInputs(Struct, frozen=True):
    """Everything a plan is made from, frozen at one moment.

    `now` is wall time, `market_now` and `trading_day` the exchange's. `price_age_s` is None where no price
    is known. `desk_halted` is noted on the plan and skips nobody: plans may be made while halted.
    The limits of an order, its slices and `orders_per_second`, which one client's lane may send, are those
    that every client's connection takes. `awaited_day` is the trading day whose session has not begun, None
    while one is on; `after_market` whether any broker lets orders wait for it. Intraday buying ends at
    `mis_until`, None on a day without trading; limits are held against what is `around`, too. Where the
    brokers' limits differ, those of `limited_by` are the least. The price is that of `priced_by`, None where
    one alone brings prices; `apart` where two differ too much.
    """

    now: datetime
    market_now: datetime
    trading_day: date
    instrument: Instrument
    last_paise: int
    bid_paise: int
    ask_paise: int
    lower_circuit_paise: int
    upper_circuit_paise: int
    price_age_s: float | None
    phase_kind: PhaseKind
    clients: tuple[ClientInput, ...]
    max_order_quantity: int
    max_order_value_paise: int
    most_slices: int = 10
    orders_per_second: int = 10
    policy: Policy = Policy.WORST
    protection_bps: int = 200
    price_age_limit_s: float = 3.0
    drift_limit_bps: int = 50
    mis_allowed: bool = True
    mis_until: datetime | None = None
    desk_halted: bool = False
    awaited_day: date | None = None
    after_market: bool = False
    around: Surroundings = NOTHING_AROUND
    limited_by: str = ""
    priced_by: str | None = None
    apart: PricesApart | None = None

    @property
    def market(self) -> PlanPrices:
        """The prices."""
        return PlanPrices(
            self.last_paise,
            self.bid_paise,
            self.ask_paise,
            self.lower_circuit_paise,
            self.upper_circuit_paise,
        )


def client_refusal(client: ClientInput, side: Side) -> LineRefusal | None:
    """Whether this client may trade at all now."""
    if client.halt is HaltStrength.ALL:
        return LineRefusal(Reason.HALTED, (UnderHalt(),))
    if client.halt is HaltStrength.REDUCE and side is Side.BUY:
        return LineRefusal(Reason.HALTED, (ReduceOnly(),))
    if (barred := not_trading(client.status, client.pause is not None)) is not None:
        told = client.pause if barred is Reason.CLIENT_PAUSED else None
        return LineRefusal(barred, (told or NotActive(client.status_since, client.status_reason),))
    if client.session is not SessionState.OK:
        return LineRefusal(Reason.SESSION_EXPIRED, (NotSignedIn(),))
    if client.route_verdict is not None:
        return LineRefusal(Reason.ROUTE_NOT_READY, (at_gate(client.route_verdict),))
    if client.consent_verdict is not None:
        return LineRefusal(Reason.CONSENT_MISSING, (at_gate(client.consent_verdict),))
    if client.down_since is not None and side is Side.BUY:
        return LineRefusal(Reason.BROKER_DOWN, (BrokerIsDown(client.venue, client.down_since),))
    if not client.reconciled:
        return LineRefusal(Reason.NOT_RECONCILED, (NotCompared(),))
    if client.reduce_only and side is Side.BUY:
        return LineRefusal(Reason.OPEN_BREAK, (_only_sells(client.unread),))
    return None


def at_gate(verdict: GateVerdict) -> AtGate:
    """What a plan's line says of what the gate found of its client."""
    figures = verdict.figures
    return AtGate(verdict.finding, figures if isinstance(figures, RouteFigures | ConsentFigures) else None)


def _only_sells(unread: BreakView | None) -> OnlySells:
    return OnlySells() if unread is None else OnlySells(unread.security, unread.theirs, unread.detail)


def market_refusal(intent: Intent, inputs: PlanInputs) -> LineRefusal | None:
    """Whether the market takes this order now, at a price that is young enough; the same for all."""
    priced = intent.order_type in (OrderType.LIMIT, OrderType.SL)
    phases = LIMIT_PHASES if priced else MARKET_PHASES
    if intent.order_type in (OrderType.SL, OrderType.SL_M) or intent.validity is Validity.IOC:
        phases = frozenset({PhaseKind.CONTINUOUS})
    if intent.after_market:
        if inputs.awaited_day is None:
            return LineRefusal(Reason.MARKET_CLOSED, (SessionOn(inputs.phase_kind),))
    elif inputs.phase_kind not in phases:
        kind = "IOC" if intent.validity is Validity.IOC else intent.order_type.value
        awaited = inputs.awaited_day if inputs.after_market else None
        return LineRefusal(Reason.MARKET_CLOSED, (PhaseTakesNone(inputs.phase_kind, kind, awaited),))
    if inputs.price_age_s is None or inputs.last_paise <= 0:
        return LineRefusal(Reason.PRICE_STALE, (NoPrice(),))
    if (told := inputs.apart) is not None:
        figures = OfTwoBrokers(told.broker, told.last_paise, told.other, told.other_paise, told.bps)
        return LineRefusal(Reason.PRICE_STALE, (figures,))
    if inputs.price_age_s > inputs.price_age_limit_s:
        age_ms, limit_ms = round(inputs.price_age_s * 1000), round(inputs.price_age_limit_s * 1000)
        return LineRefusal(Reason.PRICE_STALE, (PriceOld(age_ms, limit_ms),))
    lower, upper = inputs.lower_circuit_paise, inputs.upper_circuit_paise
    if not priced and ((upper and inputs.last_paise > upper) or inputs.last_paise < lower):
        return LineRefusal(Reason.OUTSIDE_PRICE_BAND, (OffBand(lower, upper, inputs.last_paise),))
    return None


def waiting_refusal(client: ClientInput, intent: Intent) -> LineRefusal | None:
    """Whether this client's broker takes orders that stand as long as is wanted."""
    if intent.after_market and not client.takes_after_market:
        return LineRefusal(Reason.MARKET_CLOSED, (NoNextSession(),))
    if intent.validity not in client.validities:
        return LineRefusal(Reason.VALIDITY_NOT_OFFERED, (NoSuchValidity(client.venue, intent.validity),))
    return None


def instruction_refusal(client: ClientInput, ref: str) -> LineRefusal | None:
    """Whether the client is traded for on its own instruction alone, and none is named."""
    if client.discretionary or ref:
        return None
    return LineRefusal(Reason.INSTRUCTION_MISSING, (NoInstruction(),))


def portfolio_refusal(client: ClientInput, sizing: Sizing) -> LineRefusal | None:
    """Whether the size is of what all of the client's is worth, and that is not known."""
    if sizing.kind not in (SizingKind.PERCENT_OF_PORTFOLIO, SizingKind.TARGET_WEIGHT):
        return None
    return LineRefusal(Reason.PRICE_STALE, (PortfolioUnpriced(),)) if client.portfolio_paise is None else None


def slice_quantity(reserve_price_paise: int, inputs: PlanInputs) -> int:
    """The most shares of one order, in whole lots: by the broker's limits of quantity and of value."""
    by_value = inputs.max_order_value_paise // max(1, reserve_price_paise)
    return whole_lots(min(inputs.max_order_quantity, by_value), inputs.instrument.lot_size)


def size_refusal(quantity: int, reserve_price_paise: int, inputs: PlanInputs) -> LineRefusal | None:
    """Whether a client's part may be sent at all, as one order or in slices."""
    most = slice_quantity(reserve_price_paise, inputs)
    if quantity <= most * inputs.most_slices:
        return None
    if not most:
        return LineRefusal(
            Reason.OVER_ORDER_LIMIT, (LotTooDear(inputs.max_order_value_paise, inputs.limited_by),)
        )
    worth = quantity * reserve_price_paise if most < inputs.max_order_quantity else None
    figures = TooLarge(quantity, worth, inputs.most_slices, most, inputs.limited_by)
    return LineRefusal(Reason.OVER_ORDER_LIMIT, (figures,))


def authorisation_refusal(client: ClientInput, product: Product, quantity: int) -> LineRefusal | None:
    """Whether delivery shares that have reached the demat account may leave it; today's never did."""
    own = [held for held in client.holdings if held.product is product]
    today, on_sale = sum(held.today for held in own), sum(held.quantity - held.sellable for held in own)
    if client.authorised or product is not Product.CNC or quantity <= today:
        return None
    released = client.authorised_shares
    if released and quantity + on_sale <= today + released:
        return None
    return LineRefusal(Reason.AUTHORISATION_MISSING, (NotAuthorised(released),))


def money_refusal(client: ClientInput, product: Product, need: Need) -> LineRefusal | None:
    """Whether the client's MTF limit and then its money carry the buy."""
    over = need.loan_paise - client.mtf_room_paise
    if product is Product.MTF and over > 0:
        return LineRefusal(Reason.MTF_LIMIT, (OverMtf(over if client.mtf_limit_paise else None),), over)
    short = need.total_paise - client.available_paise
    if short > 0:
        return LineRefusal(Reason.INSUFFICIENT_FUNDS, (MoneyShort(short),), short)
    return None
