"""What a claim asks of orders before others leave: how many were sent, and which would be met."""

from collections.abc import Collection
from datetime import date
from typing import NamedTuple

from sqlalchemy import func, select

from data.repositories.base import On, Query, among, given
from data.tables.columns import table
from data.tables.orders import Order
from data.vocabulary import LIVE_STATES, OrderState, Side

_ORDERS = table(Order)


class LiveAgainst(NamedTuple):
    """A live order, how many shares of it may trade, and at which price at worst."""

    id: int
    client_id: int
    exchange: str
    security: str
    quantity: int
    worst_paise: int


_SENT_ON, _SENT_BY_ALL = (
    Query(
        lambda *cells: cells,
        select(_ORDERS.c.client_id, func.count())
        .where(
            _ORDERS.c.trading_date == given("day"),
            _ORDERS.c.attempts > 0,
            _ORDERS.c.state != OrderState.DENIED.value,
            *of,
        )
        .group_by(_ORDERS.c.client_id),
    )
    for of in ((among(_ORDERS.c.client_id, "clients"),), ())
)
_LIVE_AGAINST = Query(
    LiveAgainst,
    select(
        _ORDERS.c.id,
        _ORDERS.c.client_id,
        _ORDERS.c.exchange,
        _ORDERS.c.security,
        _ORDERS.c.quantity - _ORDERS.c.filled_quantity,
        func.coalesce(_ORDERS.c.limit_paise, _ORDERS.c.reserve_price_paise),
    ).where(
        _ORDERS.c.state.in_([state.value for state in sorted(LIVE_STATES)]),
        among(_ORDERS.c.security, "securities"),
        _ORDERS.c.side == given("side"),
        _ORDERS.c.trigger_paise.is_(None),
    ),
)


def sent_on(on: On, client_ids: Collection[int], day: date) -> dict[int, int]:
    """How many orders of a day were sent for each of these clients."""
    return dict(_SENT_ON.all(on, clients=sorted(client_ids), day=day)) if client_ids else {}


def sent_by_all(on: On, day: date) -> dict[int, int]:
    """How many orders of a day were sent for each client, whichever desk has it."""
    return dict(_SENT_BY_ALL.all(on, day=day))


def live_against(on: On, securities: Collection[str], side: Side) -> list[LiveAgainst]:
    """The live orders in these securities on this side, but for stops that wait."""
    return _LIVE_AGAINST.all(on, securities=sorted(securities), side=side.value) if securities else []
