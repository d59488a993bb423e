"""Which orders of the blotter have the words that were typed, and the line about the one under the cursor."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.words import formats
from engine.words.formats import MASK
from engine.words.trading.modify_words import chase_words
from engine.words.trading.orders import flagged_why, state_words
from screens.frame.whose import at_several, who_words

if TYPE_CHECKING:
    from engine.book.views import OrderView
    from engine.desk import Desk


def any_stop(desk: Desk) -> bool:
    """Whether any order has a trigger."""
    return any(order.trigger_paise is not None for order in desk.orders.all())


def any_live(desk: Desk) -> bool:
    """Whether any order lives, so that the last price says something of it."""
    return desk.counts().live > 0


def empty_words(desk: Desk, hint: str, waiting: str) -> str:
    """What is said where no order is in view: `hint`, or what waits all the same."""
    if desk.looks_only:
        return "this desk only looks: none is its own; Tab turns to those of other terminals"
    # Whoever paused a run knows of it, so that its orders are not in the list; they are still told of.
    return f"no order needs attention; {waiting}" if waiting else hint


def filter_of(desk: Desk, text: str) -> Callable[[OrderView], bool]:
    """Whether an order has all the words: in its client, broker, symbol, side or state; `run 12` is a run."""
    words = text.casefold().split()
    run: int | None = None
    if "run" in words[:-1]:
        place = words.index("run")
        if words[place + 1].isdecimal():
            run = int(words[place + 1])
            del words[place : place + 2]

    def keep(order: OrderView) -> bool:
        if run is not None and order.run_number != run:
            return False
        if not words:
            return True
        who = who_words(desk.clients.get(order.client_id))
        about = f"{who} {order.tradingsymbol} {order.side} {order.state}".casefold()
        return all(word in about for word in words)

    return keep


def order_detail(desk: Desk, order: OrderView, masked: bool) -> str:
    """An order with client, product and average, and the broker's own words in full."""
    client = desk.clients.get(order.client_id)
    name = MASK if masked else client.name
    at = f" at {client.broker}" if at_several(desk.clients.all()) else ""
    words = f" {client.code} {name}{at} {order.side.value} {order.tradingsymbol} {order.product.value}"
    words += f" {state_words(order)}"
    if order.filled_quantity:
        words += f" · {formats.quantity(order.filled_quantity)} at {formats.price(order.average_paise)}"
    why = flagged_why(order)
    words += f" · {why}" if why else ""
    chase = desk.chases.of(order.id)
    if chase is None:
        return words
    asks = chase.pause is not None and chase.pause.asks
    return f"{words} · {chase_words(chase)}, p {'has it go on' if asks else 'lets it stand'}"
