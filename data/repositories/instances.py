"""Engines that have opened the books, and how far a simulated market was from the wall's time, as stored."""

from collections.abc import Collection, Iterable
from datetime import datetime

from msgspec import Struct
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from data.repositories.base import Change, On, Query, Rows, among, given, named_as
from data.tables.books import Instance
from data.tables.market import MarketOffset
from data.vocabulary import DeskKind


class Engine(Struct, frozen=True):
    """An engine as it signs on: the desk that it is open as, and its process."""

    id: int
    kind: str
    pid: int
    process_started: str
    heartbeat_at: datetime
    started_at: datetime


class Owner(Struct, frozen=True):
    """An engine that a run belongs to, with its last heartbeat."""

    id: int
    kind: DeskKind
    pid: int
    heartbeat_at: datetime


class Beat(Struct, frozen=True):
    """The last heartbeat of an engine."""

    id: int
    heartbeat_at: datetime


_ENGINES = Rows(Instance, Engine)
_THIS = _ENGINES.c.id == given("engine")
_OWNERS = Query(Owner, select(*named_as(Owner, _ENGINES.table)).where(among(_ENGINES.c.id, "ids")))
_BEATS = Query(Beat, select(*named_as(Beat, _ENGINES.table)).where(_ENGINES.c.ended_at.is_(None)))
_BEAT = Change(update(_ENGINES.table).where(_THIS).values(heartbeat_at=given("at")))
_END = Change(update(_ENGINES.table).where(_THIS).values(heartbeat_at=given("at"), ended_at=given("at")))

_END_ALL = Change(update(_ENGINES.table).where(_ENGINES.c.ended_at.is_(None)).values(ended_at=given("at")))


def add_engine(on: On, engine: Engine) -> None:
    """Keep an engine that signs on."""
    _ENGINES.insert(on, [engine])


def beats(on: On) -> list[Beat]:
    """The last heartbeats of engines that have not said that they ended."""
    return _BEATS.all(on)


def beat(on: On, engine_id: int, at: datetime) -> None:
    """Keep a heartbeat."""
    _BEAT.run(on, engine=engine_id, at=at)


def end_engine(on: On, engine_id: int, at: datetime) -> None:
    """Keep that an engine has ended."""
    _END.run(on, engine=engine_id, at=at)


def end_engines(on: On, at: datetime) -> None:
    """Keep of every engine that it has ended, as in a copied home, on which none of them lives."""
    _END_ALL.run(on, at=at)


def owners(on: On, ids: Collection[int]) -> list[Owner]:
    """These engines."""
    return _OWNERS.all(on, ids=ids)


async def read_owners(reader: AsyncConnection, ids: Collection[int]) -> list[Owner]:
    """These engines, by a reader's connection."""
    return await _OWNERS.read(reader, ids=ids)


# --- times of a simulated market ----------------------------------------------------------------------------


class Offset(Struct, frozen=True):
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
