"""A fact is never dropped: the store's errors are waited out, what no booking takes is kept and shown."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from data.vocabulary import BreakKind, OrderState, Reason, RunCount, SizingKind
from engine.booking import recorder as record
from engine.booking.apply import apply_facts
from engine.booking.facts import Fact, Seen
from engine.words.breaks import break_words
from tests.desks import books_are_sound, buy, carry_out, on_tape, paper_desk, sell, until
from tradedesk.testing import seam

ROHAN, PRIYA = 8, 15
BOTH = buy("RELIANCE", SizingKind.FIXED_QUANTITY, 3, ROHAN, PRIYA)


def refuse_fills(home: Path, client_id: int) -> None:
    """Have the database refuse each trade of a client, as a rule that a fact breaks would."""
    with closing(sqlite3.connect(home / "desk.db")) as connection:
        connection.execute(
            f"CREATE TRIGGER odd BEFORE INSERT ON fill WHEN NEW.client_id = {client_id} "
            "BEGIN SELECT RAISE(ABORT, 'an odd trade'); END"
        )


def take_fills(home: Path) -> None:
    with closing(sqlite3.connect(home / "desk.db")) as connection:
        connection.execute("DROP TRIGGER odd")


async def test_a_database_error_inside_a_unit_is_waited_out_and_every_fact_is_booked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with paper_desk(tmp_path) as desk:
        failing = ["disk table is locked"] * 3

        def booking(unit: record.Unit, facts: list[Fact], actor: str, credit_bps: int) -> record.Applied:
            if failing:
                raise OperationalError("INSERT", {}, sqlite3.OperationalError(failing.pop()))
            return apply_facts(unit, facts, actor, credit_bps)

        monkeypatch.setattr(record, "apply_facts", booking)
        plan = await desk.plans.freeze(BOTH)
        run = await desk.runs.start(plan, plan.digest)
        await until(desk, lambda: desk.runs.get(run.number).counts[RunCount.FILLED] == 2)
        assert failing == []
        # Answers count too: an order whose answer was lost would have been in doubt.
        assert [attempt.outcome for attempt in (await desk.orders.life(1)).attempts] == ["accepted"]
        assert desk.reconcile.breaks() == []
        await books_are_sound(desk)


@pytest.mark.in_file
async def test_a_fact_that_no_booking_takes_is_kept_shown_and_counted_and_blocks_its_clients_buys(
    tmp_path: Path,
) -> None:
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1, ROHAN))
        refuse_fills(tmp_path, ROHAN)
        plan = await desk.plans.freeze(BOTH)
        run = await desk.runs.start(plan, plan.digest)
        await until(desk, lambda: desk.reconcile.breaks(ROHAN))
        await until(desk, lambda: desk.runs.get(run.number).counts[RunCount.FILLED] == 1)
        await until(desk, lambda: desk.runs.get(run.number).counts[RunCount.OPEN] == 1)
        theirs, ours = (desk.orders.all(run=run.number, client_id=c)[0] for c in (PRIYA, ROHAN))
        assert (theirs.state, ours.state) == (OrderState.FILLED, OrderState.OPEN)
        assert ours.blocked_paise > 0, "its money stays blocked"
        (kept,) = desk.reconcile.breaks(ROHAN)
        assert (kept.kind, kept.order_id) == (BreakKind.FACT, ours.id)
        assert "an odd trade" in break_words(kept)
        assert ours in desk.orders.needs_attention()
        assert desk.counts().needs_attention == 1
        assert on_tape(desk, "could not be booked")
        more = await desk.plans.preview(buy("INFY", SizingKind.FIXED_QUANTITY, 1, ROHAN, PRIYA))
        assert {line.client_id: line.reason for line in more.lines} == {
            ROHAN: Reason.OPEN_BREAK,
            PRIYA: None,
        }
        assert (await desk.plans.preview(sell("TCS", SizingKind.FIXED_QUANTITY, 1, ROHAN))).orders == 1
        bad = {check.name: check.detail for check in await desk.doctor.run() if not check.ok}
        assert list(bad) == ["append-only triggers", "broker's words"], "what refuses the trades is a trigger"
        assert "1 " in bad["broker's words"]

        await desk.reconcile.check(ROHAN)
        assert len(desk.reconcile.breaks(ROHAN)) == 1, "told again it is the same row"
        take_fills(tmp_path)
        await until(desk, lambda: desk.orders.get(ours.id).state is OrderState.FILLED)
        await until(desk, lambda: not desk.reconcile.breaks(ROHAN))
        assert desk.counts().needs_attention == 0
        await books_are_sound(desk)


async def test_a_buy_planned_before_its_clients_fact_could_not_be_booked_is_denied(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1, ROHAN))
        plan = await desk.plans.freeze(BOTH)
        theirs = (
            await desk.connections.feed.broker.orders(desk.connections.account(desk.clients.get(ROHAN)))
        )[0]
        seam(desk).workers.recorder.put(Seen(ROHAN, theirs, (object(),)))  # type: ignore[arg-type]
        await seam(desk).workers.recorder.flush()
        run = await desk.runs.start(plan, plan.digest)
        denied = desk.orders.all(run=run.number, client_id=ROHAN)[0]
        assert (denied.state, denied.reason_code) == (OrderState.DENIED, Reason.OPEN_BREAK)
        assert run.counts[RunCount.DENIED] == 1


async def test_a_kept_fact_outlives_the_program_until_the_trader_takes_the_brokers_figures(
    tmp_path: Path,
) -> None:
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1, ROHAN))
        fact = Seen(
            ROHAN,
            (await desk.connections.feed.broker.orders(desk.connections.account(desk.clients.get(ROHAN))))[0],
        )
        broken = Seen(ROHAN, fact.order, (object(),))  # type: ignore[arg-type]
        seam(desk).workers.recorder.put(broken)
        await seam(desk).workers.recorder.flush()
        assert len(desk.reconcile.breaks(ROHAN)) == 1
    async with paper_desk(tmp_path, demo=False) as desk:
        assert BreakKind.FACT in {one.kind for one in desk.reconcile.breaks(ROHAN)}
        assert any(not check.ok for check in await desk.doctor.run())
        await desk.clock.sleep(0)
        await until(desk, lambda: desk.reconcile.is_compared(ROHAN))
        await desk.reconcile.adopt(ROHAN, "read from the contract note")
        assert desk.reconcile.breaks(ROHAN) == []
        await books_are_sound(desk)


async def test_a_failing_listener_ends_no_booking(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        told: list[object] = []

        def listener(applied: object) -> None:
            told.append(applied)
            if len(told) == 1:
                raise RuntimeError("no")

        seam(desk).workers.recorder.after(listener)
        for symbol in ("RELIANCE", "TCS"):
            _, run = await carry_out(desk, buy(symbol, SizingKind.FIXED_QUANTITY, 3, ROHAN, PRIYA))
            assert run.counts[RunCount.FILLED] == 2
        assert len(told) > 1
        await books_are_sound(desk)
