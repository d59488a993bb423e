"""Trades of before clients came, out of tradebooks, and what files are held against of a client's books."""

from collections.abc import Collection, Sequence
from datetime import date, datetime

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from data.repositories.base import On, Query, Rows, among, given
from data.tables.books import Txn
from data.tables.close import ClientDayRecord
from data.tables.columns import table
from data.tables.figures import TradebookTrade
from data.vocabulary import Side


class StoredTradebookTrade(Struct, frozen=True):
    """A client's trade as its tradebook has it; see `TradebookTrade`."""

    client_id: int
    exchange: str
    day: date
    trade_id: str
    order_id: str
    tradingsymbol: str
    isin: str
    side: Side
    quantity: int
    price_paise: int
    traded_at: datetime
    source: str
    imported_at: datetime
    imported_by: str

    @property
    def place(self) -> tuple[str, date, str]:
        """What tells it apart from the client's others."""
        return self.exchange, self.day, self.trade_id


class DepositoryDay(Struct, frozen=True):
    """What the depository took of a client for a closed day, in paise."""

    day: date
    dp_paise: int


class _CameOn(Struct, frozen=True):
    trading_date: date


_TRADES = Rows(TradebookTrade, StoredTradebookTrade)
_T = _TRADES.c
_OF_CLIENTS = _TRADES.query(
    among(_T.client_id, "clients"), _T.day <= given("until"), order_by=[_T.traded_at, _T.trade_id]
)
_TXNS, _DAYS = table(Txn), table(ClientDayRecord)
_CAME_ON = Query(
    _CameOn,
    select(_TXNS.c.trading_date)
    .where(_TXNS.c.client_id == given("client"))
    .order_by(_TXNS.c.trading_date)
    .limit(1),
)
_DEPOSITORY = Query(
    DepositoryDay,
    select(_DAYS.c.day, _DAYS.c.dp_paise)
    .where(_DAYS.c.client_id == given("client"))
    .order_by(_DAYS.c.day, _DAYS.c.rev),
)


def keep_tradebook(on: On, trades: Sequence[StoredTradebookTrade]) -> list[StoredTradebookTrade]:
    """Keep trades that are not kept yet; returns them."""
    clients = sorted({one.client_id for one in trades})
    known = {(one.client_id, one.place) for one in _OF_CLIENTS.all(on, clients=clients, until=date.max)}
    fresh = [one for one in trades if (one.client_id, one.place) not in known]
    _TRADES.insert(on, fresh)
    return fresh


async def tradebook_trades(
    reader: AsyncConnection, client_ids: Collection[int], until: date
) -> list[StoredTradebookTrade]:
    """These clients' trades of before they came, up to a day, in the market's order."""
    return await _OF_CLIENTS.read(reader, clients=client_ids, until=until)


async def came_on(reader: AsyncConnection, client_id: int) -> date | None:
    """The day from which on the books have a client; None while they have nothing of it."""
    found = await _CAME_ON.read(reader, client=client_id)
    return found[0].trading_date if found else None


async def depository_days(reader: AsyncConnection, client_id: int) -> dict[date, int]:
    """What the depository took of a client by closed day, as the newest revision has it."""
    return {one.day: one.dp_paise for one in await _DEPOSITORY.read(reader, client=client_id)}
