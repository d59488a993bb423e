"""The columns of the Desk's grids. Cells read the book when they are painted, so only what shows costs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from engine.words import formats
from engine.words.formats import MASK
from engine.words.gate import READY, gate_brief
from widgets.livegrid import Column

if TYPE_CHECKING:
    from engine.desk import Desk


def direction(value: int | None) -> str | None:
    """The style of a gain or a loss, as the figure's sign says it; none where half a rupee rounds to 0."""
    return None if value is None or abs(value) < 50 else "up" if value > 0 else "down"


def sign_of(value: int | None) -> str | None:
    """The style of a figure that is shown to its last digit."""
    return None if not value else "up" if value > 0 else "down"


def aged(desk: Desk, keys: Iterable[str], style: str | None) -> str | None:
    """The style of a figure that follows from these prices: `stale` where one is too old, else its own.

    Every figure of a price takes its style from here, so that none looks live while its price is not.
    """
    return "stale" if desk.market.any_stale(keys) else style


def known_pnl(desk: Desk, client_ids: Iterable[int], paise: int) -> int | None:
    """A P&L of these clients as it may be shown: None while nothing they hold has a price."""
    return None if desk.valuation.unpriced(client_ids) else paise


def stale_words(desk: Desk, keys: Iterable[str]) -> str:
    """Behind the title of figures of these prices, where one is too old; how old, the strip says."""
    return " · prices STALE" if desk.market.any_stale(keys) else ""


def watch_columns(desk: Desk) -> list[Column]:
    """The watchlist's columns; rows are instrument keys."""

    stale = desk.market.stale

    def last(key: str) -> str:
        quote = desk.market.quote(key)
        return formats.price(quote.last_paise if quote else None)

    def change_words(key: str) -> str:
        # A change counted from a price that no longer holds would only mislead.
        return "stale" if stale(key) else formats.signed_percent(desk.market.change_bps(key))

    def of(field: str) -> Callable[[str], int | None]:
        return lambda key: getattr(desk.market.quote(key), field, None)

    return [
        Column("symbol", "symbol", 9, lambda key: key.partition(":")[2], sort=lambda key: key, flex=True),
        Column(
            "ltp",
            "LTP",
            9,
            last,
            "right",
            style=lambda key: "stale" if stale(key) else None,
            sort=of("last_paise"),
        ),
        Column(
            "change",
            "chg%",
            6,
            change_words,
            "right",
            style=lambda key: "stale" if stale(key) else sign_of(desk.market.change_bps(key)),
            sort=desk.market.change_bps,
        ),
        Column(
            "high",
            "high",
            9,
            lambda key: formats.price(of("high_paise")(key)),
            "right",
            sort=of("high_paise"),
            priority=2,
        ),
        Column(
            "volume",
            "vol",
            6,
            lambda key: formats.volume(of("volume")(key)),
            "right",
            sort=of("volume"),
            priority=1,
        ),
    ]


LIVE_CLIENT_COLUMNS = frozenset({"available", "blocked", "mtf", "net", "gross", "live"})
"""Columns whose figures move, so that sorting by them has to be renewed."""


def client_columns(desk: Desk, live: Mapping[int, int], masked: Callable[[], bool]) -> list[Column]:
    """The clients' columns; rows are client ids. `live` counts live orders by client."""

    def money(
        words: Callable[[int | None], str], amount: Callable[[int], int | None]
    ) -> Callable[[int], str]:
        return lambda client: MASK if masked() else words(amount(client))

    def net(client: int) -> int | None:
        return known_pnl(desk, (client,), desk.valuation.client(client).net_day_pnl_paise)

    def gross(client: int) -> int | None:
        return known_pnl(desk, (client,), desk.valuation.client(client).day_pnl_paise)

    def of_prices(client: int, style: str | None) -> str | None:
        return aged(desk, desk.valuation.keys_of((client,)), style)

    def mtf_bps(client: int) -> int | None:
        return desk.funds.of(client).mtf_used_bps

    def capital(client: int) -> int | None:
        return desk.clients.get(client).capital_paise or None

    def available(client: int) -> int:
        return desk.funds.of(client).available_paise

    def blocked(client: int) -> int:
        return desk.funds.of(client).blocked_paise

    def gate(client: int) -> str:
        return gate_brief(desk.reconcile.readiness(client))

    def code(client: int) -> str:
        return desk.clients.get(client).code

    def name(client: int) -> str:
        return MASK if masked() else desk.clients.get(client).name

    return [
        Column("code", "code", 6, code, sort=code),
        Column(
            "name",
            "client",
            10,
            name,
            sort=lambda client: desk.clients.get(client).name.casefold(),
            flex=True,
        ),
        Column(
            "gate", "gate", 5, gate, style=lambda client: None if gate(client) == READY else "warn", sort=gate
        ),
        Column("capital", "capital", 7, money(formats.short, capital), "right", sort=capital, priority=2),
        Column("available", "available", 9, money(formats.rupees, available), "right", sort=available),
        Column("blocked", "blocked", 8, money(formats.rupees, blocked), "right", sort=blocked, priority=3),
        Column(
            "mtf",
            "mtf",
            4,
            lambda client: formats.whole_percent(mtf_bps(client)),
            "right",
            sort=mtf_bps,
            priority=4,
        ),
        Column(
            "net",
            "day net",
            9,
            money(formats.signed, net),
            "right",
            style=lambda client: None if masked() else of_prices(client, direction(net(client))),
            sort=net,
        ),
        Column(
            "gross",
            "gross",
            8,
            money(formats.signed, gross),
            "right",
            style=lambda client: None if masked() else of_prices(client, None),
            sort=gross,
            priority=3,
        ),
        Column(
            "live",
            "liv",
            3,
            lambda client: str(live.get(client, 0)),
            "right",
            style=lambda client: "strong" if live.get(client) else "dim",
            sort=lambda client: live.get(client, 0),
        ),
    ]
