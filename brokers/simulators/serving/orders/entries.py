"""One order as a simulated broker holds it, from the request's arrival on, and the form in which it is kept.

Statuses are those of the order management system that brokers run; each tells them in a spelling of its own.
"""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from brokers.contract import BrokerOrder, BrokerStatus, BrokerTrade, OrderRequest
from brokers.simulators.serving.answers import Row
from data.vocabulary import OrderType, Product, Side, Validity

RECEIVED = "PUT ORDER REQ RECEIVED"
VALIDATING = "VALIDATION PENDING"
OPENING = "OPEN PENDING"
AMO_RECEIVED = "AMO REQ RECEIVED"
OPEN = "OPEN"
TRIGGER_PENDING = "TRIGGER PENDING"
COMPLETE = "COMPLETE"
CANCELLED = "CANCELLED"
REJECTED = "REJECTED"
UPDATE = "UPDATE"
"""The name of an event on the socket; never a status in the book."""

FINAL = frozenset({COMPLETE, CANCELLED, REJECTED})
IN_FLIGHT = frozenset({RECEIVED, VALIDATING, OPENING})

_STATUSES = {
    BrokerStatus.COMPLETE: COMPLETE,
    BrokerStatus.CANCELLED: CANCELLED,
    BrokerStatus.REJECTED: REJECTED,
    BrokerStatus.EXPIRED: CANCELLED,
}


@dataclass(slots=True)
class Entry:
    """An order. `order` and `trades` are the exchange's, once the order is shown to have reached it.

    `changing` says that a modify or cancel is on its way, `hidden_until` (clock seconds) that the book does
    not show the order yet, `masked_until` that it shows a status of no meaning, `at_most` how many of its
    shares trade until more are let. Times are market times.
    """

    order_id: str
    user_id: str
    variety: str
    request: OrderRequest
    day: str
    status: str
    placed_at: datetime
    requested_at: datetime
    exchange_id: str = ""
    message: str = ""
    raw_message: str = ""
    modifications: int = 0
    changing: bool = False
    hidden_until: float = 0.0
    masked_until: float = 0.0
    at_most: int | None = None
    order: BrokerOrder | None = None
    trades: tuple[BrokerTrade, ...] = ()
    history: list[Row] = field(default_factory=list[Row])
    row: Row | None = None

    @property
    def key(self) -> str:
        """`EXCHANGE:SYMBOL`."""
        return f"{self.request.exchange}:{self.request.tradingsymbol}"

    @property
    def final(self) -> bool:
        """Whether nothing of it can trade any more."""
        return self.status in FINAL

    @property
    def held(self) -> bool:
        """Whether it waits here for the market to open."""
        return self.status == AMO_RECEIVED

    def kept(self) -> Row:
        """What outlives a restart; the rest is read from the exchange again."""
        return {
            "order_id": self.order_id,
            "user_id": self.user_id,
            "variety": self.variety,
            "request": {name: word for name, word in asdict(self.request).items() if name != "last_look"},
            "day": self.day,
            "status": self.status,
            "placed_at": self.placed_at.isoformat(),
            "requested_at": self.requested_at.isoformat(),
            "exchange_id": self.exchange_id,
            "message": self.message,
            "raw_message": self.raw_message,
            "modifications": self.modifications,
            "history": self.history,
        }


def entry_from(body: dict[str, Any]) -> Entry:
    """An entry as it was kept."""
    asked = body.pop("request")
    words: dict[str, Any] = {
        "side": Side(asked["side"]),
        "product": Product(asked["product"]),
        "order_type": OrderType(asked["order_type"]),
        "validity": Validity(asked["validity"]),
    }
    request = OrderRequest(**{**asked, **words})
    times = {name: datetime.fromisoformat(body.pop(name)) for name in ("placed_at", "requested_at")}
    return Entry(request=request, **times, **body)


def status_at_exchange(order: BrokerOrder) -> str:
    """The status of an order as the exchange has it; one that ended with the day is a cancelled one."""
    return _STATUSES.get(order.status, TRIGGER_PENDING if order.trigger_pending else OPEN)


def request_of(order: BrokerOrder) -> OrderRequest:
    """The request behind an order that reached the exchange by another way than this broker."""
    own = [tag for tag in order.tags if not tag.startswith("mktp")]
    return OrderRequest(
        exchange=order.exchange,
        tradingsymbol=order.tradingsymbol,
        side=order.side,
        quantity=order.quantity,
        product=order.product,
        order_type=order.order_type,
        tag=own[0] if own else "",
        validity=order.validity,
        price_paise=order.price_paise,
        trigger_paise=order.trigger_paise,
    )


def exchange_order_id(entry: Entry) -> str:
    """The number that the exchange gives an order: sixteen digits, beginning with its segment's."""
    return f"1{int(entry.exchange_id) % 10**15:015d}"
