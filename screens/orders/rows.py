"""The columns of orders, in the blotter, a run, and a client's page. Rows are order ids."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from data.vocabulary import OrderState, Side
from engine.words import formats
from engine.words.formats import MASK
from engine.words.orders import flagged_why, order_price, state_words
from engine.words.plans import problem
from screens.frame.times import market_when
from widgets.livegrid import Column

if TYPE_CHECKING:
    from engine.book.views import OrderView
    from engine.desk import Desk

STATE_STYLES = {
    OrderState.UNKNOWN: "armed",
    OrderState.REJECTED: "warn",
    OrderState.DENIED: "warn",
    OrderState.NOT_RECEIVED: "warn",
    OrderState.OPEN: "strong",
    OrderState.SENDING: "strong",
    OrderState.CANCELLED: "dim",
    OrderState.EXPIRED: "dim",
}
"""Styles of the states in a grid; the word says the same."""


def order_columns(
    desk: Desk, masked: Callable[[], bool], *, with_client: bool = True, trades: bool = False
) -> list[Column]:
    """The blotter's columns. `trades` shows what was traded in place of what was asked."""

    def of(words: Callable[[OrderView], Any]) -> Callable[[int], Any]:
        return lambda order_id: words(desk.orders.get(order_id))

    def name(order_id: int) -> str:
        client = desk.clients.get(desk.orders.get(order_id).client_id)
        return MASK if masked() else client.name

    def code(order_id: int) -> str:
        return desk.clients.get(desk.orders.get(order_id).client_id).code

    time = of(lambda order: market_when(desk, order.updated_at if trades else order.created_at))
    columns = [
        Column("time", "time", 8, time, sort=of(lambda order: order.id), priority=1),
        Column(
            "run",
            "run",
            4,
            of(lambda order: str(order.run_number or formats.DASH)),
            "right",
            sort=of(lambda order: order.run_number or 0),
            priority=6,
        ),
    ]
    if with_client:
        columns += [
            Column("code", "code", 6, code, sort=code),
            Column("name", "client", 10, name, sort=name),
        ]
    columns += [
        Column(
            "side",
            "side",
            4,
            of(lambda order: order.side.value),
            style=of(lambda order: "buy" if order.side is Side.BUY else "sell"),
        ),
        Column(
            "symbol", "symbol", 10, of(lambda order: order.tradingsymbol), sort=of(lambda o: o.tradingsymbol)
        ),
        Column("product", "prod", 4, of(lambda order: order.product.value), priority=5),
    ]
    if trades:
        return [
            *columns,
            Column("quantity", "qty", 7, of(lambda o: formats.quantity(o.filled_quantity)), "right"),
            Column("average", "avg", 10, of(lambda o: formats.price(o.average_paise)), "right"),
            Column(
                "value",
                "value",
                11,
                of(lambda o: MASK if masked() else formats.rupees(o.filled_notional_paise)),
                "right",
                sort=of(lambda o: o.filled_notional_paise),
            ),
            Column(
                "state",
                "state",
                10,
                of(state_words),
                style=of(lambda o: STATE_STYLES.get(o.state)),
                flex=True,
            ),
        ]
    return [
        *columns,
        Column(
            "quantity",
            "qty",
            6,
            of(lambda o: formats.quantity(o.quantity)),
            "right",
            sort=of(lambda o: o.quantity),
        ),
        Column("price", "price", 10, of(order_price), "right"),
        Column("filled", "filled", 6, of(lambda o: formats.quantity(o.filled_quantity)), "right", priority=3),
        Column("average", "avg", 9, of(lambda o: formats.price(o.average_paise)), "right", priority=4),
        Column(
            "state",
            "state",
            15,
            of(state_words),
            style=of(lambda o: STATE_STYLES.get(o.state)),
            sort=of(lambda o: o.state.value),
        ),
        Column("why", "broker's words", 8, of(flagged_why), style=lambda _: "dim", flex=True, priority=7),
    ]


def run_columns(desk: Desk, masked: Callable[[], bool]) -> list[Column]:
    """A run's columns; rows are order ids, or plan lines that were skipped."""

    def either(
        order_words: Callable[[OrderView], Any], line_words: Callable[[Any], Any]
    ) -> Callable[[Any], Any]:
        return lambda row: order_words(desk.orders.get(row)) if isinstance(row, int) else line_words(row)

    client = either(lambda o: desk.clients.get(o.client_id), lambda line: desk.clients.get(line.client_id))
    dash = lambda _: formats.DASH  # noqa: E731 - the same cell for every line that was skipped
    return [
        Column("code", "code", 6, lambda row: client(row).code, sort=lambda row: client(row).code),
        Column("name", "client", 12, lambda row: MASK if masked() else client(row).name, priority=2),
        Column(
            "quantity",
            "qty",
            7,
            either(lambda o: formats.quantity(o.quantity), dash),
            "right",
            sort=either(lambda o: o.quantity, lambda _: None),
        ),
        Column("filled", "filled", 7, either(lambda o: formats.quantity(o.filled_quantity), dash), "right"),
        Column(
            "average", "avg", 10, either(lambda o: formats.price(o.average_paise), dash), "right", priority=1
        ),
        Column(
            "state",
            "state",
            12,
            either(state_words, lambda _: "skipped"),
            style=either(lambda o: STATE_STYLES.get(o.state), lambda _: "dim"),
            sort=either(lambda o: o.state.value, lambda _: "skipped"),
        ),
        Column("at", "at", 8, either(lambda o: market_when(desk, o.updated_at), dash), priority=3),
        Column(
            "why",
            "broker's words, or why it was skipped",
            16,
            either(flagged_why, problem),
            style=lambda _: "dim",
            flex=True,
        ),
    ]
