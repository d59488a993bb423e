"""Modify and cancel requests beside an order: how each ends, and what a modify leaves blocked.

A request frees nothing by itself. While a modify is open the larger of both forms of the order stays
blocked; what the order has become is told by the broker's order book alone.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import bindparam, select, update

from brokers.contract import Accepted, Ambiguous, BrokerOrder, BrokerStatus, NotSent, Outcome, Refused
from data.columns import table
from data.order_tables import Request
from data.store import Unit, chunks
from data.vocabulary import LIVE_STATES, OrderState, OrderType, RequestKind, RequestState
from engine.booking.needs import open_need
from engine.booking.states import Flag
from engine.booking.working_set import Books, OrderRow
from engine.events import TapeLine
from engine.news import ChangeNotSent

OPEN_REQUESTS = (RequestState.REQUESTED.value, RequestState.SENT.value, RequestState.UNKNOWN.value)
"""States of a request that still waits for the broker's word."""

RequestRow = dict[str, Any]


def cancel_ended(books: Books, order: OrderRow, number: int, outcome: Outcome) -> RequestRow:
    """Book how a cancel call ended; gives the request's change."""
    match outcome:
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
    return _change(books, order, number, state, detail)


def change_ended(books: Books, order: OrderRow, number: int, outcome: Outcome) -> RequestRow:
    """Book how a modify call ended; only a proven refusal gives back what it had blocked."""
    match outcome:
        case Accepted(_):
            state, detail = RequestState.SENT, ""
        case Refused(code, message):
            state, detail = RequestState.REFUSED, f"{code}: {message}"
            books.audit("MODIFY_REFUSED", order, request=number, code=code, message=message)
            drop_change(books, order, number, f"modify {number} refused: {code}")
        case NotSent(why):
            state, detail = RequestState.REFUSED, f"not sent: {why}"
            books.audit("MODIFY_NOT_SENT", order, request=number, why=why)
            books.unit.publish(TapeLine(books.unit.now, ChangeNotSent(order["id"], why)))
            drop_change(books, order, number, f"modify {number} never sent")
        case Ambiguous(why):
            state, detail = RequestState.UNKNOWN, why
            books.audit("MODIFY_UNKNOWN", order, request=number, why=why)
    return _change(books, order, number, state, detail)


def absent_change(books: Books, order: OrderRow, number: int, evidence: str) -> list[RequestRow]:
    """End a modify in doubt that the broker provably never carried out."""
    if not drop_change(books, order, number, f"modify {number} absent: {evidence}"):
        return []
    books.audit("MODIFY_ABSENT", order, request=number, evidence=evidence)
    return [_change(books, order, number, RequestState.SUPERSEDED, evidence)]


def drop_change(books: Books, order: OrderRow, number: int, evidence: str) -> bool:
    """Free what an open modify had blocked beyond the order as it stands; gives whether it was that one.

    Word of one that has ended must leave alone what the next one has blocked.
    """
    asked = open_change(books.unit, order["id"]) if order["asked_quantity"] is not None else None
    if asked is None or asked["number"] != number:
        return False
    books.touch(order, asked_quantity=None, asked_reserve_paise=None)
    books.release(order, evidence)
    return True


def adopt_terms(books: Books, order: OrderRow, seen: BrokerOrder, settled: bool) -> list[RequestRow]:
    """Take over quantity and prices as the order book has them; gives the changes of requests.

    A change that nobody here asked for is booked and flagged; one that would free money or shares only when
    the word is `settled`, since an older row under a newer stamp looks just so. A protected market order
    comes back as a limit order with the protected price, so that only the quantity of one is compared.
    """
    priced = order["order_type"] in (OrderType.LIMIT.value, OrderType.SL.value)
    limit = seen.price_paise if priced and seen.price_paise else order["limit_paise"]
    stops = order["order_type"] in (OrderType.SL.value, OrderType.SL_M.value)
    trigger = seen.trigger_paise if stops and seen.trigger_paise else order["trigger_paise"]
    quantity = seen.quantity or order["quantity"]
    terms = (quantity, limit, trigger)
    asked = open_change(books.unit, order["id"]) if order["asked_quantity"] is not None else None
    if terms == (order["quantity"], order["limit_paise"], order["trigger_paise"]):
        return []
    before = {name: order[name] for name in ("quantity", "limit_paise", "trigger_paise")}
    reserve = order["reserve_price_paise"]
    if priced and limit is not None:
        reserve = limit
    elif trigger != order["trigger_paise"]:
        reserve = max(reserve, order["asked_reserve_paise"] or 0)
    confirmed = asked is not None and _is_what_was_asked(asked, terms)
    after = {**order, "quantity": quantity, "reserve_price_paise": reserve}
    smaller = any(now < was for now, was in zip(open_need(after), open_need(order), strict=True))
    # Complete in every share of it, nothing of the order is left that could be more.
    complete = seen.status is BrokerStatus.COMPLETE and order["filled_quantity"] >= quantity
    if smaller and not (confirmed or settled or complete):
        return []
    books.touch(
        order, quantity=quantity, limit_paise=limit, trigger_paise=trigger, reserve_price_paise=reserve
    )
    if confirmed:
        books.touch(order, asked_quantity=None, asked_reserve_paise=None)
    elif asked is None:
        books.flag(order, Flag.CHANGED_OUTSIDE)
    if order["filled_quantity"] > max(quantity, order["asked_quantity"] or 0):
        books.flag(order, Flag.OVERFILL)  # its trades were booked while a larger quantity stood
    if OrderState(order["state"]) in LIVE_STATES:  # before it is known as OPEN, too
        books.block_again(order)
        books.release(order, f"terms:{seen.broker_order_id}:{quantity}@{limit or 0}")
    books.audit(
        "ORDER_MODIFIED",
        order,
        before=before,
        quantity=quantity,
        limit_paise=limit,
        trigger_paise=trigger,
        asked=asked is not None,
    )
    if asked is None or not confirmed:
        return []
    return [_change(books, order, asked["number"], RequestState.CONFIRMED, "")]


def _is_what_was_asked(asked: RequestRow, terms: tuple[int, int | None, int | None]) -> bool:
    wanted = (asked["quantity"], asked["limit_paise"], asked["trigger_paise"])
    return all(want is None or want == has for want, has in zip(wanted, terms, strict=True))


def open_change(unit: Unit, order_id: int) -> RequestRow | None:
    """The modify that waits for its end, if there is one."""
    requests = table(Request)
    row = (
        unit.connection.execute(
            select(requests).where(
                requests.c.order_id == order_id,
                requests.c.kind == RequestKind.MODIFY.value,
                requests.c.state.in_(OPEN_REQUESTS),
            )
        )
        .mappings()
        .first()
    )
    return None if row is None else dict(row)


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


def _change(books: Books, order: OrderRow, number: int, state: RequestState, detail: str) -> RequestRow:
    ended = books.unit.now if state.value not in OPEN_REQUESTS and state is not RequestState.REFUSED else None
    return {
        "b_order": order["id"],
        "b_number": number,
        "b_state": state.value,
        "b_detail": detail,
        "b_ended": ended,
    }


def write_requests(unit: Unit, rows: list[RequestRow]) -> None:
    """Write how requests stand; one that has ended stays so, except that a refused cancel is sent again."""
    if rows:
        requests = table(Request)
        unit.connection.execute(
            update(requests)
            .where(
                requests.c.order_id == bindparam("b_order"),
                requests.c.number == bindparam("b_number"),
                # Comparisons one by one, since a list of values cannot be bound for many rows at once.
                requests.c.state != RequestState.CONFIRMED.value,
                requests.c.state != RequestState.SUPERSEDED.value,
                (requests.c.state != RequestState.REFUSED.value)
                | (requests.c.kind == RequestKind.CANCEL.value),
            )
            .values(
                state=bindparam("b_state"),
                detail=bindparam("b_detail"),
                sent_at=unit.now,
                ended_at=bindparam("b_ended"),
            ),
            rows,
        )


def close_requests(unit: Unit, ended: list[OrderRow]) -> None:
    """Close the open requests of orders that have ended: a cancel is confirmed, anything else superseded."""
    requests = table(Request)
    cancelled = {order["id"] for order in ended if order["state"] == OrderState.CANCELLED.value}
    everyone = {order["id"] for order in ended}
    for ids, kinds, state in (
        (cancelled, [RequestKind.CANCEL.value], RequestState.CONFIRMED),
        (everyone, [RequestKind.CANCEL.value, RequestKind.MODIFY.value], RequestState.SUPERSEDED),
    ):
        for piece in chunks(ids):
            unit.connection.execute(
                update(requests)
                .where(
                    requests.c.order_id.in_(piece),
                    requests.c.kind.in_(kinds),
                    requests.c.state.in_(OPEN_REQUESTS),
                )
                .values(state=state.value, ended_at=unit.now)
            )
