"""A day's close as it is kept: its steps, each client's day, the seals."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from msgspec import Struct, convert
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from data.audit import AuditAction
from data.repositories.base import On, Query, Rows, among, given
from data.store import Unit
from data.tables.audit import Audit
from data.tables.books import DayOpen
from data.tables.close import ClientDayRecord, CloseStep, DaySeal
from data.tables.columns import table
from data.vocabulary import CloseStepKind, Product


class DoneStep(Struct, frozen=True):
    """A step of a day's close that was done."""

    day: date
    rev: int
    step: CloseStepKind
    done_at: datetime
    done_by: str
    detail: dict[str, Any]


class PositionAtClose(Struct, frozen=True):
    """A client's shares of one stock and product at the close; `close_paise` is None where none is known."""

    security: str
    key: str
    product: Product
    quantity: int
    cost_paise: int
    close_paise: int | None

    @property
    def value_paise(self) -> int:
        """What they are worth; their cost without a price."""
        return self.cost_paise if self.close_paise is None else self.quantity * self.close_paise


def positions_from(stored: list[Any]) -> tuple[PositionAtClose, ...]:
    """Positions of a closed day, as their column has them. Raises `ValidationError` for what are none."""
    return convert(stored, tuple[PositionAtClose, ...])


class ClientDayFigures(Struct, frozen=True):
    """What a client's day came to. Opening, flows and the net of the day come to the portfolio at its end.

    `flows_paise` are pay-ins less pay-outs, a dividend paid to the client's bank among the latter.
    `gross_pnl_paise` is of shares alone, at the previous close where they were held before; charges, interest
    and dividends make it `todays_pnl_paise`. `other_charges_paise` are those that no rate explains.
    `active_trades` counts positions that are open. `earned_paise` of what came by no trade is not among the
    flows, since people had classed it by then as no capital: it is among dividends, charges and interest.
    """

    client_id: int
    opening_paise: int
    flows_paise: int
    gross_pnl_paise: int
    dividends_paise: int
    other_charges_paise: int
    interest_paise: int
    todays_pnl_paise: int
    realised_today_paise: int
    total_pnl_paise: int
    portfolio_value_paise: int
    cash_paise: int
    shares_paise: int
    loans_paise: int
    active_trades: int
    orders: int
    trades: int
    turnover_paise: int
    earned_paise: int


class StoredClientDay(ClientDayFigures, frozen=True):
    """A client's day as it was closed, in paise; see `ClientDayRecord`."""

    day: date
    rev: int
    brokerage_paise: int
    stt_paise: int
    exchange_paise: int
    sebi_paise: int
    stamp_paise: int
    gst_paise: int
    dp_paise: int
    positions: list[Any]
    digest: str
    closed_at: datetime

    @property
    def held(self) -> tuple[PositionAtClose, ...]:
        """What `positions` says as JSON."""
        return positions_from(self.positions)


class StoredSeal(Struct, frozen=True):
    """A day's seal and the one before it, with the clients that it leaves open by number and why."""

    day: date
    rev: int
    seal: str
    before: str
    clients: int
    left_open: dict[str, Any]
    sealed_at: datetime
    sealed_by: str


class _Adopted(Struct, frozen=True):
    client_id: int


_STEPS = Rows(CloseStep, DoneStep)
_S = _STEPS.c
_STEPS_OF = _STEPS.query(_S.day == given("day"), order_by=[_S.rev, _S.done_at])
_ONE_STEP = _STEPS.query(_S.day == given("day"), _S.rev == given("rev"), _S.step == given("step"))

_DAYS = table(ClientDayRecord)
_NEWEST = (
    select(_DAYS.c.client_id, func.max(_DAYS.c.rev).label("rev"))
    .where(_DAYS.c.day == given("day"))
    .group_by(_DAYS.c.client_id)
    .subquery()
)
_OF_DAY = Query(
    StoredClientDay,
    select(*Rows(ClientDayRecord, StoredClientDay).columns())
    .join_from(_DAYS, _NEWEST, (_NEWEST.c.client_id == _DAYS.c.client_id) & (_NEWEST.c.rev == _DAYS.c.rev))
    .where(_DAYS.c.day == given("day"))
    .order_by(_DAYS.c.client_id),
)

_SEALS = Rows(DaySeal, StoredSeal)
_L = _SEALS.c
_SEALS_OF = _SEALS.query(_L.day == given("day"), order_by=[_L.rev])
_LAST_SEAL = Query(StoredSeal, select(*_SEALS.columns()).order_by(_L.day.desc(), _L.rev.desc()).limit(1))

_OPENS = table(DayOpen)
_ADOPTED_SINCE = Query(
    _Adopted,
    select(_OPENS.c.client_id)
    .where(
        _OPENS.c.trading_date > given("day"),
        _OPENS.c.cash_difference_paise != 0,
        among(_OPENS.c.client_id, "clients"),
    )
    .distinct(),
)


async def read_steps(reader: AsyncConnection, day: date) -> list[DoneStep]:
    """The steps of a day's close that were done, by revision and in their order."""
    return await _STEPS_OF.read(reader, day=day)


def keep_step(unit: Unit, step: DoneStep) -> bool:
    """Keep that a step was done, in the unit that did it. Returns false where another did it before."""
    if _ONE_STEP.first(unit, day=step.day, rev=step.rev, step=step.step.value) is not None:
        return False
    _STEPS.insert(unit, [step])
    return True


async def read_client_days(reader: AsyncConnection, day: date) -> list[StoredClientDay]:
    """Each client's day as it was closed last."""
    return await _OF_DAY.read(reader, day=day)


def client_days_of(on: On, day: date) -> list[StoredClientDay]:
    """The same, at once."""
    return _OF_DAY.all(on, day=day)


def keep_client_days(unit: Unit, days: Sequence[StoredClientDay]) -> None:
    """Keep clients' days."""
    names = StoredClientDay.__struct_fields__
    unit.insert_cells(ClientDayRecord, names, [tuple(getattr(one, name) for name in names) for one in days])


async def read_seals(reader: AsyncConnection, day: date) -> list[StoredSeal]:
    """A day's seals, the first one first."""
    return await _SEALS_OF.read(reader, day=day)


def last_seal(on: On) -> StoredSeal | None:
    """The seal of the last day that has one."""
    return _LAST_SEAL.first(on)


def keep_seal(unit: Unit, seal: StoredSeal) -> None:
    """Keep a day's seal."""
    _SEALS.insert(unit, [seal])


def adopted_since(on: On, day: date, clients: Collection[int]) -> set[int]:
    """Of these clients those whose cash was brought to the broker's at the opening of a later day."""
    return {one.client_id for one in _ADOPTED_SINCE.all(on, day=day, clients=clients)} if clients else set()


class SealTold(Struct, frozen=True):
    """The row of the audit that tells of a seal: its number, its hash, and what it tells as JSON."""

    seq: int
    hash: str
    details: str


_AUDIT = table(Audit)
_TOLD = Query(
    SealTold,
    select(_AUDIT.c.seq, _AUDIT.c.hash, _AUDIT.c.details)
    .where(_AUDIT.c.action == AuditAction.DAY_SEALED.value)
    .order_by(_AUDIT.c.seq.desc()),
)


async def audit_head_of(reader: AsyncConnection, seal: str) -> str:
    """The hash of the audit's row that tells of a seal; empty where none does."""
    told = await _TOLD.read(reader)
    return next((one.hash for one in told if f'"{seal}"' in one.details), "")
