"""Rows of a client's books that could not be read, kept as a break: it buys nothing until they are."""

from collections.abc import Mapping, Sequence

from brokers.contract import UnreadRow
from data.audit import AuditAction, AuditEntry
from data.clock import MarketClock
from data.repositories.accounts.breaks import (
    UnreadBook,
    add_unread,
    clients_with_unread,
    close_breaks,
    unread_books,
)
from data.store import Unit
from data.vocabulary import BreakKind
from engine.book.book import Book
from engine.book.kept import Kept
from engine.events import TapeLine
from engine.news import BookReadAgain, BookUnread

ORDERS, TRADES, HOLDINGS = "orders", "trades", "holdings"
"""The books that are kept apart, as the `security` of their breaks."""

MOST_WORDS = 300
"""Letters kept of the words about odd rows."""


async def keep_unread(
    kept: Kept,
    market_clock: MarketClock,
    actor: str,
    client_id: int,
    books: Mapping[str, Sequence[UnreadRow]],
) -> None:
    """Open, change or close the breaks of these books of a client so that they tell what is unread.

    Where that is told already, nothing is written. Raises `StoreError`.
    """
    standing = {
        one.security: (one.theirs, one.detail)
        for one in kept.book.breaks.get(client_id, ())
        if one.kind is BreakKind.UNREAD
    }
    told = {name: (len(rows), _detail(rows)) for name, rows in books.items() if rows}
    if told != {name: said for name, said in standing.items() if name in books}:
        await kept.store.write(
            lambda unit: _write(unit, client_id, set(books), told, kept.book, market_clock, actor)
        )


def clients_unread(unit: Unit) -> set[int]:
    """The clients who have rows of their orders or trades unread."""
    return clients_with_unread(unit, (ORDERS, TRADES))


def _detail(rows: Sequence[UnreadRow]) -> str:
    return "; ".join(row.words for row in rows)[:MOST_WORDS]


def _write(
    unit: Unit,
    client_id: int,
    names: set[str],
    told: Mapping[str, tuple[int, str]],
    book: Book,
    market_clock: MarketClock,
    actor: str,
) -> None:
    code, standing = book.clients[client_id].code, set[str]()
    for row in unread_books(unit, client_id, names):
        if told.get(row.security) == (row.theirs, row.detail):
            standing.add(row.security)
            continue
        how = "other rows" if row.security in told else "every row could be read"
        close_breaks(unit, {row.id: how}, unit.now)
        details = {"break": row.id, "how": how}
        unit.audit(AuditEntry(AuditAction.BREAK_CLOSED, actor, client_id=client_id, details=details))
        if row.security not in told:
            unit.publish(TapeLine(unit.now, BookReadAgain(code, row.security)))
    for name in sorted(told.keys() - standing):
        count, detail = told[name]
        number = unit.take_ids("break", 1)[0]
        unread = UnreadBook(
            id=number,
            client_id=client_id,
            kind=BreakKind.UNREAD,
            security=name,
            ours=0,
            theirs=count,
            detail=detail,
            trading_date=market_clock.trading_day,
            opened_at=unit.now,
        )
        add_unread(unit, unread)
        details = {"kind": BreakKind.UNREAD.value, "book": name, "rows": count, "words": detail}
        unit.audit(AuditEntry(AuditAction.BREAK_OPENED, actor, client_id=client_id, details=details))
        unit.publish(TapeLine(unit.now, BookUnread(code, name, count, detail)))
    unit.touched.clients.add(client_id)
