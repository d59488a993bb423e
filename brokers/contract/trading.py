"""Orders and books of client accounts: what is asked, how a call ended, and what a broker reports."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from msgspec import Struct

from brokers.contract.account import BrokerAccount
from brokers.contract.rows import BrokerRows
from data.vocabulary import OrderType, Product, Side, Validity

# --- how a call ended -----------------------------------------------------------------------------


class Accepted(Struct, frozen=True):
    """The broker has it, under this id."""

    broker_order_id: str


class Refused(Struct, frozen=True):
    """Proven not placed (or not changed); `message` holds the broker's own words."""

    code: str
    message: str


class NotSent(Struct, frozen=True):
    """Proven never reached the broker, or turned away at its gate; the same order may be claimed again."""

    why: str


class Ambiguous(Struct, frozen=True):
    """It may or may not have been taken. Never sent again before the order book has told."""

    why: str


Outcome = Accepted | Refused | NotSent | Ambiguous


# --- requests ---------------------------------------------------------------------------------------


def nothing_keeps_it_back() -> str:
    """The last look of an order or a change that nothing keeps back."""
    return ""


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """One order as it is sent. `protection_bps` is set for MARKET and SL-M only.

    Of it the market sees `disclosed_quantity` shares, all of them where that is 0. `tick_paise` is the
    share's, 0 where it is not known, for an adapter that has to make the limit of a protected order.

    `after_market` asks for an order that waits at the broker until the market opens (AMO). `last_look` is
    asked by the adapter in the thread that makes the call, just before its bytes leave: if it returns
    words, nothing is sent and the call ends `NotSent` with them. It must not block. A call that fails or
    runs out of time without having asked is taken for one of which nothing left.
    """

    exchange: str
    tradingsymbol: str
    side: Side
    quantity: int
    product: Product
    order_type: OrderType
    tag: str
    validity: Validity = Validity.DAY
    price_paise: int | None = None
    trigger_paise: int | None = None
    protection_bps: int | None = None
    after_market: bool = False
    disclosed_quantity: int = 0
    tick_paise: int = field(default=0, compare=False)
    last_look: Callable[[], str] = field(default=nothing_keeps_it_back, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class OrderChange:
    """What a modify asks for; `None` leaves a value as it is.

    `protection_bps` is no change: it is what the order was placed with, for brokers that want it named again.
    `tick_paise` is as in an `OrderRequest`.
    `last_look` is asked as that of an `OrderRequest`, before each try where an adapter makes a second one.
    """

    quantity: int | None = None
    price_paise: int | None = None
    trigger_paise: int | None = None
    protection_bps: int | None = None
    tick_paise: int = field(default=0, compare=False)
    last_look: Callable[[], str] = field(default=nothing_keeps_it_back, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Conversion:
    """Bought shares that are to go on in another product. `last_look` is asked as that of an `OrderRequest`.

    `overnight` says that they were bought before today.
    """

    exchange: str
    tradingsymbol: str
    quantity: int
    from_product: Product
    to_product: Product
    overnight: bool = False
    last_look: Callable[[], str] = field(default=nothing_keeps_it_back, compare=False, repr=False)


# --- what a broker reports --------------------------------------------------------------------------


class BrokerStatus(StrEnum):
    """A broker's order status in the contract's words; adapters keep the original in `status_text`."""

    OPEN = "open"
    COMPLETE = "complete"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    UNRECOGNISED = "unrecognised"


class BrokerOrder(Struct, frozen=True):
    """One row of a client's order book.

    `trigger_pending` says that a stop order still waits for the last price to reach its trigger.
    """

    broker_order_id: str
    user_id: str
    tags: tuple[str, ...]
    exchange: str
    tradingsymbol: str
    side: Side
    product: Product
    order_type: OrderType
    quantity: int
    filled_quantity: int
    average_price_paise: int
    status: BrokerStatus
    status_text: str
    placed_at: datetime
    updated_at: datetime
    price_paise: int | None = None
    trigger_paise: int | None = None
    message: str = ""
    trigger_pending: bool = False
    validity: Validity = Validity.DAY


class BrokerTrade(Struct, frozen=True):
    """One fill. `trade_id` is unique within user, exchange, trading date and order."""

    trade_id: str
    broker_order_id: str
    user_id: str
    exchange: str
    tradingsymbol: str
    side: Side
    product: Product
    quantity: int
    price_paise: int
    trading_date: date
    traded_at: datetime


class BrokerFunds(Struct, frozen=True):
    """A client's money as the broker sees it, in paise.

    Without `orders_blocked` a broker does not tell what open orders block: `blocked_paise` then counts
    payouts under way alone, and what is available is already less by both. Without `loan_of_today` the loan
    is that of shares held overnight; without `loan_whole` rows that tell of it could not be read.
    """

    available_paise: int
    blocked_paise: int
    mtf_limit_paise: int
    mtf_loan_paise: int
    as_of: datetime
    orders_blocked: bool = True
    loan_of_today: bool = True
    loan_whole: bool = True


class BrokerHolding(Struct, frozen=True):
    """Shares the broker holds for a client: bought `today`, not delivered yet (`t1`), settled, pledged.

    `free` are the settled ones, those among them too that open sales keep `blocked`.
    `authorised` of them the client has released at the depository for sale today and has not sold yet.
    `short` counts shares that were sold within the day (MIS) and are not bought back, for `short_paise`.
    """

    exchange: str
    tradingsymbol: str
    isin: str
    product: Product
    free: int
    t1: int
    today: int
    blocked: int
    pledged: int
    cost_paise: int
    authorised: int = 0
    short: int = 0
    short_paise: int = 0


class OrderUpdate(Struct, frozen=True):
    """A hint that an order changed, with what the broker said and the trades it already knows.

    `trades` may be incomplete or empty; the engine reads the trade book when they do not add up.
    """

    order: BrokerOrder
    trades: tuple[BrokerTrade, ...] = ()


class Trading(Protocol):
    """A client's books and orders. Reads raise `BrokerError`; writes return an `Outcome`."""

    def read_eta_s(self, accounts: Collection[BrokerAccount], calls: int) -> float:
        """Seconds until so many reads of each of these accounts could have gone by the broker's limits."""
        ...

    async def funds(self, account: BrokerAccount) -> BrokerFunds:
        """The client's money."""
        ...

    async def holdings(self, account: BrokerAccount) -> BrokerRows[BrokerHolding]:
        """The client's shares, today's included."""
        ...

    async def orders(self, account: BrokerAccount) -> BrokerRows[BrokerOrder]:
        """The whole order book of the client's trading day, with what of it is unread or passed over."""
        ...

    async def trades(self, account: BrokerAccount) -> BrokerRows[BrokerTrade]:
        """All fills of the client's trading day."""
        ...

    async def place(self, account: BrokerAccount, request: OrderRequest) -> Outcome:
        """Send one order."""
        ...

    async def modify(self, account: BrokerAccount, broker_order_id: str, change: OrderChange) -> Outcome:
        """Ask for a change of a live order."""
        ...

    async def cancel(self, account: BrokerAccount, broker_order_id: str) -> Outcome:
        """Ask for a live order to be cancelled. `Accepted` says it was asked, not that it is done."""
        ...


@runtime_checkable
class Converts(Protocol):
    """What an adapter has besides `Broker` where its broker converts positions, as its capabilities say."""

    async def convert(self, account: BrokerAccount, conversion: Conversion) -> Outcome:
        """Convert shares; `Accepted` says that it is done, and names no order."""
        ...


class ConditionalKind(StrEnum):
    """What rests at a broker beside orders and may place some later."""

    GTT = "gtt"
    ALERT = "alert"


class Conditional(Struct, frozen=True):
    """An active GTT or alert. `what` says when it does what; an alert may place no order.

    `key` is the instrument whose price it waits for.
    """

    kind: ConditionalKind
    number: str
    what: str
    places_orders: bool
    key: str = ""


@runtime_checkable
class KeepsConditionals(Protocol):
    """What an adapter has besides `Broker` where its broker keeps orders that wait for a price."""

    async def conditionals(self, account: BrokerAccount) -> BrokerRows[Conditional]:
        """The client's active ones. Raises `BrokerError`."""
        ...

    async def delete_conditional(self, account: BrokerAccount, conditional: Conditional) -> Outcome:
        """Delete one of them."""
        ...
