"""What instruments closed at, as brokers told it and as days were closed at."""

from collections.abc import Collection, Sequence
from datetime import date

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from data.repositories.base import On, Query, Rows, among, given
from data.repositories.mtf import StoredAction
from data.tables.close import OfficialClose
from data.tables.columns import table
from data.tables.figures import DailyClose
from data.tables.mtf import CorporateActionRecord
from data.vocabulary import CloseSource


class BrokersClose(Struct, frozen=True):
    """What an instrument closed at on a day, in paise, who told it and on which day."""

    key: str
    day: date
    close_paise: int
    told_on: date
    source: str


class CloseOfDay(Struct, frozen=True):
    """What a share closed at on a day that was closed here, in paise, and where that is from."""

    key: str
    day: date
    close_paise: int
    source: CloseSource


_CLOSES = Rows(DailyClose, BrokersClose)
_TOLD = _CLOSES.query(among(_CLOSES.c.key, "keys"), _CLOSES.c.day >= given("since"))
_OFFICIAL = table(OfficialClose)
_OF_DAYS = Query(
    CloseOfDay,
    select(_OFFICIAL.c.key, _OFFICIAL.c.day, _OFFICIAL.c.close_paise, _OFFICIAL.c.source)
    .where(among(_OFFICIAL.c.key, "keys"), _OFFICIAL.c.day >= given("since"))
    .order_by(_OFFICIAL.c.rev),
)
_ACTIONS = Rows(CorporateActionRecord, StoredAction)
_ACTIONS_OF = _ACTIONS.query(among(_ACTIONS.c.key, "keys"), _ACTIONS.c.ex_date >= given("since"))


async def told_closes(reader: AsyncConnection, keys: Collection[str], since: date) -> list[BrokersClose]:
    """What brokers told of some instruments since a day."""
    return await _TOLD.read(reader, keys=keys, since=since)


async def official_closes(reader: AsyncConnection, keys: Collection[str], since: date) -> list[CloseOfDay]:
    """What days since one were closed at; of several revisions of a day the last stands last."""
    return await _OF_DAYS.read(reader, keys=keys, since=since)


async def actions_of(reader: AsyncConnection, keys: Collection[str], since: date) -> list[StoredAction]:
    """Companies' actions in some instruments since a day."""
    return await _ACTIONS_OF.read(reader, keys=keys, since=since)


def keep_told_closes(on: On, closes: Sequence[BrokersClose]) -> None:
    """Keep what was told; what is kept of a day stands."""
    _CLOSES.add(on, closes)
