"""What securities are called now, as stored: the names that they had, and that of an order in a query."""

from sqlalchemy import ColumnElement, and_, func, select

from data.columns import table
from data.order_tables import Order
from data.reference.instruments import Instrument
from data.repositories.base import On, Query, Rows, given
from data.tables import FormerName, InstrumentRecord

_FORMER, _ORDERS = table(FormerName), table(Order)
_INSTRUMENTS = Rows(InstrumentRecord, Instrument)
_NOW = Query(
    str,
    select(_FORMER.c.now).where(
        _FORMER.c.security == given("security"),
        _FORMER.c.exchange == given("exchange"),
        _FORMER.c.tradingsymbol == given("symbol"),
    ),
)
_NAMED = _INSTRUMENTS.query(
    _INSTRUMENTS.c.exchange == given("exchange"), _INSTRUMENTS.c.tradingsymbol == given("symbol")
)


def is_former_name() -> ColumnElement[bool]:
    """In a query of orders, that a former name is the one that an order was sent under."""
    same = (_FORMER.c[name] == _ORDERS.c[name] for name in ("security", "exchange", "tradingsymbol"))
    return and_(*same)


def symbol_now() -> ColumnElement[str]:
    """In a query of orders, the symbol of an order's security now; its own is the one it was sent under."""
    renamed = select(_FORMER.c.now).where(is_former_name()).scalar_subquery()
    return func.coalesce(renamed, _ORDERS.c.tradingsymbol).label("symbol_now")


def name_now(on: On, security: str, exchange: str, tradingsymbol: str) -> str:
    """The symbol that a security has now which an exchange had under this one."""
    return _NOW.first(on, security=security, exchange=exchange, symbol=tradingsymbol) or tradingsymbol


def own_name_now(on: On, security: str, exchange: str, tradingsymbol: str) -> str | None:
    """The symbol that a security has now, as `name_now`; None where instruments say that another has it."""
    symbol = name_now(on, security, exchange, tradingsymbol)
    found = _NAMED.first(on, exchange=exchange, symbol=symbol)
    return symbol if found is not None and found.security == security else None
