"""How far a simulated market's time was from the wall's, as desks kept it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from data.repositories.base import On, Query, Rows, given
from data.tables import MarketOffset


@dataclass(frozen=True, slots=True)
class Offset:
    """So many microseconds a market's time was ahead of the wall's from a moment on, as a desk saw it."""

    instance_id: int
    since: datetime
    apart_us: int


_OFFSETS = Rows(MarketOffset, Offset)
_OF_INSTANCE = _OFFSETS.query(_OFFSETS.c.instance_id == given("instance"))
_NEWEST = Query(Offset, select(*_OFFSETS.columns()).order_by(_OFFSETS.c.since.desc()).limit(given("most")))


def add_offsets(on: On, instance_id: int, offsets: Iterable[Offset]) -> None:
    """Keep what a desk saw and has not kept yet."""
    known = {one.since for one in _OF_INSTANCE.all(on, instance=instance_id)}
    _OFFSETS.insert(on, [one for one in offsets if one.since not in known])


async def newest_offsets(reader: AsyncConnection, most: int) -> list[Offset]:
    """The offsets that were kept last, so many of them, newest first."""
    return await _NEWEST.read(reader, most=most)
