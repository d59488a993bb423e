"""Orders of other terminals in the blotter, as brokers' books show them; nothing is done about them here."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from data.vocabulary import Side
from engine.book.external_views import ExternalOrderView
from engine.words import formats
from engine.words.privacy import unless_private
from screens.frame.times import traded_when
from screens.frame.whose import at_several, broker_column, who_words
from widgets.columns import LINE_CELLS
from widgets.livegrid import Column

if TYPE_CHECKING:
    from engine.desk import Desk


def key_of(row: ExternalOrderView) -> str:
    """What a row is known by: brokers number their orders each for themselves."""
    return f"{row.client_id}:{row.order.broker_order_id}"


def elsewhere_columns(desk: "Desk") -> list[Column]:
    """The blotter's columns of them; rows are the views themselves."""

    def client(row: ExternalOrderView) -> Any:
        return desk.clients.get(row.client_id)

    def last(row: ExternalOrderView) -> str:
        quote = desk.market.quote(row.key)
        return formats.price(quote.last_paise if quote else None) if row.live else ""

    def average(row: ExternalOrderView) -> str:
        return formats.price(row.order.average_price_paise) if row.order.filled_quantity else ""

    def placed(row: ExternalOrderView) -> str:
        return traded_when(desk, row.order.placed_at)

    return [
        Column("time", "time", 8, placed, sort=lambda row: row.order.placed_at, priority=2),
        Column("code", "code", 6, lambda row: client(row).code, sort=lambda row: client(row).code),
        Column("name", "client", 9, lambda row: unless_private(client(row).name), flex=True, priority=1),
        *([broker_column(client, 6)] if at_several(desk.clients.all()) else []),
        Column(
            "side",
            "side",
            4,
            lambda row: row.order.side.value,
            style=lambda row: "buy" if row.order.side is Side.BUY else "sell",
        ),
        Column("symbol", "symbol", 10, _of("tradingsymbol"), sort=_of("tradingsymbol"), grows=True),
        Column("product", "prod", 4, lambda row: row.order.product.value, priority=3),
        Column("quantity", "qty", 6, lambda row: formats.quantity(row.order.quantity), "right"),
        Column("price", "price", 10, _price, "right", grows=True),
        Column("last", "LTP", 9, last, "right", priority=4, grows=True),
        Column("filled", "filled", 6, _filled, "right"),
        Column("average", "avg", 9, average, "right", priority=4, grows=True),
        Column(
            "state", "state", 8, _of("status_text"), grows=True, style=lambda row: None if row.live else "dim"
        ),
        Column("number", "broker's order", 16, _of("broker_order_id"), style=lambda _: "dim", priority=6),
        Column("why", "broker's words", 14, _of("message"), flex=True, most=LINE_CELLS, priority=7),
    ]


def _of(name: str) -> Callable[[ExternalOrderView], str]:
    return lambda row: str(getattr(row.order, name))


def _filled(row: ExternalOrderView) -> str:
    return formats.or_blank(formats.quantity, row.order.filled_quantity)


def _price(row: ExternalOrderView) -> str:
    """The limit, the trigger of a stop order without one, or MARKET."""
    order = row.order
    if order.price_paise:
        return formats.price(order.price_paise)
    return f"T{formats.price(order.trigger_paise)}" if order.trigger_paise else "MARKET"


def external_record(desk: "Desk", row: ExternalOrderView) -> dict[str, str]:
    """A row for a file, in full names and raw figures."""
    order, client = row.order, desk.clients.get(row.client_id)
    return {
        "placed": order.placed_at.isoformat(),
        "code": client.code,
        "client": unless_private(client.name),
        "side": order.side.value,
        "symbol": row.key,
        "product": order.product.value,
        "quantity": str(order.quantity),
        "filled": str(order.filled_quantity),
        "average": formats.typed(order.average_price_paise) if order.filled_quantity else "",
        "price": _price(row).replace(",", ""),
        "status": order.status_text,
        "broker order": order.broker_order_id,
        "message": order.message,
    }


def has_words(desk: "Desk", row: ExternalOrderView, words: str) -> bool:
    """Whether all the words are in its client, broker, symbol, side or status."""
    who, order = who_words(desk.clients.get(row.client_id)), row.order
    about = f"{who} {order.tradingsymbol} {order.side} {order.status_text}".casefold()
    return all(word in about for word in words.casefold().split())


def external_detail(desk: "Desk", row: ExternalOrderView) -> str:
    """The broker's words about an order, and why no key does anything with it."""
    told = f" {desk.clients.get(row.client_id).code} {row.order.message}".rstrip()
    return f"{told} · sent by another terminal: nothing about it can be done here"
