"""The rows of the alerts' panel: what needs the trader, the rules, and what left this machine."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, cast

from msgspec import Struct

from data.vocabulary import DeliveryState
from engine.alerts.attention import Attention, AttentionKind, Wanting, needing_attention
from engine.words.alerts import (
    client_figure_words,
    delivery_words_of,
    named_words,
    position_words,
    rule_state_words,
)
from engine.words.attention import (
    alert_need,
    break_need,
    chase_need,
    flatten_need,
    order_need,
    orders_need,
    run_need,
    sign_in_need,
)
from engine.words.formats import MASK
from engine.words.trading.guards import guard_line
from screens.frame.times import market_time

if TYPE_CHECKING:
    from datetime import datetime

    from data.repositories.alerting.outbox import AlertDelivery
    from engine.book.break_views import BreakView
    from engine.book.views import ClientView, OrderView
    from engine.book.watched.alert_views import AlertView
    from engine.book.watched.guard_views import GuardView
    from engine.colon.alert_rules import AlertRuleView
    from engine.desk import Desk
    from engine.execution.views import RunView
    from engine.flatten.views import FlattenProgress


class AlertsView(StrEnum):
    """What the panel shows."""

    NEEDS = "needs you"
    RULES = "rules"
    OUTBOX = "outbox"


class PanelRow(Struct, frozen=True):
    """A line of the panel. `order_id` and `client_id` are what it is of, where it is of one."""

    what: str
    since: str = ""
    code: str = ""
    style: str | None = None
    need: Attention | None = None
    rule: AlertRuleView | None = None
    delivery: AlertDelivery | None = None
    client_id: int | None = None
    order_id: int | None = None
    guard: GuardView | None = None


def need_rows(desk: Desk, private: bool) -> list[PanelRow]:
    """What needs the trader, each alert with what it names under it."""
    wanting = Wanting(
        desk.alerts, desk.flatten, desk.runs, desk.orders, desk.chases, desk.reconcile, desk.sessions
    )
    rows: list[PanelRow] = []
    for need in needing_attention(wanting):
        if need.kind is AttentionKind.ALERT:
            rows += _alert_rows(desk, need, private)
        else:
            rows.append(_need_row(desk, need))
    return rows


def _alert_rows(desk: Desk, need: Attention, private: bool) -> list[PanelRow]:
    alert = cast("AlertView", need.of)

    def name(client_id: int) -> str:
        return MASK if private else desk.clients.get(client_id).name

    def row(client_id: int, words: str, order_id: int | None = None) -> PanelRow:
        code = desk.clients.get(client_id).code
        told = f"{words} · {name(client_id)}"
        return PanelRow(told, code=code, need=need, client_id=client_id, order_id=order_id)

    return [
        PanelRow(alert_need(alert), _since(desk, alert.at), style="warn", need=need),
        *(row(one.client_id, position_words(one)) for one in alert.positions),
        *(row(one.client_id, named_words(one), one.order_id) for one in (*alert.orders, *alert.dying)),
        *(
            PanelRow(guard_line(one, private), code=one.of, need=need, client_id=one.client_id, guard=one)
            for one in alert.guards
        ),
        *(row(one.client_id, client_figure_words(alert, one)) for one in alert.figures),
    ]


def _need_row(desk: Desk, need: Attention) -> PanelRow:
    match need.kind:
        case AttentionKind.RUN:
            run = cast("RunView", need.of)
            return PanelRow(run_need(run), style="warn", need=need)
        case AttentionKind.FLATTEN:
            return PanelRow(flatten_need(cast("FlattenProgress", need.of)), style="warn", need=need)
        case AttentionKind.ORDER | AttentionKind.CHASE:
            order = cast("OrderView", need.of)
            return PanelRow(
                chase_need(order) if need.kind is AttentionKind.CHASE else order_need(order),
                _since(desk, order.updated_at),
                desk.clients.get(order.client_id).code,
                need=need,
                client_id=order.client_id,
                order_id=order.id,
            )
        case AttentionKind.BREAK:
            one = cast("BreakView", need.of)
            code = desk.clients.get(one.client_id).code
            since = _since(desk, one.opened_at)
            return PanelRow(break_need(one), since, code, need=need, client_id=one.client_id)
        case AttentionKind.ORDERS:
            return PanelRow(orders_need(len(cast("Sequence[OrderView]", need.of))), need=need)
        case _:
            clients = cast("Sequence[ClientView]", need.of)
            return PanelRow(sign_in_need([one.code for one in clients]), need=need)


def _since(desk: Desk, at: datetime | None) -> str:
    return "" if at is None else market_time(desk, at)


def rule_rows(desk: Desk) -> list[PanelRow]:
    """The rules, the youngest first, with what they read now."""
    rows = [
        PanelRow(
            f"{one.line} · {rule_state_words(one)}",
            _since(desk, one.fired_at),
            str(one.number),
            "dim" if one.rule is None or one.state.value == "spent" else None,
            rule=one,
        )
        for one in desk.alert_rules.all()
    ]
    return rows[::-1]


_STATE_STYLES = {DeliveryState.FAILED: "warn", DeliveryState.SENT: "dim", DeliveryState.QUEUED: None}


def outbox_rows(desk: Desk, deliveries: Sequence[AlertDelivery]) -> list[PanelRow]:
    """What left this machine, and what waits, the newest first."""
    return [
        PanelRow(
            delivery_words_of(one.alert, one.channel, one.state, one.tries, one.problem),
            _since(desk, one.sent_at or one.at),
            style=_STATE_STYLES[one.state],
            delivery=one,
        )
        for one in deliveries
    ]
