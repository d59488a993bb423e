"""How requests to cancel or modify end, and what a modify leaves blocked, applied to the books.

A request frees nothing by itself. While a modify is open the larger of both forms of the order stays
blocked; what the order has become is told by the broker's order book alone.
"""

from collections.abc import Iterable

from brokers.contract import Accepted, Ambiguous, BrokerOrder, BrokerStatus, NotSent, Outcome, Refused
from data.audit import AuditAction
from data.repositories.trading import requests
from data.repositories.trading.requests import RequestEnd
from data.store import Unit
from data.vocabulary import OPEN_REQUESTS, OrderState, OrderType, RequestKind, RequestState
from engine.booking.order import WorkingOrder
from engine.booking.requests import Request
from engine.booking.states import Flag
from engine.booking.stored import REQUESTS
from engine.booking.working_set import WorkingSet
from engine.events import TapeLine
from engine.news import ChangeNotSent


def cancel_ended(books: WorkingSet, order: WorkingOrder, number: int, outcome: Outcome) -> RequestEnd:
    """Book how a cancel call ended; returns the request's change."""
    match outcome:
        case Accepted(_):
            state, detail = RequestState.SENT, ""
        case Refused(code, message):
            state, detail = RequestState.REFUSED, f"{code}: {message}"
            books.audit(AuditAction.CANCEL_REFUSED, order, code=code, message=message)
        case NotSent(why):
            state, detail = RequestState.REQUESTED, why
        case Ambiguous(why):
            state, detail = RequestState.UNKNOWN, why
            books.audit(AuditAction.CANCEL_UNKNOWN, order, why=why)
    return _end(books, order, number, state, detail)


def change_ended(books: WorkingSet, order: WorkingOrder, number: int, outcome: Outcome) -> RequestEnd:
    """Book how a modify call ended; only a proven refusal gives back what it had blocked."""
    match outcome:
        case Accepted(_):
            state, detail = RequestState.SENT, ""
        case Refused(code, message):
            state, detail = RequestState.REFUSED, f"{code}: {message}"
            books.audit(AuditAction.MODIFY_REFUSED, order, request=number, code=code, message=message)
            drop_change(books, order, number, f"modify {number} refused: {code}")
        case NotSent(why):
            state, detail = RequestState.REFUSED, f"not sent: {why}"
            books.audit(AuditAction.MODIFY_NOT_SENT, order, request=number, why=why)
            books.unit.publish(TapeLine(books.unit.now, ChangeNotSent(order.id, why)))
            drop_change(books, order, number, f"modify {number} never sent")
        case Ambiguous(why):
            state, detail = RequestState.UNKNOWN, why
            books.audit(AuditAction.MODIFY_UNKNOWN, order, request=number, why=why)
    return _end(books, order, number, state, detail)


def absent_change(books: WorkingSet, order: WorkingOrder, number: int, evidence: str) -> list[RequestEnd]:
    """End a modify in doubt that the broker provably never carried out."""
    if not drop_change(books, order, number, f"modify {number} absent: {evidence}"):
        return []
    books.audit(AuditAction.MODIFY_ABSENT, order, request=number, evidence=evidence)
    return [_end(books, order, number, RequestState.SUPERSEDED, evidence)]


def drop_change(books: WorkingSet, order: WorkingOrder, number: int, evidence: str) -> bool:
    """Free what an open modify had blocked beyond the order as it stands; returns whether it was that one.

    Word of one that has ended must leave alone what the next one has blocked.
    """
    asked = _asked(books, order)
    if asked is None or asked.number != number:
        return False
    order.forget_change()
    books.release(order, evidence)
    return True


def _asked(books: WorkingSet, order: WorkingOrder) -> Request | None:
    """The modify of an order that waits for its end, if there is one."""
    return None if order.asked_quantity is None else REQUESTS.open_change(books.unit, order.id)


def adopt_terms(books: WorkingSet, order: WorkingOrder, seen: BrokerOrder, settled: bool) -> list[RequestEnd]:
    """Take over quantity and prices as the order book has them; returns the changes of requests.

    A change that nobody here asked for is booked and flagged; one that would free money or shares only when
    the word is `settled`, since an older row under a newer stamp looks just so. A protected market order
    comes back as a limit order with the protected price, so that only the quantity of one is compared.
    """
    priced = order.order_type in (OrderType.LIMIT, OrderType.SL)
    limit = seen.price_paise if priced and seen.price_paise else order.limit_paise
    stops = order.order_type in (OrderType.SL, OrderType.SL_M)
    trigger = seen.trigger_paise if stops and seen.trigger_paise else order.trigger_paise
    quantity = seen.quantity or order.quantity
    terms = (quantity, limit, trigger)
    if terms == (order.quantity, order.limit_paise, order.trigger_paise):
        return []
    asked = _asked(books, order)
    before = {
        "quantity": order.quantity,
        "limit_paise": order.limit_paise,
        "trigger_paise": order.trigger_paise,
    }
    reserve = order.reserve_price_paise
    if priced and limit is not None:
        reserve = limit
    elif trigger != order.trigger_paise:
        reserve = max(reserve, order.asked_reserve_paise or 0)
    confirmed = asked is not None and asked.asks_for(terms)
    # Complete in every share of it, nothing of the order is left that could be more.
    complete = seen.status is BrokerStatus.COMPLETE and order.filled_quantity >= quantity
    if _needs_less(order, quantity, reserve) and not (confirmed or settled or complete):
        return []
    order.quantity, order.limit_paise, order.trigger_paise = terms
    order.reserve_price_paise = reserve
    order.touch()
    if confirmed:
        order.forget_change()
    elif asked is None:
        order.flag(Flag.CHANGED_OUTSIDE)
    if order.filled_quantity > max(quantity, order.asked_quantity or 0):
        order.flag(Flag.OVERFILL)  # its trades were booked while a larger quantity stood
    if order.live:  # before it is known as OPEN, too
        books.block_again(order)
        books.release(order, f"terms:{seen.broker_order_id}:{quantity}@{limit or 0}")
    books.audit(
        AuditAction.ORDER_MODIFIED,
        order,
        before=before,
        quantity=quantity,
        limit_paise=limit,
        trigger_paise=trigger,
        asked=asked is not None,
    )
    if asked is None or not confirmed:
        return []
    return [_end(books, order, asked.number, RequestState.CONFIRMED, "")]


def _needs_less(order: WorkingOrder, quantity: int, reserve_paise: int) -> bool:
    """Whether an order would need less money, loan or shares with other terms of its own."""
    after = order.need_with(quantity, reserve_paise)
    return any(now < was for now, was in zip(after, order.need(), strict=True))


def _end(books: WorkingSet, order: WorkingOrder, number: int, state: RequestState, detail: str) -> RequestEnd:
    waits = state in OPEN_REQUESTS or state is RequestState.REFUSED
    return RequestEnd(order.id, number, state, detail, None if waits else books.unit.now)


def close_requests(unit: Unit, ended: Iterable[WorkingOrder]) -> None:
    """Close the open requests of orders that have ended: a cancel is confirmed, anything else superseded."""
    ended = list(ended)
    cancelled = [order.id for order in ended if order.state == OrderState.CANCELLED]
    requests.close(unit, cancelled, [RequestKind.CANCEL], RequestState.CONFIRMED)
    requests.close(unit, [order.id for order in ended], list(RequestKind), RequestState.SUPERSEDED)
