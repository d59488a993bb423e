"""The columns of orders, in the blotter, a run, and a client's page. Rows are order ids."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from data.vocabulary import OrderState, Side
from engine.words import formats
from engine.words.formats import MASK
from engine.words.trading.orders import awaits_trigger, board_words, flagged_why, order_price, state_words
from engine.words.trading.plans import problem
from engine.words.trading.runs import not_ordered_words
from screens.desk.rows import aged
from screens.frame.times import market_when
from screens.frame.whose import at_several, broker_column
from widgets.columns import LINE_CELLS
from widgets.livegrid import Column

if TYPE_CHECKING:
    from engine.book.views import OrderView
    from engine.desk import Desk
    from engine.planning.plan import Plan, PlanLine

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


class OrderCells(Struct, frozen=True):
    """An order's cells by its id; `masked` says whether names and amounts are hidden."""

    desk: Desk
    masked: Callable[[], bool]

    def of(self, words: Callable[[OrderView], Any]) -> Callable[[int], Any]:
        """A cell that is made of the order alone."""
        return lambda order_id: words(self.desk.orders.get(order_id))

    def code(self, order_id: int) -> str:
        """The client's code."""
        return self.desk.clients.get(self.desk.orders.get(order_id).client_id).code

    def name(self, order_id: int) -> str:
        """The client's name."""
        client = self.desk.clients.get(self.desk.orders.get(order_id).client_id)
        return MASK if self.masked() else client.name

    def value(self, order_id: int) -> str:
        """What has traded, in rupees; nothing where nothing has."""
        traded = self.desk.orders.get(order_id).filled_notional_paise
        return MASK if self.masked() else formats.or_blank(formats.rupees, traded)

    def last(self, order_id: int) -> str:
        """The last price of what a live order is in; of others the price says nothing."""
        order = self.desk.orders.get(order_id)
        quote = self.desk.market.quote(order.key)
        return formats.price(quote.last_paise if quote else None) if order.live else ""

    def away_bps(self, order_id: int) -> int | None:
        """How far a live order's price is from the last one; that of a waiting stop is its trigger."""
        order = self.desk.orders.get(order_id)
        price = order.trigger_paise if awaits_trigger(order) else order.limit_paise
        return self.desk.market.distance_bps(order.key, price) if order.live and price else None

    def away(self, order_id: int) -> str:
        """The same with its sign; nothing for an order without a price."""
        away = self.away_bps(order_id)
        return "" if away is None else formats.signed_percent(away)

    def of_price(self, order_id: int) -> str | None:
        """The style of a figure that follows from the last price."""
        return aged(self.desk, (self.desk.orders.get(order_id).key,), None)

    def first(self, with_client: bool, trades: bool) -> list[Column]:
        """When, whose and what."""
        of = self.of
        time = of(lambda order: market_when(self.desk, order.updated_at if trades else order.created_at))
        side = of(lambda order: "buy" if order.side is Side.BUY else "sell")
        symbol = of(lambda order: order.tradingsymbol)
        whose = [
            Column("code", "code", 6, self.code, sort=self.code),
            Column("name", "client", 9, self.name, sort=self.name, flex=True, priority=1),
        ]
        if at_several(self.desk.clients.all()):
            client_of = of(lambda order: self.desk.clients.get(order.client_id))
            whose.append(broker_column(client_of, 7))
        return [
            Column("time", "time", 8, time, sort=of(lambda order: order.id), priority=2),
            *(whose if with_client else []),
            Column("side", "side", 4, of(lambda order: order.side.value), style=side),
            Column("symbol", "symbol", 10, symbol, sort=symbol),
            Column("product", "prod", 4, of(lambda order: order.product.value), priority=3),
        ]

    def last_ones(self) -> list[Column]:
        """The run, the broker's number and the broker's words."""
        of, dim = self.of, lambda _: "dim"
        run = of(lambda order: str(order.run_number or ""))
        number = of(lambda order: order.broker_order_id or "")
        return [
            Column("run", "run", 4, run, "right", sort=of(lambda order: order.run_number or 0), priority=6),
            Column("number", "broker's order", 16, number, style=dim, priority=8),
            Column(
                "why",
                "broker's words",
                14,
                of(flagged_why),
                style=dim,
                flex=True,
                most=LINE_CELLS,
                priority=7,
            ),
        ]


def order_columns(
    desk: Desk,
    masked: Callable[[], bool],
    *,
    with_client: bool = True,
    trades: bool = False,
    triggers: bool = True,
    live: bool = True,
) -> list[Column]:
    """The blotter's columns. `trades` shows what was traded in place of what was asked.

    Where nothing has a trigger, the column of `triggers` leaves its place to the average price, and where
    nothing is `live` those of the last price leave theirs.
    """
    cells = OrderCells(desk, masked)
    of, first = cells.of, cells.first(with_client, trades)
    state_style = of(lambda order: STATE_STYLES.get(order.state))
    average = of(lambda order: formats.price(order.average_paise) if order.filled_quantity else "")
    filled = of(lambda order: formats.or_blank(formats.quantity, order.filled_quantity))
    value = Column(
        "value",
        "value",
        11,
        cells.value,
        "right",
        sort=of(lambda order: order.filled_notional_paise),
        priority=0 if trades else 9,
    )
    if trades:
        return [
            *first,
            Column("quantity", "qty", 7, filled, "right"),
            Column("average", "avg", 10, average, "right", grows=True),
            value,
            Column("state", "state", 15, of(state_words), style=state_style),
            *cells.last_ones(),
        ]
    quantity = of(lambda order: order.quantity)
    trigger = of(lambda order: formats.price(order.trigger_paise) if order.trigger_paise else "")
    of_prices = [
        Column("last", "LTP", 9, cells.last, "right", style=cells.of_price, grows=True),
        Column("away", "away%", 6, cells.away, "right", style=cells.of_price, sort=cells.away_bps),
    ]
    return [
        *first,
        Column("quantity", "qty", 6, of(lambda o: formats.quantity(o.quantity)), "right", sort=quantity),
        Column("price", "price", 10, of(order_price), "right", grows=True),
        *(of_prices if live else []),
        *([Column("trigger", "trigger", 9, trigger, "right", priority=5, grows=True)] if triggers else []),
        Column("filled", "filled", 6, filled, "right", priority=4),
        Column("average", "avg", 9, average, "right", priority=5, grows=True),
        value,
        Column(
            "state",
            "state",
            7,
            of(board_words),
            style=state_style,
            sort=of(lambda order: order.state.value),
            grows=True,
        ),
        *cells.last_ones(),
    ]


class SkippedLine(Struct, frozen=True):
    """A line of a plan that is no order; `leg` is its leg alone, numbered as the whole.

    One of a later stage may become one yet while its run `goes_on`.
    """

    leg: Plan
    line: PlanLine
    goes_on: bool = False

    @property
    def word(self) -> str:
        """How it stands in a word."""
        return "skipped" if not self.line.ok else "waits" if self.goes_on else "no cash"

    @property
    def quantity(self) -> str:
        """What it is to buy, where it may become an order."""
        return formats.quantity(self.line.quantity) if self.line.ok else ""

    @property
    def why(self) -> str:
        """Why it is no order."""
        return problem(self.line) if not self.line.ok else not_ordered_words(self.goes_on)


def run_columns(desk: Desk, masked: Callable[[], bool], in_legs: bool = False) -> list[Column]:
    """A run's columns; rows are order ids, or lines that were skipped, of one in legs with the symbol."""

    def either(
        order_words: Callable[[OrderView], Any], skipped_words: Callable[[SkippedLine], Any]
    ) -> Callable[[Any], Any]:
        return lambda row: order_words(desk.orders.get(row)) if isinstance(row, int) else skipped_words(row)

    client = either(
        lambda o: desk.clients.get(o.client_id), lambda skipped: desk.clients.get(skipped.line.client_id)
    )
    side = either(lambda o: o.side, lambda skipped: skipped.leg.intent.side)
    symbol = either(lambda o: o.tradingsymbol, lambda skipped: skipped.leg.instrument.tradingsymbol)
    blank = lambda _: ""  # noqa: E731 - the same cell for every line that was skipped
    legs = [
        Column("side", "side", 4, lambda row: side(row).value, priority=1),
        Column("symbol", "symbol", 10, symbol, sort=symbol),
    ]
    return [
        Column("code", "code", 6, lambda row: client(row).code, sort=lambda row: client(row).code),
        Column(
            "name", "client", 12, lambda row: MASK if masked() else client(row).name, priority=2, flex=True
        ),
        *(legs if in_legs else ()),
        Column(
            "quantity",
            "qty",
            7,
            either(lambda o: formats.quantity(o.quantity), lambda skipped: skipped.quantity),
            "right",
            sort=either(lambda o: o.quantity, lambda _: None),
        ),
        Column(
            "filled",
            "filled",
            7,
            either(lambda o: formats.or_blank(formats.quantity, o.filled_quantity), blank),
            "right",
        ),
        Column(
            "average",
            "avg",
            10,
            either(lambda o: formats.price(o.average_paise) if o.filled_quantity else "", blank),
            "right",
            priority=1,
        ),
        Column(
            "state",
            "state",
            8,
            either(state_words, lambda skipped: skipped.word),
            style=either(lambda o: STATE_STYLES.get(o.state), lambda _: "dim"),
            sort=either(lambda o: o.state.value, lambda skipped: skipped.word),
            grows=True,
        ),
        Column("at", "at", 8, either(lambda o: market_when(desk, o.updated_at), blank), priority=3),
        Column(
            "why",
            "broker's words",
            16,
            either(flagged_why, lambda skipped: skipped.why),
            style=lambda _: "dim",
            flex=True,
            most=LINE_CELLS,
        ),
    ]
