"""Clients' latest instructions, as they are stored."""

from collections.abc import Collection
from datetime import datetime

from msgspec import Struct
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from data.repositories.base import Change, On, Rows, among, given
from data.tables.books import Instruction


class StoredInstruction(Struct, frozen=True):
    """What a client's instruction was named, and when something was planned on it."""

    client_id: int
    ref: str
    at: datetime


_ROWS = Rows(Instruction, StoredInstruction)
_BETWEEN = _ROWS.query(_ROWS.c.at >= given("since"), _ROWS.c.at <= given("until"))
_REMOVE = Change(delete(_ROWS.table).where(among(_ROWS.c.client_id, "clients")))


async def instructions_between(reader: AsyncConnection, since: datetime, until: datetime) -> dict[int, str]:
    """The instructions of a span, by client; its end leaves out those of before the clock was set back."""
    return {one.client_id: one.ref for one in await _BETWEEN.read(reader, since=since, until=until)}


def keep_instruction(on: On, client_ids: Collection[int], ref: str, at: datetime) -> None:
    """Keep an instruction of these clients in place of the one before."""
    if client_ids:
        _REMOVE.run(on, clients=client_ids)
        _ROWS.insert(on, [StoredInstruction(client_id, ref, at) for client_id in sorted(client_ids)])
