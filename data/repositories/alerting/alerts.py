"""Alerts as they are stored, one a kind, subject and day."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from msgspec import Struct, convert, field
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from data.records import replace
from data.repositories.base import Change, On, Rows, given
from data.store import Unit
from data.tables.alerts import AlertRecord
from data.vocabulary import AlertKind


class StoredAlert(Struct, frozen=True):
    """An alert with the positions and figures that it names, and what the trader did about it.

    It is of `client_ids`, or of the whole desk where that is None; its number is given as it is kept.
    """

    kind: AlertKind
    trading_date: date
    at: datetime
    positions: Sequence[dict[str, Any]] = ()
    subject: str = ""
    told: Mapping[str, Any] = field(default_factory=dict[str, Any])
    client_ids: Sequence[int] | None = None
    urgent: bool = False
    number: int = 0
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
_OF_DAY = _ROWS.query(_C.trading_date == given("day"), order_by=[_C.at.desc(), _C.number.desc()])
_BY_NUMBER = _ROWS.query(_C.number == given("number"))
_THE_ONE = _ROWS.query(
    _C.kind == given("kind"), _C.trading_date == given("day"), _C.subject == given("subject")
)
_OPEN = (_C.number == given("number"), _C.done_at.is_(None))
_DONE = Change(update(_ROWS.table).where(*_OPEN).values(done_at=given("at"), done_by=given("by")))
_LATER = Change(update(_ROWS.table).where(*_OPEN).values(later=given("at")))


def add_alert(unit: Unit, alert: StoredAlert) -> int:
    """Keep an alert; returns its number, 0 where there is one of its kind, subject and day, which stays."""
    if stored_alert(unit, alert.kind, alert.trading_date, alert.subject) is not None:
        return 0
    (number,) = unit.take_ids("alert", 1)
    _ROWS.insert(unit, [replace(alert, number=number)])
    return number


def keep_alert(unit: Unit, alert: StoredAlert) -> int:
    """Keep an alert in place of the one of its kind, subject and day, whatever was done about that."""
    if number := add_alert(unit, alert):
        return number
    stands = stored_alert(unit, alert.kind, alert.trading_date, alert.subject)
    number = 0 if stands is None else stands.number
    columns = "at", "positions", "told", "client_ids", "later", "done_at", "done_by"
    _ROWS.save(unit, [replace(alert, number=number)], *columns)
    return number


def stored_alert(on: On, kind: AlertKind, day: date, subject: str = "") -> StoredAlert | None:
    """The alert of a kind, subject and day; None where there is none."""
    return _THE_ONE.first(on, kind=kind.value, day=day, subject=subject)


def alert_numbered(on: On, number: int) -> StoredAlert | None:
    """The alert with this number; None where there is none."""
    return _BY_NUMBER.first(on, number=number)


def end_alert(on: On, number: int, at: datetime, by: str) -> bool:
    """Note that the trader is done with an alert; returns whether it stood."""
    return bool(_DONE.run(on, number=number, at=at, by=by))


def put_alert_off(on: On, number: int, until: datetime) -> bool:
    """Note until when the trader does not want to see an alert; returns whether it stood."""
    return bool(_LATER.run(on, number=number, at=until))


async def read_alerts(reader: AsyncConnection, day: date) -> list[StoredAlert]:
    """The alerts of a day, the newest first."""
    return await _OF_DAY.read(reader, day=day)
