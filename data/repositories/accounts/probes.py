"""By which addresses clients' calls were seen to leave: looked up by day, and kept."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import TypeVar

from msgspec import Struct
from sqlalchemy import select

from data.repositories.base import On, Query, Rows, given, named_as
from data.tables.access import RouteProbe
from data.tables.columns import table

T = TypeVar("T")


class StoredProbe(Struct, frozen=True):
    """What one probe of a client's route found; `seen` is empty where nobody could tell.

    `seen_before` is by which address the same way out was seen on the latest day before, where it was.
    """

    id: int
    client_id: int
    trading_date: date
    way_out: str
    told_by: str
    seen: str
    seen_before: str
    registered: str
    problem: str
    at: datetime


_PROBES = Rows(RouteProbe, StoredProbe)
_TABLE = table(RouteProbe)
_SEEN_BEFORE = Query(
    str,
    select(_TABLE.c.seen)
    .where(
        _TABLE.c.client_id == given("client"),
        _TABLE.c.way_out == given("way_out"),
        _TABLE.c.trading_date < given("day"),
        _TABLE.c.seen != "",
    )
    .order_by(_TABLE.c.id.desc())
    .limit(1),
)


def of_day(row: type[T]) -> Query[T]:
    """What was seen of clients' routes on the `day`, oldest first, as objects of this class."""
    return Query(
        row, select(*named_as(row, _TABLE)).where(_TABLE.c.trading_date == given("day")).order_by(_TABLE.c.id)
    )


def seen_before(on: On, client_id: int, way_out: str, day: date) -> str:
    """By which address a client's way out was seen on the latest day before; empty where it never was."""
    return _SEEN_BEFORE.first(on, client=client_id, way_out=way_out, day=day) or ""


def add_probes(on: On, probes: Sequence[StoredProbe]) -> None:
    """Keep probes."""
    _PROBES.insert(on, probes)
