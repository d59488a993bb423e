"""What stands of a client that must be gone before it is closed."""

from msgspec import Struct
from sqlalchemy import or_, select

from data.repositories.base import On, Query, given, named_as
from data.tables.books import Funds, HoldingRecord
from data.tables.columns import table
from data.tables.flattens import ConversionRecord, FlattenLine
from data.tables.orders import Order
from data.vocabulary import LIVE_STATES, ConversionState


class StandingShares(Struct, frozen=True):
    """Shares of one security and product."""

    tradingsymbol: str
    product: str
    quantity: int


class _Money(Struct, frozen=True):
    loan_paise: int
    owed_paise: int
    blocked_paise: int


class ClientStanding(Struct, frozen=True):
    """Shares, what is lent, owed to the broker and blocked in paise, and numbers of orders that live.

    A position that is being taken flat or converted counts as shares until that has ended.
    """

    shares: tuple[StandingShares, ...]
    loan_paise: int
    owed_paise: int
    blocked_paise: int
    orders: tuple[int, ...]


_HELD, _FUNDS, _ORDERS = table(HoldingRecord), table(Funds), table(Order)
_LINES, _CONVERSIONS = table(FlattenLine), table(ConversionRecord)
_QUANTITY = _HELD.c.today + _HELD.c.t1 + _HELD.c.free + _HELD.c.pledged + _HELD.c.due

_SHARES_OF = Query(
    StandingShares,
    select(*named_as(StandingShares, _HELD, quantity=_QUANTITY))
    .where(_HELD.c.client_id == given("client"), _QUANTITY != 0)
    .order_by(_HELD.c.tradingsymbol, _HELD.c.product),
)
_GOING = Query(
    StandingShares,
    select(*named_as(StandingShares, _LINES, quantity=_LINES.c.net_before)).where(
        _LINES.c.client_id == given("client"), _LINES.c.ended_at.is_(None)
    ),
)
_CONVERTED = Query(
    StandingShares,
    select(*named_as(StandingShares, _CONVERSIONS, product=_CONVERSIONS.c.from_product)).where(
        _CONVERSIONS.c.client_id == given("client"),
        or_(
            _CONVERSIONS.c.state == ConversionState.REQUESTED.value,
            _CONVERSIONS.c.state == ConversionState.UNKNOWN.value,
        ),
    ),
)
_MONEY_OF = Query(
    _Money,
    select(
        _FUNDS.c.mtf_loan_paise + _FUNDS.c.mtf_reserved_paise,
        _FUNDS.c.shortfall_paise + _FUNDS.c.charges_due_paise,
        _FUNDS.c.blocked_paise,
    ).where(_FUNDS.c.client_id == given("client")),
)
_LIVE_OF = Query(
    int,
    select(_ORDERS.c.id)
    .where(
        _ORDERS.c.client_id == given("client"),
        _ORDERS.c.state.in_([state.value for state in LIVE_STATES]),
    )
    .order_by(_ORDERS.c.id),
)


def standing_of_client(on: On, client_id: int) -> ClientStanding:
    """What stands of one client now."""
    shares = _SHARES_OF.all(on, client=client_id)
    known = {(one.tradingsymbol, one.product) for one in shares}
    for one in [*_GOING.all(on, client=client_id), *_CONVERTED.all(on, client=client_id)]:
        if (one.tradingsymbol, one.product) not in known:
            shares.append(one)
    money = _MONEY_OF.first(on, client=client_id) or _Money(0, 0, 0)
    return ClientStanding(
        tuple(shares),
        money.loan_paise,
        money.owed_paise,
        money.blocked_paise,
        tuple(_LIVE_OF.all(on, client=client_id)),
    )
