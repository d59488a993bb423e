"""Which clients a close leaves open, and why; nothing is guessed away."""

from collections.abc import Collection, Iterable
from datetime import date

from data.vocabulary import OrderState, WhyOpen
from engine.book.book import Book
from engine.book.views import OrderView
from engine.close.views import ClientDay, StaysOpen


def of_the_day(order: OrderView, day: date) -> bool:
    """Whether an order is an obstacle to a day's close while it lives; one for a later session is none."""
    return order.live and order.trading_date <= day


def waiting_orders(book: Book, day: date) -> int:
    """Orders for a session after the day."""
    return sum(book.orders[one].trading_date > day and book.orders[one].after_market for one in book.live)


def open_clients(
    book: Book, read: Collection[int], day: date, days: Iterable[ClientDay], among: Collection[int]
) -> list[StaysOpen]:
    """Of these clients those that cannot be closed, each with the first reason.

    `read` are those whose books were compared with the broker's.
    """
    figures = {one.client_id: one for one in days}
    found: list[StaysOpen] = []
    for client_id in among:
        client, own = book.clients[client_id], figures.get(client_id)
        live = [
            order
            for number in book.live & book.orders_of_client.get(client_id, set())
            if of_the_day(order := book.orders[number], day)
        ]
        unknown = sum(order.state is OrderState.UNKNOWN for order in live)
        breaks = len(book.breaks.get(client_id, ()))
        traded = own is not None and own.orders > 0
        if unknown:
            found.append(StaysOpen(client_id, client.code, WhyOpen.UNKNOWN, unknown))
        elif live:
            found.append(StaysOpen(client_id, client.code, WhyOpen.LIVE, len(live)))
        elif breaks:
            found.append(StaysOpen(client_id, client.code, WhyOpen.DIFFERS, breaks))
        elif traded and client_id not in read:
            found.append(StaysOpen(client_id, client.code, WhyOpen.UNREAD))
        elif own is not None and own.unpriced:
            found.append(StaysOpen(client_id, client.code, WhyOpen.UNPRICED, keys=own.unpriced))
    return found
