"""Facts about orders, from our own calls and from the broker, applied to the books in one unit of work.

A fact is never refused: it is booked, and flagged where it should not have been possible. Whatever a
batch could not settle (a status ahead of its trades) comes back as clients whose books must be read.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import bindparam, select, update

from brokers.contract import (
    Accepted,
    Ambiguous,
    BrokerOrder,
    BrokerStatus,
    BrokerTrade,
    NotSent,
    Outcome,
    Refused,
)
from data.store import Unit, chunks
from data.tables import Attempt, Order, Request, table
from data.vocabulary import LIVE_STATES, TERMINAL_STATES, OrderState, RequestKind, RequestState
from engine.orders.booking import Books, OrderRow
from engine.orders.states import Flag, OrderEvent

_EVENT_OF_STATUS = {
    BrokerStatus.OPEN: OrderEvent.SEEN_LIVE,
    BrokerStatus.UNRECOGNISED: OrderEvent.SEEN_LIVE,
    BrokerStatus.COMPLETE: OrderEvent.SEEN_FILLED,
    BrokerStatus.CANCELLED: OrderEvent.SEEN_CANCELLED,
    BrokerStatus.REJECTED: OrderEvent.SEEN_REJECTED,
    BrokerStatus.EXPIRED: OrderEvent.SEEN_EXPIRED,
}
_ACTION_OF_STATE = {
    OrderState.FILLED: "ORDER_FILLED",
    OrderState.CANCELLED: "ORDER_CANCELLED",
    OrderState.REJECTED: "ORDER_REJECTED",
    OrderState.EXPIRED: "ORDER_EXPIRED",
}


@dataclass(frozen=True, slots=True)
class SendEnded:
    """How one attempt to send an order ended."""

    order_id: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class CancelEnded:
    """How one cancel call ended; it frees nothing by itself."""

    order_id: int
    number: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Seen:
    """What the broker says of one order of a client, with the trades it told."""

    client_id: int
    order: BrokerOrder
    trades: tuple[BrokerTrade, ...] = ()


Fact = SendEnded | CancelEnded | Seen


@dataclass(frozen=True, slots=True)
class Applied:
    """What a batch left to do: clients whose trades must be read, orders not ours."""

    read_again: frozenset[int]
    foreign: tuple[BrokerOrder, ...]


def apply_facts(unit: Unit, facts: Sequence[Fact], actor: str, sell_credit_bps: int) -> Applied:
    """Book a batch of facts."""
    books = Books(unit, actor, sell_credit_bps)
    found = _find_orders(unit, [fact for fact in facts if isinstance(fact, Seen)])
    ids = {fact.order_id for fact in facts if not isinstance(fact, Seen)} | set(found.values())
    books.load(ids)
    unsent = {f.order_id for f in facts if isinstance(f, SendEnded) and isinstance(f.outcome, NotSent)}
    unwanted = open_cancels(unit, unsent)
    attempts: list[dict[str, Any]] = []
    requests: list[dict[str, Any]] = []
    read_again: set[int] = set()
    foreign: list[BrokerOrder] = []
    for fact in facts:
        if isinstance(fact, Seen):
            order_id = found.get((fact.client_id, fact.order.broker_order_id))
            if order_id is None:
                foreign.append(fact.order)
            elif _apply_seen(books, books.orders[order_id], fact):
                read_again.add(fact.client_id)
        elif isinstance(fact, SendEnded):
            order = books.orders[fact.order_id]
            attempts.append(_apply_send(books, order, fact.outcome, fact.order_id in unwanted))
        else:
            row = _apply_cancel(books, books.orders[fact.order_id], fact)
            requests.append(row)
            if not isinstance(fact.outcome, Accepted):
                read_again.add(books.orders[fact.order_id]["client_id"])
    books.flush()
    _end_attempts(unit, attempts)
    _end_requests(unit, requests)
    _confirm_requests(unit, [order for order in books.orders.values() if order["ended_at"] == unit.now])
    return Applied(frozenset(read_again), tuple(foreign))


def _find_orders(unit: Unit, seen: Sequence[Seen]) -> dict[tuple[int, str], int]:
    """Our orders by client and broker id: known by that id already, or by one of the tags."""
    orders, attempts = table(Order), table(Attempt)
    found: dict[tuple[int, str], int] = {}
    for ids in _text_chunks({fact.order.broker_order_id for fact in seen}):
        for row in unit.connection.execute(
            select(orders.c.client_id, orders.c.broker_order_id, orders.c.id).where(
                orders.c.broker_order_id.in_(ids)
            )
        ):
            found[row[0], row[1]] = row[2]
    missing = [fact for fact in seen if (fact.client_id, fact.order.broker_order_id) not in found]
    by_tag: dict[str, tuple[int, int]] = {}
    for tags in _text_chunks({tag for fact in missing for tag in fact.order.tags}):
        for row in unit.connection.execute(
            select(attempts.c.tag, attempts.c.order_id, orders.c.client_id)
            .join(orders, orders.c.id == attempts.c.order_id)
            .where(attempts.c.tag.in_(tags))
        ):
            by_tag[row[0]] = (row[1], row[2])
    for fact in missing:
        for tag in fact.order.tags:
            if tag in by_tag and by_tag[tag][1] == fact.client_id:
                found[fact.client_id, fact.order.broker_order_id] = by_tag[tag][0]
    return found


def _text_chunks(values: set[str]) -> Iterable[list[str]]:
    ordered = sorted(values)
    return [ordered[start : start + 500] for start in range(0, len(ordered), 500)]


def _adopt(books: Books, order: OrderRow, broker_order_id: str) -> None:
    """Take the broker's id in; a second id under the same tag is flagged for a human."""
    known = order["broker_order_id"]
    if known is None:
        books.touch(order, broker_order_id=broker_order_id)
        books.audit("ORDER_ACCEPTED", order, broker_order_id=broker_order_id, tag=order["tag"])
    elif known != broker_order_id:
        books.flag(order, Flag.DUPLICATE_TAG)
        books.flag(order, Flag.NEEDS_HUMAN)


def _apply_send(books: Books, order: OrderRow, outcome: Outcome, unwanted: bool) -> dict[str, Any]:
    """Book how a send ended; `unwanted` says that a cancel was asked for while it was under way."""
    match outcome:
        case Accepted(broker_order_id):
            _adopt(books, order, broker_order_id)
            books.move(order, OrderEvent.ACCEPTED)
            words, detail = "accepted", broker_order_id
        case Refused(code, message):
            if order["state"] == OrderState.SENDING.value:
                books.touch(order, reason_code=code, reason_text=message)
                books.move(order, OrderEvent.REFUSED)
                books.release(order, 0, f"refused:{order['tag']}")
                books.audit("ORDER_REJECTED", order, code=code, message=message)
            words, detail = "refused", f"{code}: {message}"
        case NotSent(why):
            if order["state"] == OrderState.SENDING.value:
                books.move(order, OrderEvent.NOT_SENT)
                books.touch(order, sub_status=f"not sent: {why}")
                books.audit("ORDER_NOT_SENT", order, why=why, tag=order["tag"])
                if unwanted:
                    free_unsent(books, order, "cancelled before it was sent")
            words, detail = "not_sent", why
        case Ambiguous(why):
            if order["state"] == OrderState.SENDING.value:
                books.move(order, OrderEvent.AMBIGUOUS)
                books.touch(order, sub_status=why)
                books.audit("ORDER_UNKNOWN", order, why=why, tag=order["tag"])
            words, detail = "ambiguous", why
    return {"b_order": order["id"], "b_number": order["attempts"], "outcome": words, "detail": detail}


def free_unsent(books: Books, order: OrderRow, why: str) -> int:
    """End an order that never left and give its money back; gives the paise freed."""
    books.move(order, OrderEvent.FREE)
    books.touch(order, reason_code="cancelled_unsent", reason_text=why)
    freed = books.release(order, 0, "never sent")
    books.audit("ORDER_CANCELLED", order, why=why, unsent=True, released_paise=freed)
    return freed


def end_of_day(unit: Unit, day: date, actor: str) -> list[int]:
    """End orders of trading days before `day` that nobody has told the end of; gives them.

    A day order cannot trade after its day, and an unsent one's plan was for that day's prices. An order whose
    send ended in doubt keeps its money blocked and is marked for a human.
    """
    orders = table(Order)
    ids = unit.connection.execute(
        select(orders.c.id).where(orders.c.trading_date < day, orders.c.state.in_(LIVE_STATES))
    ).scalars()
    books = Books(unit, actor, 0)
    books.load(ids)
    for order in books.orders.values():
        match OrderState(order["state"]):
            case OrderState.RESERVED:
                free_unsent(books, order, "its trading day ended before it was sent")
            case OrderState.OPEN:
                books.move(order, OrderEvent.SEEN_EXPIRED)
                freed = books.release(order, 0, f"day:{day.isoformat()}")
                filled = order["filled_quantity"]
                books.audit("ORDER_EXPIRED", order, filled_quantity=filled, released_paise=freed)
            case _:
                books.flag(order, Flag.NEEDS_HUMAN)
    books.flush()
    _confirm_requests(unit, [order for order in books.orders.values() if order["ended_at"] == unit.now])
    return list(books.orders)


def _apply_cancel(books: Books, order: OrderRow, fact: CancelEnded) -> dict[str, Any]:
    match fact.outcome:
        case Accepted(_):
            state, detail = RequestState.SENT, ""
        case Refused(code, message):
            state, detail = RequestState.REFUSED, f"{code}: {message}"
            books.audit("CANCEL_REFUSED", order, code=code, message=message)
        case NotSent(why):
            state, detail = RequestState.REQUESTED, why
        case Ambiguous(why):
            state, detail = RequestState.UNKNOWN, why
            books.audit("CANCEL_UNKNOWN", order, why=why)
    return {"b_order": order["id"], "b_number": fact.number, "state": state.value, "detail": detail}


def _apply_seen(books: Books, order: OrderRow, fact: Seen) -> bool:
    """Book one word of the broker; gives whether its trades must be read before the order can end."""
    seen = fact.order
    _adopt(books, order, seen.broker_order_id)
    for trade in fact.trades:
        books.fill(order, trade)
    if order["broker_order_id"] != seen.broker_order_id:
        return False  # a second order under our tag: its trades are ours, its status is not this order's
    event = _EVENT_OF_STATUS[seen.status]
    if seen.status is BrokerStatus.UNRECOGNISED:
        books.flag(order, Flag.UNRECOGNISED_STATUS)
    filled = seen.filled_quantity
    if event is OrderEvent.SEEN_FILLED:
        filled = max(filled, seen.quantity)  # complete is a claim about quantity, whatever it says of it
    if event is not OrderEvent.SEEN_LIVE and order["filled_quantity"] < filled:
        if OrderState(order["state"]) not in TERMINAL_STATES:
            books.move(order, OrderEvent.SEEN_LIVE)
            books.touch(order, sub_status=f"{seen.status_text}, waiting for trades")
        return True
    before = order["state"]
    if event is OrderEvent.SEEN_LIVE:
        if before in _LIVE_MOVES:
            books.move(order, event)
        if before == OrderState.NOT_RECEIVED.value:
            books.block_again(order)
        if order["filled_quantity"] >= order["quantity"]:
            books.move(order, OrderEvent.SEEN_FILLED)
    else:
        books.move(order, event)
    ended = OrderState(order["state"]) in TERMINAL_STATES
    if seen.status_text != order["sub_status"] and not (ended and event is OrderEvent.SEEN_LIVE):
        books.touch(order, sub_status=seen.status_text)
    if order["state"] != before:
        _ended(books, order, seen)
    return order["filled_quantity"] < filled


_LIVE_MOVES = frozenset(
    {
        OrderState.RESERVED.value,
        OrderState.SENDING.value,
        OrderState.UNKNOWN.value,
        OrderState.NOT_RECEIVED.value,
    }
)
"""States that a live order in the broker's book ends. The broker's own word for an end is not among them:
updates overtake each other, and an older `open` must not bring back what a later word has ended."""


def _ended(books: Books, order: OrderRow, seen: BrokerOrder) -> None:
    state = OrderState(order["state"])
    if state not in TERMINAL_STATES:
        return
    if seen.message and state is not OrderState.FILLED:
        books.touch(order, reason_text=seen.message)
    freed = books.release(order, 0, f"status:{seen.broker_order_id}:{seen.status_text}")
    books.audit(
        _ACTION_OF_STATE.get(state, f"ORDER_{state.value}"),
        order,
        broker_order_id=seen.broker_order_id,
        filled_quantity=order["filled_quantity"],
        released_paise=freed,
        message=seen.message,
    )


def open_cancels(unit: Unit, order_ids: Iterable[int]) -> dict[int, int]:
    """The cancel requests that wait for these orders' ends, by order."""
    requests = table(Request)
    found: dict[int, int] = {}
    for ids in chunks(order_ids):
        for row in unit.connection.execute(
            select(requests.c.order_id, requests.c.number).where(
                requests.c.order_id.in_(ids),
                requests.c.kind == RequestKind.CANCEL.value,
                requests.c.state.in_(OPEN_REQUESTS),
            )
        ):
            found[row[0]] = row[1]
    return found


OPEN_REQUESTS = (RequestState.REQUESTED.value, RequestState.SENT.value, RequestState.UNKNOWN.value)


def _end_attempts(unit: Unit, rows: list[dict[str, Any]]) -> None:
    if rows:
        attempts = table(Attempt)
        unit.connection.execute(
            update(attempts)
            .where(attempts.c.order_id == bindparam("b_order"), attempts.c.number == bindparam("b_number"))
            .values(outcome=bindparam("outcome"), detail=bindparam("detail"), ended_at=unit.now),
            rows,
        )


def _end_requests(unit: Unit, rows: list[dict[str, Any]]) -> None:
    if rows:
        requests = table(Request)
        unit.connection.execute(
            update(requests)
            .where(
                requests.c.order_id == bindparam("b_order"),
                requests.c.number == bindparam("b_number"),
                requests.c.state != RequestState.CONFIRMED.value,
            )
            .values(state=bindparam("state"), detail=bindparam("detail"), sent_at=unit.now),
            rows,
        )


def _confirm_requests(unit: Unit, ended: list[OrderRow]) -> None:
    """Close the open requests of orders that have ended: a cancel is confirmed, anything else superseded."""
    requests = table(Request)
    cancelled = {order["id"] for order in ended if order["state"] == OrderState.CANCELLED.value}
    others = {order["id"] for order in ended} - cancelled
    for ids, state in ((cancelled, RequestState.CONFIRMED), (others, RequestState.SUPERSEDED)):
        for piece in chunks(ids):
            unit.connection.execute(
                update(requests)
                .where(
                    requests.c.order_id.in_(piece),
                    requests.c.kind == RequestKind.CANCEL.value,
                    requests.c.state.in_(OPEN_REQUESTS),
                )
                .values(state=state.value, ended_at=unit.now)
            )
