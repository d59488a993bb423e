"""The columns of a client's closed trades and history."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.words import formats
from engine.words.audit import detail_words
from engine.words.formats import MASK
from screens.desk.rows import direction
from screens.frame.times import market_stamp, traded_when
from widgets.columns import LINE_CELLS
from widgets.livegrid import Column

if TYPE_CHECKING:
    from engine.accounts.round_trips import Transaction
    from engine.book.audit_views import AuditRow
    from engine.desk import Desk


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
        Column(
            "net",
            "net",
            10,
            money(lambda row: row.net_paise, True),
            "right",
            style=lambda row: None if masked() else direction(row.net_paise),
        ),
    ]


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
