"""Lines of later stages as stored: what a run has still to reserve, and what of it waits for cash."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime

from msgspec import Struct
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from data.repositories.base import Change, On, Query, Rows, among, given
from data.tables.columns import table
from data.tables.orders import RunRecord
from data.tables.stages import StagedLine
from data.vocabulary import StagedState
from data.writing.unit import Unit


class StoredStaged(Struct, frozen=True):
    """One line: whose, of which leg, and how it stands."""

    run_number: int
    leg: int
    client_id: int
    model: str
    security: str
    quantity: int
    later: int
    trading_date: date
    state: StagedState
    changed_at: datetime
    taken_by: int | None = None

    @property
    def shares_left(self) -> int:
        """What is still to be bought of it: all that no order was made of."""
        return self.later + (0 if self.state is StagedState.ORDERED else self.quantity)


class _Waits(Struct, frozen=True):
    run_number: int
    client_id: int


_ROWS = Rows(StagedLine, StoredStaged)
_RUNS = table(RunRecord)
_WAITS = _ROWS.c.state == StagedState.WAITS.value
_OF_A_RUN = (_ROWS.c.run_number == given("run"), _WAITS)
_WAITING = _ROWS.query(*_OF_A_RUN, order_by=[_ROWS.c.leg, _ROWS.c.client_id])
_WHOSE = select(_ROWS.c.run_number, _ROWS.c.client_id).where(_WAITS).distinct()
_CLIENTS = Query(_Waits, _WHOSE)
_CLIENTS_OF_RUNS = Query(_Waits, _WHOSE.where(among(_ROWS.c.run_number, "runs")))
_OF_MODEL = _ROWS.query(
    _ROWS.c.model == given("model"),
    _ROWS.c.taken_by.is_(None),
    order_by=[_ROWS.c.run_number, _ROWS.c.leg, _ROWS.c.client_id],
)
_MOVE = Change(
    update(_ROWS.table)
    .where(*_OF_A_RUN, _ROWS.c.leg == given("leg"), among(_ROWS.c.client_id, "clients"))
    .values(state=given("state"), changed_at=given("now"))
)
_MOVE_ALL = Change(
    update(_ROWS.table).where(*_OF_A_RUN).values(state=given("state"), changed_at=given("now"))
)
_TAKE = Change(
    update(_ROWS.table)
    .where(
        _ROWS.c.model == given("model"),
        _ROWS.c.taken_by.is_(None),
        _ROWS.c.run_number != given("run"),
        _ROWS.c.state != StagedState.WAITS.value,
        among(_ROWS.c.client_id, "clients"),
    )
    .values(taken_by=given("run"))
)
_TO_COME = _ROWS.query(_WAITS, among(_ROWS.c.client_id, "clients"))
_STILL = select(func.count()).select_from(_ROWS.table).where(*_OF_A_RUN).scalar_subquery()
_COUNT = Change(update(_RUNS).where(_RUNS.c.number == given("run")).values(staged=_STILL))


def begin_staged(unit: Unit, lines: Sequence[StoredStaged]) -> None:
    """Write what later stages of a run have to order."""
    if lines:
        _ROWS.insert(unit, lines)
        _count(unit, lines[0].run_number)


def take_left(unit: Unit, model: str, client_ids: Collection[int], number: int) -> None:
    """Have what runs of a model left of these clients be that of a run which has planned it anew."""
    _TAKE.run(unit, model=model, run=number, clients=client_ids)


def buys_to_come(on: On, client_ids: Collection[int]) -> set[tuple[int, str]]:
    """Which of these clients are to buy which security in a later stage of a run."""
    return {(line.client_id, line.security) for line in _TO_COME.all(on, clients=client_ids)}


def waiting_lines(on: On, number: int) -> list[StoredStaged]:
    """The lines of a run that are still to be reserved, by leg and client."""
    return _WAITING.all(on, run=number)


def waiting_clients(on: On, numbers: Collection[int] | None) -> dict[int, frozenset[int]]:
    """Whose lines are still to be reserved, by run: of these runs, or of all."""
    found = defaultdict[int, set[int]](set)
    for one in _CLIENTS.all(on) if numbers is None else _CLIENTS_OF_RUNS.all(on, runs=numbers):
        found[one.run_number].add(one.client_id)
    return {number: frozenset(clients) for number, clients in found.items()}


async def left_of_model(reader: AsyncConnection, model: str) -> list[StoredStaged]:
    """What runs of a model left that no later one took over, the oldest first."""
    return [line for line in await _OF_MODEL.read(reader, model=model) if line.shares_left]


def move_staged(unit: Unit, number: int, leg: int, client_ids: Collection[int], state: StagedState) -> None:
    """Have lines of a leg that wait stand so from now on."""
    _MOVE.run(unit, run=number, leg=leg, clients=client_ids, state=state.value, now=unit.now)
    _count(unit, number)


def end_staged(unit: Unit, number: int, state: StagedState) -> bool:
    """Have all lines of a run that wait end so; returns whether there were any."""
    ended = bool(_MOVE_ALL.run(unit, run=number, state=state.value, now=unit.now))
    if ended:
        _count(unit, number)
    return ended


def _count(unit: Unit, number: int) -> None:
    _COUNT.run(unit, run=number)
