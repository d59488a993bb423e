"""Alerts as they are stored, one a kind and day."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from msgspec import Struct, convert
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from data.repositories.base import Change, On, Rows, given
from data.tables.alerts import AlertRecord
from data.vocabulary import AlertKind


class StoredAlert(Struct, frozen=True):
    """An alert with the positions that it names, and what the trader did about it."""

    kind: AlertKind
    trading_date: date
    at: datetime
    positions: Sequence[dict[str, Any]]
    later: datetime | None = None
    done_at: datetime | None = None
    done_by: str = ""


class LostChase(Struct, frozen=True):
    """An order that an alert of ended chases names, and how far its chase could have gone."""

    order_id: int
    bound_paise: int


def lost_chases_of(alert: StoredAlert) -> list[LostChase]:
    """The orders that an alert of ended chases names."""
    return convert(alert.positions, list[LostChase])


_ROWS = Rows(AlertRecord, StoredAlert)
_C = _ROWS.c
_OF_DAY = _ROWS.query(_C.trading_date == given("day"), order_by=[_C.at.desc()])
_ONE = (_C.kind == given("kind"), _C.trading_date == given("day"))
_THE_ONE = _ROWS.query(*_ONE)
_DONE = Change(
    update(_ROWS.table).where(*_ONE, _C.done_at.is_(None)).values(done_at=given("at"), done_by=given("by"))
)
_LATER = Change(update(_ROWS.table).where(*_ONE, _C.done_at.is_(None)).values(later=given("at")))


def add_alert(on: On, alert: StoredAlert) -> bool:
    """Keep an alert; returns False where there is one of its kind and day, which stays."""
    if _THE_ONE.first(on, kind=alert.kind.value, day=alert.trading_date) is not None:
        return False
    _ROWS.insert(on, [alert])
    return True


def keep_alert(on: On, alert: StoredAlert) -> None:
    """Keep an alert in place of the one of its kind and day, whatever was done about that."""
    if not add_alert(on, alert):
        _ROWS.save(on, [alert], "at", "positions", "later", "done_at", "done_by")


def stored_alert(on: On, kind: AlertKind, day: date) -> StoredAlert | None:
    """The alert of a kind and day; None where there is none."""
    return _THE_ONE.first(on, kind=kind.value, day=day)


def end_alert(on: On, kind: AlertKind, day: date, at: datetime, by: str) -> bool:
    """Note that the trader is done with an alert; returns whether it stood."""
    return bool(_DONE.run(on, kind=kind.value, day=day, at=at, by=by))


def put_alert_off(on: On, kind: AlertKind, day: date, until: datetime) -> bool:
    """Note until when the trader does not want to see an alert; returns whether it stood."""
    return bool(_LATER.run(on, kind=kind.value, day=day, at=until))


async def read_alerts(reader: AsyncConnection, day: date) -> list[StoredAlert]:
    """The alerts of a day, the newest first."""
    return await _OF_DAY.read(reader, day=day)
