"""Whatever needs the trader, in one list: alerts, runs, flattens, orders, differences, clients to sign in."""

from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from engine.access.sessions import Sessions
from engine.alerts.alerts import Alerts
from engine.book.break_views import BreakView
from engine.book.views import ClientView, OrderView
from engine.book.watched.alert_views import AlertView
from engine.execution.changes.chases import Chases
from engine.execution.orders import Orders
from engine.execution.runs import Runs
from engine.execution.views import RunView
from engine.flatten.flattens import Flattens
from engine.flatten.views import FlattenProgress
from engine.reconciliation.reconciler import Reconciler

MOST_ORDERS = 20
"""Orders that are named one by one; more are named together."""


class AttentionKind(StrEnum):
    """What needs the trader."""

    ALERT = "alert"
    FLATTEN = "flatten"
    RUN = "run"
    CHASE = "chase"
    ORDER = "order"
    ORDERS = "orders"
    BREAK = "break"
    SIGN_IN = "sign_in"


class Wanting(Struct, frozen=True):
    """The services that know what needs the trader, as whoever asks may use them."""

    alerts: Alerts
    flatten: Flattens
    runs: Runs
    orders: Orders
    chases: Chases
    reconcile: Reconciler
    sessions: Sessions


AttentionOf: TypeAlias = (
    AlertView
    | FlattenProgress
    | RunView
    | OrderView
    | tuple[OrderView, ...]
    | BreakView
    | tuple[ClientView, ...]
)


class Attention(Struct, frozen=True):
    """One thing that needs the trader."""

    kind: AttentionKind
    of: AttentionOf


def needing_attention(wanting: Wanting) -> list[Attention]:
    """All of it: what the trader was told first, then what stands still, and what is in doubt."""
    found = [Attention(AttentionKind.ALERT, alert) for alert in wanting.alerts.standing]
    found += [
        Attention(AttentionKind.FLATTEN, one) for one in wanting.flatten.going if one.left or not one.carried
    ]
    found += [Attention(AttentionKind.RUN, run) for run in wanting.runs.need_trader()]
    orders = wanting.orders.needs_attention()
    waiting = map(wanting.orders.get, wanting.chases.asking)
    found += [Attention(AttentionKind.CHASE, order) for order in waiting]
    found += [Attention(AttentionKind.ORDER, order) for order in orders[:MOST_ORDERS]]
    if len(orders) > MOST_ORDERS:
        found.append(Attention(AttentionKind.ORDERS, tuple(orders[MOST_ORDERS:])))
    found += [Attention(AttentionKind.BREAK, one) for one in wanting.reconcile.breaks()]
    if due := wanting.sessions.due():
        found.append(Attention(AttentionKind.SIGN_IN, tuple(due)))
    return found
