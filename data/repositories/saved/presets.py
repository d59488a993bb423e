"""Saved wishes as stored: each an intent as plans keep it, under its name."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from data.json_values import JsonObject
from data.records import replace
from data.repositories.base import Change, On, Rows, given
from data.tables.market import PresetRecord


class StoredPreset(Struct, frozen=True):
    """A saved wish, who saved it and when."""

    name: str
    body: JsonObject
    saved_by: str
    saved_at: datetime


_ROWS = Rows(PresetRecord, StoredPreset)
_EVERY = _ROWS.query(order_by=[_ROWS.c.name])
_REMOVE = Change(delete(_ROWS.table).where(_ROWS.c.name == given("name")))


async def read_presets(reader: AsyncConnection) -> list[StoredPreset]:
    """All of them, by name."""
    return await _EVERY.read(reader)


def preset_names(on: On) -> list[str]:
    """The names of all of them."""
    return [one.name for one in _EVERY.all(on)]


def put_preset(on: On, preset: StoredPreset) -> bool:
    """Keep a wish in place of one of its name; returns whether there was one."""
    replaced = remove_preset(on, preset.name)
    _ROWS.insert(on, [preset])
    return replaced


def remove_preset(on: On, name: str) -> bool:
    """Take a wish away; returns whether it was there."""
    return _REMOVE.run(on, name=name) > 0


def rename_keys(on: On, moved: Mapping[str, str]) -> None:
    """Let wishes have the new names of their securities."""
    for preset in _EVERY.all(on):
        if (now := moved.get(preset.body["key"])) is not None:
            put_preset(on, replace(preset, body={**preset.body, "key": now}))
