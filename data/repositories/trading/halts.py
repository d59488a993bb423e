"""Halts and their certificates as stored, and what a certificate reads of the orders in its scope."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from data.repositories.base import Change, On, Query, Rows, among, given
from data.repositories.instruments import symbol_now
from data.tables.books import Funds, Posting, Txn
from data.tables.columns import table
from data.tables.orders import Halt, HaltCertificate, Order, RequestRecord
from data.vocabulary import (
    LIVE_STATES,
    Account,
    HaltScope,
    HaltStrength,
    OrderState,
    RequestState,
    TransferKind,
)


class FiredHalt(Struct, frozen=True):
    """A halt as it was fired. `before` says what stood then, `members` are the clients of a group or a desk.

    `home` is the id of the home that fired it, where several share the books.
    """

    number: int
    scope: HaltScope
    value: str
    at: datetime
    by: str
    members: list[int] | None
    before: dict[str, Any]
    resumed_at: datetime | None = None
    strength: HaltStrength = HaltStrength.ALL
    home: str = ""


class AnnouncedHalt(Struct, frozen=True):
    """A halt that stands before anybody has looked at what it meets."""

    number: int
    scope: HaltScope
    value: str
    at: datetime
    by: str
    members: list[int] | None
    strength: HaltStrength
    home: str


class FileHalt(Struct, frozen=True):
    """A halt that only the HALT file told of: nothing is known of what stood when it was fired."""

    number: int
    scope: HaltScope
    value: str
    at: datetime
    by: str


class HaltTimes(Struct, frozen=True):
    """When and by whom a halt was fired and resumed; `resumed_at` is None while it stands."""

    number: int
    at: datetime
    by: str
    resumed_at: datetime | None
    resumed_by: str
    strength: HaltStrength


@dataclass(slots=True)
class _Symbol:
    number: int
    value: str


_FIRED, _OF_FILE, _TIMES = Rows(Halt, FiredHalt), Rows(Halt, FileHalt), Rows(Halt, HaltTimes)
_ANNOUNCED = Rows(Halt, AnnouncedHalt)
_C = _FIRED.c
_UNSWEPT = _ANNOUNCED.query(_C.before.is_(None), _C.ended_at.is_(None), _C.resumed_at.is_(None))
_UNFINISHED = _FIRED.query(_C.ended_at.is_(None), _C.before.is_not(None))
_NUMBERED = _FIRED.query(_C.number == given("number"), _C.before.is_not(None))
_SINCE = _TIMES.query(_C.at >= given("since"))
_KNOWN = Query(int, select(_C.number).where(_C.number == given("number")))
_RESUMED = Query(int, select(_C.number).where(_C.number == given("number"), _C.resumed_at.is_not(None)))
_LAST = Query(int, select(func.coalesce(func.max(_C.number), 0)))
_SAME = Query(
    int,
    select(_C.number).where(
        _C.at == given("at"), _C.by == given("by"), _C.scope == given("scope"), _C.value == given("value")
    ),
)
_OF_THE_DESK = Query(
    int,
    select(_C.number).where(
        _C.resumed_at.is_(None),
        or_(
            _C.scope == HaltScope.EVERYTHING.value,
            and_(_C.scope == HaltScope.DESK.value, _C.home == given("home")),
        ),
        _C.strength != HaltStrength.REDUCE.value,
    ),
)
_RESUME = Change(
    update(_FIRED.table)
    .where(_C.number == given("number"), _C.resumed_at.is_(None))
    .values(resumed_at=given("at"), resumed_by=given("by"))
)
_END = Change(
    update(_FIRED.table)
    .where(_C.number == given("number"), _C.ended_at.is_(None))
    .values(ended_at=given("at"))
)
_MET = Change(update(_FIRED.table).where(_C.number == given("number")).values(before=given("before")))
_SWEPT = Change(
    update(_FIRED.table)
    .where(_C.number == given("number"), _C.before.is_(None))
    .values(before=given("before"), members=given("members"))
)
_SYMBOLS = Rows(Halt, _Symbol)
_STANDING_OF_SYMBOLS = _SYMBOLS.query(
    _C.scope == HaltScope.SYMBOL.value, _C.resumed_at.is_(None), among(_C.value, "keys")
)


def add_halt(on: On, halt: FiredHalt | AnnouncedHalt | FileHalt) -> None:
    """Keep a halt."""
    if isinstance(halt, FiredHalt):
        _FIRED.insert(on, [halt])
    elif isinstance(halt, AnnouncedHalt):
        _ANNOUNCED.insert(on, [halt])
    else:
        _OF_FILE.insert(on, [halt])


def newest_halt(on: On) -> int:
    """The number of the halt that was fired last; 0 before the first."""
    return _LAST.first(on) or 0


def known_halt(on: On, number: int) -> bool:
    """Whether a halt of this number is kept."""
    return _KNOWN.first(on, number=number) is not None


def halt_fired(on: On, at: datetime, by: str, scope: HaltScope, value: str) -> int | None:
    """The number of the halt that somebody fired at this moment; None where none is kept."""
    return _SAME.first(on, at=at, by=by, scope=scope.value, value=value)


def resume_halt(on: On, number: int, at: datetime, by: str) -> None:
    """Keep that a halt stands no longer."""
    _RESUME.run(on, number=number, at=at, by=by)


def end_halt(on: On, number: int, at: datetime) -> None:
    """Keep that nothing of a halt lives, since when first."""
    _END.run(on, number=number, at=at)


def keep_met(on: On, number: int, before: Mapping[str, Any]) -> None:
    """Keep what a halt has met since it was fired, with what stood then."""
    _MET.run(on, number=number, before=before)


def keep_swept(on: On, number: int, before: Mapping[str, Any], members: Collection[int]) -> bool:
    """Keep what an announced halt met first, and whom it is of; returns whether nobody had done so before."""
    return _SWEPT.run(on, number=number, before=before, members=sorted(members) or None) == 1


def unswept_halts(on: On) -> list[AnnouncedHalt]:
    """Halts that stand announced, since whoever fired them did not come to look at what they meet."""
    return _UNSWEPT.all(on)


def desk_is_halted(on: On, home: str) -> bool:
    """Whether a halt of everything, or of this home's desk, stands under which nothing may leave."""
    return _OF_THE_DESK.first(on, home=home) is not None


def rename_symbols(on: On, moved: Mapping[str, str]) -> None:
    """Let halts of a symbol that stand go on under its new name."""
    halts = _STANDING_OF_SYMBOLS.all(on, keys=moved)
    for halt in halts:
        halt.value = moved[halt.value]
    _SYMBOLS.save(on, halts, "value")


async def unfinished_halts(reader: AsyncConnection) -> list[FiredHalt]:
    """Halts of which no certificate has said that nothing lives."""
    return await _UNFINISHED.read(reader)


async def fired_halt(reader: AsyncConnection, number: int) -> FiredHalt | None:
    """A halt by its number; None where none of it was fired with orders known."""
    found = await _NUMBERED.read(reader, number=number)
    return found[0] if found else None


async def is_resumed(reader: AsyncConnection, number: int) -> bool:
    """Whether the books say that a halt has ended; one that they do not know has not."""
    return bool(await _RESUMED.read(reader, number=number))


async def halts_since(reader: AsyncConnection, since: datetime) -> list[HaltTimes]:
    """The halts that were fired since a moment."""
    return await _SINCE.read(reader, since=since)


# --- certificates -------------------------------------------------------------------------------------------


class StoredCertificate(Struct, frozen=True):
    """What a reading of the books showed of a halt; a later one is a new version."""

    halt_number: int
    version: int
    made_at: datetime
    ended: bool
    body: dict[str, Any]


_CERTIFICATES = Rows(HaltCertificate, StoredCertificate)
_BY_VERSION = _CERTIFICATES.query(order_by=[_CERTIFICATES.c.version])
_OF_HALT = _CERTIFICATES.query(
    _CERTIFICATES.c.halt_number == given("halt"), order_by=[_CERTIFICATES.c.version]
)
_LAST_VERSION = Query(
    int,
    select(func.coalesce(func.max(_CERTIFICATES.c.version), 0)).where(
        _CERTIFICATES.c.halt_number == given("halt")
    ),
)


def last_version(on: On, number: int) -> int:
    """The newest version of a halt's certificate, 0 without one."""
    return _LAST_VERSION.first(on, halt=number) or 0


def add_certificate(on: On, certificate: StoredCertificate) -> None:
    """Keep a version of a certificate."""
    _CERTIFICATES.insert(on, [certificate])


def certificates_of(on: On, number: int) -> list[StoredCertificate]:
    """Every version of a halt's certificate, oldest first."""
    return _OF_HALT.all(on, halt=number)


async def read_certificates(reader: AsyncConnection) -> list[StoredCertificate]:
    """Every version of every certificate, the first versions first."""
    return await _BY_VERSION.read(reader)


# --- orders of a halt ---------------------------------------------------------------------------------------


class LiveOrder(Struct, frozen=True):
    """An order that may still trade, its symbol of now, and what its client has available; in paise."""

    id: int
    client_id: int
    blocked_paise: int
    exchange: str
    symbol_now: str
    available_paise: int | None


def _live() -> Query[LiveOrder]:
    orders, funds = table(Order), table(Funds)
    query = (
        select(
            orders.c.id,
            orders.c.client_id,
            orders.c.blocked_paise,
            orders.c.exchange,
            symbol_now(),
            funds.c.available_paise,
        )
        .outerjoin(funds, funds.c.client_id == orders.c.client_id)
        .where(orders.c.state.in_([state.value for state in LIVE_STATES]))
        .order_by(orders.c.id)
    )
    return Query(LiveOrder, query)


class _Released(Struct, frozen=True):
    order_id: int
    paise: int


def _released() -> Query[_Released]:
    txns, postings = table(Txn), table(Posting)
    query = (
        select(txns.c.order_id, func.sum(postings.c.amount_paise))
        .join(postings, postings.c.txn_id == txns.c.id)
        .where(
            among(txns.c.order_id, "orders"),
            txns.c.kind == TransferKind.RELEASE.value,
            txns.c.at >= given("since"),
            postings.c.account == Account.AVAILABLE.value,
        )
        .group_by(txns.c.order_id)
    )
    return Query(_Released, query)


_REQUESTS = table(RequestRecord)
_LIVE, _RELEASED = _live(), _released()
_ORDERS = table(Order)
_UNSENT = Query(
    int, select(_ORDERS.c.id).where(_ORDERS.c.state == OrderState.RESERVED.value).order_by(_ORDERS.c.id)
)
_REFUSED = Query(
    int,
    select(_REQUESTS.c.order_id).where(
        among(_REQUESTS.c.order_id, "orders"), _REQUESTS.c.state == RequestState.REFUSED.value
    ),
)


def live_orders(on: On) -> list[LiveOrder]:
    """Every order that may still trade, by number."""
    return _LIVE.all(on)


def unsent_orders(on: On) -> list[int]:
    """The orders that are reserved and that nobody has begun to send."""
    return _UNSENT.all(on)


async def refused_orders(reader: AsyncConnection, order_ids: Collection[int]) -> set[int]:
    """Those of these orders for which the broker has refused a request."""
    return set(await _REFUSED.read(reader, orders=order_ids)) if order_ids else set()


async def released_since(
    reader: AsyncConnection, order_ids: Collection[int], since: datetime
) -> dict[int, int]:
    """Paise given back per order since a moment, such as a halt's, as its postings say."""
    if not order_ids:
        return {}
    return {one.order_id: one.paise for one in await _RELEASED.read(reader, orders=order_ids, since=since)}
