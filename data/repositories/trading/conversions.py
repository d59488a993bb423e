"""Conversions of shares as they are stored."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from msgspec import Struct
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from data.repositories.base import Change, On, Query, Rows, among, given
from data.tables.flattens import ConversionRecord
from data.vocabulary import ConversionState, Product


class StoredConversion(Struct, frozen=True):
    """Shares of a client that go on in another product, and how far that is. Money in paise.

    `market_at` is the market's time at `asked_at`, by which trades stand before or after it; early rows have
    none.
    """

    number: int
    client_id: int
    security: str
    exchange: str
    tradingsymbol: str
    from_product: Product
    to_product: Product
    quantity: int
    loan_paise: int
    state: ConversionState
    by: str
    trading_date: date
    instance_id: int
    asked_at: datetime
    detail: str = ""
    ended_at: datetime | None = None
    market_at: datetime | None = None


_ROWS = Rows(ConversionRecord, StoredConversion)
_C = _ROWS.c
_NUMBERED = _ROWS.query(_C.number == given("number"))
_IN_SHARES = (
    _C.client_id == given("client"),
    _C.security == given("security"),
    _C.from_product == given("product"),
)
_OPEN = _ROWS.query(*_IN_SHARES, _C.ended_at.is_(None))
_ALL_OPEN = _ROWS.query(_C.ended_at.is_(None), order_by=[_C.number])
_MOVED = Query(
    int, select(_C.number).where(*_IN_SHARES, _C.ended_at.is_(None) | (_C.ended_at >= given("since")))
)
_LATELY = _ROWS.query(
    among(_C.client_id, "clients"),
    (_C.ended_at.is_(None) & (_C.asked_at > given("asked"))) | (_C.ended_at > given("since")),
)
_END = Change(
    update(_ROWS.table)
    .where(_C.number == given("number"), _C.ended_at.is_(None))
    .values(state=given("state"), detail=given("detail"), ended_at=given("at"))
)


def add_conversion(on: On, one: StoredConversion) -> None:
    """Keep a conversion that the broker is about to be asked for."""
    _ROWS.insert(on, [one])


def open_conversion(on: On, client_id: int, security: str, product: Product) -> StoredConversion | None:
    """The conversion of these shares of which it is not known yet what became of it."""
    return _OPEN.first(on, client=client_id, security=security, product=product.value)


def converted(on: On, client_id: int, security: str, product: Product, since: datetime) -> bool:
    """Whether a conversion of these shares is open, or has ended since a moment."""
    values = {"client": client_id, "security": security, "product": product.value}
    return _MOVED.first(on, **values, since=since) is not None


def converting(on: On, since: Mapping[int, datetime], late: timedelta) -> set[int]:
    """Those of these clients of whom a conversion is under way, or has ended since their moment.

    One that was asked for more than `late` before that is not: nothing of it can arrive at the broker then.
    """
    first = min(since.values(), default=None)
    if first is None:
        return set()
    found = _LATELY.all(on, clients=sorted(since), since=first, asked=first - late)
    return {
        one.client_id
        for one in found
        if (
            one.asked_at > since[one.client_id] - late
            if one.ended_at is None
            else one.ended_at > since[one.client_id]
        )
    }


def end_conversion(on: On, number: int, state: ConversionState, detail: str, at: datetime | None) -> bool:
    """Keep what became of a conversion, without `at` that it is in doubt; returns whether that was open."""
    return bool(_END.run(on, number=number, state=state.value, detail=detail, at=at))


async def read_open(reader: AsyncConnection) -> list[StoredConversion]:
    """The conversions of which it is not known yet what became of them, the oldest first."""
    return await _ALL_OPEN.read(reader)


async def read_conversion(reader: AsyncConnection, number: int) -> StoredConversion | None:
    """A conversion by its number."""
    found = await _NUMBERED.read(reader, number=number)
    return found[0] if found else None
