"""What workers have read of clients at brokers, as it is stored: the last reading of each."""

from collections.abc import Collection, Sequence
from datetime import date, datetime

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from data.repositories.base import On, Rows, among, given
from data.tables.firm.readings import ClientReading
from data.vocabulary import ReadingSays


class ClientRead(Struct, frozen=True):
    """One client's: when it began, what it says of our books, and the money of both, in paise."""

    client_id: int
    trading_date: date
    read_at: datetime
    says: ReadingSays
    theirs_paise: int
    ours_paise: int
    differences: int


_ROWS = Rows(ClientReading, ClientRead)
_SINCE = _ROWS.query(_ROWS.c.trading_date == given("day"), _ROWS.c.read_at > given("since"))
_OF = _ROWS.query(among(_ROWS.c.client_id, "clients"))


def keep_readings(on: On, readings: Sequence[ClientRead]) -> None:
    """Keep readings in place of those before."""
    if readings:
        _ROWS.put(on, readings)


async def readings_since(reader: AsyncConnection, day: date, since: datetime) -> list[ClientRead]:
    """The readings of a day that began after a moment."""
    return await _SINCE.read(reader, day=day, since=since)


def readings_of(on: On, client_ids: Collection[int]) -> dict[int, ClientRead]:
    """The last reading of each of these clients that has one."""
    return {one.client_id: one for one in _OF.all(on, clients=sorted(client_ids))}
