"""The few columns of a client's shares and orders beside a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from data.vocabulary import Side
from engine.words import formats
from engine.words.formats import MASK
from engine.words.trading.orders import board_words, order_price
from screens.desk.rows import SYMBOL_CELLS, aged, direction
from widgets.livegrid import Column

if TYPE_CHECKING:
    from engine.book.views import HoldingView, OrderView
    from engine.desk import Desk


def held_columns(desk: Desk, holdings: Mapping[Any, HoldingView], masked: Callable[[], bool]) -> list[Column]:
    """A client's shares; rows are keys of `holdings`."""

    def day(key: Any) -> int | None:
        return desk.valuation.holding(holdings[key]).day_pnl_paise

    def opened(key: Any) -> int | None:
        return desk.valuation.holding(holdings[key]).unrealised_paise

    def pnl(title: str, value: Callable[[Any], int | None], priority: int) -> Column:
        return Column(
            title,
            title,
            9,
            lambda key: MASK if masked() else formats.signed(value(key)),
            "right",
            style=lambda key: None if masked() else aged(desk, (holdings[key].key,), direction(value(key))),
            priority=priority,
        )

    return [
        Column("symbol", "symbol", 10, lambda key: holdings[key].tradingsymbol, flex=True, most=SYMBOL_CELLS),
        Column("product", "prod", 4, lambda key: holdings[key].product.value),
        Column("quantity", "qty", 6, lambda key: formats.quantity(holdings[key].quantity), "right"),
        pnl("gross", day, 0),
        pnl("open", opened, 1),
    ]


def live_columns(desk: Desk) -> list[Column]:
    """A client's orders, live or of the day; rows are order ids."""
    return _live_columns(desk, Column("symbol", "symbol", 10, _of(desk, lambda order: order.tradingsymbol)))


def live_of_symbol_columns(desk: Desk) -> list[Column]:
    """A symbol's live orders of all clients; rows are order ids."""
    code = _of(desk, lambda order: desk.clients.get(order.client_id).code)
    return _live_columns(desk, Column("code", "code", 6, code))


def _of(desk: Desk, words: Callable[[OrderView], Any]) -> Callable[[int], Any]:
    return lambda order_id: words(desk.orders.get(order_id))


def _live_columns(desk: Desk, whose: Column) -> list[Column]:
    def of(words: Callable[[OrderView], Any]) -> Callable[[int], Any]:
        return _of(desk, words)

    return [
        Column(
            "side",
            "side",
            4,
            of(lambda order: order.side.value),
            style=of(lambda order: "buy" if order.side is Side.BUY else "sell"),
        ),
        whose,
        Column("quantity", "qty", 5, of(_shares), "right"),
        Column("price", "price", 9, of(_price), "right", grows=True),
        Column("state", "state", 8, of(board_words), style=lambda _: "dim", flex=True),
    ]


def _shares(order: OrderView) -> str:
    """What could still trade; of an order that has ended, what it was for."""
    return formats.quantity(order.leaves if order.live else order.quantity)


def _price(order: OrderView) -> str:
    """The limit; once it has ended, what it has traded at."""
    traded = None if order.live else order.average_paise
    return order_price(order) if traded is None else formats.price(traded)
