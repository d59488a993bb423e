"""Open lots as a sale of delivery shares takes them: oldest first, whatever product they were bought in."""

from collections.abc import Collection
from datetime import date

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from data.repositories.base import Query, among
from data.tables.columns import table
from data.tables.lots import LotRecord
from data.vocabulary import Product

_LOTS = table(LotRecord)


class FifoLot(Struct, frozen=True):
    """What is left of a purchase: shares with their cost and loan, in paise."""

    client_id: int
    security: str
    opened_on: date
    quantity: int
    cost_paise: int
    loan_paise: int


_OPEN = Query(
    FifoLot,
    select(
        _LOTS.c.client_id,
        _LOTS.c.security,
        _LOTS.c.opened_on,
        _LOTS.c.quantity_left,
        _LOTS.c.cost_left_paise,
        _LOTS.c.loan_left_paise,
    )
    .where(
        among(_LOTS.c.client_id, "clients"),
        _LOTS.c.quantity_left > 0,
        _LOTS.c.product.in_([Product.CNC.value, Product.MTF.value]),
    )
    .order_by(_LOTS.c.client_id, _LOTS.c.security, _LOTS.c.opened_on, _LOTS.c.id),
)


async def open_lots(reader: AsyncConnection, client_ids: Collection[int]) -> list[FifoLot]:
    """The open delivery lots of these clients, by security, the oldest first."""
    return await _OPEN.read(reader, clients=client_ids)
