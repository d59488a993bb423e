"""What is planned, sent and undone across a rename is that of the security, whatever its name was then."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import update

from brokers.contract import NotSent, Refused
from data.records import replace
from data.tables.columns import table
from data.tables.market import InstrumentRecord
from data.vocabulary import OrderState, PauseReason, Product, Reason, RunCount
from engine.desk import Desk
from engine.planning.intent import LineChange
from engine.words.trading.runs import run_why
from tests.desks import Wire, books_are_sound, buy, carry_out, paper_desk, until
from tests.engine.test_days import agree
from tests.engine.test_renames import AMIT, QTY, ROHAN, read, told
from tradedesk.compose.brokers.paper_prices import take_instruments
from tradedesk.testing import seam

BOTH = pytest.mark.parametrize("names", [{"INFY": "INFYSYS"}, {"INFY": "TCS", "TCS": "INFY"}])
"""A new name, and one that another security had."""


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """The demonstration without ISINs, as a broker's dump tells it."""
    async with paper_desk(tmp_path) as one:
        yield one
        await books_are_sound(one)
        assert (await one.audit.verify()).ok


async def test_the_same_intent_under_the_new_name_is_a_duplicate(desk: Desk) -> None:
    await carry_out(desk, buy("INFY", QTY, 10, ROHAN))
    await read(desk, told(desk, INFY="INFYSYS"))
    await desk.market.fetch(["NSE:INFYSYS"])
    lines = (await desk.plans.preview(buy("INFYSYS", QTY, 10, ROHAN, AMIT))).lines
    assert {line.client_id: line.reason for line in lines} == {ROHAN: Reason.DUPLICATE_INTENT, AMIT: None}


async def test_a_share_that_took_the_name_is_no_duplicate(desk: Desk) -> None:
    await carry_out(desk, buy("INFY", QTY, 10, ROHAN))
    await read(desk, told(desk, INFY="TCS", TCS="INFY"))
    await desk.market.fetch(["NSE:INFY", "NSE:TCS"])
    reasons = {
        name: (await desk.plans.preview(buy(name, QTY, 10, ROHAN))).lines[0].reason
        for name in ("INFY", "TCS")
    }
    assert reasons == {"INFY": None, "TCS": Reason.DUPLICATE_INTENT}


async def test_what_waits_under_the_old_name_counts_under_the_new_one(desk: Desk) -> None:
    wire = Wire(desk)

    async def place(account, request):
        return NotSent("429")

    wire.on_place = place
    plan = await desk.plans.freeze(buy("INFY", QTY, 2, ROHAN, limit_paise=1500_00))
    run = (await desk.runs.start(plan, plan.digest)).number
    await until(desk, lambda: wire.placed and desk.runs.get(run).counts[RunCount.UNSENT] == 1)
    await desk.runs.pause(run)
    await read(desk, told(desk, INFY="INFYSYS"))
    await desk.market.fetch(["NSE:INFYSYS"])
    again = await desk.plans.preview(buy("INFYSYS", QTY, 2, ROHAN, limit_paise=1500_00))
    assert again.lines[0].reason is Reason.DUPLICATE_INTENT


@pytest.mark.parametrize("first", [NotSent("the proxy could not be reached"), None], ids=["failed", "late"])
@BOTH
async def test_an_order_claimed_before_a_rename_goes_to_its_security(
    desk: Desk, names: dict[str, str], first: NotSent | None
) -> None:
    infy = desk.market.index.resolve("INFY").security
    wire = Wire(desk)

    async def place(account, request):
        if len(wire.placed) > 1:
            return None
        await take_instruments(desk, told(desk, **names), "morning")
        return first

    wire.on_place = place
    plan = await desk.plans.freeze(buy("INFY", QTY, 2, ROHAN, limit_paise=1600_00))
    run = await desk.runs.start(plan, plan.digest)
    await until(desk, lambda: len(wire.placed) > 1)

    order_id = run.order_ids[0]
    assert [request.tradingsymbol for request in wire.placed] == ["INFY", names["INFY"]]
    await until(desk, lambda: desk.orders.get(order_id).state is OrderState.FILLED)
    await desk.settle()
    order = desk.orders.get(order_id)
    assert (order.tradingsymbol, order.key) == (names["INFY"], f"NSE:{names['INFY']}")
    assert [(h.security, h.key, h.quantity) for h in desk.holdings.of(ROHAN)] == [
        (infy, f"NSE:{names['INFY']}", 2)
    ]
    await agree(desk, ROHAN)


async def test_an_order_whose_name_another_security_has_is_kept_back(desk: Desk) -> None:
    wire, records = Wire(desk), table(InstrumentRecord)

    async def place(account, request):
        await seam(desk).store.write(
            lambda unit: unit.connection.execute(
                update(records).where(records.c.tradingsymbol == "INFY").values(security_id="another")
            )
        )
        return NotSent("the proxy could not be reached")

    wire.on_place = place
    plan = await desk.plans.freeze(buy("INFY", QTY, 2, ROHAN, limit_paise=1600_00))
    run = (await desk.runs.start(plan, plan.digest)).number
    await until(desk, lambda: desk.runs.get(run).pause_reason)
    assert len(wire.placed) == 1
    assert desk.runs.get(run).pause_reason is PauseReason.OTHER_SECURITY
    assert "stop it and plan again" in run_why(desk.runs.get(run))
    await desk.runs.stop(run, live=False)
    await until(desk, lambda: not desk.funds.of(ROHAN).blocked_paise)


@BOTH
async def test_a_reversal_sells_what_each_client_was_filled_under_the_name_of_now(
    desk: Desk, names: dict[str, str]
) -> None:
    now = names["INFY"]
    changes = (LineChange(AMIT, 39, Product.MTF),)
    _, run = await carry_out(desk, replace(buy("INFY", QTY, 20, ROHAN, AMIT), line_changes=changes))
    await carry_out(desk, buy("TCS", QTY, 5, ROHAN))
    await read(desk, told(desk, **names))
    await desk.market.fetch([f"NSE:{now}"])
    await carry_out(desk, buy(now, QTY, 30, ROHAN))

    back = await desk.runs.reverse_intent(run.number)
    assert back is not None
    plan, _ = await carry_out(desk, back)

    assert plan.instrument.tradingsymbol == now
    assert {line.client_id: (line.product, line.quantity) for line in plan.ok_lines} == {
        ROHAN: (Product.CNC, 20),
        AMIT: (Product.MTF, 39),
    }
    other = names.get("TCS", "TCS")
    held = {holding.tradingsymbol: holding.quantity for holding in desk.holdings.of(ROHAN)}
    assert held == {now: 30, other: 5}
    assert desk.holdings.of(AMIT) == []
    await agree(desk, ROHAN)


@BOTH
async def test_a_repair_buys_the_same_security_under_the_name_of_now(
    desk: Desk, names: dict[str, str]
) -> None:
    infy, wire = desk.market.index.resolve("INFY").security, Wire(desk)

    async def place(account, request):
        return Refused("margin", "no")

    wire.on_place = place
    _, run = await carry_out(desk, buy("INFY", QTY, 2, ROHAN))
    wire.on_place = None
    await read(desk, told(desk, **names))
    await desk.market.fetch([f"NSE:{names['INFY']}"])

    again = await desk.runs.repair_intent(run.number)
    assert again is not None
    await carry_out(desk, again)

    assert [(h.security, h.tradingsymbol, h.quantity) for h in desk.holdings.of(ROHAN)] == [
        (infy, names["INFY"], 2)
    ]
