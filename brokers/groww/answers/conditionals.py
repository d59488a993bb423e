"""Smart orders of Groww, GTT and OCO, in the contract's shape (Groww Trading API documentation, smart
orders)."""

from collections.abc import Mapping

from brokers.contract import BrokerError, BrokerRows, Conditional, ConditionalKind
from brokers.groww.answers.orders import KeyOf
from brokers.groww.answers.rows import CASH, GrowwRow
from brokers.meter import CallKind
from brokers.wire.calls import Call
from data.reference.instruments import EXCHANGES

_OVER = frozenset({"CANCELLED", "COMPLETED", "EXPIRED", "FAILED", "REJECTED", "TRIGGERED"})
"""What a smart order is that places nothing any more; any other word, known or not, may."""

MOST_ROWS = 50
"""Rows that one page holds at most."""


def conditionals_of(answer: object, segment: str, kind: str, key_of: KeyOf) -> BrokerRows[Conditional]:
    """The smart orders of a segment and a kind that may still place one; their numbers say how to cancel
    them."""

    def take(row: GrowwRow) -> Conditional | None:
        if row.words("status").upper() in _OVER:
            return None
        number = f"{row.words('segment') or segment}/{row.words('smart_order_type') or kind}"
        what = f"{row.text('trading_symbol')}: {kind} {_legs(row)}".strip()
        shown = f"{number}/{row.text('smart_order_id')}"
        exchange = row.words("exchange")
        known = segment == CASH and exchange in EXCHANGES
        key = key_of(exchange, row.symbol) if known else ""
        return Conditional(ConditionalKind.GTT, shown, what, True, key)

    found, unread = GrowwRow.taken("smart order", answer, take)
    return BrokerRows(tuple(found), tuple(unread))


def _legs(row: GrowwRow) -> str:
    """Its legs in words: `BUY 10 CNC when UP 2500.5`, or the two of an OCO."""
    quantity = row.words("quantity") or f"{row.get('quantity') or row.get('net_position_quantity') or ''}"
    product = row.words("product_type")
    if row.get("trigger_price") is not None:
        order = row.child("order") if isinstance(row.get("order"), Mapping) else row
        when = f"when {row.words('trigger_direction')} {row.number('trigger_price')}"
        return " ".join(f"{order.words('transaction_type')} {quantity} {product} {when}".split())
    legs = [
        f"{name.replace('_', ' ')} at {row.child(name).number('trigger_price')}"
        for name in ("target", "stop_loss")
        if isinstance(row.get(name), Mapping)
    ]
    return " ".join(f"{quantity} {product} {', '.join(legs)}".split())


def cancel_call(conditional: Conditional) -> Call:
    """The cancel of one. Raises `BrokerError` for a number that is none of Groww's."""
    segment, _, rest = conditional.number.partition("/")
    kind, _, smart_id = rest.partition("/")
    if not smart_id or "/" in smart_id:
        raise BrokerError(f"Groww has no smart order {conditional.number}", "bad_row")
    path = f"/v1/order-advance/cancel/{segment}/{kind}/{smart_id}"
    return Call(CallKind.CONDITIONALS, "POST", path, body={}, once=True)
