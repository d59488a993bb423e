"""What people have bought of late that nobody else has confirmed, by runs and by modifies."""

import json
from collections import Counter
from collections.abc import Collection
from datetime import datetime

from msgspec import Struct
from sqlalchemy import and_, case, exists, func, not_, or_, select

from data.audit import AuditAction
from data.repositories.base import On, Query, among, given
from data.tables.audit import Audit
from data.tables.columns import table
from data.tables.orders import Order, PlanRecord, RunRecord
from data.tables.people import ApprovalRecord
from data.vocabulary import Side

LIFTED = "raises_paise"
"""What the audit calls, in the row of a modify, how much more it has an order be worth."""

_LOOKED_THROUGH = 200_000
"""Rows of the audit among which modifies are looked for: more than are written in a quarter of an hour."""

_ORDERS, _RUNS, _PLANS, _AUDIT = table(Order), table(RunRecord), table(PlanRecord), table(Audit)
_APPROVALS = table(ApprovalRecord)
_BY_THEM = or_(among(_RUNS.c.actor, "persons"), among(_PLANS.c.actor, "persons"))
_LATELY = and_(
    _RUNS.c.started_at >= given("since"),
    _BY_THEM,
    not_(exists().where(_APPROVALS.c.plan_number == _RUNS.c.plan_number)),
)


class _BoughtOf(Struct, frozen=True):
    """What was bought of a security, in paise: all of an order that lives, and what others have traded."""

    security: str
    worth: int


class _LiftTold(Struct, frozen=True):
    """A modify of an order, as the audit tells it."""

    security: str
    details: str


_SHARES = case((_ORDERS.c.ended_at.is_(None), _ORDERS.c.quantity), else_=_ORDERS.c.filled_quantity)
_BOUGHT = Query(
    _BoughtOf,
    select(_ORDERS.c.security, func.sum(_SHARES * _ORDERS.c.reserve_price_paise).label("worth"))
    .select_from(_RUNS)
    .join(_PLANS, _PLANS.c.number == _RUNS.c.plan_number)
    .join(_ORDERS, _ORDERS.c.run_number == _RUNS.c.number)
    .where(
        _LATELY,
        _RUNS.c.plan_number != given("but_of"),
        _ORDERS.c.side == Side.BUY.value,
        among(_ORDERS.c.security, "securities"),
    )
    .group_by(_ORDERS.c.security),
)
_RAISED = Query(
    _LiftTold,
    select(_ORDERS.c.security, _AUDIT.c.details)
    .select_from(_AUDIT)
    .join(_ORDERS, _ORDERS.c.id == _AUDIT.c.order_id)
    .where(
        _AUDIT.c.action == AuditAction.MODIFY_REQUESTED.value,
        _AUDIT.c.seq > select(func.max(_AUDIT.c.seq)).scalar_subquery() - _LOOKED_THROUGH,
        _AUDIT.c.at >= given("since"),
        among(_AUDIT.c.actor, "persons"),
        _ORDERS.c.side == Side.BUY.value,
        among(_ORDERS.c.security, "securities"),
        not_(
            exists(
                select(_RUNS.c.number)
                .join(_PLANS, _PLANS.c.number == _RUNS.c.plan_number)
                .where(_RUNS.c.number == _ORDERS.c.run_number, _LATELY)
            )
        ),
    ),
)


def bought_unconfirmed(
    on: On, persons: Collection[str], securities: Collection[str], since: datetime, but_of: int
) -> dict[str, int]:
    """By security what runs since then that any of these persons planned or began have bought, in paise.

    Those of a plan that somebody has confirmed, and of the plan `but_of`, do not count.
    """
    values = {"persons": persons, "securities": securities, "since": since, "but_of": but_of}
    return {one.security: one.worth for one in _BOUGHT.all(on, **values)}


def raised_unconfirmed(
    on: On, persons: Collection[str], securities: Collection[str], since: datetime
) -> dict[str, int]:
    """By security how much more modifies since then have other orders be worth, in paise."""
    raised = Counter[str]()
    for one in _RAISED.all(on, persons=persons, securities=securities, since=since):
        raised[one.security] += int(json.loads(one.details).get(LIFTED) or 0)
    return raised
