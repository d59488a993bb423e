"""Frozen plans as stored, and whom other runs of the same intent have served."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import and_, func, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from data.engines.driver import words
from data.json_values import JsonObject
from data.proving.proofs import blobs
from data.repositories.base import On, Query, Rows, among, given, sql
from data.tables.columns import table
from data.tables.orders import Order, PlanLeg, PlanRecord, RunRecord
from data.vocabulary import OrderState, OrderType, Side, SizingKind


class StoredPlan(Struct, frozen=True):
    """A frozen plan: its number, its digest, what it is found by, and the whole of it as its JSON."""

    number: int
    digest: str
    frozen_at: datetime
    expires_at: datetime
    actor: str
    title: str
    side: Side
    key: str
    sizing: SizingKind
    sizing_value: int
    body: JsonObject


class StoredLeg(Struct, frozen=True):
    """What a frozen plan does in one security; `product` is empty for a sale as held."""

    plan_number: int
    leg: int
    stage: int
    key: str
    security: str
    side: Side
    product: str
    sizing: SizingKind
    sizing_value: int
    order_type: OrderType
    limit_paise: int | None
    trigger_paise: int | None
    reserve_price_paise: int
    drift_limit_bps: int | None


_PLANS, _STORED_LEGS = Rows(PlanRecord, StoredPlan), Rows(PlanLeg, StoredLeg)
_NUMBERED = Query(JsonObject, select(_PLANS.c.body).where(_PLANS.c.number == given("number")))
_OF_DIGEST = Query(JsonObject, select(_PLANS.c.body).where(_PLANS.c.digest.like(given("like"))).limit(2))
_MAKER = Query(str, select(_PLANS.c.actor).where(_PLANS.c.number == given("number")))
_COUNT = Query(int, select(func.count()).select_from(_PLANS.table))


def plan_body(on: On, number: int) -> JsonObject | None:
    """The JSON of a plan, in a transaction; None for a number that was never given."""
    return _NUMBERED.first(on, number=number)


def maker_of(on: On, number: int) -> str:
    """Who has frozen a plan; empty for a number that was never given."""
    return _MAKER.first(on, number=number) or ""


def add_plan(on: On, plan: StoredPlan, legs: Sequence[StoredLeg]) -> None:
    """Keep a frozen plan with its legs."""
    _PLANS.insert(on, [plan])
    _STORED_LEGS.insert(on, legs)


async def read_plan(reader: AsyncConnection, number: int) -> JsonObject | None:
    """The JSON of a plan; None for a number that was never given."""
    found = await _NUMBERED.read(reader, number=number)
    return found[0] if found else None


async def plans_of_digest(reader: AsyncConnection, prefix: str) -> list[JsonObject]:
    """The JSON of plans whose digest begins with these hex digits, two at most."""
    return await _OF_DIGEST.read(reader, like=f"{prefix}%")


def count_plans(on: On) -> int:
    """How many plans were ever frozen."""
    return _COUNT.all(on)[0]


class PlanBytes(Struct, frozen=True):
    """A plan's digest and body as the file has them, whether or not they can be read."""

    number: int
    digest: bytes | None
    body: bytes | None


def plans_as_bytes(on: On) -> Iterator[PlanBytes]:
    """Every plan, a few of them in memory at a time."""
    connection = sql(on)
    cells = blobs("plan", ["digest", "body"], words(connection))
    query = f"SELECT number, {cells} FROM plan ORDER BY number"
    for number, digest, body in connection.exec_driver_sql(query).yield_per(50):
        yield PlanBytes(number, digest, body)


# --- the same intent ----------------------------------------------------------------------------------------


class Served(Struct, frozen=True):
    """A client for whom a leg of a run has sent, or may yet send, an order."""

    client_id: int
    run_number: int
    leg: int


_RUNS, _LEGS, _ORDERS = table(RunRecord), table(PlanLeg), table(Order)
# Each by its own index: joined by OR they would have every run read, of all years.
_IN_QUESTION = union_all(
    select(_RUNS.c.number).where(_RUNS.c.started_at > given("since")),
    select(_RUNS.c.number).where(among(_RUNS.c.number, "begun")),
    select(_ORDERS.c.run_number).where(
        _ORDERS.c.state.in_([OrderState.RESERVED.value, OrderState.SENDING.value])
    ),
)
_NEVER_LEFT = or_(
    _ORDERS.c.state.in_([OrderState.DENIED.value, OrderState.REJECTED.value, OrderState.NOT_RECEIVED.value]),
    and_(_ORDERS.c.state == OrderState.CANCELLED.value, _ORDERS.c.broker_order_id.is_(None)),
)
_OF_INTENT = Query(
    lambda *cells: cells,
    select(_RUNS.c.number, _LEGS.c.leg)
    .join(_LEGS, _LEGS.c.plan_number == _RUNS.c.plan_number)
    .where(
        _LEGS.c.side == given("side"),
        _LEGS.c.sizing == given("sizing"),
        _LEGS.c.sizing_value == given("value"),
        _RUNS.c.number.in_(_IN_QUESTION),
    ),
)
_SERVED = Query(
    Served,
    select(_ORDERS.c.client_id, _ORDERS.c.run_number, _ORDERS.c.leg)
    .where(
        among(_ORDERS.c.run_number, "runs"),
        _ORDERS.c.security == given("security"),
        _ORDERS.c.exchange == given("exchange"),
        or_(~_NEVER_LEFT, _ORDERS.c.filled_quantity > 0),
    )
    .order_by(_ORDERS.c.run_number),
)


def legs_of_intent(
    on: On, side: Side, sizing: SizingKind, value: int, since: datetime, begun: Collection[int]
) -> list[tuple[int, int]]:
    """Legs, as run and number, of this side and sizing.

    Their run began since a moment, is in `begun` or may yet send an order.
    """
    return _OF_INTENT.all(on, side=side.value, sizing=sizing.value, value=value, since=since, begun=begun)


def served_by(on: On, legs: Collection[tuple[int, int]], security: str, exchange: str) -> list[Served]:
    """Whom these legs, named by run and number, have served with a security, the newest run last.

    An order that never reached its broker counts only where shares traded under it.
    """
    if not legs:
        return []
    found = _SERVED.all(on, runs={run for run, _ in legs}, security=security, exchange=exchange)
    return [one for one in found if (one.run_number, one.leg) in legs]
