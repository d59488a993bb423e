"""What moved clients' accounts by no trade, and what people say that it was."""

from collections.abc import Collection, Mapping
from datetime import date, datetime

from msgspec import Struct
from sqlalchemy import BigInteger, cast, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from data.repositories.base import On, Query, Rows, among, given
from data.tables.books import Posting, Txn
from data.tables.columns import table
from data.tables.figures import FlowClass
from data.vocabulary import Account, FlowKind, TransferKind
from data.vocabulary.history import CAPITAL


class StoredFlow(Struct, frozen=True):
    """A transfer that is no trade: its number, and what came in by it in paise, below zero what went out."""

    txn_id: int
    client_id: int
    kind: TransferKind
    trading_date: date
    at: datetime
    evidence: str
    amount_paise: int


class StoredClass(Struct, frozen=True):
    """What somebody says that a flow was."""

    id: int
    txn_id: int
    kind: FlowKind
    made_at: datetime
    made_by: str
    note: str


class EarnedFlow(Struct, frozen=True):
    """What a client's flows of a day that were no capital came to by kind; below zero what they cost."""

    client_id: int
    day: date
    kind: FlowKind
    amount_paise: int


_TXNS, _POSTINGS = table(Txn), table(Posting)
_AMOUNT = cast(-func.sum(_POSTINGS.c.amount_paise), BigInteger)
_FLOWS = (
    select(
        _TXNS.c.id.label("txn_id"),
        _TXNS.c.client_id,
        _TXNS.c.kind,
        _TXNS.c.trading_date,
        _TXNS.c.at,
        _TXNS.c.evidence,
        _AMOUNT.label("amount_paise"),
    )
    .join_from(_TXNS, _POSTINGS, _POSTINGS.c.txn_id == _TXNS.c.id)
    .where(_POSTINGS.c.account == Account.EXTERNAL.value, _TXNS.c.kind != TransferKind.OPENING.value)
    .group_by(_TXNS.c.id)
    .having(_AMOUNT != 0)
    .order_by(_TXNS.c.trading_date, _TXNS.c.id)
)
_OF_CLIENTS = Query(StoredFlow, _FLOWS.where(among(_TXNS.c.client_id, "clients")))
_ONE = Query(StoredFlow, _FLOWS.where(_TXNS.c.id == given("txn")))
_CLASSES = Rows(FlowClass, StoredClass)
_CLASSES_OF = Query(
    StoredClass,
    select(*_CLASSES.columns())
    .join_from(_CLASSES.table, _TXNS, _TXNS.c.id == _CLASSES.c.txn_id)
    .where(among(_TXNS.c.client_id, "clients"))
    .order_by(_CLASSES.c.id),
)
_SAID = _CLASSES.table
_NEWER = _SAID.alias()
_LAST_SAID = (_SAID.c.txn_id == _TXNS.c.id) & ~(
    select(_NEWER.c.id).where(_NEWER.c.txn_id == _TXNS.c.id, _NEWER.c.id > _SAID.c.id).exists()
)
IS_EARNED = (
    select(_SAID.c.id).where(_LAST_SAID, _SAID.c.kind.not_in(sorted(CAPITAL))).correlate(_TXNS).exists()
)
"""Whether people say of a transfer that it was no capital."""
OF_CHARGES = (TransferKind.RERATE, TransferKind.NOTE)
"""Transfers that end what is due of charges against adopted cash: they are charges by themselves."""
_KIND = func.coalesce(_SAID.c.kind, literal_column(f"'{FlowKind.CHARGE.value}'"))
"""By its very words, since a place would be another value where it is grouped by."""
_EARNED = (
    select(_TXNS.c.client_id, _TXNS.c.trading_date, _KIND, _AMOUNT)
    .join_from(_POSTINGS, _TXNS, _TXNS.c.id == _POSTINGS.c.txn_id)
    .outerjoin(_SAID, _LAST_SAID)
    .where(
        _POSTINGS.c.account == Account.EXTERNAL.value,
        _TXNS.c.kind != TransferKind.OPENING.value,
        _SAID.c.kind.not_in(sorted(CAPITAL)) | (_SAID.c.kind.is_(None) & _TXNS.c.kind.in_(OF_CHARGES)),
    )
    .group_by(_TXNS.c.client_id, _TXNS.c.trading_date, _KIND)
)
_EARNED_UNTIL = Query(
    EarnedFlow,
    _EARNED.where(among(_POSTINGS.c.client_id, "clients"), _TXNS.c.trading_date <= given("until")),
)


async def earned_until(reader: AsyncConnection, client_ids: Collection[int], day: date) -> list[EarnedFlow]:
    """What of these clients' flows up to a day was no capital, as people say by now."""
    return await _EARNED_UNTIL.read(reader, clients=client_ids, until=day)


async def flows_of(reader: AsyncConnection, client_ids: Collection[int]) -> list[StoredFlow]:
    """What came to these clients, and went, by no trade; oldest first."""
    return await _OF_CLIENTS.read(reader, clients=client_ids)


async def one_flow(reader: AsyncConnection, txn_id: int) -> StoredFlow | None:
    """A flow by the number of its transfer; None where no transfer of that number is one."""
    found = await _ONE.read(reader, txn=txn_id)
    return found[0] if found else None


async def classes_of(reader: AsyncConnection, client_ids: Collection[int]) -> Mapping[int, StoredClass]:
    """What the flows of these clients were, by transfer; of several words of one the newest."""
    return {one.txn_id: one for one in await _CLASSES_OF.read(reader, clients=client_ids)}


def keep_class(on: On, made: StoredClass) -> None:
    """Keep what somebody says of a flow."""
    _CLASSES.insert(on, [made])
