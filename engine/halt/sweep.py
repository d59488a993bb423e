"""From the read-backs of a halt to its certificate."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from data.json_values import JsonObject
from data.vocabulary import OrderState
from engine.book.book import Book
from engine.book.halt_scope import HaltView
from engine.book.views import OrderView
from engine.halt.certificate import (
    NOT_ENDED,
    Certificate,
    CertificateExternal,
    CertificateLine,
    CertificateOrder,
    CertificatePassedOver,
    CertificateRow,
    CertificateUnread,
    OrderResult,
)


@dataclass(slots=True)
class Before:
    """What stood when a halt was fired: blocked paise by order, available paise by client."""

    orders: dict[int, int]
    available: dict[int, int]
    unsent_freed: int = 0

    def to_json(self) -> JsonObject:
        """As JSON values, for the halt's row."""
        return {
            "orders": list(self.orders.items()),
            "available": list(self.available.items()),
            "unsent_freed": self.unsent_freed,
        }

    @staticmethod
    def from_json(values: JsonObject) -> "Before":
        """What a halt's row says."""
        return Before(dict(values["orders"]), dict(values["available"]), values["unsent_freed"])


@dataclass(slots=True)
class Results:
    """What the last read-backs showed: refused orders, paise released per order, clients not read.

    `tried` are orders of which no cancel has left this machine, `ended` is the round's word.
    """

    refused: set[int]
    released: dict[int, int]
    tried: set[int]
    read_at: datetime
    ended: bool
    clients: int
    external: tuple[CertificateExternal, ...]
    unread: tuple[CertificateUnread, ...]
    not_signed_in: tuple[str, ...]
    unread_rows: tuple[CertificateRow, ...]
    passed_over: tuple[CertificatePassedOver, ...]


Sent = Mapping[int, tuple[datetime, datetime]]
"""When the first and the latest cancel of each order left."""


def certify(book: Book, halt: HaltView, before: Before, seen: Results, sent: Sent) -> Certificate:
    """The certificate by what the last read-backs showed."""
    orders: list[CertificateOrder] = []
    by_client: dict[int, list[CertificateOrder]] = defaultdict(list)
    for order_id in before.orders:
        order = book.orders.get(order_id)
        if order is None:
            orders.append(lost_order(order_id))
            continue
        entry = CertificateOrder(
            order_id,
            order.client_id,
            order.key,
            order.side.value,
            order.quantity,
            order.filled_quantity,
            _result(order, seen),
            seen.released.get(order_id, 0),
        )
        orders.append(entry)
        by_client[order.client_id].append(entry)
    results = Counter(entry.result for entry in orders)
    lines = [
        _line(book, client_id, entries, halt, before, seen, sent) for client_id, entries in by_client.items()
    ]
    first, last = cancel_times(before.orders, halt, sent)
    return Certificate(
        number=halt.number,
        scope=halt.scope,
        value=halt.value,
        by=halt.by,
        at=halt.at,
        last_read_at=seen.read_at,
        ended=seen.ended,
        cancelled=results[OrderResult.CANCELLED],
        filled_meanwhile=results[OrderResult.FILLED],
        refused=results[OrderResult.REFUSED],
        unknown=sum(results[word] for word in NOT_ENDED),
        unreachable=sum(bool(one.why) for one in seen.unread),
        unsent_freed=before.unsent_freed,
        released_paise=sum(entry.released_paise for entry in orders),
        blocked_before_paise=sum(before.orders.values()),
        still_blocked_paise=sum(book.orders[i].blocked_paise for i in before.orders if i in book.orders),
        lines=tuple(sorted(lines, key=lambda line: line.code)),
        orders=tuple(orders),
        external=seen.external,
        first_cancel_s=first,
        last_cancel_s=last,
        clients=seen.clients,
        tried=results[OrderResult.TRIED],
        unread=seen.unread,
        not_signed_in=seen.not_signed_in,
        unread_rows=seen.unread_rows,
        passed_over=seen.passed_over,
        strength=halt.strength,
    )


def _line(
    book: Book,
    client_id: int,
    entries: list[CertificateOrder],
    halt: HaltView,
    before: Before,
    seen: Results,
    sent: Sent,
) -> CertificateLine:
    code, name = named(book, client_id)
    results = Counter(entry.result for entry in entries)
    first, last = cancel_times([entry.order_id for entry in entries], halt, sent)
    ends = [book.orders[entry.order_id].ended_at for entry in entries if entry.order_id in book.orders]
    ended = [end for end in ends if end is not None]
    funds = book.funds.get(client_id)
    now = 0 if funds is None else funds.available_paise
    return CertificateLine(
        client_id=client_id,
        code=code,
        name=name,
        cancelled=results[OrderResult.CANCELLED],
        filled=results[OrderResult.FILLED],
        refused=results[OrderResult.REFUSED],
        unknown=sum(results[word] for word in NOT_ENDED),
        released_paise=sum(entry.released_paise for entry in entries),
        available_before_paise=before.available.get(client_id, now),
        available_now_paise=now,
        note=next((f"not read: {one.why}" for one in seen.unread if one.client_id == client_id), ""),
        first_cancel_s=first,
        last_cancel_s=last,
        ended_s=after(halt, max(ended)) if len(ended) == len(ends) and ended else None,
        tried=results[OrderResult.TRIED],
    )


def named(book: Book, client_id: int) -> tuple[str, str]:
    """A client's code and name; one whose row is not to be read goes by its number."""
    client = book.clients.get(client_id)
    return (f"client {client_id}", "") if client is None else (client.code, client.name)


def lost_order(order_id: int) -> CertificateOrder:
    """What can be said of an order whose row cannot be read: nothing but its number."""
    return CertificateOrder(order_id, 0, "", "", 0, 0, OrderResult.UNKNOWN, 0)


def cancel_times(order_ids: Iterable[int], halt: HaltView, sent: Sent) -> tuple[float | None, float | None]:
    """When the first and the last cancel of these orders left, in seconds after the halt."""
    pairs = [sent[order_id] for order_id in order_ids if order_id in sent]
    if not pairs:
        return None, None
    return after(halt, min(first for first, _ in pairs)), after(halt, max(last for _, last in pairs))


def after(halt: HaltView, at: datetime) -> float:
    """Seconds after a halt, not below 0."""
    return max(0.0, round((at - halt.at).total_seconds(), 3))


def _result(order: OrderView, seen: Results) -> OrderResult:
    if not order.live:
        return OrderResult(order.state.value.lower())
    if order.state is OrderState.UNKNOWN:
        return OrderResult.UNKNOWN
    if order.id in seen.tried:
        return OrderResult.TRIED
    return OrderResult.REFUSED if order.id in seen.refused else OrderResult.LIVE
