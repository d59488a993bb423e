"""The columns of clients beside the equity of the day. Cells read when painted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.words import formats
from engine.words.formats import MASK
from screens.desk.rows import aged, direction, known_pnl
from widgets.livegrid import Column
from widgets.sparks import blocks

if TYPE_CHECKING:
    from engine.desk import Desk

COURSE_CELLS = 24
"""Cells of a client's day as a line of blocks."""


def client_columns(desk: Desk, masked: Callable[[], bool]) -> list[Column]:
    """What each client's day has brought, and its course; rows are client ids."""

    def net(client: int) -> int | None:
        return known_pnl(desk, (client,), desk.valuation.client(client).net_day_pnl_paise)

    def percent(client: int) -> int | None:
        return None if net(client) is None else desk.valuation.client(client).net_day_bps

    def worth(client: int) -> int:
        return desk.valuation.client(client).portfolio_paise

    def style(client: int) -> str | None:
        return None if masked() else aged(desk, desk.valuation.keys_of((client,)), direction(net(client)))

    def name(client: int) -> str:
        return MASK if masked() else desk.clients.get(client).name

    def code(client: int) -> str:
        return desk.clients.get(client).code

    return [
        Column("code", "code", 6, code, sort=code),
        Column("name", "client", 10, name, sort=name, flex=True),
        Column(
            "worth",
            "equity",
            8,
            lambda client: MASK if masked() else formats.lakh(worth(client)),
            "right",
            sort=worth,
            priority=2,
        ),
        Column(
            "net",
            "day net",
            10,
            lambda client: MASK if masked() else formats.or_blank(formats.signed, net(client)),
            "right",
            style=style,
            sort=net,
        ),
        Column(
            "percent",
            "net %",
            6,
            lambda client: formats.or_blank(formats.signed_percent, percent(client)),
            "right",
            style=style,
            sort=percent,
            priority=1,
        ),
        Column(
            "course",
            "day",
            COURSE_CELLS,
            lambda client: blocks(desk.equity.course(client), COURSE_CELLS),
            style=style,
            priority=3,
        ),
    ]
