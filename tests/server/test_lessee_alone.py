"""What a desk changes of a client's orders, runs and money is kept only where it has the client by then."""

from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path

import pytest

from data.engines.shared.leases import break_fence, hand_clients
from data.errors import LeaseLost
from data.store import Unit
from data.vocabulary import OrderState, SizingKind
from engine.booking.overdue import end_of_day
from engine.booking.requests import Attempt
from engine.booking.stored import ATTEMPTS
from engine.desk import Desk
from engine.execution.changes.cancels import ask
from engine.execution.sending.pauses import mark_stopped
from tests.books import database_of, database_url
from tests.desks import books_are_sound, buy, carry_out, sends_nothing, until
from tests.sharing import Firm
from tradedesk.testing import seam

ROHAN, PRIYA = 8, 15

pytestmark = pytest.mark.parametrize("books_engine", ["postgres"], indirect=True)

Act = Callable[[Desk, int, int], Awaitable[object]]
"""Something that a desk does about an order and its run."""


@pytest.fixture
def firm(tmp_path: Path, books_engine: str) -> Firm:
    return Firm(tmp_path, database_url(tmp_path))


def lost_behind_its_back(firm: Firm, desk: Desk) -> None:
    """Another has Rohan, and this desk has not read so."""
    leases = seam(desk).store.leases
    assert leases is not None
    engine = database_of(firm.folder).writer()
    try:
        with engine.begin() as connection:
            break_fence(connection, leases.instance_id)
            hand_clients(connection, {ROHAN}, leases.instance_id, 0, "2026-11-18 04:00:00")
    finally:
        engine.dispose()


def write(desk: Desk, work: Callable[[Unit], object]) -> Awaitable[object]:
    return seam(desk).store.write(work)


async def _leave_over(desk: Desk, order: int, run: int) -> None:
    calendar, later = seam(desk).timing.calendar, date(2026, 12, 1)
    await write(desk, lambda unit: end_of_day(unit, later, later, calendar, "asha", [order]))


async def _attempt(desk: Desk, order: int, run: int) -> None:
    at = seam(desk).timing.wall.now()
    await write(desk, lambda unit: ATTEMPTS.insert(unit, [Attempt(order, 9, "tagx", 1, at, at, 1)]))


ACTS: dict[str, Act] = {
    "cancel": lambda desk, order, run: desk.orders.cancel([order]),
    "cancel asked": lambda desk, order, run: write(desk, lambda unit: ask(unit, [order], "why", "asha")),
    "modify": lambda desk, order, run: desk.orders.modify(order, limit_paise=140500),
    "pause": lambda desk, order, run: desk.runs.pause(run),
    "stop": lambda desk, order, run: write(desk, lambda unit: mark_stopped(unit, run, "asha")),
    "run stopped": lambda desk, order, run: desk.runs.stop(run, live=True),
    "left over": _leave_over,
    "attempt without its lease": _attempt,
}


def standing(firm: Firm) -> list[tuple[object, ...]]:
    """Orders, runs, attempts and requests as they stand."""
    tables = ("orders", "run", "attempt", "request", "txn")
    return database_of(firm.folder).read(
        lambda connection: [
            tuple(row) for one in tables for row in connection.exec_driver_sql(f"TABLE {one} ORDER BY 1, 2")
        ]
    )


async def test_who_has_lost_a_client_changes_nothing_of_it_and_says_so(firm: Firm) -> None:
    await firm.make()
    async with firm.desk("asha", "free") as asha:
        resting = buy("INFY", SizingKind.FIXED_QUANTITY, 1, ROHAN, limit_paise=140000)
        plan = await asha.plans.freeze(resting)
        run = await asha.runs.start(plan, plan.digest)
        (order,) = run.order_ids
        await until(asha, lambda: asha.orders.get(order).state is OrderState.OPEN)
        await asha.settle()
        _, other = await carry_out(asha, buy("TCS", SizingKind.FIXED_QUANTITY, 1, PRIYA))
        sends_nothing(asha)
        plan = await asha.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 1, ROHAN))
        unsent = await asha.runs.start(plan, plan.digest)
        plan = await asha.plans.freeze(buy("HDFCBANK", SizingKind.FIXED_QUANTITY, 1, ROHAN))
        lost_behind_its_back(firm, asha)
        before = standing(firm)
        for case, act in ACTS.items():
            for number, of in ((order, run.number), (unsent.order_ids[0], unsent.number)):
                if case == "modify" and number != order:
                    continue
                with pytest.raises(LeaseLost):
                    await act(asha, number, of)
                assert standing(firm) == before, case
        with pytest.raises(LeaseLost):
            await asha.runs.start(plan, plan.digest)
        assert standing(firm) == before
        await asha.notes.on_order(order, "anybody may note something on it")
        assert asha.orders.get(other.order_ids[0]).state is OrderState.FILLED


async def test_attempts_and_requests_have_the_epoch_of_their_lease_and_the_doctor_holds_them(
    firm: Firm,
) -> None:
    await firm.make()
    async with firm.desk("asha", "free") as asha:
        plan = await asha.plans.freeze(
            buy("INFY", SizingKind.FIXED_QUANTITY, 1, ROHAN, PRIYA, limit_paise=140000)
        )
        run = await asha.runs.start(plan, plan.digest)
        ids = list(run.order_ids)
        await until(asha, lambda: {asha.orders.get(one).state for one in ids} == {OrderState.OPEN})
        epochs = {row.client_id: row.epoch for row in await asha.leases.rows()}
        await asha.orders.modify(ids[0], limit_paise=140500)
        await asha.orders.cancel(ids)
        await until(asha, lambda: not seam(asha).kept.book.live)
        await asha.settle()
        clients = {one: asha.orders.get(one).client_id for one in ids}
        for table in ("attempt", "request"):
            found = database_of(firm.folder).read(
                lambda on, table=table: on.exec_driver_sql(f"SELECT order_id, epoch FROM {table}").all()
            )
            assert {(one, epochs[clients[one]]) for one in ids} == {tuple(row) for row in found}, table
        await books_are_sound(asha)
        at = "UPDATE attempt SET epoch = ? WHERE order_id = ?"
        for epoch, words in ((0, "without"), (epochs[ROHAN] + 1, "has not come to")):
            firm.write(at, epoch, ids[0])
            (lease,) = [one for one in await asha.doctor.run() if one.name == "leases"]
            assert not lease.ok
            assert words in lease.detail
            firm.write(at, epochs[clients[ids[0]]], ids[0])
