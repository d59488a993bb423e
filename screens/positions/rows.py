"""The columns of positions: sums by symbol or client, and single holdings. Cells read when painted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from engine.book.views import brokers_quantity
from engine.words import formats
from engine.words.formats import MASK
from screens.desk.rows import aged, direction, known_pnl
from widgets.livegrid import Column

if TYPE_CHECKING:
    from engine.accounts.values import HoldingsValue
    from engine.book.views import HoldingView
    from engine.desk import Desk

HoldingKey = tuple[int, str, str]
"""A holding's row: client, symbol, product."""

Held = Callable[[Any], "list[HoldingView]"]
"""The holdings behind a row."""


def at_broker(desk: Desk, holding: HoldingView) -> int | None:
    """How many of these shares the broker has, where it is not as many as we have."""
    return brokers_quantity(holding, desk.reconcile.breaks(holding.client_id))


def _quantity_words(holding: HoldingView, theirs: int | None) -> str:
    ours = formats.quantity(holding.quantity)
    return ours if theirs is None else f"{ours}≠{formats.quantity(theirs)}"


def _money_column(
    key: str,
    title: str,
    value: Callable[[Any], int | None],
    masked: Callable[[], bool],
    own: Callable[[Any, str | None], str | None],
    priority: int = 0,
) -> Column:
    """A gain or loss with its sign and direction. `own` gives its style where its prices are too old."""
    return Column(
        key,
        title,
        10,
        lambda row: MASK if masked() else formats.or_blank(formats.signed, value(row)),
        "right",
        style=lambda row: None if masked() else own(row, direction(value(row))),
        sort=value,
        priority=priority,
    )


def _last_columns(desk: Desk, symbol: Callable[[Any], str]) -> list[Column]:
    """The last price, marked when it is stale, and its change."""

    def last(row: Any) -> int | None:
        quote = desk.market.quote(symbol(row))
        return quote.last_paise if quote else None

    def style(row: Any, fresh: str | None) -> str | None:
        return aged(desk, (symbol(row),), fresh)

    def change_words(row: Any) -> str:
        old = desk.market.any_stale((symbol(row),))
        return "stale" if old else formats.signed_percent(change(row))

    def change(row: Any) -> int | None:
        return desk.market.change_bps(symbol(row))

    return [
        Column(
            "last",
            "LTP",
            9,
            lambda row: formats.price(last(row)),
            "right",
            style=lambda row: style(row, None),
            sort=last,
            grows=True,
        ),
        Column(
            "change",
            "chg%",
            6,
            change_words,
            "right",
            style=lambda row: style(row, direction(change(row))),
            sort=change,
            priority=4,
        ),
    ]


def symbol_columns(desk: Desk, held: Held, masked: Callable[[], bool]) -> list[Column]:
    """Rows are instrument keys."""

    def of(figure: Callable[[HoldingsValue], Any]) -> Callable[[str], Any]:
        return lambda key: figure(desk.valuation.together(held(key)))

    quantity, value = of(lambda all_: all_.quantity), of(lambda all_: all_.value_paise)

    def style(key: str, fresh: str | None) -> str | None:
        return aged(desk, (key,), fresh)

    def clients(key: str) -> int:
        return len({holding.client_id for holding in held(key)})

    def average(key: str) -> int | None:
        return desk.valuation.together(held(key)).average_paise

    return [
        Column("symbol", "symbol", 10, lambda key: key.partition(":")[2], sort=lambda key: key, flex=True),
        Column("clients", "clients", 7, lambda key: str(clients(key)), "right", sort=clients),
        Column("quantity", "qty", 8, lambda key: formats.quantity(quantity(key)), "right", sort=quantity),
        Column("average", "avg", 9, lambda key: formats.price(average(key)), "right", priority=2, grows=True),
        *_last_columns(desk, lambda key: key),
        _money_column("day", "day gross", of(lambda all_: all_.day_pnl_paise), masked, style),
        _money_column("open", "open P&L", of(lambda all_: all_.unrealised_paise), masked, style),
        Column(
            "value",
            "value",
            12,
            lambda key: MASK if masked() else formats.rupees(value(key)),
            "right",
            sort=value,
            priority=3,
        ),
    ]


def client_columns(desk: Desk, held: Held, masked: Callable[[], bool]) -> list[Column]:
    """Rows are client ids."""

    def of(field: str) -> Callable[[int], int]:
        return lambda client: getattr(desk.valuation.client(client), field)

    def pnl(field: str) -> Callable[[int], int | None]:
        return lambda client: known_pnl(desk, (client,), of(field)(client))

    def style(client: int, fresh: str | None) -> str | None:
        return aged(desk, desk.valuation.keys_of((client,)), fresh)

    def money(field: str, key: str, title: str, priority: int, width: int = 10) -> Column:
        value = of(field)
        return Column(
            key,
            title,
            width,
            lambda client: MASK if masked() else formats.or_blank(formats.rupees, value(client)),
            "right",
            sort=value,
            priority=priority,
        )

    return [
        Column(
            "code",
            "code",
            6,
            lambda client: desk.clients.get(client).code,
            sort=lambda c: desk.clients.get(c).code,
        ),
        Column(
            "name",
            "client",
            12,
            lambda client: MASK if masked() else desk.clients.get(client).name,
            flex=True,
            sort=lambda client: desk.clients.get(client).name.casefold(),
        ),
        Column(
            "symbols",
            "symbols",
            7,
            lambda client: str(len(held(client))),
            "right",
            sort=lambda c: len(held(c)),
        ),
        money("invested_paise", "invested", "invested", 3),
        money("value_paise", "value", "value", 2),
        _money_column("net", "day net", pnl("net_day_pnl_paise"), masked, style),
        _money_column("day", "gross", pnl("day_pnl_paise"), masked, style, 1),
        _money_column("open", "open P&L", pnl("unrealised_paise"), masked, style),
        _money_column("realised", "realised", of("realised_today_paise"), masked, lambda _, fresh: fresh, 1),
        money("charges_today_paise", "charges", "charges", 1, 8),
    ]


def holding_columns(
    desk: Desk,
    holdings: Mapping[HoldingKey, HoldingView],
    masked: Callable[[], bool],
    *,
    with_client: bool,
    weight: Callable[[HoldingKey], int | None] | None = None,
) -> list[Column]:
    """Rows are holding keys. `weight` gives basis points of the client's portfolio, for a client's page."""

    def of(words: Callable[[HoldingView], Any], missing: Any = "") -> Callable[[HoldingKey], Any]:
        return lambda key: words(holdings[key]) if key in holdings else missing

    def figure(value: Callable[[HoldingView], Any]) -> Callable[[HoldingKey], Any]:
        return of(value, None)

    def style(row: HoldingKey, fresh: str | None) -> str | None:
        return aged(desk, (row[1],), fresh)

    def whole(key: str, title: str, count: Callable[[HoldingView], int], priority: int = 0) -> Column:
        value = figure(count)
        return Column(
            key,
            title,
            7,
            lambda row: formats.or_blank(formats.quantity, value(row)),
            "right",
            sort=value,
            priority=priority,
        )

    columns: list[Column] = []
    if with_client:
        columns += [
            Column(
                "code",
                "code",
                6,
                lambda key: desk.clients.get(key[0]).code,
                sort=lambda k: desk.clients.get(k[0]).code,
            ),
            Column(
                "name",
                "client",
                10,
                lambda key: MASK if masked() else desk.clients.get(key[0]).name,
                flex=True,
                priority=4,
            ),
        ]
    else:
        columns.append(
            Column("symbol", "symbol", 10, of(lambda h: h.tradingsymbol), sort=lambda k: k[1], flex=True)
        )
    columns += [
        Column("product", "prod", 4, of(lambda h: h.product.value)),
        Column(
            "quantity",
            "qty",
            7,
            of(lambda h: _quantity_words(h, at_broker(desk, h))),
            "right",
            style=figure(lambda h: None if at_broker(desk, h) is None else "warn"),
            sort=figure(lambda h: h.quantity),
        ),
        whole("sellable", "free", desk.holdings.free_to_sell),
        whole("blocked", "blocked", lambda h: h.blocked, 5),
        whole("today", "today", lambda h: h.today, 6),
        Column(
            "average", "avg", 9, of(lambda h: formats.price(h.average_paise)), "right", priority=1, grows=True
        ),
        *_last_columns(desk, lambda key: key[1]),
        _money_column(
            "day", "day gross", figure(lambda h: desk.valuation.holding(h).day_pnl_paise), masked, style
        ),
        _money_column(
            "open", "open P&L", figure(lambda h: desk.valuation.holding(h).unrealised_paise), masked, style
        ),
    ]
    if weight is not None:
        share = weight
        columns.append(
            Column(
                "weight",
                "wt%",
                5,
                lambda key: formats.tenth_percent(share(key)),
                "right",
                sort=share,
                priority=2,
            )
        )
    return columns
