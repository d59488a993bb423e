"""The checks before an order is taken, with the words brokers use for their refusals."""

from msgspec import Struct

from brokers.contract import OrderChange, OrderRequest, Refused
from brokers.simulators.exchange.prices import Quote, protected_price
from brokers.simulators.exchange.schema import AccountRow, OrderRow
from data.money import BPS
from data.reference.instruments import Instrument
from data.vocabulary import OrderType, PhaseKind, Product, Side, Validity

STOPS = frozenset({OrderType.SL, OrderType.SL_M})
"""Order types that wait for a trigger."""

MAX_QUANTITY = 100_000
MAX_VALUE_PAISE = 10_00_00_000 * 100
MAX_MODIFICATIONS = 25
SQUARE_OFF_FEE_PAISE = 59_00
"""For each order with which the broker sells out: 50 rupees and GST (charges pages of the three brokers)."""
TAG_LENGTH = 40
"""Characters of a tag at most, as Upstox takes them; a longer one is refused with its order."""

_LIMIT_PHASES = frozenset(
    {
        PhaseKind.CONTINUOUS,
        PhaseKind.PRE_OPEN,
        PhaseKind.PRE_OPEN_LIMIT_ONLY,
        PhaseKind.REOPENING,
        PhaseKind.AUCTION_ENTRY,
        PhaseKind.AUCTION_LIMIT_ONLY,
    }
)


class Terms(Struct, frozen=True):
    """What an accepted request trades at: its limit, and the own share of its value in basis points.

    `trigger_paise` is what a stop order waits for, `None` for any other.
    """

    limit_paise: int
    own_bps: int
    trigger_paise: int | None


def rupees(amount_paise: int) -> str:
    """Paise as rupees with two decimals, as refusals show them."""
    sign = "-" if amount_paise < 0 else ""
    return f"{sign}{abs(amount_paise) // 100}.{abs(amount_paise) % 100:02d}"


def check_request(
    request: OrderRequest, instrument: Instrument, quote: Quote, phase: PhaseKind
) -> Terms | Refused:
    """All that can be said of an order without its account."""
    if not instrument.tradable:
        return Refused("not_tradable", f"{instrument.tradingsymbol} is an index; orders are not allowed.")
    if len(request.tag) > TAG_LENGTH:
        return Refused("bad_tag", f"`tag` should be at most {TAG_LENGTH} characters long.")
    own_bps = _own_bps(request, instrument)
    if isinstance(own_bps, Refused):
        return own_bps
    if (closed := check_open(phase)) is not None:
        return closed
    trigger = _trigger_of(request, instrument, quote, phase)
    if isinstance(trigger, Refused):
        return trigger
    limit = _limit_of(request, instrument, quote, phase, trigger)
    if isinstance(limit, Refused):
        return limit
    refused = check_terms(request.quantity, limit, instrument, quote) or _check_disclosed(request)
    if refused is None and trigger is not None:
        refused = check_reach(request.side is Side.BUY, limit, trigger)
    return refused or Terms(limit, own_bps, trigger)


def check_open(phase: PhaseKind) -> Refused | None:
    """Whether orders are taken in a phase at all."""
    if phase in _LIMIT_PHASES:
        return None
    if phase is PhaseKind.HALTED:
        return Refused("market_halted", "The market is halted: orders are not accepted now.")
    return Refused("market_closed", "The market is closed: orders are not accepted now.")


def _check_disclosed(request: OrderRequest) -> Refused | None:
    """NSE: none, or a tenth of a limit order of the day at least, and less than all of it."""
    disclosed, quantity = request.disclosed_quantity, request.quantity
    if not disclosed:
        return None
    if request.order_type is not OrderType.LIMIT or request.validity is Validity.IOC:
        return Refused("bad_disclosed", "Disclosed quantity is allowed for limit orders of the day only.")
    if not quantity <= 10 * disclosed < 10 * quantity:
        return Refused("bad_disclosed", "Disclosed quantity should be at least 10% of the order quantity.")
    return None


def _trigger_of(
    request: OrderRequest, instrument: Instrument, quote: Quote, phase: PhaseKind
) -> int | Refused | None:
    """The price at which a stop becomes an order; None for an order that is none."""
    if request.order_type not in STOPS:
        return None
    if phase is not PhaseKind.CONTINUOUS:
        return Refused("market_closed", "Stop loss orders are currently not allowed.")
    trigger = request.trigger_paise
    if trigger is None:
        return Refused("bad_trigger", f"`trigger_price` is required for {request.order_type} orders.")
    return check_trigger(request.side is Side.BUY, trigger, instrument, quote) or trigger


def _limit_of(
    request: OrderRequest, instrument: Instrument, quote: Quote, phase: PhaseKind, trigger: int | None
) -> int | Refused:
    """The least favourable price of an order: its own, or where its protection ends."""
    if request.order_type not in (OrderType.MARKET, OrderType.SL_M):
        if request.price_paise is None:
            return Refused("bad_price", f"`price` is required for {request.order_type} orders.")
        return request.price_paise
    if not request.protection_bps or not 0 < request.protection_bps <= BPS:
        return Refused(
            "no_market_protection",
            "Market orders without market protection are not allowed via API. "
            "Please set market protection or use a Limit order.",
        )
    if phase is not PhaseKind.CONTINUOUS:
        return Refused("market_closed", "Market orders are currently not allowed.")
    if trigger is not None and request.validity is Validity.IOC:
        return Refused("bad_validity", "IOC validity is not allowed for SL-M orders.")
    buying = request.side is Side.BUY
    return protected_price(quote, buying, request.protection_bps, instrument.tick_paise, trigger)


def _own_bps(request: OrderRequest, instrument: Instrument) -> int | Refused:
    own_bps = instrument.margin_bps(request.product)
    if own_bps is None:
        code = "not_mtf_eligible" if request.product is Product.MTF else "mis_not_allowed"
        return Refused(code, f"{request.product.value} is not allowed for {instrument.tradingsymbol}.")
    return own_bps


def check_intraday(instrument: Instrument, too_late: bool) -> Refused | None:
    """Whether a position may still be opened for the day alone, `too_late` once such ones are sold out."""
    if too_late:
        words = f"MIS orders for {instrument.tradingsymbol} are blocked after the square-off time. Use CNC."
        return Refused("mis_not_allowed", words)
    return None


def check_trigger(buying: bool, trigger_paise: int, instrument: Instrument, quote: Quote) -> Refused | None:
    """Tick and band of a stop order's trigger, and that the last price has not reached it already."""
    if trigger_paise <= 0 or trigger_paise % instrument.tick_paise:
        return Refused("off_tick", "16316 : The trigger price is not a multiple of tick size")
    lower, upper, last = quote.lower_circuit_paise, quote.upper_circuit_paise, quote.last_paise
    if buying and trigger_paise > upper:
        return Refused(
            "outside_price_band",
            "Trigger price for stoploss buy orders cannot be above the upper circuit price. "
            f"Please try placing the order with trigger price below {rupees(upper)}.",
        )
    if not buying and trigger_paise < lower:
        return Refused(
            "outside_price_band",
            "Trigger price for stoploss sell orders cannot be below the lower circuit price. "
            f"Please try placing the order with trigger price above {rupees(lower)}.",
        )
    if trigger_reached(buying, trigger_paise, last):
        side, where = ("buy", "above") if buying else ("sell", "below")
        return Refused(
            "trigger_passed",
            f"Trigger price for stoploss {side} orders should be {where} the last traded price "
            f"({rupees(last)}). Try limit order.",
        )
    return None


def trigger_reached(buying: bool, trigger_paise: int, last_paise: int) -> bool:
    """Whether a last price sets a stop order off."""
    return last_paise >= trigger_paise if buying else last_paise <= trigger_paise


def check_reach(buying: bool, limit_paise: int, trigger_paise: int) -> Refused | None:
    """Whether a stop order may trade at its trigger: its limit must not stand short of it."""
    if buying and limit_paise < trigger_paise:
        return Refused(
            "bad_trigger", "Trigger price for stoploss buy orders should be lower than or equal to the price."
        )
    if not buying and limit_paise > trigger_paise:
        return Refused(
            "bad_trigger",
            "Trigger price for stoploss sell orders should be higher than or equal to the price.",
        )
    return None


def check_terms(quantity: int, limit_paise: int, instrument: Instrument, quote: Quote) -> Refused | None:
    """Size, tick and band of an order, placed or modified."""
    if quantity <= 0 or quantity % instrument.lot_size:
        return Refused("bad_quantity", f"Quantity should be a positive multiple of {instrument.lot_size}.")
    if quantity > MAX_QUANTITY:
        return Refused("over_order_limit", "Maximum quantity per order for Equity is 1,00,000")
    if limit_paise <= 0 or limit_paise % instrument.tick_paise:
        return Refused("off_tick", f"RATE NOT MULTIPLE OF TICK [{rupees(instrument.tick_paise)}000000]")
    for outside, word, circuit in (
        (limit_paise > quote.upper_circuit_paise, "higher than the current upper", quote.upper_circuit_paise),
        (limit_paise < quote.lower_circuit_paise, "lower than the current lower", quote.lower_circuit_paise),
    ):
        if outside:
            return Refused(
                "outside_price_band",
                f"Your order price is {word} circuit limit of {rupees(circuit)}. "
                "Place an order within the daily range.",
            )
    if quantity * limit_paise > MAX_VALUE_PAISE:
        return Refused("over_order_limit", "Maximum value per order for Equity is Rs 10,00,00,000")
    return None


def check_money(account: AccountRow, more_own_paise: int, more_loan_paise: int) -> Refused | None:
    """Whether an account carries that much more blocked money and loan."""
    if more_own_paise > 0 and more_own_paise > account.available_paise:
        return Refused(
            "insufficient_funds",
            f"Insufficient funds. Required margin is {rupees(more_own_paise)} "
            f"but available margin is {rupees(account.available_paise)}.",
        )
    room = account.mtf_limit_paise - account.mtf_loan_paise - account.mtf_blocked_paise
    if more_loan_paise > 0 and more_loan_paise > room:
        return Refused(
            "mtf_limit",
            f"MTF limit exceeded. Required funding is {rupees(more_loan_paise)} "
            f"but available limit is {rupees(room)}.",
        )
    return None


def check_shares(sellable: int, more_quantity: int) -> Refused | None:
    """Whether an account may sell that many more shares."""
    if more_quantity > sellable:
        return Refused(
            "insufficient_holding",
            "Insufficient stock holding or there are pending sell orders for this stock. "
            "Check the orderbook.",
        )
    return None


def terms_after(
    order: OrderRow, change: OrderChange, instrument: Instrument, quote: Quote
) -> tuple[int, int] | Refused:
    """Whole quantity and limit of an order as a change would have it, whose trigger it takes at once."""
    quantity = order.quantity if change.quantity is None else change.quantity
    if quantity <= order.filled:
        return Refused("bad_quantity", f"Quantity should be above the {order.filled} already traded.")
    refused = _change_trigger(order, change, instrument, quote)
    if refused is not None:
        return refused
    limit = order.limit_paise if change.price_paise is None else change.price_paise
    if order.waiting and order.order_type == OrderType.SL_M:
        tick, trigger = instrument.tick_paise, order.trigger_paise
        limit = protected_price(quote, order.buying, order.protection_bps, tick, trigger)
    refused = check_terms(quantity, limit, instrument, quote)
    if refused is None and order.waiting:
        refused = check_reach(order.buying, limit, order.trigger_paise)
    return refused or (quantity, limit)


def _change_trigger(
    order: OrderRow, change: OrderChange, instrument: Instrument, quote: Quote
) -> Refused | None:
    """Take over a changed trigger, or say why the order cannot have it."""
    stop = order.order_type in STOPS
    if order.waiting and order.order_type == OrderType.SL_M and change.price_paise is not None:
        return Refused("bad_price", "`price` is not allowed for SL-M orders.")
    if change.trigger_paise is None or (stop and change.trigger_paise == order.trigger_paise):
        return None
    if not order.waiting:
        words = "has been triggered" if stop else f"is a {order.order_type} order"
        return Refused("bad_trigger", f"`trigger_price` cannot be modified: the order {words}.")
    refused = check_trigger(order.buying, change.trigger_paise, instrument, quote)
    if refused is None:
        order.trigger_paise = change.trigger_paise
    return refused
