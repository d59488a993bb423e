"""Engines that have opened the books, as they are stored."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from data.columns import table
from data.repositories.base import On, Query, among
from data.tables import Instance

_INSTANCES = table(Instance)


class Owner(NamedTuple):
    """An engine that a run belongs to, with its last heartbeat."""

    id: int
    kind: str
    pid: int
    heartbeat_at: datetime


_OWNERS = Query(
    Owner,
    select(*(_INSTANCES.c[name] for name in Owner._fields)).where(among(_INSTANCES.c.id, "ids")),
)


def owners(on: On, ids: Collection[int]) -> list[Owner]:
    """These engines."""
    return _OWNERS.all(on, ids=ids)


async def read_owners(reader: AsyncConnection, ids: Collection[int]) -> list[Owner]:
    """These engines, by a reader's connection."""
    return await _OWNERS.read(reader, ids=ids)
