"""The shape of what needs the trader. It imports services, so that only who shows it imports it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from engine.alerts.attention import AttentionKind
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

if TYPE_CHECKING:
    from engine.alerts.attention import Attention
    from engine.desk import Desk


class NeedShape(Struct, frozen=True):
    """One thing that needs the trader, in words, with its number where it has one, and its clients."""

    kind: AttentionKind
    words: str
    number: int | None
    client_ids: list[int]


def need_shape(desk: Desk, one: Attention) -> NeedShape:
    """One thing that needs the trader."""
    of: Any = one.of
    match one.kind:
        case AttentionKind.ALERT:
            return NeedShape(one.kind, alert_need(of), of.number, list(of.client_ids or ()))
        case AttentionKind.FLATTEN:
            return NeedShape(one.kind, flatten_need(of), of.number, [])
        case AttentionKind.RUN:
            return NeedShape(one.kind, run_need(of), of.number, [])
        case AttentionKind.ORDER:
            code = desk.clients.get(of.client_id).code
            return NeedShape(one.kind, f"{code} {order_need(of)}", of.id, [of.client_id])
        case AttentionKind.CHASE:
            code = desk.clients.get(of.client_id).code
            return NeedShape(one.kind, f"{code} {chase_need(of)}", of.id, [of.client_id])
        case AttentionKind.ORDERS:
            clients = sorted({order.client_id for order in of})
            return NeedShape(one.kind, orders_need(len(of)), None, clients)
        case AttentionKind.BREAK:
            code = desk.clients.get(of.client_id).code
            return NeedShape(one.kind, f"{code} {break_need(of)}", None, [of.client_id])
        case AttentionKind.SIGN_IN:
            words = sign_in_need([client.code for client in of])
            return NeedShape(one.kind, words, None, [client.id for client in of])
