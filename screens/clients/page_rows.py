"""The columns of a client's closed trades, limits and history."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from data.vocabulary import LimitUnit
from engine.words import formats
from engine.words.audit import detail_words
from engine.words.formats import MASK
from engine.words.privacy import unless_private
from engine.words.trading.limits import figure_words, kind_words, place_words
from screens.desk.rows import direction
from screens.frame.times import market_stamp, traded_when
from screens.limits.cells import PART_CELLS, figure_cell, near_style, part_cell
from widgets.columns import LINE_CELLS
from widgets.livegrid import Column

if TYPE_CHECKING:
    from engine.accounts.round_trips import Transaction
    from engine.book.audit_views import AuditRow
    from engine.desk import Desk
    from engine.planning.limits.service import LimitUse
    from screens.frame.records import Record


def closed_columns(desk: Desk, masked: Callable[[], bool]) -> list[Column]:
    """Rows are closed round trips."""

    def money(value: Callable[[Transaction], int], signed: bool = False) -> Callable[[Any], str]:
        words = formats.signed if signed else formats.rupees
        return lambda row: MASK if masked() else words(value(row))

    return [
        Column("closed", "closed", 8, lambda row: traded_when(desk, row.closed_at)),
        Column("opened", "bought", 10, lambda row: row.opened_on.isoformat(), priority=2),
        Column("symbol", "symbol", 10, lambda row: row.tradingsymbol, flex=True),
        Column("product", "prod", 4, lambda row: row.product.value),
        Column("quantity", "qty", 7, lambda row: formats.quantity(row.quantity), "right"),
        Column("buy", "buy", 9, lambda row: formats.price(row.buy_price_paise), "right", priority=1),
        Column("sell", "sell", 9, lambda row: formats.price(row.sell_price_paise), "right", priority=1),
        Column(
            "pnl",
            "P&L",
            10,
            money(lambda row: row.pnl_paise, True),
            "right",
            style=lambda row: None if masked() else direction(row.pnl_paise),
        ),
        Column("charges", "charges", 8, money(lambda row: row.charges_paise), "right", priority=3),
        Column("noted", "by note", 8, money(lambda row: row.note_charges_paise), "right", priority=3),
        Column(
            "net",
            "net",
            10,
            money(lambda row: row.net_paise, True),
            "right",
            style=lambda row: None if masked() else direction(row.net_paise),
        ),
    ]


def limit_columns(desk: Desk, masked: Callable[[], bool]) -> list[Column]:
    """Rows are the limits over a client with what is used of each, the nearest to the client first."""

    def figure(of: Callable[[LimitUse], int | None]) -> Callable[[Any], str]:
        return lambda use: figure_cell(use.limit.kind, of(use), masked())

    def near(use: LimitUse) -> str | None:
        return near_style(use.used_bps)

    return [
        Column("of", "of", 12, lambda use: place_words(use.limit.scope, desk.limits.whose_words(use.limit))),
        Column("what", "limit", 20, lambda use: kind_words(use.limit.kind, use.limit.list_name), flex=True),
        Column("figure", "figure", 12, figure(lambda use: use.limit.figure), "right"),
        Column("strength", "", 6, lambda use: use.limit.strength.value),
        Column("used", "used", 12, figure(lambda use: use.used), "right", style=near),
        Column("part", "", PART_CELLS, lambda use: part_cell(use.used_bps), style=near, priority=1),
        Column("decides", "decides", 7, lambda use: "yes" if use.decides else "", priority=2),
    ]


def limit_record(desk: Desk, use: LimitUse) -> Record:
    """A limit over a client, with what is used of it."""
    hides = use.limit.kind.unit is LimitUnit.PAISE
    figure, used = (figure_words(use.limit.kind, one) for one in (use.limit.figure, use.used))
    return {
        "of": place_words(use.limit.scope, desk.limits.whose_words(use.limit)),
        "limit": kind_words(use.limit.kind, use.limit.list_name),
        "figure": unless_private(figure) if hides else figure,
        "strength": use.limit.strength.value,
        "used": unless_private(used) if hides else used,
        "decides": "yes" if use.decides else "",
    }


def history_columns(desk: Desk) -> list[Column]:
    """Rows are audit rows of the client."""

    def details(row: AuditRow) -> str:
        words = detail_words(row.details)
        about = [f"{word} {n}" for word, n in (("order", row.order_id), ("run", row.run_number)) if n]
        return " · ".join([*about, words]) if words else " · ".join(about)

    return [
        Column("at", "time", 15, lambda row: market_stamp(desk, row.at)),
        Column("action", "what", 18, lambda row: row.action),
        Column("actor", "by", 8, lambda row: row.actor, priority=1),
        Column("details", "", 20, details, style=lambda _: "dim", flex=True, most=LINE_CELLS),
    ]
