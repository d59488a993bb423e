"""Model portfolios as stored: every version of each, the newest of which counts."""

from datetime import datetime

from msgspec import Struct
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from data.json_values import JsonObject
from data.repositories.base import On, Rows, given
from data.tables.stages import ModelVersion


class StoredModel(Struct, frozen=True):
    """One version of a model, who saved it and when."""

    name: str
    version: int
    body: JsonObject
    saved_by: str
    saved_at: datetime


_ROWS = Rows(ModelVersion, StoredModel)
_LATER = _ROWS.table.alias("later")
_NEWEST_OF = (
    select(func.max(_LATER.c.version)).where(_LATER.c.name == _ROWS.c.name).correlate(_ROWS.table)
).scalar_subquery()
_NEWEST = _ROWS.query(_ROWS.c.version == _NEWEST_OF, order_by=[_ROWS.c.name])
_VERSIONS = _ROWS.query(_ROWS.c.name == given("name"), order_by=[_ROWS.c.version.desc()])


async def read_models(reader: AsyncConnection) -> list[StoredModel]:
    """The newest version of each model, by name."""
    return await _NEWEST.read(reader)


def newest_models(on: On) -> list[StoredModel]:
    """The newest version of each model, inside a unit."""
    return _NEWEST.all(on)


async def read_versions(reader: AsyncConnection, name: str) -> list[StoredModel]:
    """All versions of a model, the newest first."""
    return await _VERSIONS.read(reader, name=name)


def add_version(on: On, model: StoredModel) -> None:
    """Keep a version beside those before it."""
    _ROWS.insert(on, [model])
