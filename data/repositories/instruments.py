"""Instruments as stored, the names that their securities had, and what of a name others show."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import ColumnElement, Table, and_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from data.reference.instruments import Instrument
from data.reference.names import Rename
from data.repositories.base import Change, On, Query, Rows, among, given, named_as
from data.tables.books import Break, HoldingRecord
from data.tables.columns import table
from data.tables.market import FormerName, InstrumentRecord
from data.tables.orders import Order
from data.vocabulary import LIVE_STATES, OrderState

_INSTRUMENTS = Rows(InstrumentRecord, Instrument)
_EVERY = _INSTRUMENTS.query()
_REMOVE = Change(
    delete(_INSTRUMENTS.table).where(
        _INSTRUMENTS.c.exchange == given("exchange"), among(_INSTRUMENTS.c.tradingsymbol, "symbols")
    )
)


def every_instrument(on: On) -> list[Instrument]:
    """Every instrument kept."""
    return _EVERY.all(on)


def replace_instruments(on: On, off: Collection[tuple[str, str]], kept: Sequence[Instrument]) -> None:
    """Take off what stands in these places, exchange and symbol, and keep these instruments."""
    for exchange in sorted({exchange for exchange, _ in off}):
        symbols = sorted(symbol for where, symbol in off if where == exchange)
        _REMOVE.run(on, exchange=exchange, symbols=symbols)
    _INSTRUMENTS.insert(on, kept)


def save_instrument(on: On, instrument: Instrument, *fields: str) -> None:
    """Keep these fields of an instrument as they are now."""
    _INSTRUMENTS.save(on, [instrument], *fields)


def save_isins(on: On, instruments: Sequence[Instrument]) -> None:
    """Keep the ISINs of instruments as they are now."""
    _INSTRUMENTS.save(on, instruments, "isin")


# --- who has a security -------------------------------------------------------------------------------------


class _Security(Struct, frozen=True):
    security: str


class HeldName(Struct, frozen=True):
    """A symbol under which clients hold a security."""

    exchange: str
    tradingsymbol: str
    security: str


def _held() -> Query[_Security]:
    holdings = table(HoldingRecord)
    shares = (holdings.c[name] for name in ("today", "t1", "free", "pledged", "blocked", "due"))
    return Query(_Security, select(holdings.c.security).where(sum(shares, start=holdings.c.today * 0) != 0))


def _ordered() -> Query[_Security]:
    orders = table(Order)
    live = [state.value for state in LIVE_STATES]
    return Query(_Security, select(orders.c.security).where(orders.c.state.in_(live)))


_HELD, _ORDERED = _held(), _ordered()
_HELD_NAMES = Query(HeldName, select(*named_as(HeldName, table(HoldingRecord))))


def claimed_securities(on: On) -> set[str]:
    """Securities that a client holds, or has orders of that may yet trade."""
    return {one.security for query in (_HELD, _ORDERED) for one in query.all(on)}


def held_names(on: On) -> list[HeldName]:
    """The names of everything that clients hold or held."""
    return _HELD_NAMES.all(on)


# --- renames ------------------------------------------------------------------------------------------------


class _Former(Struct, frozen=True):
    security: str
    exchange: str
    tradingsymbol: str
    now: str
    token: str
    at: datetime


_FORMER = Rows(FormerName, _Former)
_RENAMES = Query(
    Rename,
    select(*named_as(Rename, _FORMER.table, before=_FORMER.c.tradingsymbol)).order_by(_FORMER.c.at),
)
_SAME = (_FORMER.c.security == given("security")) & (_FORMER.c.exchange == given("exchange"))
_FOLLOW = Change(
    update(_FORMER.table).where(_SAME, _FORMER.c.now == given("before")).values(now=given("symbol"))
)
_NO_LONGER_FORMER = Change(
    delete(_FORMER.table).where(
        _SAME,
        (_FORMER.c.tradingsymbol == given("before")) | (_FORMER.c.tradingsymbol == given("symbol")),
    )
)


def _renamed(rows: Table, *which: ColumnElement[bool]) -> Change:
    here = [rows.c.security == given("security"), rows.c.tradingsymbol == given("before"), *which]
    if "exchange" in rows.c:
        here.append(rows.c.exchange == given("exchange"))
    return Change(update(rows).where(*here).values(tradingsymbol=given("symbol")))


_SHOWN = (
    _renamed(table(HoldingRecord)),
    _renamed(table(Order), table(Order).c.state == OrderState.RESERVED.value),
    _renamed(table(Break), table(Break).c.closed_at.is_(None)),
)
"""Where a name is shown or used: holdings, orders that have not left, breaks that stand."""


async def read_renames(reader: AsyncConnection) -> list[Rename]:
    """Every name that a security had and does not have now, oldest first."""
    return await _RENAMES.read(reader)


def rename(on: On, renames: Iterable[Rename], at: datetime) -> None:
    """Keep the names that securities had, and have everything that shows or uses one show that of now."""
    for one in renames:
        values = {
            "security": one.security,
            "exchange": one.exchange,
            "before": one.before,
            "symbol": one.now,
        }
        _FOLLOW.run(on, **values)
        _NO_LONGER_FORMER.run(on, **values)
        _FORMER.insert(on, [_Former(one.security, one.exchange, one.before, one.now, one.token, at)])
        for change in _SHOWN:
            change.run(on, **values)


# --- what a security is called now --------------------------------------------------------------------------

_NOW = Query(
    str,
    select(_FORMER.c.now).where(
        _FORMER.c.security == given("security"),
        _FORMER.c.exchange == given("exchange"),
        _FORMER.c.tradingsymbol == given("symbol"),
    ),
)
_FORMERLY = Query(
    lambda *cells: cells,
    select(_FORMER.c.security, _FORMER.c.exchange, _FORMER.c.tradingsymbol, _FORMER.c.now).where(
        among(_FORMER.c.security, "securities")
    ),
)
_NAMED = _INSTRUMENTS.query(
    _INSTRUMENTS.c.exchange == given("exchange"), _INSTRUMENTS.c.tradingsymbol == given("symbol")
)


def is_former_name() -> ColumnElement[bool]:
    """In a query of orders, that a former name is the one that an order was sent under."""
    same = (_FORMER.c[name] == table(Order).c[name] for name in ("security", "exchange", "tradingsymbol"))
    return and_(*same)


def symbol_now() -> ColumnElement[str]:
    """In a query of orders, the symbol of an order's security now; its own is the one it was sent under."""
    renamed = select(_FORMER.c.now).where(is_former_name()).scalar_subquery()
    return func.coalesce(renamed, table(Order).c.tradingsymbol).label("symbol_now")


def name_now(on: On, security: str, exchange: str, tradingsymbol: str) -> str:
    """The symbol that a security has now which an exchange had under this one."""
    return _NOW.first(on, security=security, exchange=exchange, symbol=tradingsymbol) or tradingsymbol


def names_now(on: On, names: Collection[tuple[str, str, str]]) -> dict[tuple[str, str, str], str]:
    """The same of many securities, exchanges and symbols, by those three."""
    securities = sorted({security for security, _, _ in names})
    former = {cells[:3]: cells[3] for cells in _FORMERLY.all(on, securities=securities)}
    return {name: former.get(name, name[2]) for name in names}


def own_name_now(on: On, security: str, exchange: str, tradingsymbol: str) -> str | None:
    """The symbol that a security has now, as `name_now`; None where instruments say that another has it."""
    symbol = name_now(on, security, exchange, tradingsymbol)
    found = _NAMED.first(on, exchange=exchange, symbol=symbol)
    return symbol if found is not None and found.security == security else None
