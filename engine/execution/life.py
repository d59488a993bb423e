"""An order's life as it is stored: what was tried, asked for, traded, moved and audited, oldest first."""

from datetime import date, datetime

from msgspec import Struct

from data.audit import Details
from data.repositories.accounts.balances import Postings
from data.repositories.trading.orders import OfOrder
from data.store import Store
from data.tables.audit import Audit
from data.tables.orders import AttemptRecord, FillRecord, RequestRecord
from engine.book.views import OrderView


class AttemptView(Struct, frozen=True):
    """One call that sent the order; it waited for its answer until `deadline_at`."""

    order_id: int
    number: int
    tag: str
    instance_id: int
    claimed_at: datetime
    deadline_at: datetime
    ended_at: datetime | None
    outcome: str
    detail: str


class RequestView(Struct, frozen=True):
    """One wish to modify or cancel it; None leaves a value as it was. `kind` and `state` are as stored."""

    order_id: int
    number: int
    kind: str
    state: str
    why: str
    quantity: int | None
    limit_paise: int | None
    trigger_paise: int | None
    halt_number: int | None
    instance_id: int
    requested_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None
    detail: str


class FillView(Struct, frozen=True):
    """One trade of it, booked; `traded_at` is the market's stamp."""

    id: int
    client_id: int
    order_id: int
    exchange: str
    trading_date: date
    trade_id: str
    broker_order_id: str
    quantity: int
    price_paise: int
    charges_paise: int
    traded_at: datetime
    booked_at: datetime


class PostingView(Struct, frozen=True):
    """One line of a transfer of its money; those of one `id` add up to nothing."""

    id: int
    kind: str
    at: datetime
    evidence: str
    account: str
    amount_paise: int


class OrderAudit(Struct, frozen=True):
    """One row of the audit that is about it."""

    seq: int
    at: datetime
    actor: str
    action: str
    client_id: int | None
    order_id: int | None
    plan_number: int | None
    run_number: int | None
    details: Details
    via: str
    proof: str
    previous: str
    hash: str


class OrderLife(Struct, frozen=True):
    """All that is stored of one order."""

    order: OrderView
    attempts: tuple[AttemptView, ...]
    requests: tuple[RequestView, ...]
    fills: tuple[FillView, ...]
    postings: tuple[PostingView, ...]
    audit: tuple[OrderAudit, ...]


_ATTEMPTS = OfOrder(AttemptRecord, AttemptView, "number")
_REQUESTS = OfOrder(RequestRecord, RequestView, "number")
_FILLS = OfOrder(FillRecord, FillView, "id")
_POSTINGS = Postings(PostingView)
_AUDIT = OfOrder(Audit, OrderAudit, "seq")


async def read_life(store: Store, order: OrderView) -> OrderLife:
    """Everything stored of one order, oldest first."""
    async with store.reader() as reader:
        return OrderLife(
            order=order,
            attempts=tuple(await _ATTEMPTS.read(reader, order.id)),
            requests=tuple(await _REQUESTS.read(reader, order.id)),
            fills=tuple(await _FILLS.read(reader, order.id)),
            postings=tuple(await _POSTINGS.of_order(reader, order.id)),
            audit=tuple(await _AUDIT.read(reader, order.id)),
        )
