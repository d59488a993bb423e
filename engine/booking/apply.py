"""Facts about orders, from our own calls and from the broker, applied to the books in one unit of work.

A fact is never refused: it is booked, and flagged where it should not have been possible. Whatever a
batch could not settle (a status ahead of its trades) comes back as clients whose books must be read.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import bindparam, select, update

from brokers.contract import Accepted, Ambiguous, BrokerOrder, BrokerStatus, NotSent, Outcome, Refused
from data.columns import table
from data.errors import BadInput
from data.order_tables import Attempt, Order, RunRecord
from data.reference.phases import Calendar
from data.store import Unit, chunks
from data.vocabulary import LIVE_STATES, TERMINAL_STATES, OrderState, RefusalCode, RunStatus
from engine.access.routes import note_refused
from engine.booking.external import take_in
from engine.booking.facts import (
    Applied,
    CancelEnded,
    ChangeAbsent,
    ChangeEnded,
    Fact,
    InDoubt,
    ProvenAbsent,
    Seen,
    SendEnded,
)
from engine.booking.fills import fill
from engine.booking.requests import (
    absent_change,
    adopt_terms,
    cancel_ended,
    change_ended,
    close_requests,
    open_cancels,
    write_requests,
)
from engine.booking.restate import rebook_sales
from engine.booking.states import EVENT_OF_STATUS, Flag, OrderEvent
from engine.booking.unread import clients_unread
from engine.booking.working_set import Books, OrderRow

BOOK_LAG = timedelta(seconds=10)
"""Order books have been seen five seconds behind, and stamps two seconds off; what a read begun that long
after the last change says, counts whatever its stamp."""

_ACTION_OF_STATE = {
    OrderState.FILLED: "ORDER_FILLED",
    OrderState.CANCELLED: "ORDER_CANCELLED",
    OrderState.REJECTED: "ORDER_REJECTED",
    OrderState.EXPIRED: "ORDER_EXPIRED",
}


def apply_facts(unit: Unit, facts: Sequence[Fact], actor: str, sell_credit_bps: int) -> Applied:
    """Book a batch of facts."""
    books = Books(unit, actor, sell_credit_bps)
    seen = [fact for fact in facts if isinstance(fact, Seen)]
    found = _find_orders(unit, seen)
    strange = [fact for fact in seen if (fact.client_id, fact.order.broker_order_id) not in found]
    taken_in = take_in(unit, strange, actor)
    found |= taken_in
    books.load({fact.order_id for fact in facts if not isinstance(fact, Seen)} | set(found.values()))
    unsent = {f.order_id for f in facts if isinstance(f, SendEnded) and isinstance(f.outcome, NotSent)}
    unwanted = open_cancels(unit, unsent).keys() | _of_stopped_runs(unit, unsent)
    attempts: list[dict[str, Any]] = []
    requests: list[dict[str, Any]] = []
    read_again: set[int] = set()
    foreign: list[tuple[int, BrokerOrder]] = []
    for fact in facts:
        books.actor = _told_by(fact, actor)
        if isinstance(fact, Seen):
            order_id = found.get((fact.client_id, fact.order.broker_order_id))
            if order_id is None:
                foreign.append((fact.client_id, fact.order))
            elif _apply_seen(books, books.orders[order_id], fact, requests):
                read_again.add(fact.client_id)
            continue
        order = books.orders[fact.order_id]
        match fact:
            case SendEnded(order_id, outcome):
                attempts.append(_apply_send(books, order, outcome, order_id in unwanted))
            case CancelEnded(_, number, outcome):
                requests.append(cancel_ended(books, order, number, outcome))
            case ChangeEnded(_, number, outcome):
                requests.append(change_ended(books, order, number, outcome))
            case ProvenAbsent(_, evidence):
                _apply_absent(books, order, evidence)
            case ChangeAbsent(_, number, evidence):
                requests += absent_change(books, order, number, evidence)
            case InDoubt(_, evidence):
                _raise_doubt(books, order, evidence)
        if isinstance(fact, (ProvenAbsent, ChangeAbsent, InDoubt)):
            continue
        if isinstance(fact.outcome, (Ambiguous, Refused)):
            read_again.add(order["client_id"])
        if isinstance(fact.outcome, Refused) and fact.outcome.code == RefusalCode.ROUTE:
            note_refused(unit, order["client_id"], order["id"], fact.outcome.message, actor)
    books.actor = actor
    ended = _forget_changes(books)
    books.flush()
    rebook_sales(unit, books.netted, actor, sell_credit_bps)
    _end_attempts(unit, attempts)
    write_requests(unit, requests)
    close_requests(unit, ended)
    return Applied(frozenset(read_again), tuple(foreign), frozenset(taken_in))


BROKER = "broker"
"""Who did what the broker tells: an order's acceptance, fill, rejection or end is no act of the trader."""


def _told_by(fact: Fact, actor: str) -> str:
    """Whom the audit names for a fact: the broker for its own words, else who runs the desk."""
    if isinstance(fact, Seen):
        return BROKER
    if isinstance(fact, (ProvenAbsent, ChangeAbsent, InDoubt)):
        return actor
    return BROKER if isinstance(fact.outcome, (Accepted, Refused)) else actor


def _of_stopped_runs(unit: Unit, order_ids: set[int]) -> set[int]:
    """Those of these orders whose run was stopped while they were being sent: they are not sent again."""
    orders, runs = table(Order), table(RunRecord)
    found: set[int] = set()
    for ids in chunks(order_ids):
        found.update(
            unit.connection.execute(
                select(orders.c.id)
                .join(runs, runs.c.number == orders.c.run_number)
                .where(orders.c.id.in_(ids), runs.c.status == RunStatus.STOPPED.value)
            ).scalars()
        )
    return found


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
            before = order["state"]
            _adopt(books, order, broker_order_id)
            books.move(order, OrderEvent.ACCEPTED)
            _doubt_ended(books, order)
            if before in _NEVER_LEFT:
                _came_back(books, order, before)
            words, detail = "accepted", broker_order_id
        case Refused(code, message):
            if order["state"] == OrderState.SENDING.value:
                books.touch(order, reason_code=code, reason_text=message)
                books.move(order, OrderEvent.REFUSED)
                books.release(order, f"refused:{order['tag']}")
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
    freed = books.release(order, "never sent")
    books.audit("ORDER_CANCELLED", order, why=why, unsent=True, released_paise=freed)
    return freed


def may_be_sent(after_market: bool, trading_date: date, day: date, awaited: date | None) -> bool:
    """Whether an order's time has not passed: its session, or for one that waits for it the time before.

    `day` is the market's trading day, `awaited` that whose session has not begun, None while one is on.
    """
    return trading_date == (awaited if after_market else day) and after_market == (awaited is not None)


def is_over(
    state: OrderState, after_market: bool, trading_date: date, day: date, awaited: date | None
) -> bool:
    """Whether a live order's time has passed: its day, or for an unsent one the time to send it."""
    if state is OrderState.RESERVED:
        return not may_be_sent(after_market, trading_date, day, awaited)
    return trading_date < day


def end_of_day(
    unit: Unit,
    day: date,
    awaited: date | None,
    calendar: Calendar,
    actor: str,
    among: Collection[int] | None = None,
) -> list[int]:
    """End orders, `among` these or all, whose session is over and whose end nobody has told; gives them.

    An order of the day cannot trade after its day, and an unsent one's plan was for that session's prices. An
    order whose send ended in doubt keeps its money blocked and is marked for a human; so is one that waited
    for a session, where the broker has said nothing of it since that began: it may wait for another. So is
    one of a client who has rows of its orders or trades unread, which may tell of it.
    """
    orders = table(Order)
    live = unit.connection.execute(
        select(orders.c.id, orders.c.state, orders.c.after_market, orders.c.trading_date).where(
            orders.c.state.in_(LIVE_STATES)
        )
    )
    books = Books(unit, actor, 0)
    books.load(
        [
            row.id
            for row in live
            if (among is None or row.id in among)
            and is_over(OrderState(row.state), row.after_market, row.trading_date, day, awaited)
        ]
    )
    over_ids, unread = list(books.orders), clients_unread(unit)
    for order in books.orders.values():
        match OrderState(order["state"]):
            case OrderState.RESERVED:
                over = "began" if order["after_market"] else "ended"
                free_unsent(books, order, f"its session {over} before it was sent")
            case OrderState.OPEN if order["client_id"] not in unread and (
                not order["after_market"] or _heard_in_session(order, calendar)
            ):
                books.move(order, OrderEvent.SEEN_EXPIRED)
                freed = books.release(order, f"day:{day.isoformat()}")
                filled = order["filled_quantity"]
                books.audit("ORDER_EXPIRED", order, filled_quantity=filled, released_paise=freed)
            case _:
                books.flag(order, Flag.NEEDS_HUMAN)
    ended = _forget_changes(books)
    books.flush()
    close_requests(unit, ended)
    return over_ids


def _heard_in_session(order: OrderRow, calendar: Calendar) -> bool:
    """Whether the broker has said anything of an order since the session began that it waited for."""
    try:
        return order["told_at"] is not None and order["told_at"] >= calendar.session_begin(
            order["trading_date"]
        )
    except BadInput:  # no trading day, or one that the calendar does not have
        return False


def _forget_changes(books: Books) -> list[OrderRow]:
    """The orders that this unit has ended; what an open modify asked for has ended with them."""
    ended = [order for order in books.orders.values() if order["ended_at"] == books.unit.now]
    for order in ended:
        if order["asked_quantity"] is not None:
            books.touch(order, asked_quantity=None, asked_reserve_paise=None)
    return ended


def _apply_absent(books: Books, order: OrderRow, evidence: str) -> None:
    """End an order that the broker provably never had, and give its money back."""
    if order["state"] != OrderState.UNKNOWN.value:
        return  # the broker's own word came first
    books.move(order, OrderEvent.PROVEN_ABSENT)
    books.unflag(order, Flag.NEEDS_HUMAN)
    books.touch(order, reason_code="not_received", reason_text=evidence)
    freed = books.release(order, f"absent:{evidence}")
    books.audit("ORDER_NOT_RECEIVED", order, evidence=evidence, released_paise=freed)


def _raise_doubt(books: Books, order: OrderRow, evidence: str) -> None:
    """Hand an order to the trader, with the evidence there is; once, however often it is found."""
    if OrderState(order["state"]) in TERMINAL_STATES or Flag.NEEDS_HUMAN.value in order["flags"].split():
        return
    books.flag(order, Flag.NEEDS_HUMAN)
    books.touch(order, reason_code="in_doubt", reason_text=evidence)
    books.audit("ORDER_NEEDS_TRADER", order, evidence=evidence)


def _apply_seen(books: Books, order: OrderRow, fact: Seen, requests: list[dict[str, Any]]) -> bool:
    """Book one word of the broker; gives whether its trades must be read before the order can end."""
    seen = fact.order
    _adopt(books, order, seen.broker_order_id)
    for trade in fact.trades:
        fill(books, order, trade)
    if order["broker_order_id"] != seen.broker_order_id:
        return False  # a second order under our tag: its trades are ours, its status is not this order's
    told_before = order["told_at"]
    settled = fact.read_at is not None and fact.read_at >= order["updated_at"] + BOOK_LAG
    later = told_before is None or seen.updated_at > told_before or settled
    stale = not later and seen.updated_at != told_before
    if not stale:
        if later and seen.updated_at != told_before:
            books.touch(order, told_at=seen.updated_at)
        requests += adopt_terms(books, order, seen, settled)
    event = EVENT_OF_STATUS[seen.status]
    if seen.status is BrokerStatus.UNRECOGNISED:
        books.flag(order, Flag.UNRECOGNISED_STATUS)
    filled = seen.filled_quantity
    if event is OrderEvent.SEEN_FILLED:
        filled = max(filled, seen.quantity)  # complete is a claim about quantity, whatever it says of it
    if stale:
        return order["filled_quantity"] < filled  # a later word has told what the order is
    if event is not OrderEvent.SEEN_LIVE and order["filled_quantity"] < filled:
        if OrderState(order["state"]) not in TERMINAL_STATES:
            books.move(order, OrderEvent.SEEN_LIVE)
            books.touch(order, sub_status=f"{seen.status_text}, waiting for trades")
            _doubt_ended(books, order)
        return True
    before = order["state"]
    if event is OrderEvent.SEEN_LIVE:
        came_back = before in _TOLD_ENDS and later
        if before in _LIVE_MOVES or came_back:
            books.move(order, event)
        if before in _NEVER_LEFT or came_back:
            _came_back(books, order, before)
        if min(order["filled_quantity"], seen.filled_quantity) >= order["quantity"]:
            # The row itself counts them all: beside an older row, newer trades may be a larger order's.
            books.move(order, OrderEvent.SEEN_FILLED)
    else:
        books.move(order, event)
    state = OrderState(order["state"])
    ended = state in TERMINAL_STATES
    if seen.status_text != order["sub_status"] and not (ended and event is OrderEvent.SEEN_LIVE):
        books.touch(order, sub_status=seen.status_text)
    if order["state"] != before:
        _doubt_ended(books, order)
        _ended(books, order, seen)
    return order["filled_quantity"] < filled


_LIVE_MOVES = frozenset(
    {
        OrderState.RESERVED.value,
        OrderState.SENDING.value,
        OrderState.UNKNOWN.value,
        OrderState.NOT_RECEIVED.value,
        OrderState.DENIED.value,
    }
)
"""States that any live word of the broker ends."""

_NEVER_LEFT = frozenset({OrderState.NOT_RECEIVED.value, OrderState.DENIED.value})
"""Ends of orders that the broker was taken never to have had; a word of it proves otherwise."""

_TOLD_ENDS = frozenset({OrderState.CANCELLED.value, OrderState.REJECTED.value, OrderState.EXPIRED.value})
"""Ends that the broker told or answered: only a word with a later stamp brings such an order back, since
updates overtake each other."""


def _came_back(books: Books, order: OrderRow, before: str) -> None:
    """Block again for an order that is live after its end, as far as the client's money and shares go."""
    books.audit("ORDER_RESURRECTED", order, broker_order_id=order["broker_order_id"], before=before)
    books.block_again(order)


def _doubt_ended(books: Books, order: OrderRow) -> None:
    """Take the trader's attention off an order whose fate the broker has told."""
    if order["reason_code"] == "in_doubt" and order["state"] != OrderState.UNKNOWN.value:
        books.unflag(order, Flag.NEEDS_HUMAN)
        books.touch(order, reason_code="", reason_text="")


def _ended(books: Books, order: OrderRow, seen: BrokerOrder) -> None:
    state = OrderState(order["state"])
    if state not in TERMINAL_STATES:
        return
    if seen.message and state is not OrderState.FILLED:
        books.touch(order, reason_text=seen.message)
    freed = books.release(order, f"status:{seen.broker_order_id}:{seen.status_text}")
    books.audit(
        _ACTION_OF_STATE.get(state, f"ORDER_{state.value}"),
        order,
        broker_order_id=seen.broker_order_id,
        filled_quantity=order["filled_quantity"],
        released_paise=freed,
        message=seen.message,
    )


def _end_attempts(unit: Unit, rows: list[dict[str, Any]]) -> None:
    if rows:
        attempts = table(Attempt)
        unit.connection.execute(
            update(attempts)
            .where(attempts.c.order_id == bindparam("b_order"), attempts.c.number == bindparam("b_number"))
            .values(outcome=bindparam("outcome"), detail=bindparam("detail"), ended_at=unit.now),
            rows,
        )
