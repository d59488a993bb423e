"""Two desks on one ledger: whoever decides second sees what the first decided, wherever the first pauses.

A claim against a cancel, and a reservation against a halt, in both orders. In a file one writer waits for the
other; on a server each waits only for a row that the other has changed, and for the gate that a halt closes.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import pytest

from data.clock import ManualClock
from data.errors import StoreUnwritable
from data.repositories.history.closes import official_closes
from data.store import GateMode, Store
from data.vocabulary import CloseSource, DeskKind, HaltScope, OrderState, SizingKind
from data.writing.unit import Unit
from engine.book.halt_scope import HaltView
from engine.close.prices import FoundClose, keep_found
from engine.desk import Desk
from engine.execution.changes.cancels import ask
from engine.execution.sending.dispatch import Dispatcher
from engine.halt.booked import OpenedHalt
from engine.halt.opening import Opening
from engine.halt.sweep import Before
from tests.books import POSTGRES, database_url
from tests.desks import START, Wire, books_are_sound, buy, filed_desk, in_time, until
from tests.sharing import Firm
from tradedesk.testing import seam

T = TypeVar("T")

ROHAN, PRIYA = 8, 15
BEFORE = date(2026, 11, 17)

on_server = pytest.mark.parametrize("books_engine", [POSTGRES], indirect=True)

PAUSES = ("before it reads", "before it commits")


class Held:
    """Holds one unit of a store while it has its turn."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._reached, self._go = threading.Event(), threading.Event()
        self.left = 1

    def unit(self, work: Callable[[Unit], T]) -> Callable[[Unit], T]:
        def held(unit: Unit) -> T:
            if self._where == PAUSES[0]:
                self._wait()
            result = work(unit)
            if self._where == PAUSES[1]:
                self._wait()
            return result

        return held

    def _wait(self) -> None:
        self._reached.set()
        assert self._go.wait(20)

    async def reached(self) -> None:
        """Wait until the unit is held."""
        assert await asyncio.to_thread(self._reached.wait, 20)

    def go(self) -> None:
        """Let it go on."""
        self._go.set()

    async def second(self, other: Callable[[], Awaitable[T]]) -> T:
        """Begin another's work while the unit is held; it must wait for it."""
        assert await asyncio.to_thread(self._reached.wait, 20)
        waiting = asyncio.ensure_future(other())
        done, _ = await asyncio.wait({waiting}, timeout=0.2)
        assert not done, "it did not wait for its turn"
        self._go.set()
        return await waiting

    async def meanwhile(self, other: Callable[[], Awaitable[T]]) -> T:
        """Do another's work while the unit is held; it does not wait for it."""
        assert await asyncio.to_thread(self._reached.wait, 20)
        try:
            return await asyncio.wait_for(other(), 20)
        finally:
            self._go.set()

    async def beside(self, other: Callable[[], Awaitable[T]], waits: bool) -> T:
        """Either of them."""
        return await (self.second(other) if waits else self.meanwhile(other))

    def next_of(self, store: Store, patch: pytest.MonkeyPatch) -> None:
        """Hold the next unit that a store is given."""
        submit = store.submit

        def held(unit: Callable[[Unit], Any], gate: GateMode = GateMode.SHARED) -> Any:
            self.left -= 1
            return submit(self.unit(unit) if self.left == 0 else unit, gate)

        patch.setattr(store, "submit", held)


async def ends(opening: Opening, halt: HaltView, met: Before) -> OpenedHalt | None:
    """In the place of a halt's second commit: its desk has ended."""
    raise StoreUnwritable("the program has ended")


@asynccontextmanager
async def two_desks(home: Path) -> AsyncIterator[tuple[Desk, Desk]]:
    clock = ManualClock(START)
    async with (
        filed_desk(home, clock, DeskKind.APP) as one,
        filed_desk(home, clock, DeskKind.COMMAND, 8) as other,
    ):
        yield one, other


async def reserved(desk: Desk, client_id: int = ROHAN) -> list[int]:
    """Orders of a run that nobody claims before the test has its desk do so."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Dispatcher, "submit", lambda dispatcher, order_ids: None)
        plan = await desk.plans.freeze(buy("INFY", SizingKind.FIXED_QUANTITY, 2, client_id, again=True))
        run = await desk.runs.start(plan, plan.digest)
    assert desk.orders.get(run.order_ids[0]).state is OrderState.RESERVED
    return list(run.order_ids)


@pytest.mark.both
@pytest.mark.parametrize("where", PAUSES)
async def test_an_order_is_claimed_or_its_money_freed_and_never_both(
    tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with two_desks(tmp_path) as (desk, other):
        wire, store = Wire(desk), seam(other).store
        waits = not store.on_server or where == PAUSES[1]
        claims = lambda ids: seam(desk).workers.dispatcher.submit(ids)  # noqa: E731

        (one,) = await reserved(desk)
        cancel = lambda unit: ask(unit, [one], "cancelled", "tester")  # noqa: E731
        with pytest.MonkeyPatch.context() as patch:
            held = Held(where)
            held.next_of(seam(desk).store, patch)
            claims([one])
            asked = await held.beside(lambda: store.write(cancel), waits)
        if waits:
            assert (asked.freed, [*asked.requests, *asked.ended]) == ({}, [one])
            assert store.on_server or not asked.ended, "it may be filled before the cancel is run again"
            await until(desk, lambda: wire.placed != [])
            await until(desk, lambda: desk.orders.get(one).state is OrderState.FILLED)
        else:  # what the claim had read of the order is so no more, and it is run again
            assert (list(asked.freed), asked.requests) == ([one], {})
            await until(desk, lambda: desk.orders.get(one).state is OrderState.CANCELLED)
            await desk.settle()
            assert wire.placed == []

        before = desk.funds.of(ROHAN).available_paise
        (two,) = await reserved(desk)
        held, placed = Held(where), len(wire.placed)
        freeing = store.submit(held.unit(lambda unit: ask(unit, [two], "cancelled", "tester")))

        async def claimed() -> None:
            claims([two])
            await desk.settle()

        await held.beside(claimed, waits)
        asked = await freeing
        if waits:
            assert list(asked.freed) == [two]
            await until(desk, lambda: desk.orders.get(two).state is OrderState.CANCELLED)
            assert len(wire.placed) == placed
            assert desk.funds.of(ROHAN).available_paise == before
        else:
            assert asked.freed == {}
            assert len(wire.placed) == placed + 1, "its money is blocked as long as it may trade"
            await until(desk, lambda: desk.orders.get(two).state is OrderState.FILLED)
        await books_are_sound(desk)


@pytest.mark.both
@pytest.mark.parametrize("where", PAUSES)
async def test_a_halt_sees_what_was_reserved_before_it_and_nothing_is_reserved_behind_it(
    tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with two_desks(tmp_path) as (desk, other):
        before = desk.funds.of(ROHAN).available_paise
        monkeypatch.setattr(Dispatcher, "submit", lambda dispatcher, order_ids: None)
        plan = await desk.plans.freeze(buy("INFY", SizingKind.FIXED_QUANTITY, 2, ROHAN))
        with pytest.MonkeyPatch.context() as patch:
            held = Held(where)
            held.next_of(seam(desk).store, patch)
            starting = asyncio.ensure_future(desk.runs.start(plan, plan.digest))
            halting = lambda: in_time(other, other.halt.fire("tester", HaltScope.CLIENT, str(ROHAN)))  # noqa: E731
            certificate = await held.second(halting)
            run = await starting
        assert certificate.unsent_freed == len(run.order_ids) == 1
        await until(desk, lambda: desk.funds.of(ROHAN).available_paise == before)
        await other.halt.resume(certificate.number, "resume", "tester")
        await until(desk, lambda: desk.halt.active() == [])

        plan = await desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 2, ROHAN))
        with pytest.MonkeyPatch.context() as patch:
            held = Held(where)
            held.next_of(seam(other).store, patch)
            announced = seam(other).store.on_server
            firing = asyncio.ensure_future(other.halt.fire("tester", HaltScope.CLIENT, str(ROHAN)))
            run = await held.beside(lambda: desk.runs.start(plan, plan.digest), not announced)
            await until(other, firing.done)
            certificate = await firing
        states = {OrderState.CANCELLED if announced else OrderState.DENIED}
        assert certificate.unsent_freed == (1 if announced else 0), "what came before its first word is freed"
        await until(desk, lambda: {desk.orders.get(one).state for one in run.order_ids} == states)
        assert desk.funds.of(ROHAN).available_paise == before
        await books_are_sound(desk)


@on_server
@pytest.mark.parametrize("where", PAUSES)
async def test_nothing_is_reserved_behind_the_first_word_of_a_halt_while_it_looks_at_what_it_meets(
    tmp_path: Path, books_engine: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with two_desks(tmp_path) as (desk, other):
        before = desk.funds.of(ROHAN).available_paise
        monkeypatch.setattr(Dispatcher, "submit", lambda dispatcher, order_ids: None)
        (one,) = await reserved(desk)
        plan = await desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 2, ROHAN))
        with pytest.MonkeyPatch.context() as patch:
            held = Held(where)
            held.left = 2
            held.next_of(seam(other).store, patch)
            firing = asyncio.ensure_future(other.halt.fire("tester", HaltScope.CLIENT, str(ROHAN)))
            run = await held.second(lambda: desk.runs.start(plan, plan.digest))
            await until(other, firing.done)
            certificate = await firing
        assert certificate.unsent_freed == 1
        assert {desk.orders.get(one).state for one in run.order_ids} == {OrderState.DENIED}
        await until(desk, lambda: desk.orders.get(one).state is OrderState.CANCELLED)
        assert desk.funds.of(ROHAN).available_paise == before
        await books_are_sound(desk)


@on_server
async def test_a_halt_whose_desk_ends_behind_its_first_word_is_carried_out_by_the_next(
    tmp_path: Path, books_engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock(START)
    monkeypatch.setattr(Dispatcher, "submit", lambda dispatcher, order_ids: None)
    async with filed_desk(tmp_path, clock) as desk:
        before = desk.funds.of(ROHAN).available_paise
        (one,) = await reserved(desk)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Opening, "_sweep", ends)
            with pytest.raises(StoreUnwritable):
                await in_time(desk, desk.halt.fire("tester", HaltScope.CLIENT, str(ROHAN)))
    async with filed_desk(tmp_path, clock, seed=8) as desk:
        await until(desk, lambda: desk.orders.get(one).state is OrderState.CANCELLED)
        assert desk.funds.of(ROHAN).available_paise == before
        await until(desk, lambda: desk.halt.latest() is not None)
        await books_are_sound(desk)


@on_server
@pytest.mark.parametrize("first", ["the claims", "the halt"])
async def test_a_halt_of_one_desk_stops_its_claims_and_none_of_another_in_either_order(
    tmp_path: Path, books_engine: str, first: str
) -> None:
    firm = Firm(tmp_path, database_url(tmp_path))
    await firm.make()
    async with (
        firm.desk("asha", "free") as asha,
        firm.desk("ravi", "free", seed=8) as ravi,
        firm.desk("asha", "free", DeskKind.COMMAND, seed=9) as command,
    ):
        await asha.leases.release(asha.clients.get(ROHAN).code, seam(ravi).engine.id)
        await until(ravi, lambda: ROHAN in seam(ravi).kept.book.clients)
        wires = (Wire(asha), Wire(ravi))
        (mine,), (theirs,) = await reserved(asha, PRIYA), await reserved(ravi, ROHAN)

        def claim() -> None:
            seam(asha).workers.dispatcher.submit([mine])
            seam(ravi).workers.dispatcher.submit([theirs])

        with pytest.MonkeyPatch.context() as patch:
            if first == "the claims":
                holding = [Held(PAUSES[1]), Held(PAUSES[1])]
                for held, desk in zip(holding, (asha, ravi), strict=True):
                    held.next_of(seam(desk).store, patch)
                claim()
                for held in holding:
                    await held.reached()
                firing = command.halt.fire_now("asha")
                await until(command, lambda: any(one.number for one in command.halt.active()), step_s=0.0)
                assert not firing.done()
            else:
                holding = [Held(PAUSES[0])]
                holding[0].left = 2  # what it meets, behind its first word
                holding[0].next_of(seam(command).store, patch)
                firing = command.halt.fire_now("asha")
                await holding[0].reached()
                claim()
            for held in holding:
                held.go()
        await until(command, firing.done, step_s=0.2)
        await until(ravi, lambda: ravi.orders.get(theirs).state is OrderState.FILLED)
        await until(asha, lambda: not asha.orders.get(mine).live, step_s=0.2)
        await asha.settle()
        assert [len(wire.placed) for wire in wires] == [0, 1]
        assert asha.orders.get(mine).blocked_paise == 0
        await books_are_sound(asha)


@pytest.mark.both
async def test_two_desks_keep_the_closes_of_the_day_before_at_once_and_each_stands_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, books_engine: str
) -> None:
    async with two_desks(tmp_path) as (one, other):
        first, second = ({"NSE:INFY": FoundClose(paise, CloseSource.HISTORY)} for paise in (150_000, 150_100))
        held = Held(PAUSES[1])
        held.next_of(seam(one).store, monkeypatch)
        keeping = asyncio.ensure_future(seam(one).store.write(lambda unit: keep_found(unit, BEFORE, first)))
        await held.second(lambda: seam(other).store.write(lambda unit: keep_found(unit, BEFORE, second)))
        await keeping
        async with seam(one).store.reader() as reader:
            kept = await official_closes(reader, ["NSE:INFY"], BEFORE)
        assert [(told.day, told.close_paise) for told in kept] == [(BEFORE, 150_000)]
