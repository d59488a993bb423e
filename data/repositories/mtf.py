"""Brokers' lists of stocks on margin, accepted pledges and companies' actions, as they are stored."""

from collections.abc import Collection, Sequence
from datetime import date, datetime

from msgspec import Struct
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from data.repositories.accounts.named_lots import HELD, LOTS, lots_as
from data.repositories.base import Change, On, Query, Rows, among, given
from data.tables.mtf import CorporateActionRecord, MtfList, MtfListing, MtfPledge
from data.vocabulary import Bucket, CorporateAction, DividendTo, Product


class StoredMtfList(Struct, frozen=True):
    """A broker's newest list: of which day, from which file, taken by whom."""

    broker: str
    as_of: date
    file: str
    imported_at: datetime
    imported_by: str


class ListedStock(Struct, frozen=True):
    """A stock that a broker lends on, or did until the list of `left_on`."""

    broker: str
    key: str
    margin_bps: int
    listed_on: date
    left_on: date | None = None


_LISTS, _LISTED = Rows(MtfList, StoredMtfList), Rows(MtfListing, ListedStock)
_EVERY_LIST, _EVERY_STOCK = _LISTS.query(), _LISTED.query()
_STOCKS_OF = _LISTED.query(_LISTED.c.broker == given("broker"))
_DROP_LIST = Change(delete(_LISTS.table).where(_LISTS.c.broker == given("broker")))
_DROP_STOCKS = Change(delete(_LISTED.table).where(_LISTED.c.broker == given("broker")))


def stocks_of(on: On, broker: str) -> list[ListedStock]:
    """The stocks of a broker's lists, those that left them too."""
    return _STOCKS_OF.all(on, broker=broker)


def keep_mtf_list(on: On, made: StoredMtfList, stocks: Sequence[ListedStock]) -> None:
    """Keep a broker's list in place of the one before."""
    _DROP_LIST.run(on, broker=made.broker)
    _DROP_STOCKS.run(on, broker=made.broker)
    _LISTS.insert(on, [made])
    _LISTED.insert(on, stocks)


async def read_mtf_lists(reader: AsyncConnection) -> tuple[list[StoredMtfList], list[ListedStock]]:
    """Every broker's newest list, and the stocks of all of them."""
    return await _EVERY_LIST.read(reader), await _EVERY_STOCK.read(reader)


# --- pledges ------------------------------------------------------------------------------------------------


class AcceptedPledge(Struct, frozen=True):
    """That a client accepted to pledge so many shares of a day's purchases."""

    client_id: int
    security: str
    bought_on: date
    quantity: int
    accepted_at: datetime
    accepted_by: str
    note: str


class FreshShares(Struct, frozen=True):
    """What a client bought of a security on margin on a day and has still, while it has not settled."""

    client_id: int
    security: str
    key: str
    tradingsymbol: str
    bought_on: date
    quantity: int
    cost_paise: int
    loan_paise: int


_FRESH = Query(
    FreshShares,
    lots_as(FreshShares, bought_on=LOTS.c.opened_on)
    .where(
        among(LOTS.c.client_id, "clients"),
        LOTS.c.quantity_left > 0,
        LOTS.c.product == Product.MTF.value,
        LOTS.c.bucket.in_([Bucket.TODAY.value, Bucket.T1.value]),
    )
    .order_by(LOTS.c.opened_on, LOTS.c.client_id, HELD.c.tradingsymbol),
)
_PLEDGES = Rows(MtfPledge, AcceptedPledge)
_PLEDGES_OF = _PLEDGES.query(among(_PLEDGES.c.client_id, "clients"))
_ONE_PLEDGE = (
    _PLEDGES.c.client_id == given("client"),
    _PLEDGES.c.security == given("security"),
    _PLEDGES.c.bought_on == given("bought_on"),
)
_DROP_PLEDGE = Change(delete(_PLEDGES.table).where(*_ONE_PLEDGE))


async def read_pledges(
    reader: AsyncConnection, client_ids: Collection[int]
) -> tuple[list[FreshShares], list[AcceptedPledge]]:
    """What these clients bought on margin that has not settled, lot by lot, and the pledges they accepted."""
    return await _FRESH.read(reader, clients=client_ids), await _PLEDGES_OF.read(reader, clients=client_ids)


def keep_pledge(on: On, pledge: AcceptedPledge) -> None:
    """Keep an accepted pledge, in place of one of the same shares."""
    _DROP_PLEDGE.run(on, client=pledge.client_id, security=pledge.security, bought_on=pledge.bought_on)
    _PLEDGES.insert(on, [pledge])


# --- companies' actions -------------------------------------------------------------------------------------


class StoredAction(Struct, frozen=True):
    """What a company does, in the exchange's words, and when it is traded without that.

    `becomes`, `allotted_on` and `paid_to` are as `CorporateActionRecord` has them.
    """

    key: str
    ex_date: date
    purpose: str
    kind: CorporateAction
    file: str
    imported_at: datetime
    becomes: str = ""
    allotted_on: date | None = None
    paid_to: DividendTo = DividendTo.BANK


_ACTIONS = Rows(CorporateActionRecord, StoredAction)
_ACTIONS_FROM = _ACTIONS.query(
    _ACTIONS.c.ex_date >= given("day"), order_by=[_ACTIONS.c.ex_date, _ACTIONS.c.key]
)
_DROP_ACTION = Change(
    delete(_ACTIONS.table).where(
        _ACTIONS.c.key == given("key"),
        _ACTIONS.c.ex_date == given("ex_date"),
        _ACTIONS.c.purpose == given("purpose"),
    )
)


def keep_actions(on: On, actions: Sequence[StoredAction]) -> None:
    """Keep actions, each in place of the same one."""
    same = [{"key": one.key, "ex_date": one.ex_date, "purpose": one.purpose} for one in actions]
    _DROP_ACTION.run_many(on, same)
    _ACTIONS.insert(on, actions)


async def read_actions_from(reader: AsyncConnection, day: date) -> list[StoredAction]:
    """The actions from a day on, the nearest first."""
    return await _ACTIONS_FROM.read(reader, day=day)
