"""Differences between our books and the broker's, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.money import amount_words, grouped
from data.vocabulary import BreakKind

if TYPE_CHECKING:
    from engine.book.break_views import BreakView


def break_words(one: BreakView) -> str:
    """The difference as a trader reads it."""
    match one.kind:
        case BreakKind.FACT:
            subject = "an external order" if one.order_id is None else f"order {one.order_id}"
            return f"the broker's word on {subject} could not be booked: {one.problem}"
        case BreakKind.UNREAD:
            return book_unread_words(one.security, one.theirs, one.detail)
        case BreakKind.SHARES:
            what = f"{one.tradingsymbol} {one.product}"
            return f"{what}: {grouped(one.ours)} shares here, {grouped(one.theirs)} at the broker"
        case BreakKind.CASH | BreakKind.LOAN:
            what = "cash" if one.kind is BreakKind.CASH else "MTF loan"
            return f"{what}: ₹{amount_words(one.ours)} here, ₹{amount_words(one.theirs)} at the broker"


def book_unread_words(book: str, rows: int, detail: str) -> str:
    """What could not be read of a book, as a trader reads it."""
    return f"{rows} {'row' if rows == 1 else 'rows'} unread: {book}: {detail}"
