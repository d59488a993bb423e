"""Clients' balances and what was posted to them, as they are stored."""

from collections.abc import Collection, Sequence
from typing import Generic, TypeVar

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from data.ledger import Line, ShareLine
from data.repositories.base import On, Query, Rows, among, given, named_as
from data.tables.books import Client, Funds, HoldingRecord, Posting, SharePosting, Txn
from data.tables.columns import table
from data.vocabulary import Account, Bucket

Row = TypeVar("Row")

_TXNS, _POSTINGS, _SHARES = table(Txn), table(Posting), table(SharePosting)
_HOLDINGS, _FUNDS, _CLIENTS = table(HoldingRecord), table(Funds), table(Client)
_OF_SHARE = (
    _HOLDINGS.c.client_id == given("client"),
    _HOLDINGS.c.security == given("security"),
    _HOLDINGS.c.product == given("product"),
)


class Balances(Generic[Row]):
    """Clients' balances as objects of one class."""

    def __init__(self, row: type[Row]) -> None:
        rows = Rows(Funds, row)
        query = select(*rows.columns()).where(among(rows.c.client_id, "clients"))
        self._of = Query(row, query.order_by(rows.c.client_id).with_for_update(key_share=True))

    def of(self, unit: On, client_ids: Collection[int]) -> list[Row]:
        """The balances of these clients, for a unit that changes them.

        Where many write they are locked, in the order of their numbers, lest two wait for each other.
        """
        return self._of.all(unit, clients=client_ids) if client_ids else []


_LOAN_ROOM = _FUNDS.c.mtf_limit_paise - _FUNDS.c.mtf_loan_paise - _FUNDS.c.mtf_reserved_paise
_ROOM = Query(
    lambda *cells: cells,
    select(_FUNDS.c.client_id, _FUNDS.c.available_paise, _LOAN_ROOM).where(
        among(_FUNDS.c.client_id, "clients")
    ),
)
_STANDING = Query(
    lambda *cells: cells,
    select(_FUNDS.c.available_paise, _LOAN_ROOM).where(_FUNDS.c.client_id == given("client")),
)


def room_of(on: On, client_ids: Collection[int]) -> list[tuple[int, int, int]]:
    """The paise available to these clients and the room that each has for loans."""
    return _ROOM.all(on, clients=client_ids) if client_ids else []


def standing_of(on: On, client_id: int) -> tuple[int, int]:
    """The paise available to a client and its room for loans. Raises `IndexError` for no client."""
    return _STANDING.all(on, client=client_id)[0]


_BLOCKED = Query(int, select(_HOLDINGS.c.blocked).where(*_OF_SHARE))
_TODAY = Query(int, select(_HOLDINGS.c.today).where(*_OF_SHARE))


def blocked_shares(on: On, client_id: int, security: str, product: str) -> int:
    """How many of a client's shares open sells keep blocked."""
    return _BLOCKED.first(on, client=client_id, security=security, product=product) or 0


def bought_today(on: On, client_id: int, security: str, product: str) -> int:
    """How many shares a client holds that were bought today."""
    return _TODAY.first(on, client=client_id, security=security, product=product) or 0


_CODE = Query(str, select(_CLIENTS.c.code).where(_CLIENTS.c.id == given("client")))


def code_of(on: On, client_id: int) -> str:
    """The code of a client. Raises `IndexError` where there is none of this number."""
    return _CODE.all(on, client=client_id)[0]


_OF_TRADE = (
    _TXNS.c.order_id == given("order"),
    among(_TXNS.c.kind, "kinds"),
    _TXNS.c.evidence == given("evidence"),
)


def _line(account: str, amount_paise: int, order_id: int | None, security: str) -> Line:
    return Line(Account(account), int(amount_paise), order_id, security)


def _share_line(security: str, product: str, bucket: str, quantity: int) -> ShareLine:
    return ShareLine(security, product, Bucket(bucket), int(quantity))


_LINES = Query(
    _line,
    select(
        _POSTINGS.c.account, func.sum(_POSTINGS.c.amount_paise), _POSTINGS.c.order_id, _POSTINGS.c.security
    )
    .join(_TXNS, _TXNS.c.id == _POSTINGS.c.txn_id)
    .where(*_OF_TRADE)
    .group_by(_POSTINGS.c.account, _POSTINGS.c.order_id, _POSTINGS.c.security)
    .having(func.sum(_POSTINGS.c.amount_paise) != 0),
)
_SHARE_LINES = Query(
    _share_line,
    select(_SHARES.c.security, _SHARES.c.product, _SHARES.c.bucket, func.sum(_SHARES.c.quantity))
    .join(_TXNS, _TXNS.c.id == _SHARES.c.txn_id)
    .where(*_OF_TRADE)
    .group_by(_SHARES.c.security, _SHARES.c.product, _SHARES.c.bucket)
    .having(func.sum(_SHARES.c.quantity) != 0),
)


def posted(on: On, order_id: int, evidence: str, kinds: Sequence[str]) -> tuple[list[Line], list[ShareLine]]:
    """What transfers of these kinds about one trade of an order come to: money and shares."""
    values = {"order": order_id, "evidence": evidence, "kinds": kinds}
    return _LINES.all(on, **values), _SHARE_LINES.all(on, **values)


class Postings(Generic[Row]):
    """Lines of transfers, each with what its transfer tells, as objects of one class."""

    def __init__(self, row: type[Row]) -> None:
        made = {"account": _POSTINGS.c.account, "amount_paise": _POSTINGS.c.amount_paise}
        self._of_order = Query(
            row,
            select(*named_as(row, _TXNS, **made))
            .join_from(_TXNS, _POSTINGS, _POSTINGS.c.txn_id == _TXNS.c.id)
            .where(_TXNS.c.order_id == given("order"))
            .order_by(_TXNS.c.id, _POSTINGS.c.line),
        )

    async def of_order(self, reader: AsyncConnection, order_id: int) -> list[Row]:
        """Those of the transfers about an order, in the order in which they were booked."""
        return await self._of_order.read(reader, order=order_id)
