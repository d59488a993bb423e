"""Later stages of a run: buys reserved once the sales before them have ended, by what these brought."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from data.clock import ManualClock
from data.records import replace
from data.repositories.trading.stages import left_of_model
from data.vocabulary import AlertKind, PauseReason, PerClient, RunCount, RunStatus, Side, SizingKind
from engine.colon.searches import search_from
from engine.execution.stages import Stages
from engine.people.scoping import of_run
from engine.planning.intent import Intent, Leg, LineChange, Sizing
from engine.words.alerts import alert_words
from engine.words.audit import told_words
from tests.desks import (
    START,
    Wire,
    books_are_sound,
    buy,
    carry_out,
    filed_desk,
    manual_clock,
    paper_desk,
    sends_nothing,
    there,
    until,
)
from tradedesk.testing import seam

QTY = SizingKind.FIXED_QUANTITY
TWO = (1, 4)


def staged(*orders: tuple[Side, str, int, dict[int, int]], model: str = "") -> Intent:
    """Sales at once, buys of stage 1, each for its own clients with so many shares."""
    legs = [
        (
            Leg(side, key, Sizing(QTY, max(shares.values())), stage=stage),
            [LineChange(client_id, quantity) for client_id, quantity in shares.items()],
        )
        for side, key, stage, shares in orders
    ]
    first = legs[0][0]
    made = Intent(first.side, first.key, first.sizing, per_client=PerClient.IN_ORDER, model=model)
    return made.listed_for(legs, "staged")


async def test_buys_begin_once_the_sales_of_their_security_have_ended_for_all(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, buy("TCS", QTY, 4, *TWO))
        intent = staged(
            (Side.SELL, "NSE:TCS", 0, {1: 4, 4: 2}),
            (Side.BUY, "NSE:INFY", 1, {1: 5}),
            (Side.BUY, "NSE:RELIANCE", 1, {4: 2}),
            model="M",
        )
        plan = await desk.plans.freeze(intent)
        assert (plan.answer, plan.stages) == ("sell 2 buy 2", 2)
        assert plan.send_within_s == 900
        run = await desk.runs.start(plan, plan.digest)
        assert (run.counts[RunCount.TOTAL], run.counts[RunCount.UNSENT]) == (4, 4)
        run = await desk.runs.settled(run.number, 30)
        assert run.counts[RunCount.FILLED] == 4
        orders = [desk.orders.get(order_id) for order_id in run.order_ids]
        assert [order.leg for order in orders][:2] == [1, 1]
        await until(desk, lambda: desk.runs.get(run.number).status is RunStatus.FINISHED)
        back = there(await desk.runs.reverse_intent(run.number))
        assert (len(back.legs), back.model) == (3, ""), "what is turned back brings nobody to a model"
        await books_are_sound(desk)


async def test_a_run_that_died_between_sales_and_buys_goes_on_by_hand_and_sends_nothing_twice(
    tmp_path: Path,
) -> None:
    clock = ManualClock(START)
    async with filed_desk(tmp_path, clock) as desk:
        await carry_out(desk, buy("TCS", QTY, 4, *TWO))
        wire = Wire(desk)

        async def place(account, request):
            await wire.broker.place(account, request)  # it arrived, and the answer never comes
            await asyncio.Event().wait()

        wire.on_place = place
        plan = await desk.plans.freeze(
            staged(
                (Side.SELL, "NSE:TCS", 0, {1: 4, 4: 2}),
                (Side.BUY, "NSE:TCS", 1, {15: 1, 8: 1}),
            )
        )
        run = await desk.runs.start(plan, plan.digest)
        await until(desk, lambda: len(wire.placed) == 2, step_s=0.0)
        seam(desk).waits = type(seam(desk).waits)(send_timeout_s=0.05)
        seam(desk).workers.recorder.put = lambda fact: None
        seam(desk).background.cancel()
    async with filed_desk(tmp_path, clock, seed=8) as desk:
        await until(desk, lambda: desk.runs.get(run.number).counts[RunCount.FILLED] == 2)
        left = desk.runs.get(run.number)
        assert (left.status, left.pause_reason) == (RunStatus.PAUSED, PauseReason.ENGINE_DIED)
        assert (left.unsent, left.counts[RunCount.TOTAL]) == (2, 4)
        found = await desk.runs.prospect(run.number)
        assert (found.answer, set(found.prices)) == ("send 2", {2})
        await desk.runs.go_on(run.number, 2)
        await until(desk, lambda: desk.runs.get(run.number).status is RunStatus.FINISHED)
        ended = desk.runs.get(run.number)
        assert (ended.counts[RunCount.FILLED], ended.counts[RunCount.TOTAL]) == (4, 4)
        tags = [one.tag for order in ended.order_ids for one in (await desk.orders.life(order)).attempts]
        assert len(tags) == len(set(tags)) == 4
        await books_are_sound(desk)


@pytest.fixture
def not_yet() -> Iterator[pytest.MonkeyPatch]:
    """Have nobody look whose turn it is, until this is undone."""

    async def look(_: Stages) -> None:
        return

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Stages, "look", look)
        yield patched


ONLY_BUYS = staged((Side.SELL, "NSE:TCS", 0, {1: 4}), (Side.BUY, "NSE:INFY", 1, {4: 2, 15: 1}))
"""A plan of which buys alone go where client 1 holds nothing."""


async def test_a_run_that_died_before_its_first_order_is_known_anew_as_that_of_whom_it_buys_for(
    tmp_path: Path, not_yet: pytest.MonkeyPatch
) -> None:
    clock = ManualClock(START)
    async with filed_desk(tmp_path, clock) as desk:
        plan = await desk.plans.freeze(ONLY_BUYS)
        assert plan.answer == "buy 2"
        run = await desk.runs.start(plan, plan.digest)
        assert of_run(seam(desk).kept.book, run.number) == {4, 15}
        seam(desk).background.cancel()
    not_yet.undo()
    async with filed_desk(tmp_path, clock, seed=8) as desk:
        await until(desk, lambda: desk.runs.get(run.number).status is RunStatus.PAUSED)
        assert of_run(seam(desk).kept.book, run.number) == {4, 15}
        await desk.runs.go_on(run.number, 2)
        await until(desk, lambda: desk.runs.get(run.number).status is RunStatus.FINISHED)
        assert desk.runs.get(run.number).counts[RunCount.FILLED] == 2
        assert not seam(desk).kept.book.to_come[run.number]
        await books_are_sound(desk)


async def test_no_buy_is_reserved_once_trading_has_stopped(
    tmp_path: Path, not_yet: pytest.MonkeyPatch
) -> None:
    async with paper_desk(tmp_path) as desk:
        plan = await desk.plans.freeze(ONLY_BUYS)
        run = await desk.runs.start(plan, plan.digest)
        not_yet.undo()
        engine = seam(desk).engine
        engine.trading_disabled = "the audit chain is broken"
        await desk.runs.advance()
        assert (desk.runs.get(run.number).unsent, desk.runs.get(run.number).order_ids) == (2, ())
        engine.trading_disabled = ""
        await desk.runs.advance()
        assert len(desk.runs.get(run.number).order_ids) == 2


async def test_a_halt_ends_what_waits_and_resuming_sends_none_of_it(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, buy("TCS", QTY, 4, 1))
        intent = staged((Side.SELL, "NSE:TCS", 0, {1: 4}), (Side.BUY, "NSE:TCS", 1, {15: 1}))
        plan = await desk.plans.freeze(intent)
        sends_nothing(desk)
        run = await desk.runs.start(plan, plan.digest)
        certificate = await desk.halt.fire("tester")
        await desk.halt.resume(certificate.number, "resume", "tester")
        await until(desk, lambda: desk.runs.get(run.number).finished_at is not None)
        ended = desk.runs.get(run.number)
        assert (ended.counts[RunCount.CANCELLED], ended.counts[RunCount.TOTAL]) == (1, 1)
        assert not desk.holdings.of(15)


async def test_what_cash_did_not_carry_is_left_to_the_next_plan_of_its_model_also_one_that_buys_at_once(
    tmp_path: Path,
) -> None:
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, buy("TCS", QTY, 4, 1))
        intent = staged(
            (Side.SELL, "NSE:TCS", 0, {1: 4}), (Side.BUY, "NSE:INFY", 1, {4: 6_000, 15: 6_000}), model="M"
        )
        plan = await desk.plans.freeze(intent)
        run = await desk.runs.start(plan, plan.digest)
        run = await desk.runs.settled(run.number, 30)
        assert (run.counts[RunCount.TOTAL], run.unsent) == (1, 0)

        async def left() -> list[tuple[int, int]]:
            async with seam(desk).kept.store.reader() as reader:
                return [(one.client_id, one.shares_left) for one in await left_of_model(reader, "M")]

        assert await left() == [(4, 6_000), (15, 6_000)]
        await carry_out(desk, replace(buy("INFY", QTY, 1, 4), model="M"))
        assert await left() == [(15, 6_000)]


async def test_buys_that_wait_long_are_told_once_and_no_more_once_they_have_ended(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, buy("TCS", QTY, 4, 1))
        intent = staged((Side.SELL, "NSE:TCS", 0, {1: 4}), (Side.BUY, "NSE:TCS", 1, {15: 1}))
        plan = await desk.plans.freeze(intent)
        sends_nothing(desk)
        run = await desk.runs.start(plan, plan.digest)
        for seconds, told in ((60, 0), (70, 1), (200, 1)):
            await manual_clock(desk).advance(seconds)
            await desk.runs.advance()
            await desk.alerts.read()
            waiting = [one for one in desk.alerts.standing if one.kind is AlertKind.BUYS_WAIT]
            assert len(waiting) == told
        (alert,) = waiting
        assert alert_words(alert) == f"run {run.number}: 1 buy waits on 1 sale, of 1 client"
        await desk.halt.fire("tester")
        await desk.runs.advance()
        assert not [one for one in desk.alerts.standing if one.kind is AlertKind.BUYS_WAIT]
        search = await desk.audit.search(search_from(["action:run_staged"], desk.known()))
        (row,) = (await search.page()).rows
        assert told_words(row) == "buys stopped 1"
