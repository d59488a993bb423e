"""The columns of sectors and of clients beside the equity of the day. Cells read when painted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from data.money import BPS, half_up
from engine.words import formats
from engine.words.formats import MASK
from screens.desk.rows import aged, direction, known_pnl
from widgets.livegrid import Column
from widgets.sparks import bar, blocks

if TYPE_CHECKING:
    from engine.accounts.sectors import SectorValue
    from engine.desk import Desk

SHARE_CELLS = 16
GAIN_CELLS = 10
COURSE_CELLS = 24
"""Cells of the bars, and of a client's day as a line of blocks."""


def sector_columns(sectors: Mapping[str, SectorValue], masked: Callable[[], bool]) -> list[Column]:
    """A sector's part of what is held, and its day; rows are keys of `sectors`."""

    def gain(name: str) -> int | None:
        return sectors[name].day_pnl_paise

    def gain_bar(name: str) -> str:
        most = max((abs(one.day_pnl_paise or 0) for one in sectors.values()), default=0)
        gained = abs(gain(name) or 0)
        return bar(half_up(gained * BPS, most), GAIN_CELLS).rstrip("·") if most else ""

    def style(name: str) -> str | None:
        return None if masked() else direction(gain(name))

    def value(name: str) -> int:
        return sectors[name].value_paise

    return [
        Column("sector", "sector", 12, lambda name: name, flex=True, sort=lambda name: name),
        Column("symbols", "stocks", 6, lambda name: str(sectors[name].symbols or ""), "right", priority=4),
        Column(
            "value",
            "shares",
            9,
            lambda name: MASK if masked() else formats.lakh(value(name)),
            "right",
            sort=value,
        ),
        Column(
            "share", "%", 5, lambda name: formats.tenth_percent(sectors[name].share_bps), "right", sort=value
        ),
        Column(
            "bar",
            "of all shares",
            SHARE_CELLS,
            lambda name: bar(sectors[name].share_bps, SHARE_CELLS),
            priority=2,
        ),
        Column(
            "day",
            "day gross",
            10,
            lambda name: MASK if masked() else formats.signed(gain(name)),
            "right",
            style=style,
            sort=gain,
        ),
        Column("gain", "", GAIN_CELLS, gain_bar, style=style, priority=3),
    ]


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
