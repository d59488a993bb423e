"""Channels, and the alerts that go out by them, as they are stored."""

from datetime import datetime

from msgspec import Struct
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.functions import count

from data.records import replace
from data.repositories.base import Change, On, Query, Rows, given
from data.store import Unit
from data.tables.alerts import AlertChannelRecord, AlertDeliveryRecord
from data.vocabulary import DeliveryState


class AlertChannel(Struct, frozen=True):
    """A way by which alerts leave this machine; `service` is the word its address begins with."""

    name: str
    service: str
    by: str
    at: datetime


class AlertDelivery(Struct, frozen=True):
    """An alert on its way to a channel; `problem` is what went wrong when it was last tried."""

    number: int
    alert: int
    channel: str
    state: DeliveryState
    at: datetime
    next_at: datetime
    tries: int = 0
    sent_at: datetime | None = None
    problem: str = ""


MOST_LISTED = 200
"""Deliveries that are listed."""

_CHANNELS = Rows(AlertChannelRecord, AlertChannel)
_EVERY = _CHANNELS.query(order_by=[_CHANNELS.c.name])
_REMOVE = Change(delete(_CHANNELS.table).where(_CHANNELS.c.name == given("name")))
_ROWS = Rows(AlertDeliveryRecord, AlertDelivery)
_C = _ROWS.c
_LATEST = Query(AlertDelivery, select(*_ROWS.columns()).order_by(_C.number.desc()).limit(MOST_LISTED))
_QUEUED = _ROWS.query(_C.state == DeliveryState.QUEUED.value, order_by=[_C.next_at, _C.number])
_CLAIM = Change(
    update(_ROWS.table)
    .where(
        _C.number == given("number"),
        _C.state == DeliveryState.QUEUED.value,
        _C.tries == given("before"),
        _C.next_at <= given("at"),
    )
    .values(tries=given("now"), next_at=given("until"))
)
_OLD = (_C.state != DeliveryState.QUEUED.value, _C.at < given("before"))
_COUNT_OLD = Query(int, select(count()).select_from(_ROWS.table).where(*_OLD))
_REMOVE_OLD = Change(delete(_ROWS.table).where(*_OLD))
_DROP = Change(
    update(_ROWS.table)
    .where(_C.channel == given("channel"), _C.state == DeliveryState.QUEUED.value)
    .values(state=DeliveryState.FAILED.value, problem=given("problem"))
)


async def read_channels(reader: AsyncConnection) -> list[AlertChannel]:
    """Every channel by its name."""
    return await _EVERY.read(reader)


def channels_on(on: On) -> list[AlertChannel]:
    """The same within a unit."""
    return _EVERY.all(on)


def add_channel(on: On, channel: AlertChannel) -> None:
    """Keep a channel."""
    _CHANNELS.insert(on, [channel])


def remove_channel(on: On, name: str, problem: str) -> bool:
    """Take a channel away; what waits for it has failed. Returns whether it was there."""
    _DROP.run(on, channel=name, problem=problem)
    return bool(_REMOVE.run(on, name=name))


def queue_alert(unit: Unit, alert: int, not_before: datetime) -> int:
    """Put an alert on its way to every channel; returns to how many."""
    channels = channels_on(unit)
    numbers = unit.take_ids("alert_delivery", len(channels)) if channels else ()
    rows = [
        AlertDelivery(number, alert, channel.name, DeliveryState.QUEUED, unit.now, not_before)
        for number, channel in zip(numbers, channels, strict=True)
    ]
    _ROWS.insert(unit, rows)
    return len(rows)


async def read_deliveries(reader: AsyncConnection) -> list[AlertDelivery]:
    """The latest deliveries, the newest first."""
    return await _LATEST.read(reader)


async def read_queued(reader: AsyncConnection) -> list[AlertDelivery]:
    """What waits, in the order in which it is due."""
    return await _QUEUED.read(reader)


async def count_old_deliveries(reader: AsyncConnection, before: datetime) -> int:
    """How many deliveries have ended and are of before a moment."""
    return (await _COUNT_OLD.read(reader, before=before))[0]


def remove_old_deliveries(on: On, before: datetime) -> int:
    """Remove them; returns how many."""
    return _REMOVE_OLD.run(on, before=before)


def save_delivery(on: On, delivery: AlertDelivery) -> None:
    """Note what came of a try."""
    _ROWS.save(on, [delivery], "state", "tries", "next_at", "sent_at", "problem")


def claim_delivery(unit: Unit, delivery: AlertDelivery, until: datetime) -> AlertDelivery | None:
    """Have one engine make the next try until then; returns the delivery with it, None for any other."""
    tries = {"before": delivery.tries, "now": delivery.tries + 1, "at": unit.now, "until": until}
    claimed = _CLAIM.run(unit, number=delivery.number, **tries)
    return replace(delivery, tries=delivery.tries + 1, next_at=until) if claimed else None
