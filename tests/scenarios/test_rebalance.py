"""Scenario 10: clients brought to a model by sector and stock, at paper and at three local brokers.

IT 50 % (TCS 60, INFY 40), Banks 50 % (HDFCBANK), 5 % of each portfolio in cash, TCS at 2,500, INFY at 1,500,
HDFCBANK at 1,600: of ₹1,00,000 that are invested 12 TCS, 13.33 INFY and 31.25 HDFCBANK are wanted.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest

from data.money import BPS
from data.vocabulary import (
    ModelException,
    OrderState,
    RebalanceNote,
    RebalanceTo,
    RebalanceVerdict,
    RunStatus,
    Side,
    SizingKind,
)
from engine.desk import Desk
from engine.rebalancing.model import ModelRules
from engine.rebalancing.proposal import Proposal
from engine.rebalancing.service import Rebalance, intent_of
from tests.desks import books_are_sound, buy, carry_out, paper_desk, there, until
from tests.rebalancing import model_file
from tests.scenarios.kite_morning import Person, kite_morning
from tests.scenarios.ledgers import money_agrees, sent_once
from tradedesk.compose.desk_access import GROWW, UPSTOX, ZERODHA

QTY = SizingKind.FIXED_QUANTITY
ROHAN, RAHUL = 8, 12
ROWS = "IT,50,TCS,60\nIT,,INFY,40\nBanks,50,HDFCBANK,100\n"
RULES = ModelRules(to=RebalanceTo.TARGET, least_paise=0, cost_bps=BPS, cash_bps=500)

T = TypeVar("T")


async def look(desk: Desk, folder: Path, clients: Sequence[int]) -> Rebalance:
    model = await desk.models.import_file(model_file(folder, ROWS), "Balanced", RULES)
    return await desk.rebalancing.look(clients, model)


def trades(made: Proposal) -> dict[str, int]:
    """Shares sold, as minus, and bought of each stock; everything can be done today."""
    assert not made.unfinished
    return {line.symbol: line.buy - line.sell for line in made.lines}


def held(desk: Desk, client_id: int) -> dict[str, int]:
    return {one.tradingsymbol: one.quantity for one in desk.holdings.of(client_id)}


def sales_before_buys(desk: Desk, number: int) -> None:
    """No client's buy of a stock was reserved before every client's sale of it had ended."""
    orders = [desk.orders.get(order_id) for order_id in desk.runs.get(number).order_ids]
    assert {order.state for order in orders} == {OrderState.FILLED}
    sold = [order for order in orders if order.side is Side.SELL]
    for sale in sold:
        after = [one for one in orders if one.key == sale.key and one.side is Side.BUY]
        assert after, "somebody buys what somebody else sells"
        assert all(one.created_at >= sale.updated_at for one in after)


async def test_10_clients_are_brought_to_their_model_by_sales_and_then_buys(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, buy("TCS", QTY, 40, ROHAN))
        before = {one: desk.valuation.client(one).portfolio_paise for one in (ROHAN, RAHUL)}
        looked = await look(desk, tmp_path, [ROHAN, RAHUL])
        rohan, rahul = looked.proposals
        # Rohan: 2,00,000 less the charges of his 40 TCS; 95 % of it is invested.
        assert rohan.portfolio_paise == before[ROHAN] < 2_00_000_00
        assert (rohan.base_paise, rahul.base_paise) == (before[ROHAN] * 95 // 100, 1_76_700_00)
        assert trades(rohan) == {"TCS": -17, "INFY": 25, "HDFCBANK": 59}
        # Of 1,76,700 are wanted 21.2 TCS, 23.56 INFY, 55.2 HDFCBANK; charges leave no 24th INFY.
        assert trades(rahul) == {"TCS": 21, "INFY": 23, "HDFCBANK": 55}
        # TCS is 1,00,000 of 1,89,800 where 30 % is wanted; Rahul holds nothing, and Banks are 50 %.
        assert (rohan.drift_before_bps // 100, rahul.drift_before_bps) == (50, 5000)
        assert max(rohan.drift_after_bps, rahul.drift_after_bps) < 100
        plan = await desk.plans.freeze(there(looked.intent))
        assert (plan.answer, plan.stages) == ("sell 1 buy 5", 2)
        run = await desk.runs.start(plan, plan.digest)
        await desk.runs.settled(run.number, 30)
        await until(desk, lambda: desk.runs.get(run.number).status is RunStatus.FINISHED)
        sales_before_buys(desk, run.number)
        assert held(desk, ROHAN) == {"TCS": 23, "INFY": 25, "HDFCBANK": 59}
        assert held(desk, RAHUL) == {"TCS": 21, "INFY": 23, "HDFCBANK": 55}
        again = await desk.rebalancing.look([ROHAN, RAHUL], looked.model)
        assert {one.verdict for one in again.proposals} == {RebalanceVerdict.WITHIN_BAND}
        for made in again.proposals:
            assert made.cash_paise >= made.kept_paise - 1_600_00, "the model's cash is left, but for a share"
        await books_are_sound(desk)


async def test_10_what_a_client_keeps_is_not_sold_and_said_so(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, buy("TCS", QTY, 40, ROHAN))
        await look(desk, tmp_path, [ROHAN])
        model = await desk.models.set_exception(ROHAN, "balanced", "NSE:TCS", ModelException.KEEP)
        (made,) = (await desk.rebalancing.look([ROHAN], model)).proposals
        notes = [note.kind for line in made.lines for note in line.notes if line.symbol == "TCS"]
        assert notes == [RebalanceNote.KEPT]
        assert not made.sells
        assert {leg.side for leg in there(intent_of(model, [made])).legs} == {Side.BUY}


PEOPLE = [
    Person(number, broker=broker)
    for number, broker in enumerate((ZERODHA, UPSTOX, GROWW, ZERODHA, UPSTOX, GROWW), 1)
]
HOLDING = (1, 2, 3)
"""Those of each broker's two who hold TCS beforehand."""


@pytest.mark.proof
async def test_10_at_three_brokers(tmp_path: Path) -> None:
    async with kite_morning(tmp_path, PEOPLE) as morning:
        desk, everybody = morning.desk, [one.number for one in PEOPLE]

        async def in_time(work: Coroutine[Any, Any, T]) -> T:
            task = asyncio.create_task(work)
            await morning.until(task.done)
            return await task

        await morning.sign_in(PEOPLE)
        await morning.listed()
        await morning.until(lambda: all(desk.reconcile.is_compared(one) for one in everybody))
        for symbol, price in (("TCS", 2500_00), ("INFY", 1500_00), ("HDFCBANK", 1600_00)):
            morning.exchange.pin(symbol, price, price)
            await morning.priced(f"NSE:{symbol}")
        await morning.send(buy("TCS", QTY, 220, *HOLDING))
        await morning.until(lambda: not desk.orders.all(live=True))
        looked = await in_time(look(desk, tmp_path, everybody))
        # 95 % of 11,00,000: 125.4 TCS, 139.3 INFY, 326.6 HDFCBANK; charges leave no 327th.
        wanted = {"TCS": 125, "INFY": 139, "HDFCBANK": 326}
        for made in looked.proposals:
            assert trades(made) == (wanted | {"TCS": -95} if made.client_id in HOLDING else wanted)
        plan = await in_time(desk.plans.freeze(there(looked.intent)))
        assert plan.answer == "sell 3 buy 15"
        run = await desk.runs.start(plan, plan.digest)
        await morning.until(lambda: desk.runs.get(run.number).status is RunStatus.FINISHED)
        sales_before_buys(desk, run.number)
        assert [held(desk, one) for one in everybody] == [wanted] * len(everybody)
        await morning.compared(PEOPLE)
        assert desk.reconcile.breaks() == []
        money_agrees(morning, PEOPLE)
        sent_once(morning)
        again = await in_time(desk.rebalancing.look(everybody, looked.model))
        assert {made.verdict for made in again.proposals} == {RebalanceVerdict.WITHIN_BAND}
