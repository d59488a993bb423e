"""An order's life as it is stored: what was tried, asked for, traded, moved and audited, oldest first."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Executable, select

from data.columns import table
from data.order_tables import Attempt, Fill, Request
from data.store import Store
from data.tables import Audit, Posting, Txn
from engine.book.views import OrderView

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass(frozen=True, slots=True)
class AttemptView:
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


@dataclass(frozen=True, slots=True)
class RequestView:
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


@dataclass(frozen=True, slots=True)
class FillView:
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


@dataclass(frozen=True, slots=True)
class PostingView:
    """One line of a transfer of its money; those of one `id` add up to nothing."""

    id: int
    kind: str
    at: datetime
    evidence: str
    account: str
    amount_paise: int


@dataclass(frozen=True, slots=True)
class OrderAudit:
    """One row of the audit that is about it."""

    seq: int
    at: datetime
    actor: str
    action: str
    client_id: int | None
    order_id: int | None
    plan_number: int | None
    run_number: int | None
    details: Mapping[str, Any]
    via: str
    proof: str
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class OrderLife:
    """All that is stored of one order."""

    order: OrderView
    attempts: tuple[AttemptView, ...]
    requests: tuple[RequestView, ...]
    fills: tuple[FillView, ...]
    postings: tuple[PostingView, ...]
    audit: tuple[OrderAudit, ...]


Shown = TypeVar("Shown", bound="DataclassInstance")


def _view(shown: type[Shown], row: Mapping[str, Any]) -> Shown:
    """A stored row as what is shown of it: the fields that are declared, whatever else a table holds."""
    names = (field.name for field in fields(shown))
    return shown(**{name: row[name] for name in names})


async def read_life(store: Store, order: OrderView) -> OrderLife:
    """Everything stored of one order, oldest first."""
    attempts, requests, fills = table(Attempt), table(Request), table(Fill)
    txns, postings, audit = table(Txn), table(Posting), table(Audit)

    async def rows(query: Executable) -> list[dict[str, Any]]:
        async with store.reader() as connection:
            return [dict(row) for row in (await connection.execute(query)).mappings()]

    tried = await rows(select(attempts).where(attempts.c.order_id == order.id).order_by(attempts.c.number))
    asked = await rows(select(requests).where(requests.c.order_id == order.id).order_by(requests.c.number))
    traded = await rows(select(fills).where(fills.c.order_id == order.id).order_by(fills.c.id))
    moved = await rows(
        select(
            txns.c.id, txns.c.kind, txns.c.at, txns.c.evidence, postings.c.account, postings.c.amount_paise
        )
        .join(postings, postings.c.txn_id == txns.c.id)
        .where(txns.c.order_id == order.id)
        .order_by(txns.c.id, postings.c.line)
    )
    told = await rows(select(audit).where(audit.c.order_id == order.id).order_by(audit.c.seq))
    return OrderLife(
        order=order,
        attempts=tuple(_view(AttemptView, row) for row in tried),
        requests=tuple(_view(RequestView, row) for row in asked),
        fills=tuple(_view(FillView, row) for row in traded),
        postings=tuple(_view(PostingView, row) for row in moved),
        audit=tuple(_view(OrderAudit, {**row, "details": json.loads(row["details"])}) for row in told),
    )
