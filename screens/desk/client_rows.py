"""The columns of the Desk's clients. Cells read the book when they are painted, so only what shows costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from data.records import replace
from engine.guards.seeing import nearness
from engine.words import formats
from engine.words.formats import MASK
from engine.words.gate import READY, gate_brief
from engine.words.trading.guards import cell_words
from screens.desk.rows import aged, direction, known_pnl
from screens.frame.whose import broker_column
from screens.guards.guards_card import STYLES
from widgets.livegrid import Column

if TYPE_CHECKING:
    from engine.desk import Desk

GUARD = "guard"
"""The column of guards, which stands where any is set."""

LIVE_COLUMNS = frozenset({GUARD, "available", "blocked", "mtf", "net", "gross", "charges", "worth", "live"})
"""Columns whose figures move, so that sorting by them has to be renewed."""

Amount = Callable[[int], int | None]
"""An amount in paise of a client, by its id."""


def quiet(words: Callable[[int], str]) -> Callable[[int | None], str]:
    """Figures of a column in which a zero says nothing and is left out."""
    return lambda number: formats.or_blank(words, number)


class ClientCells(Struct, frozen=True):
    """A client's cells by its id; `live` counts live orders by client, `masked` says whether to hide."""

    desk: Desk
    live: Mapping[int, int]
    masked: Callable[[], bool]

    def code(self, client: int) -> str:
        """The broker's code, by which a client is known."""
        return self.desk.clients.get(client).code

    def name(self, client: int) -> str:
        """Who it is."""
        return MASK if self.masked() else self.desk.clients.get(client).name

    def groups(self, client: int) -> str:
        """The groups it is in."""
        return ", ".join(self.desk.clients.get(client).groups)

    def gate(self, client: int) -> str:
        """What stands against its trading; nothing where it is ready."""
        words = gate_brief(self.desk.reconcile.readiness(client))
        return "" if words == READY else words

    def mtf(self, client: int) -> str:
        """How much of its MTF limit is used; nothing where it has none."""
        used = self.mtf_bps(client)
        return "" if used is None else formats.whole_percent(used)

    def mtf_bps(self, client: int) -> int | None:
        """The part of its MTF limit that is used."""
        return self.desk.funds.of(client).mtf_used_bps

    def capital(self, client: int) -> int | None:
        """What percentages are sized on."""
        return self.desk.clients.get(client).capital_paise or None

    def net(self, client: int) -> int | None:
        """What its day has brought, charges taken off."""
        return known_pnl(self.desk, (client,), self.desk.valuation.client(client).net_day_pnl_paise)

    def gross(self, client: int) -> int | None:
        """The same before charges."""
        return known_pnl(self.desk, (client,), self.desk.valuation.client(client).day_pnl_paise)

    def live_orders(self, client: int) -> str:
        """How many of its orders live; nothing where none does."""
        return str(self.live.get(client) or "")

    def guard(self, client: int) -> str:
        """Its guard that is nearest to a limit; nothing where it has none."""
        views = self.desk.guards.of(client)
        return cell_words(views[0], self.masked()) if views else ""

    def guard_style(self, client: int) -> str | None:
        """How that is painted."""
        views = self.desk.guards.of(client)
        return STYLES[views[0].state] if views else None

    def guard_bps(self, client: int) -> int | None:
        """How near it is to its limit, one that has tripped before all others."""
        views = self.desk.guards.of(client)
        return nearness(views[0]) if views else None

    def of_prices(self, style: Callable[[int], str | None]) -> Callable[[int], str | None]:
        """The style of a figure that follows from the prices of what the client holds."""

        def styled(client: int) -> str | None:
            if self.masked():
                return None
            return aged(self.desk, self.desk.valuation.keys_of((client,)), style(client))

        return styled

    def money(
        self,
        key: str,
        title: str,
        width: int,
        amount: Amount,
        words: Callable[[int | None], str],
        priority: int,
    ) -> Column:
        """A column of amounts."""

        def cell(client: int) -> str:
            return MASK if self.masked() else words(amount(client))

        return Column(key, title, width, cell, "right", sort=amount, priority=priority)


def client_columns(desk: Desk, live: Mapping[int, int], masked: Callable[[], bool]) -> list[Column]:
    """The clients' columns; rows are client ids."""
    cells = ClientCells(desk, live, masked)
    funds, value = desk.funds.of, desk.valuation.client
    net = cells.money("net", "day net", 9, cells.net, quiet(formats.signed), 0)
    gross = cells.money("gross", "gross", 8, cells.gross, quiet(formats.signed), 5)
    return [
        Column("code", "code", 6, cells.code, sort=cells.code),
        Column("name", "client", 12, cells.name, sort=lambda one: _sorted_name(desk, one), flex=True),
        Column(
            "gate", "gate", 5, cells.gate, style=lambda _: "warn", sort=lambda one: cells.gate(one) or None
        ),
        cells.money("capital", "capital", 7, cells.capital, formats.lakh, 2),
        cells.money("available", "available", 9, lambda one: funds(one).available_paise, formats.rupees, 0),
        cells.money("blocked", "blocked", 8, lambda one: funds(one).blocked_paise, quiet(formats.rupees), 3),
        Column(
            "mtf",
            "mtf",
            4,
            cells.mtf,
            "right",
            style=lambda one: None if cells.mtf_bps(one) else "dim",
            sort=cells.mtf_bps,
            priority=4,
        ),
        cells.money("worth", "shares", 7, lambda one: value(one).value_paise, quiet(formats.lakh), 6),
        replace(net, style=cells.of_prices(lambda one: direction(cells.net(one)))),
        replace(gross, style=cells.of_prices(lambda _: None)),
        cells.money(
            "charges", "charges", 7, lambda one: value(one).charges_today_paise, quiet(formats.rupees), 7
        ),
        Column(
            "live",
            "live",
            4,
            cells.live_orders,
            "right",
            style=lambda _: "strong",
            sort=lambda one: live.get(one, 0),
        ),
        Column(
            GUARD,
            "guard",
            13,
            cells.guard,
            "right",
            style=cells.guard_style,
            sort=cells.guard_bps,
            priority=1,
        ),
        broker_column(desk.clients.get, 6),
        Column("groups", "groups", 12, cells.groups, style=lambda _: "dim", flex=True, priority=8),
    ]


def _sorted_name(desk: Desk, client: int) -> str:
    return desk.clients.get(client).name.casefold()
