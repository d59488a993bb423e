"""The whole contract between the engine and a broker.

Adapters translate wire formats into these shapes and classify how a call ended; they hold no rule of
the desk. Prices and money are integer paise, times aware UTC, quantities whole shares.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol, TypeVar, overload, runtime_checkable

from data.errors import TradedeskError
from data.reference.instruments import Instrument
from data.vocabulary import Demat, OrderType, Product, Side, Validity

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BrokerAccount:
    """One client's account as an adapter addresses it."""

    client_id: int
    user_id: str


# --- how a call ended -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Accepted:
    """The broker has it, under this id."""

    broker_order_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Proven not placed (or not changed); `message` holds the broker's own words."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """Proven never reached the broker, or turned away at its gate; the same order may be claimed again."""

    why: str


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """It may or may not have been taken. Never sent again before the order book has told."""

    why: str


Outcome = Accepted | Refused | NotSent | Ambiguous


class BrokerError(TradedeskError):
    """A read failed; nothing is known beyond that. `code` is the broker's word where it gave one."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class NotAsked(BrokerError):  # noqa: N818 - what became of the call
    """The broker was not asked, since something that the call takes is missing here."""


class SessionExpired(BrokerError):  # noqa: N818 - the trader's word
    """The broker no longer accepts this client's session."""


# --- requests ---------------------------------------------------------------------------------------


def nothing_keeps_it_back() -> str:
    """The last look of an order or a change that nothing keeps back."""
    return ""


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """One order as it is sent. `protection_bps` is set for MARKET and SL-M only.

    `after_market` asks for an order that waits at the broker until the market opens (AMO). `last_look` is
    asked by the adapter in the thread that makes the call, just before its bytes leave: where it gives words,
    nothing is sent and the call ends `NotSent` with them. It must not block. A call that fails or runs out of
    time without having asked is taken for one of which nothing left.
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
    last_look: Callable[[], str] = field(default=nothing_keeps_it_back, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class OrderChange:
    """What a modify asks for; `None` leaves a value as it is.

    `protection_bps` is no change: it is what the order was placed with, for brokers that want it named again.
    `last_look` is asked as that of an `OrderRequest`, before each try where an adapter makes a second one.
    """

    quantity: int | None = None
    price_paise: int | None = None
    trigger_paise: int | None = None
    protection_bps: int | None = None
    last_look: Callable[[], str] = field(default=nothing_keeps_it_back, compare=False, repr=False)


# --- what a broker reports --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class UnreadRow:
    """A row of a book that the adapter could not take; `words` say which and why.

    Of an order as much as could be read: its id, or empty, and whether it may still trade.
    """

    words: str
    broker_order_id: str = ""
    may_live: bool = False


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A live order in a segment or a product that the desk does not trade, in words such as `NFO NRML`."""

    broker_order_id: str
    what: str
    tradingsymbol: str
    side: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Rows(Sequence[T]):
    """The rows of a book that could be taken, as a sequence, and what of it is not among them.

    One odd row hides no other. While there are unread ones nothing is proven absent by the book.
    """

    taken: tuple[T, ...] = ()
    unread: tuple[UnreadRow, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...
    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        """A row that could be taken."""
        return self.taken[index]

    def __len__(self) -> int:
        """How many could be taken."""
        return len(self.taken)


class BrokerStatus(StrEnum):
    """A broker's order status in the contract's words; adapters keep the original in `status_text`."""

    OPEN = "open"
    COMPLETE = "complete"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    UNRECOGNISED = "unrecognised"


@dataclass(frozen=True, slots=True)
class BrokerOrder:
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


@dataclass(frozen=True, slots=True)
class BrokerTrade:
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


@dataclass(frozen=True, slots=True)
class BrokerFunds:
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


@dataclass(frozen=True, slots=True)
class BrokerHolding:
    """Shares the broker holds for a client. Buckets as in the design's section 6.

    `authorised` of them the client has released at the depository for sale today and has not sold yet.
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


@dataclass(frozen=True, slots=True)
class BrokerProfile:
    """Whose session this is, and by what right its shares are sold, where the broker tells that."""

    user_id: str
    user_name: str
    broker: str
    demat: Demat = Demat.UNKNOWN


@dataclass(frozen=True, slots=True)
class DepthLevel:
    """One price level of the book."""

    price_paise: int
    quantity: int
    orders: int


@dataclass(frozen=True, slots=True)
class Tick:
    """The market of one instrument at one moment. `key` is `EXCHANGE:SYMBOL`.

    `received_at` is wall time of the packet; `market_at` the exchange's. Depth runs best first and may
    be empty where the subscription does not carry it.
    """

    key: str
    last_paise: int
    prev_close_paise: int
    open_paise: int
    high_paise: int
    low_paise: int
    volume: int
    bid_paise: int
    ask_paise: int
    lower_circuit_paise: int
    upper_circuit_paise: int
    market_at: datetime
    received_at: datetime
    bids: tuple[DepthLevel, ...] = ()
    asks: tuple[DepthLevel, ...] = ()


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The feed is alive though nothing traded; it renews the age of the prices it speaks for.

    `keys` are those whose last tick is the market still, None for all that is subscribed. A feed of several
    connections beats for each, named by `source`, with one and the same set while that does not change.
    """

    received_at: datetime
    keys: frozenset[str] | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class OrderUpdate:
    """A hint that an order changed, with what the broker said and the trades it already knows.

    `trades` may be incomplete or empty; the engine reads the trade book when they do not add up.
    """

    order: BrokerOrder
    trades: tuple[BrokerTrade, ...] = ()


StreamEvent = Tick | Heartbeat | OrderUpdate


@dataclass(frozen=True, slots=True)
class InstrumentRow:
    """One row of a broker's instruments dump. Kite's dump carries no ISIN."""

    instrument_token: int
    exchange_token: str
    tradingsymbol: str
    name: str
    exchange: str
    segment: str
    instrument_type: str
    tick_paise: int
    lot_size: int
    last_paise: int
    isin: str = ""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an adapter can do and how fast it may be driven, per client account.

    `key_orders_per_second` limits all accounts behind one api key together; None where the broker does not.
    `after_market` says whether orders may wait at the broker for the next session.
    """

    tag_length: int
    market_protection: bool
    mtf: bool
    orders_per_second: int
    orders_per_minute: int
    orders_per_day: int
    max_instruments: int
    max_order_quantity: int
    max_order_value_paise: int
    simulated: bool = False
    products: frozenset[Product] = field(default_factory=lambda: frozenset(Product))
    key_orders_per_second: int | None = None
    after_market: bool = False


class Broker(Protocol):
    """One adapter: every account of one broker. Reads raise `BrokerError`; writes return an `Outcome`."""

    @property
    def name(self) -> str:
        """The broker's word in client files, such as `zerodha`."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What this adapter can do."""
        ...

    async def open(self) -> None:
        """Take up resources. Called once before anything else."""
        ...

    async def close(self) -> None:
        """Give resources back. Streams end."""
        ...

    def read_eta_s(self, accounts: Collection[BrokerAccount], calls: int) -> float:
        """Seconds until so many reads of each of these accounts could have gone by the broker's limits."""
        ...

    async def login_url(self, account: BrokerAccount, state: str = "") -> str:
        """Where the client signs in; empty if this broker needs no login.

        A `state` comes back as that parameter of the redirected address.
        """
        ...

    async def exchange_token(self, account: BrokerAccount, request_token: str) -> BrokerProfile:
        """Turn what the login returned into a session. Raises `BrokerError`."""
        ...

    async def profile(self, account: BrokerAccount) -> BrokerProfile:
        """Whose session this is. Raises `SessionExpired`."""
        ...

    async def funds(self, account: BrokerAccount) -> BrokerFunds:
        """The client's money."""
        ...

    async def holdings(self, account: BrokerAccount) -> Rows[BrokerHolding]:
        """The client's shares, today's included."""
        ...

    async def orders(self, account: BrokerAccount) -> Rows[BrokerOrder]:
        """The whole order book of the client's trading day, with what of it is unread or passed over."""
        ...

    async def trades(self, account: BrokerAccount) -> Rows[BrokerTrade]:
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

    async def instruments(self) -> Rows[InstrumentRow]:
        """The instruments dump."""
        ...

    async def quotes(self, keys: Collection[str]) -> Mapping[str, Tick]:
        """The market now. Unknown keys are missing from the answer."""
        ...

    async def subscribe(self, keys: Collection[str]) -> None:
        """Replace the set of instruments the stream carries."""
        ...

    def stream(self) -> AsyncIterator[StreamEvent]:
        """Ticks, heartbeats and order updates until `close`."""
        ...


class ConditionalKind(StrEnum):
    """What rests at a broker beside orders and may place some later."""

    GTT = "gtt"
    ALERT = "alert"


@dataclass(frozen=True, slots=True)
class Conditional:
    """An active GTT or alert. `what` says when it does what; an alert may place no order."""

    kind: ConditionalKind
    number: str
    what: str
    places_orders: bool


@runtime_checkable
class KeepsConditionals(Protocol):
    """What an adapter has besides `Broker` where its broker keeps orders that wait for a price."""

    async def conditionals(self, account: BrokerAccount) -> Rows[Conditional]:
        """The client's active ones. Raises `BrokerError`."""
        ...

    async def delete_conditional(self, account: BrokerAccount, conditional: Conditional) -> Outcome:
        """Delete one of them."""
        ...


@runtime_checkable
class TellsMargins(Protocol):
    """What an adapter has besides `Broker` where its broker tells margins that its listings do not carry."""

    async def margins(
        self, account: BrokerAccount, instrument: Instrument, price_paise: int, products: Collection[Product]
    ) -> Mapping[Product, int | None]:
        """The client's own share of a buy at this price by product, in basis points from 1 to 10,000.

        None for a product that the broker does not offer for the instrument. Raises `BrokerError`.
        """
        ...
