"""Shares sold out of lots, as stored, with the order that sold them."""

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncConnection

from data.closed_sales import ClosedSale
from data.columns import table
from data.order_tables import Fill
from data.repositories.base import Query, given, named_as
from data.tables import ClosedLot

_CLOSED, _FILLS = table(ClosedLot), table(Fill)


def _sales(*where: ColumnElement[bool]) -> Query[ClosedSale]:
    query = select(*named_as(ClosedSale, _CLOSED, order_id=_FILLS.c.order_id))
    joined = query.join_from(_CLOSED, _FILLS, _FILLS.c.id == _CLOSED.c.fill_id)
    return Query(ClosedSale, joined.where(*where).order_by(_CLOSED.c.id))


EVERY, OF_CLIENT = _sales(), _sales(_CLOSED.c.client_id == given("client"))


async def closed_sales(reader: AsyncConnection, client_id: int | None = None) -> list[ClosedSale]:
    """Sales of one client, of all where None is named, in the order they were booked."""
    if client_id is None:
        return await EVERY.read(reader)
    return await OF_CLIENT.read(reader, client=client_id)
