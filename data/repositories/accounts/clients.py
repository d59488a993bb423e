"""Clients as stored, and what hangs on each: groups, funds, sizing bases, holds."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime

from msgspec import Struct
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from data.money import BPS
from data.repositories.base import Change, On, Query, Rows, among, given
from data.tables.books import Client, ClientGroup, Funds, Hold, SizingBase
from data.tables.columns import table
from data.tables.lots import LotRecord
from data.vocabulary import ClientStatus, HoldKind, SessionState


class ClientRow(Struct, frozen=True):
    """A client as its table has it; money in paise."""

    id: int
    code: str
    name: str
    broker: str
    broker_user_id: str
    status: ClientStatus
    status_reason: str
    status_since: date | None
    session: SessionState
    capital_paise: int
    phone: str
    created_at: datetime
    updated_at: datetime
    connection: str = ""
    discretionary: bool = True
    multiplier_bps: int = BPS
    pause_reason: str = ""
    paused_at: datetime | None = None
    paused_until: datetime | None = None


class HoldRow(Struct, frozen=True):
    """Money kept from trading without an order, until it is released."""

    id: int
    client_id: int
    kind: HoldKind
    amount_paise: int
    reason: str
    opened_at: datetime
    released_at: datetime | None = None


class NotTrading(Struct, frozen=True):
    """A client that is not traded for: its status as stored, and whether it is paused."""

    id: int
    status: ClientStatus
    paused: bool


class OpenedLot(Struct, frozen=True):
    """A lot of shares that a client held before it was added; money in paise."""

    id: int
    client_id: int
    security: str
    product: str
    bucket: str
    opened_on: date
    quantity: int
    cost_paise: int
    loan_paise: int
    charges_paise: int
    quantity_left: int
    cost_left_paise: int
    loan_left_paise: int
    charges_left_paise: int


class _Group(Struct, frozen=True):
    client_id: int
    name: str


class _Limit(Struct, frozen=True):
    client_id: int
    mtf_limit_paise: int


class _Base(Struct, frozen=True):
    client_id: int
    trading_date: date
    capital_paise: int
    source: str


_CLIENTS = Rows(Client, ClientRow)
_EVERY = _CLIENTS.query()
_ONE = _CLIENTS.query(_CLIENTS.c.id == given("client"))
_NOT_TRADING = Query(
    NotTrading,
    select(_CLIENTS.c.id, _CLIENTS.c.status, _CLIENTS.c.paused_at.is_not(None)).where(
        among(_CLIENTS.c.id, "clients"),
        (_CLIENTS.c.status != ClientStatus.ACTIVE.value) | _CLIENTS.c.paused_at.is_not(None),
    ),
)
_PAUSES_DUE = _CLIENTS.query(_CLIENTS.c.paused_until <= given("now"), _CLIENTS.c.paused_at.is_not(None))
_IDS = Query(int, select(_CLIENTS.c.id))
_GROUPS = Rows(ClientGroup, _Group)
_GROUPS_OF = _GROUPS.query(_GROUPS.c.client_id == given("client"))
_NO_GROUP = Change(delete(table(ClientGroup)).where(table(ClientGroup).c.client_id == given("client")))
_LIMITS = Rows(Funds, _Limit)
_LIMIT_OF = _LIMITS.query(_LIMITS.c.client_id == given("client"))
_BASES = Rows(SizingBase, _Base)
_HOLDS = Rows(Hold, HoldRow)
_LOTS = Rows(LotRecord, OpenedLot)
_STANDING_HOLDS = _HOLDS.query(
    _HOLDS.c.client_id == given("client"), _HOLDS.c.released_at.is_(None), order_by=[_HOLDS.c.id]
)
_SESSION = Change(
    update(_CLIENTS.table)
    .where(_CLIENTS.c.id == given("client"))
    .values(session=given("session"), updated_at=given("at"))
)
_STATUS = Change(
    update(_CLIENTS.table)
    .where(_CLIENTS.c.id == given("client"))
    .values(
        status=given("status"),
        status_reason=given("reason"),
        status_since=given("since"),
        updated_at=given("at"),
    )
)


def client_of(on: On, client_id: int) -> ClientRow | None:
    """One client; None where there is none of this number."""
    return _ONE.first(on, client=client_id)


def every_client(on: On) -> list[ClientRow]:
    """All clients."""
    return _EVERY.all(on)


def not_trading_among(on: On, client_ids: Collection[int]) -> list[NotTrading]:
    """Those of these clients that are not active, or paused."""
    return _NOT_TRADING.all(on, clients=client_ids) if client_ids else []


def pauses_due(on: On, now: datetime) -> list[ClientRow]:
    """Clients whose pause has an end that is reached by the market's time."""
    return _PAUSES_DUE.all(on, now=now)


def client_ids(on: On) -> list[int]:
    """The number of every client."""
    return _IDS.all(on)


def add_clients(on: On, clients: Sequence[ClientRow]) -> None:
    """Keep clients that are not there yet."""
    _CLIENTS.insert(on, clients)


def save_client(on: On, client: ClientRow) -> None:
    """Keep a client's words, capital, multiplier and pause as they are now."""
    words = ("name", "status", "status_reason", "status_since", "phone", "discretionary", "updated_at")
    pause = ("pause_reason", "paused_at", "paused_until")
    _CLIENTS.save(on, [client], *words, *pause, "capital_paise", "multiplier_bps")


def set_session(on: On, client_id: int, session: SessionState, at: datetime) -> None:
    """Keep whether a client is signed in."""
    _SESSION.run(on, client=client_id, session=session.value, at=at)


def set_status(on: On, client_id: int, status: ClientStatus, reason: str, since: date, at: datetime) -> None:
    """Keep a client's status since a trading day, and why."""
    _STATUS.run(on, client=client_id, status=status.value, reason=reason, since=since, at=at)


# --- what hangs on each -------------------------------------------------------------------------------------


def groups_of(on: On, client_id: int) -> set[str]:
    """The names of the groups that a client is in."""
    return {one.name for one in _GROUPS_OF.all(on, client=client_id)}


def add_to_groups(on: On, members: Iterable[tuple[int, str]]) -> None:
    """Put clients into groups by name."""
    _GROUPS.insert(on, [_Group(client_id, name) for client_id, name in members])


def set_groups(on: On, client_id: int, names: Iterable[str]) -> None:
    """Put a client into these groups and no other."""
    _NO_GROUP.run(on, client=client_id)
    add_to_groups(on, [(client_id, name) for name in names])


def mtf_limit_of(on: On, client_id: int) -> int | None:
    """A client's MTF limit in paise; None for one without funds."""
    limit = _LIMIT_OF.first(on, client=client_id)
    return None if limit is None else limit.mtf_limit_paise


def set_mtf_limit(on: On, client_id: int, limit_paise: int) -> None:
    """Keep a client's MTF limit."""
    _LIMITS.save(on, [_Limit(client_id, limit_paise)], "mtf_limit_paise")


def add_funds(on: On, limits: Iterable[tuple[int, int]]) -> None:
    """Keep empty balances of clients with their MTF limits in paise."""
    _LIMITS.insert(on, [_Limit(client_id, limit) for client_id, limit in limits])


def add_bases(on: On, day: date, capitals: Iterable[tuple[int, int]], source: str) -> None:
    """Keep the capital in paise that clients are sized on from a day on, and where it is from."""
    _BASES.insert(on, [_Base(client_id, day, capital, source) for client_id, capital in capitals])


def add_holds(on: On, holds: Sequence[HoldRow]) -> None:
    """Keep holds."""
    _HOLDS.insert(on, holds)


async def standing_holds(reader: AsyncConnection, client_id: int) -> list[HoldRow]:
    """What is held of a client's money and not released, oldest first."""
    return await _STANDING_HOLDS.read(reader, client=client_id)


def add_lots(on: On, lots: Sequence[OpenedLot]) -> None:
    """Add the lots of fresh clients."""
    _LOTS.insert(on, lots)
