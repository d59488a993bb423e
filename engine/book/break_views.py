"""Differences between our books and the broker's as screens and plans see them."""

from datetime import datetime

from msgspec import Struct

from data.vocabulary import BreakKind


class BreakView(Struct, frozen=True):
    """A difference between our books and the broker's that stands; paise for cash and loan, else shares.

    Of a fact that could not be booked there are no figures: `order_id` is the order it speaks of, where that
    is one of ours, and `problem` what stood against it.
    Where rows of a book could not be read, `security` names the book, `theirs` counts the rows and `detail`
    says which; `engine/words/breaks.py` makes the sentences.
    """

    id: int
    client_id: int
    kind: BreakKind
    security: str
    product: str
    tradingsymbol: str
    ours: int
    theirs: int
    opened_at: datetime
    order_id: int | None = None
    problem: str = ""
    detail: str = ""
