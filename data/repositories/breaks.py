"""Differences between our books and the brokers', as stored."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import update

from data.repositories.base import Change, On, Rows, among, given
from data.tables import Break
from data.vocabulary import BreakKind


@dataclass(frozen=True, slots=True)
class BreakRow:
    """A difference that stands until it is closed; paise for cash and loan, else shares or rows unread."""

    id: int
    client_id: int
    kind: BreakKind
    security: str
    product: str
    tradingsymbol: str
    ours: int
    theirs: int
    trading_date: date
    opened_at: datetime


_BREAKS = Rows(Break, BreakRow)
_OF_FIGURES = _BREAKS.query(
    among(_BREAKS.c.client_id, "clients"),
    _BREAKS.c.kind != BreakKind.UNREAD.value,
    _BREAKS.c.closed_at.is_(None),
)
_CLOSE = Change(
    update(_BREAKS.table)
    .where(_BREAKS.c.id == given("id"))
    .values(closed_at=given("at"), closed_how=given("how"))
)


def standing_breaks(on: On, client_ids: Collection[int]) -> dict[int, list[BreakRow]]:
    """These clients' figures that differ, by client; rows that could not be read are none of them."""
    found: defaultdict[int, list[BreakRow]] = defaultdict(list)
    for row in _OF_FIGURES.all(on, clients=sorted(client_ids)):
        found[row.client_id].append(row)
    return found


def open_break(on: On, row: BreakRow) -> None:
    """Keep a difference that was found."""
    _BREAKS.insert(on, [row])


def close_break(on: On, break_id: int, at: datetime, how: str) -> None:
    """Keep since when a difference stands no longer, and how it went."""
    _CLOSE.run(on, id=break_id, at=at, how=how)
