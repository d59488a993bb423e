"""What is lent on clients' shares, and the capital that they came with, as it is stored."""

from collections.abc import Collection
from datetime import date

from msgspec import Struct
from sqlalchemy import BigInteger, ColumnElement, and_, cast, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from data.repositories.base import On, Query, among, given, named_as
from data.repositories.history.flows import IS_EARNED
from data.tables.books import Client, DayOpen, Funds, Posting, SizingBase, Txn
from data.tables.columns import table
from data.tables.lots import LEFT, LotRecord
from data.vocabulary import Account, Product, TransferKind


class LentOn(Struct, frozen=True):
    """What is lent on a client's shares of one security, in paise."""

    client_id: int
    security: str
    loan_paise: int


class _Paise(Struct, frozen=True):
    client_id: int
    paise: int


_LOTS, _BASES, _TXNS, _POSTINGS, _OPENED = (
    table(model) for model in (LotRecord, SizingBase, Txn, Posting, DayOpen)
)

_LENT = Query(
    LentOn,
    select(
        *named_as(LentOn, _LOTS, loan_paise=cast(func.sum(_LOTS.c.loan_left_paise), BigInteger)),
    )
    .where(among(_LOTS.c.client_id, "clients"), text(LEFT), _LOTS.c.product == Product.MTF.value)
    .group_by(_LOTS.c.client_id, _LOTS.c.security),
)

_FIRST = (
    select(_BASES.c.client_id, func.min(_BASES.c.trading_date).label("day"))
    .where(among(_BASES.c.client_id, "clients"))
    .group_by(_BASES.c.client_id)
    .subquery()
)
_CAME_WITH = Query(
    _Paise,
    select(_BASES.c.client_id, _BASES.c.capital_paise).join_from(
        _BASES,
        _FIRST,
        and_(_FIRST.c.client_id == _BASES.c.client_id, _FIRST.c.day == _BASES.c.trading_date),
    ),
)

# What a client's first comparison adopts is what it came with.
_FIRST_ADOPTED = and_(
    _TXNS.c.kind == TransferKind.DAY_OPEN.value,
    _TXNS.c.trading_date
    == select(func.min(_OPENED.c.trading_date))
    .where(_OPENED.c.client_id == _TXNS.c.client_id)
    .scalar_subquery(),
)
_ADOPTED = [TransferKind.DAY_OPEN.value, TransferKind.ADOPT.value]
_CAME_SINCE = Query(
    _Paise,
    select(_POSTINGS.c.client_id, cast(-func.sum(_POSTINGS.c.amount_paise), BigInteger))
    .join_from(_POSTINGS, _TXNS, _TXNS.c.id == _POSTINGS.c.txn_id)
    .where(
        among(_POSTINGS.c.client_id, "clients"),
        _POSTINGS.c.account == Account.EXTERNAL.value,
        _TXNS.c.kind.in_(_ADOPTED),
        ~_FIRST_ADOPTED,
        ~IS_EARNED,
    )
    .group_by(_POSTINGS.c.client_id),
)


class Borrower(Struct, frozen=True):
    """A client to whom something is lent, by which broker's terms, in paise."""

    client_id: int
    broker: str
    loan_paise: int


_FUNDS, _CLIENTS = table(Funds), table(Client)
_BORROWERS = Query(
    Borrower,
    select(*named_as(Borrower, _CLIENTS, client_id=_CLIENTS.c.id, loan_paise=_FUNDS.c.mtf_loan_paise))
    .join_from(_FUNDS, _CLIENTS, _CLIENTS.c.id == _FUNDS.c.client_id)
    .where(_FUNDS.c.mtf_loan_paise > 0)
    .order_by(_CLIENTS.c.id),
)


def borrowers(on: On) -> list[Borrower]:
    """Every client to whom something is lent on margin."""
    return _BORROWERS.all(on)


def _charged(kind: TransferKind, account: Account, *where: ColumnElement[bool]) -> Query[_Paise]:
    query = (
        select(_TXNS.c.client_id, cast(func.sum(_POSTINGS.c.amount_paise), BigInteger))
        .join(_POSTINGS, _POSTINGS.c.txn_id == _TXNS.c.id)
        .where(
            _TXNS.c.trading_date == given("day"),
            _TXNS.c.kind == kind.value,
            _POSTINGS.c.account == account.value,
            *where,
        )
        .group_by(_TXNS.c.client_id)
    )
    return Query(_Paise, query)


_THESE = among(_TXNS.c.client_id, "clients")
_OF_INTEREST, _OF_DIVIDENDS, _OF_NOTES = (
    (_charged(kind, account), _charged(kind, account, _THESE))
    for kind, account in (
        (TransferKind.INTEREST, Account.INTEREST),
        (TransferKind.ACTION, Account.DIVIDENDS),
        (TransferKind.NOTE, Account.CHARGES),
    )
)


def interest_on(on: On, day: date, clients: Collection[int] | None) -> dict[int, int]:
    """What loans on shares have cost on a day by client, in paise, of all where None are named."""
    return _by_client(_OF_INTEREST, on, day, clients)


def dividends_on(on: On, day: date, clients: Collection[int] | None) -> dict[int, int]:
    """What shares have paid whose ex-date is a day, likewise."""
    return {client: -paise for client, paise in _by_client(_OF_DIVIDENDS, on, day, clients).items()}


def noted_on(on: On, day: date, clients: Collection[int] | None) -> dict[int, int]:
    """What contract notes of a day came to beyond what it was charged, likewise."""
    return _by_client(_OF_NOTES, on, day, clients)


def _by_client(
    queries: tuple[Query[_Paise], Query[_Paise]], on: On, day: date, clients: Collection[int] | None
) -> dict[int, int]:
    of_all, of_these = queries
    if clients is None:
        found = of_all.all(on, day=day)
    else:
        found = of_these.all(on, day=day, clients=clients) if clients else []
    return {one.client_id: one.paise for one in found}


async def lent_on(reader: AsyncConnection, client_ids: Collection[int]) -> list[LentOn]:
    """What is lent on these clients' shares on margin, by security."""
    return await _LENT.read(reader, clients=client_ids)


async def capital_brought(reader: AsyncConnection, client_ids: Collection[int]) -> dict[int, int]:
    """By client the capital that it came with, and what was paid in or out or brought since, in paise.

    What comes or goes is seen as a figure of the broker's that our books took over.
    """
    brought = {one.client_id: one.paise for one in await _CAME_WITH.read(reader, clients=client_ids)}
    for one in await _CAME_SINCE.read(reader, clients=client_ids):
        brought[one.client_id] = brought.get(one.client_id, 0) + one.paise
    return brought
