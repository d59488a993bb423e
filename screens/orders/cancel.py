"""Cancelling by hand: names what, how many and whose, and asks, before anything goes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from engine.words import formats
from engine.words.formats import MASK, counted
from engine.words.refusals import refusal_words
from engine.words.trading.orders import terms_words
from screens.frame.cards.confirm import WordsCard, YesCard
from screens.frame.workspace import Framed

if TYPE_CHECKING:
    from engine.book.views import OrderView
    from engine.desk import Desk

LISTED = 12
"""Orders named one by one before the rest is only counted."""


def ask_cancel(screen: Framed[Any], orders: Sequence[OrderView]) -> None:
    """Ask for `y` (one order) or typed words (several), then cancel what is still live."""
    if not orders:
        screen.shell.say("nothing live to cancel here")
        return
    clients = {order.client_id for order in orders}
    listed = max(3, min(LISTED, screen.size.height // 2 - 5))
    lines = [order_words(screen.desk, order, screen.shell.privacy) for order in orders[:listed]]
    if len(orders) > listed:
        lines.append(f"and {len(orders) - listed} more")
    title = f"CANCEL {counted(len(orders), 'order')} of {counted(len(clients), 'client')}"
    ids = [order.id for order in orders]

    def answered(yes: bool | None) -> None:
        if yes:
            screen.carry_out(_cancel(screen, ids))

    question = (
        YesCard(title, lines, "cancels it")
        if len(ids) == 1
        else WordsCard(title, lines, f"cancel {len(ids)}")
    )
    screen.open_card(question, answered)


def order_words(desk: Desk, order: OrderView, masked: bool) -> str:
    """An order as a trader says it, the client's code first."""
    client = desk.clients.get(order.client_id)
    name = MASK if masked else client.name
    price = terms_words(order.order_type, order.limit_paise, order.trigger_paise, order.standing)
    return (
        f"{client.code} {name}: {order.side} {formats.quantity(order.quantity)} {order.tradingsymbol} "
        f"{order.product} {price}, {formats.quantity(order.filled_quantity)} filled, {order.state}"
    )


async def _cancel(screen: Framed[Any], ids: list[int]) -> None:
    try:
        result = await screen.desk.orders.cancel(ids, why="by hand")
    except Exception as problem:
        screen.shell.say(f"cancel: {refusal_words(problem)}", "error")
        return
    words = f"the broker is asked to cancel {counted(result.asked, 'order')}"
    if result.freed_unsent:
        words += f", {result.freed_unsent} unsent freed"
    if result.ended:
        words += f", {counted(len(result.ended), 'order')} had ended before"
    screen.shell.say(words)
