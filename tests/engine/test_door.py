"""What leaves is what was reserved: no order or run that something else changed in the file is sent."""

import pytest

from brokers.contract import NotSent
from data.proving import latest
from data.vocabulary import ClientStatus, OrderState, PauseReason, RunCount, RunStatus, SizingKind
from engine.refusals import CannotGoOn, TradingStopped
from tests.desks import Wire, buy, carry_out, manual_clock, on_tape, paper_desk, there, until
from tests.further import further
from tests.refusing import refuses
from tests.tampering import tamper

ROHAN, PRIYA, AMIT = 8, 15, 22
QTY = SizingKind.FIXED_QUANTITY

CHANGES = [
    "quantity = 20",
    "side = 'SELL'",
    "tradingsymbol = 'TCS'",
    "limit_paise = 1",
    f"client_id = {ROHAN} + 1",
    "product = 'MTF'",
    "side = 'none'",
    "trading_date = 'none'",
    "instance_id = instance_id",
]


async def turned_away(desk, *clients):
    """A run whose orders were tried once and did not leave, and whether they are let go now."""
    wire = Wire(desk)
    shut = [True]

    async def place(account, request):
        return NotSent("429") if shut else None

    wire.on_place = place
    plan = await desk.plans.freeze(buy("RELIANCE", QTY, 2, *clients))
    number = (await desk.runs.start(plan, plan.digest)).number
    await until(desk, lambda: len(wire.placed) >= len(clients), step_s=0.1)
    orders = desk.runs.get(number).order_ids
    await until(desk, lambda: all(desk.orders.get(i).state is OrderState.RESERVED for i in orders), step_s=0)
    wire.placed.clear()
    return wire, number, shut


@pytest.mark.parametrize("change", further(CHANGES, 4))
async def test_an_order_that_was_changed_in_the_file_is_not_sent_and_trading_stops(tmp_path, change):
    async with paper_desk(tmp_path) as desk:
        wire, number, shut = await turned_away(desk, ROHAN, PRIYA, AMIT)
        order_id = desk.runs.get(number).order_ids[0]
        tamper(tmp_path / "desk.db", f"UPDATE orders SET {change} WHERE id = {order_id}")
        shut.clear()
        if change == "instance_id = instance_id":  # what the file says is what it said
            await until(desk, lambda: desk.runs.get(number).counts[RunCount.FILLED] == 3)
            assert desk.trading_disabled is None
            return
        await until(desk, lambda: desk.trading_disabled)
        await manual_clock(desk).advance(10)
        assert wire.placed == []
        run = desk.runs.get(number)
        assert (run.status, run.pause_reason) == (RunStatus.PAUSED, PauseReason.BOOKS_DIFFER)
        assert run.needs_attention
        assert f"order {order_id} is not as the audit left it" in there(desk.trading_disabled)
        assert "tradedesk audit accept" in there(desk.trading_disabled)
        assert on_tape(desk, "not as the audit left it")
        with pytest.raises(TradingStopped):
            await desk.runs.go_on(number, 3)
        assert "proofs" in {check.name for check in await desk.doctor.run() if not check.ok}
    async with paper_desk(tmp_path, demo=False) as desk:
        assert "tradedesk audit accept" in (desk.trading_disabled or "")
        assert desk.runs.get(number).paused


async def test_an_order_is_held_against_the_audit_once_its_proof_is_no_more_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(latest, "MOST_OF_ORDERS", 2)
    async with paper_desk(tmp_path) as desk:
        wire, number, shut = await turned_away(desk, ROHAN, PRIYA, AMIT)
        oldest = min(desk.runs.get(number).order_ids)
        tamper(tmp_path / "desk.db", f"UPDATE orders SET quantity = quantity + 1 WHERE id = {oldest}")
        shut.clear()
        await until(desk, lambda: desk.trading_disabled)
        assert f"order {oldest} is not as the audit left it" in (desk.trading_disabled or "")
        assert wire.placed == []


async def test_a_run_whose_conditions_were_changed_in_the_file_sends_nothing(tmp_path):
    async with paper_desk(tmp_path) as desk:
        wire, number, shut = await turned_away(desk, ROHAN)
        tamper(tmp_path / "desk.db", "UPDATE run SET send_within_s = 900")
        shut.clear()
        await until(desk, lambda: desk.trading_disabled)
        assert f"run {number} is not as the audit left it" in there(desk.trading_disabled)
        assert wire.placed == []


async def test_a_changed_order_is_not_gone_on_with_nor_modified(tmp_path):
    async with paper_desk(tmp_path) as desk:
        _, run = await carry_out(desk, buy("TCS", QTY, 10, ROHAN, limit_paise=2400_00))
        tamper(tmp_path / "desk.db", "UPDATE orders SET quantity = 90")
        with pytest.raises(Exception, match="not as the audit left it"):
            await desk.orders.modify(run.order_ids[0], quantity=5)
    home = tmp_path / "another"
    async with paper_desk(home) as desk:
        wire, number, shut = await turned_away(desk, ROHAN)
        await desk.runs.pause(number)
        tamper(home / "desk.db", "UPDATE orders SET blocked_paise = blocked_paise + 1")
        shut.clear()
        with refuses(CannotGoOn, r"not as the audit left it: stop run"):
            await desk.runs.go_on(number, 1)
        assert wire.placed == []


@pytest.mark.parametrize("reopened", [False, True])
async def test_a_change_of_a_changed_row_renews_no_proof(tmp_path, reopened):
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, buy("TCS", QTY, 10, ROHAN, limit_paise=2400_00))
        if not reopened:
            tamper(tmp_path / "desk.db", "UPDATE orders SET reason_text = 'forged'")
            await desk.orders.cancel([1], "changed my mind")
            await until(desk, lambda: desk.orders.get(1).state is OrderState.CANCELLED)
            await until(desk, lambda: desk.trading_disabled)
            assert "orders 1 is not as the audit left it" in there(desk.trading_disabled)
    if reopened:
        tamper(tmp_path / "desk.db", "UPDATE client SET phone = '+91' WHERE id = 8")
    async with paper_desk(tmp_path, demo=False) as desk:
        if reopened:
            await desk.clients.set_status(ROHAN, ClientStatus.INACTIVE, "asked us to")
        bad = {check.name: check.detail for check in await desk.doctor.run() if not check.ok}
        assert "proofs" in bad
        assert ("client 8 was not as row" if reopened else "orders 1 is not as row") in bad["proofs"]
