"""What was found out of closed days afterwards, as it is kept."""

from collections.abc import Collection, Sequence
from datetime import date, datetime

from msgspec import Struct
from sqlalchemy import BigInteger, cast, exists, func, not_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from data.repositories.base import On, Query, Rows, among, given
from data.tables.close import ClientDayRecord, DayCorrection
from data.tables.columns import table
from data.vocabulary import CorrectionKind


class StoredCorrection(Struct, frozen=True):
    """A figure of a client's closed day, before and after, in paise; `rev` is what counts it first.

    `subject` is the kind of charges that it is of, empty of their total.
    """

    id: int
    day: date
    client_id: int
    kind: CorrectionKind
    subject: str
    before: int
    after: int
    rev: int
    reason: str
    at: datetime
    by: str


class Correction(StoredCorrection, frozen=True):
    """The same, and whether it waits for the next close of the day: no revision of the client's has it."""

    waits: bool = True


_CORRECTIONS = Rows(DayCorrection, StoredCorrection)
_C, _DAYS = _CORRECTIONS.c, table(ClientDayRecord)
_COUNTED = exists().where(_DAYS.c.day == _C.day, _DAYS.c.client_id == _C.client_id, _DAYS.c.rev >= _C.rev)
_ALL = select(*_CORRECTIONS.columns(), not_(_COUNTED)).order_by(_C.day, _C.id)
_OF_CLIENTS = Query(Correction, _ALL.where(among(_C.client_id, "clients")))
_OF_DAY = Query(Correction, _ALL.where(among(_C.client_id, "clients"), _C.day == given("day")))


class KindDifference(Struct, frozen=True):
    """What corrections told of a kind of a client's charges of a day beyond what was charged, in paise."""

    client_id: int
    subject: str
    paise: int


_BY_KIND = Query(
    KindDifference,
    select(_C.client_id, _C.subject, cast(func.sum(_C.after - _C.before), BigInteger))
    .where(_C.day == given("day"), among(_C.client_id, "clients"), _C.subject != "")
    .group_by(_C.client_id, _C.subject),
)


def corrected_kinds(on: On, day: date, clients: Collection[int]) -> dict[tuple[int, str], int]:
    """By client and kind what notes of a day have told beyond what was charged, in paise."""
    return {(one.client_id, one.subject): one.paise for one in _BY_KIND.all(on, day=day, clients=clients)}


def keep_corrections(on: On, made: Sequence[StoredCorrection]) -> None:
    """Keep corrections."""
    _CORRECTIONS.insert(on, made)


async def corrections_on(reader: AsyncConnection, day: date, client_ids: Collection[int]) -> list[Correction]:
    """Those of a day of these clients, as they were made."""
    return await _OF_DAY.read(reader, day=day, clients=client_ids)


async def read_corrections(reader: AsyncConnection, client_ids: Collection[int]) -> list[Correction]:
    """All of these clients, by day."""
    return await _OF_CLIENTS.read(reader, clients=client_ids)
