"""What a client's page can list: the columns of each view, what is read for it, and its rows in files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any

from data.clock import IST
from data.vocabulary import Product, Right
from engine.accounts.statement import LotWorth, lot_worth
from engine.words import formats
from engine.words.day.statements import move_words
from engine.words.formats import MASK
from engine.words.trading.mtf import alone_words
from screens.clients.page_rows import closed_columns, history_columns, limit_columns, limit_record
from screens.desk.rows import direction
from screens.frame.records import (
    ToRecord,
    audit_record,
    closed_record,
    lot_record,
    note_record,
    statement_record,
)
from screens.frame.times import market_stamp
from widgets.columns import LINE_CELLS
from widgets.livegrid import Column

if TYPE_CHECKING:
    from data.repositories.accounts.statement import OpenLot
    from engine.accounts.statement import StatementLine
    from engine.desk import Desk
    from engine.mtf.ladder import Alone
    from engine.review.notes import Note


class PageView(StrEnum):
    """What of a client the page lists."""

    HOLDINGS = "holdings"
    ORDERS = "orders"
    CLOSED = "closed"
    FUNDS = "funds"
    LOTS = "lots"
    MTF = "mtf"
    LIMITS = "limits"
    NOTES = "notes"
    GATE = "gate"
    HISTORY = "history"


VIEWS = {
    PageView.HOLDINGS: "no share is held: b buys",
    PageView.ORDERS: "no order today: b buys, s sells",
    PageView.CLOSED: "nothing was closed yet",
    PageView.FUNDS: "no money has moved yet",
    PageView.LOTS: "no share is held: b buys",
    PageView.MTF: "nothing is lent: m in a ticket buys by MTF",
    PageView.LIMITS: "no limit is over this client: :limit sets one",
    PageView.NOTES: "nothing is noted yet: n notes something",
    PageView.GATE: "",
    PageView.HISTORY: "nothing on record",
}
"""The views Tab turns, and what each says when it is empty."""

Masked = Callable[[], bool]

Falls = Callable[[str], "Alone | None"]
"""How far a security on margin may fall alone until its client's nearest threshold."""


def views_of(desk: Desk) -> list[PageView]:
    """The views for who sits at the desk: limits, notes and what the audit tells are not for a client."""
    if desk.who.may(Right.READ_AUDIT):
        return list(VIEWS)
    hidden = (PageView.LIMITS, PageView.NOTES, PageView.GATE, PageView.HISTORY)
    return [view for view in VIEWS if view not in hidden]


async def read_rows(desk: Desk, view: PageView, client_id: int) -> list[Any]:
    """The rows of a view that the books are read for, the newest first; lots by symbol."""
    match view:
        case PageView.CLOSED:
            found: list[Any] = list(reversed(await desk.holdings.transactions(client_id)))
        case PageView.FUNDS:
            found = list(reversed(await desk.statements.lines(client_id)))
        case PageView.LOTS:
            found = list(await desk.statements.lots(client_id))
        case PageView.MTF:
            await desk.mtf.read()
            found = [one for one in await desk.statements.lots(client_id) if one.product is Product.MTF]
        case PageView.LIMITS:
            found = list(await desk.limits.over(client_id))
        case PageView.NOTES:
            found = list(reversed(await desk.notes.of(client_id)))
        case _:
            found = list(reversed(await desk.audit.rows(client_id=client_id)))
    return found


def read_columns(desk: Desk, view: PageView, masked: Masked, falls: Falls) -> list[Column]:
    """The columns of a view that the books are read for; `falls` are those of stocks on margin."""
    made: Mapping[PageView, Callable[[], list[Column]]] = {
        PageView.CLOSED: partial(closed_columns, desk, masked),
        PageView.FUNDS: partial(statement_columns, masked),
        PageView.LOTS: partial(lot_columns, desk, masked),
        PageView.MTF: partial(lot_columns, desk, masked, falls),
        PageView.LIMITS: partial(limit_columns, desk, masked),
        PageView.NOTES: partial(note_columns, desk),
        PageView.HISTORY: partial(history_columns, desk),
    }
    return made[view]()


def read_record(desk: Desk, view: PageView, client_id: int) -> ToRecord:
    """What makes a row for a file of such a row."""
    made: Mapping[PageView, ToRecord] = {
        PageView.CLOSED: partial(closed_record, desk),
        PageView.FUNDS: partial(statement_record, desk, client_id),
        PageView.LOTS: partial(lot_record, desk, client_id),
        PageView.MTF: partial(lot_record, desk, client_id),
        PageView.LIMITS: partial(limit_record, desk),
        PageView.NOTES: partial(note_record, desk),
        PageView.HISTORY: partial(audit_record, desk),
    }
    return made[view]


def statement_columns(masked: Masked) -> list[Column]:
    """Rows are lines of a statement: what moved, how much, and the balance after it."""

    def money(words: Callable[[int], str], of: Callable[[StatementLine], int]) -> Callable[[Any], str]:
        return lambda row: MASK if masked() else words(of(row))

    return [
        Column("day", "day", 6, lambda row: f"{row.move.trading_date:%d %b}"),
        Column("what", "what", 20, lambda row: move_words(row.move), flex=True, most=LINE_CELLS),
        Column(
            "moved",
            "moved",
            12,
            money(formats.signed, lambda row: row.move.cash_paise),
            "right",
            style=lambda row: None if masked() else direction(row.move.cash_paise),
        ),
        Column("balance", "balance", 12, money(formats.rupees, lambda row: row.balance_paise), "right"),
        Column(
            "loan",
            "lent",
            11,
            lambda row: MASK if masked() else formats.or_blank(formats.rupees, row.loan_paise),
            "right",
            priority=1,
        ),
        Column("order", "order", 6, lambda row: str(row.move.order_id or ""), "right", priority=2),
    ]


def lot_columns(desk: Desk, masked: Masked, falls: Falls | None = None) -> list[Column]:
    """Rows are lots: what was bought together, since when, and what it is worth now.

    With `falls` they are on margin: what is lent, and how far their stock alone may fall.
    """

    def worth(row: OpenLot) -> LotWorth:
        return lot_worth(row, desk.market.quote(row.key))

    def days(row: OpenLot) -> int:
        today: date = desk.market.now().astimezone(IST).date()
        return (today - row.opened_on).days

    def money(of: Callable[[OpenLot], int]) -> Callable[[Any], str]:
        return lambda row: MASK if masked() else formats.rupees(of(row))

    lent = (
        []
        if falls is None
        else [
            Column("loan", "lent", 11, money(lambda row: row.loan_paise), "right"),
            Column("own", "own part", 11, money(lambda row: worth(row).own_paise), "right", priority=1),
            Column("alone", "alone", 16, lambda row: alone_words(falls(row.security)), "right", priority=2),
        ]
    )
    return [
        Column("symbol", "symbol", 10, lambda row: row.tradingsymbol, flex=True),
        Column("product", "prod", 4, lambda row: row.product.value),
        Column("opened", "bought", 10, lambda row: row.opened_on.isoformat()),
        Column("days", "days", 4, lambda row: str(days(row)), "right", priority=2),
        Column("quantity", "qty", 7, lambda row: formats.quantity(row.quantity), "right"),
        Column(
            "average",
            "avg",
            10,
            lambda row: formats.price(worth(row).average_paise),
            "right",
            priority=1,
        ),
        Column("last", "LTP", 10, lambda row: formats.price(worth(row).last_paise), "right", priority=3),
        *lent,
        Column(
            "gain",
            "P&L",
            11,
            lambda row: MASK if masked() else formats.signed(worth(row).unrealised_paise),
            "right",
            style=lambda row: None if masked() else direction(worth(row).unrealised_paise),
        ),
    ]


def note_columns(desk: Desk) -> list[Column]:
    """Rows are notes."""

    def on(note: Note) -> str:
        if note.order_id is not None:
            return f"order {note.order_id}"
        return "" if note.run_number is None else f"run {note.run_number}"

    return [
        Column("at", "time", 15, lambda note: market_stamp(desk, note.at)),
        Column("by", "by", 8, lambda note: note.by, priority=1),
        Column("on", "on", 10, on, priority=2),
        Column("text", "note", 20, lambda note: note.text, flex=True, most=LINE_CELLS),
    ]
