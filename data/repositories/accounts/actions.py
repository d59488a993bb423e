"""Companies' actions as clients' books have them: who was entitled, what was booked, what has moved since."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import BigInteger, cast, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from data.reference.company_actions import terms_of
from data.repositories.base import Change, On, Query, Rows, among, given
from data.repositories.mtf import StoredAction
from data.tables.books import HoldingRecord, SharePosting, Txn
from data.tables.columns import table
from data.tables.lots import LotRecord
from data.tables.market import InstrumentRecord
from data.tables.mtf import ActionBooking, CorporateActionRecord
from data.vocabulary import Bucket, CorporateAction, Product, TransferKind


class StoredBooking(Struct, frozen=True):
    """What was booked of an action for a client, or taken back where `turn` is even; see `ActionBooking`."""

    client_id: int
    security: str
    ex_date: date
    purpose: str
    turn: int
    key: str
    kind: CorporateAction
    entitled: int
    shares: int
    fraction: str
    paise: int
    becomes: str
    opened_on: date
    lots: list[Any]
    booked_at: datetime
    booked_by: str
    reason: str = ""

    @property
    def stands(self) -> bool:
        """Whether it is booked, and not taken back."""
        return self.turn % 2 == 1


class Entitled(Struct, frozen=True):
    """A client's shares of a security and product at the end of the day before an ex-date."""

    client_id: int
    product: Product
    quantity: int


class NamedShare(Struct, frozen=True):
    """A share as it is listed now."""

    exchange: str
    tradingsymbol: str
    isin: str
    security_id: str

    @property
    def key(self) -> str:
        """`EXCHANGE:SYMBOL`."""
        return f"{self.exchange}:{self.tradingsymbol}"

    @property
    def security(self) -> str:
        """Under what it is held."""
        return self.security_id or self.isin or self.key


class _AdoptedClient(Struct, frozen=True):
    client_id: int


_TXNS, _SHARES, _LOTS, _HELD = table(Txn), table(SharePosting), table(LotRecord), table(HoldingRecord)
_OVERNIGHT = [Product.CNC.value, Product.MTF.value]
_QUANTITY = cast(func.sum(_SHARES.c.quantity), BigInteger)
_ENTITLED = Query(
    Entitled,
    select(_SHARES.c.client_id, _SHARES.c.product, _QUANTITY)
    .join_from(_SHARES, _TXNS, _TXNS.c.id == _SHARES.c.txn_id)
    .where(
        # So the index by client and security is used, and not every posting is looked at.
        _SHARES.c.client_id.in_(select(_HELD.c.client_id).where(_HELD.c.security == given("security"))),
        _SHARES.c.security == given("security"),
        _SHARES.c.product.in_(_OVERNIGHT),
        _SHARES.c.bucket != Bucket.OUTSIDE.value,
        _TXNS.c.trading_date < given("ex_date"),
    )
    .group_by(_SHARES.c.client_id, _SHARES.c.product)
    .having(_QUANTITY > 0)
    .order_by(_SHARES.c.client_id, _SHARES.c.product),
)
_ADOPTED = Query(
    _AdoptedClient,
    select(_SHARES.c.client_id)
    .join_from(_SHARES, _TXNS, _TXNS.c.id == _SHARES.c.txn_id)
    .where(
        _SHARES.c.client_id.in_(select(_HELD.c.client_id).where(_HELD.c.security == given("security"))),
        _SHARES.c.security == given("security"),
        _SHARES.c.bucket != Bucket.OUTSIDE.value,
        _TXNS.c.trading_date >= given("ex_date"),
        _TXNS.c.kind.in_([TransferKind.DAY_OPEN.value, TransferKind.ADOPT.value]),
    )
    .distinct(),
)
_MOVE_DUE = Change(
    update(_LOTS)
    .where(
        _LOTS.c.client_id == given("client"),
        _LOTS.c.security == given("security"),
        _LOTS.c.product == given("product"),
        _LOTS.c.bucket == Bucket.DUE.value,
    )
    .values(bucket=Bucket.FREE.value)
)
_BOOKINGS = Rows(ActionBooking, StoredBooking)
_B = _BOOKINGS.c
_IN_ORDER = [_B.ex_date, _B.client_id, _B.purpose, _B.turn]
_OF_CLIENTS = _BOOKINGS.query(among(_B.client_id, "clients"), order_by=_IN_ORDER)
_OF_ACTION = _BOOKINGS.query(
    _B.security == given("security"), _B.ex_date == given("ex_date"), order_by=_IN_ORDER
)
_ACTIONS = Rows(CorporateActionRecord, StoredAction)
_A = _ACTIONS.c
_BETWEEN = _ACTIONS.query(
    _A.ex_date > given("after"), _A.ex_date <= given("until"), order_by=[_A.ex_date, _A.key, _A.purpose]
)
_INSTRUMENTS = table(InstrumentRecord)
_NAMED = Query(
    NamedShare,
    select(
        _INSTRUMENTS.c.exchange,
        _INSTRUMENTS.c.tradingsymbol,
        _INSTRUMENTS.c.isin,
        _INSTRUMENTS.c.security_id,
    ).where(_INSTRUMENTS.c.exchange == given("exchange"), _INSTRUMENTS.c.tradingsymbol == given("symbol")),
)
_ISIN = Change(
    update(_INSTRUMENTS)
    .where(_INSTRUMENTS.c.isin == given("before"), _INSTRUMENTS.c.isin != "")
    .values(isin=given("isin"))
)


def actions_between(on: On, after: date, until: date) -> list[StoredAction]:
    """The actions with an ex-date behind one day and up to another."""
    return _BETWEEN.all(on, after=after, until=until)


async def read_actions_between(reader: AsyncConnection, after: date, until: date) -> list[StoredAction]:
    """The same, by a reader's connection."""
    return await _BETWEEN.read(reader, after=after, until=until)


def share_named(on: On, key: str) -> NamedShare | None:
    """The share of a key; None where none is known."""
    exchange, _, symbol = key.partition(":")
    return _NAMED.first(on, exchange=exchange, symbol=symbol)


def entitled_to(on: On, security: str, ex_date: date) -> list[Entitled]:
    """Who held how many shares for delivery as the ex-date began."""
    return _ENTITLED.all(on, security=security, ex_date=ex_date)


def adopted_from(on: On, security: str, ex_date: date) -> set[int]:
    """Clients whose shares were brought to the broker's since an ex-date."""
    return {one.client_id for one in _ADOPTED.all(on, security=security, ex_date=ex_date)}


def free_due_lots(on: On, places: Iterable[tuple[int, str, Product]]) -> None:
    """Have shares that were due stand in the demat account, by client, security and product."""
    values = [
        {"client": client_id, "security": security, "product": product.value}
        for client_id, security, product in places
    ]
    _MOVE_DUE.run_many(on, values)


def keep_bookings(on: On, made: Sequence[StoredBooking]) -> None:
    """Keep what was booked. Raises `DatabaseError` for one that is booked already."""
    _BOOKINGS.insert(on, made)


def bookings_of_action(on: On, security: str, told: StoredAction) -> dict[int, StoredBooking]:
    """What stands of an action by client: the last turn of each.

    The same action in other words, as another file has it, is this one.
    """
    found: dict[int, StoredBooking] = {}
    terms = terms_of(told.kind, told.purpose)
    for one in last_turns(_OF_ACTION.all(on, security=security, ex_date=told.ex_date)):
        same = one.kind is told.kind and terms_of(one.kind, one.purpose) == terms
        before = found.get(one.client_id)
        if (same or one.purpose == told.purpose) and (before is None or one.turn > before.turn):
            found[one.client_id] = one
    return found


def bookings_of(on: On, client_ids: Collection[int]) -> list[StoredBooking]:
    """What was booked of these clients, the last turn of each action alone; by ex-date."""
    return last_turns(_OF_CLIENTS.all(on, clients=client_ids))


async def read_bookings(reader: AsyncConnection, client_ids: Collection[int]) -> list[StoredBooking]:
    """The same, by a reader's connection."""
    return last_turns(await _OF_CLIENTS.read(reader, clients=client_ids))


def last_turns(found: Sequence[StoredBooking]) -> list[StoredBooking]:
    """Of each client and action the last turn."""
    last = {(one.client_id, one.security, one.ex_date, one.purpose): one for one in found}
    return sorted(last.values(), key=lambda one: (one.ex_date, one.client_id, one.purpose))


def change_isin(on: On, before: str, isin: str) -> int:
    """Give what had one ISIN another; returns of how many instruments."""
    return _ISIN.run(on, before=before, isin=isin)
