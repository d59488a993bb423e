"""Facts about orders, from our own calls and from the broker, applied to the books in one unit of work.

A fact is never refused: it is booked, and flagged where it should not have been possible. Whatever a
batch could not settle (a status ahead of its trades) comes back as clients whose books must be read.
"""

from collections.abc import Sequence

from brokers.contract import Accepted, Ambiguous, BrokerOrder, NotSent, Outcome, Refused
from data.audit import AuditAction
from data.repositories.trading.orders import AttemptEnd, by_broker_id, by_tag, end_attempts, of_stopped_runs
from data.repositories.trading.requests import RequestEnd, open_cancels, tell
from data.store import Unit
from data.vocabulary import OrderState, RefusalCode
from engine.access.routes import note_refused
from engine.booking.changes import absent_change, cancel_ended, change_ended, close_requests
from engine.booking.external import book_external
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
from engine.booking.order import IN_DOUBT, WorkingOrder
from engine.booking.restate import restate_sales
from engine.booking.seen import NEVER_LEFT, adopt_number, apply_seen, doubt_ended, note_resurrected
from engine.booking.states import Flag, OrderEvent
from engine.booking.working_set import WorkingSet


def apply_facts(unit: Unit, facts: Sequence[Fact], actor: str, sell_credit_bps: int) -> Applied:
    """Book a batch of facts."""
    books = WorkingSet(unit, actor, sell_credit_bps)
    seen = [fact for fact in facts if isinstance(fact, Seen)]
    found = _find_orders(unit, seen)
    strange = [fact for fact in seen if (fact.client_id, fact.order.broker_order_id) not in found]
    booked_external = book_external(unit, strange, actor)
    found |= booked_external
    books.load({fact.order_id for fact in facts if not isinstance(fact, Seen)} | set(found.values()))
    unsent = {f.order_id for f in facts if isinstance(f, SendEnded) and isinstance(f.outcome, NotSent)}
    unwanted = open_cancels(unit, unsent).keys() | of_stopped_runs(unit, unsent)
    attempts: list[AttemptEnd] = []
    requests: list[RequestEnd] = []
    read_again: set[int] = set()
    external: list[tuple[int, BrokerOrder]] = []
    for fact in facts:
        books.actor = _actor_of(fact, actor)
        if isinstance(fact, Seen):
            order_id = found.get((fact.client_id, fact.order.broker_order_id))
            if order_id is None:
                external.append((fact.client_id, fact.order))
            elif apply_seen(books, books.orders[order_id], fact, requests):
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
            read_again.add(order.client_id)
        if isinstance(fact.outcome, Refused) and fact.outcome.code == RefusalCode.ROUTE:
            note_refused(unit, order.client_id, order.id, fact.outcome.message, actor)
    books.actor = actor
    ended = books.ended_now()
    books.flush()
    restate_sales(unit, books.netted, actor, sell_credit_bps)
    end_attempts(unit, attempts)
    tell(unit, requests)
    close_requests(unit, ended)
    return Applied(frozenset(read_again), tuple(external), frozenset(booked_external))


BROKER = "broker"
"""Who did what the broker tells: an order's acceptance, fill, rejection or end is no act of the trader."""


def _actor_of(fact: Fact, actor: str) -> str:
    """Whom the audit names for a fact: the broker for its own words, else who runs the desk."""
    if isinstance(fact, Seen):
        return BROKER
    if isinstance(fact, (ProvenAbsent, ChangeAbsent, InDoubt)):
        return actor
    return BROKER if isinstance(fact.outcome, (Accepted, Refused)) else actor


def _find_orders(unit: Unit, seen: Sequence[Seen]) -> dict[tuple[int, str], int]:
    """Our orders by client and broker id: known by that id already, or by one of the tags."""
    found = by_broker_id(unit, {(fact.client_id, fact.order.broker_order_id) for fact in seen})
    missing = [fact for fact in seen if (fact.client_id, fact.order.broker_order_id) not in found]
    tagged = by_tag(unit, {tag for fact in missing for tag in fact.order.tags})
    for fact in missing:
        for tag in fact.order.tags:
            if tag in tagged and tagged[tag][1] == fact.client_id:
                found[fact.client_id, fact.order.broker_order_id] = tagged[tag][0]
    return found


def _apply_send(books: WorkingSet, order: WorkingOrder, outcome: Outcome, unwanted: bool) -> AttemptEnd:
    """Book how a send ended; `unwanted` says that a cancel was asked for while it was under way."""
    match outcome:
        case Accepted(broker_order_id):
            before = order.state
            adopt_number(books, order, broker_order_id)
            order.apply(OrderEvent.ACCEPTED)
            doubt_ended(order)
            if before in NEVER_LEFT:
                note_resurrected(books, order, before)
            words, detail = "accepted", broker_order_id
        case Refused(code, message):
            if order.state == OrderState.SENDING:
                order.say(code, message)
                order.apply(OrderEvent.REFUSED)
                books.release(order, f"refused:{order.tag}")
                books.audit(AuditAction.ORDER_REJECTED, order, code=code, message=message)
            words, detail = "refused", f"{code}: {message}"
        case NotSent(why):
            if order.state == OrderState.SENDING:
                order.apply(OrderEvent.NOT_SENT)
                order.status(f"not sent: {why}")
                books.audit(AuditAction.ORDER_NOT_SENT, order, why=why, tag=order.tag)
                if unwanted:
                    books.free_unsent(order, "cancelled before it was sent")
            words, detail = "not_sent", why
        case Ambiguous(why):
            if order.state == OrderState.SENDING:
                order.apply(OrderEvent.AMBIGUOUS)
                order.status(why)
                books.audit(AuditAction.ORDER_UNKNOWN, order, why=why, tag=order.tag)
            words, detail = "ambiguous", why
    return AttemptEnd(order.id, order.attempts, words, detail, books.unit.now)


def _apply_absent(books: WorkingSet, order: WorkingOrder, evidence: str) -> None:
    """End an order that the broker provably never had, and give its money back."""
    if order.state != OrderState.UNKNOWN:
        return  # the broker's own word came first
    order.apply(OrderEvent.PROVEN_ABSENT)
    order.unflag(Flag.NEEDS_HUMAN)
    order.say("not_received", evidence)
    freed = books.release(order, f"absent:{evidence}")
    books.audit(AuditAction.ORDER_NOT_RECEIVED, order, evidence=evidence, released_paise=freed)


def _raise_doubt(books: WorkingSet, order: WorkingOrder, evidence: str) -> None:
    """Hand an order to the trader, with the evidence there is; once, however often it is found."""
    if order.ended or Flag.NEEDS_HUMAN in order.flags:
        return
    order.flag(Flag.NEEDS_HUMAN)
    order.say(IN_DOUBT, evidence)
    books.audit(AuditAction.ORDER_NEEDS_TRADER, order, evidence=evidence)
