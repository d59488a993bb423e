"""A rebalance through the whole desk: models kept, looked at, planned, sold and bought by what came in."""

import pytest

from data.csvfiles import FileProblem
from data.errors import BadInput
from data.vocabulary import (
    LimitKind,
    LimitScope,
    LimitStrength,
    ModelException,
    Reason,
    RebalanceTo,
    RebalanceVerdict,
    RunCount,
    RunStatus,
    Side,
    SizingKind,
)
from engine.planning.limits.typed import LimitWish
from engine.rebalancing.model import ModelRules
from engine.words.trading.baskets import kept_back_words
from tests.desks import books_are_sound, buy, carry_out, exchange_of, paper_desk, there, until
from tests.rebalancing import model_file

QTY = SizingKind.FIXED_QUANTITY


async def kept(desk, folder, **rules):
    return await desk.models.import_file(model_file(folder), "Balanced", ModelRules(**rules))


def everybody(desk):
    return [client.id for client in desk.clients.all()]


async def test_clients_come_to_their_model_in_one_run_and_the_next_look_finds_them_inside(tmp_path):
    async with paper_desk(tmp_path, shares=True) as desk:
        model = await kept(desk, tmp_path, band_bps=200, to=RebalanceTo.TARGET)
        looked = await desk.rebalancing.look(everybody(desk), model)
        assert len(looked.proposals) == 50
        plan = await desk.plans.freeze(there(looked.intent))
        sales = sum(len(one.sells) for one in looked.proposed)
        assert plan.answer.startswith(f"sell {sales} buy ")
        run = await desk.runs.start(plan, plan.digest)
        run = await desk.runs.settled(run.number, 60)
        await desk.settle()
        assert run.counts[RunCount.FILLED] == run.counts[RunCount.TOTAL]
        orders = [desk.orders.get(order_id) for order_id in run.order_ids]
        bought = {order.key for order in orders if order.side is Side.BUY}
        for key in bought:  # no client's buy left before the last sale of that stock had ended
            own = [order for order in orders if order.key == key]
            sold = [order.id for order in own if order.side is Side.SELL]
            assert not sold or max(sold) < min(order.id for order in own if order.side is Side.BUY)
        await until(desk, lambda: desk.runs.get(run.number).status is RunStatus.FINISHED)
        again = await desk.rebalancing.look(everybody(desk), model)
        for before, after in ((a, b) for a in looked.proposed for b in again.proposals if a.code == b.code):
            assert after.drift_before_bps <= max(before.drift_before_bps, 200) + 10, after.code
            assert after.cash_paise >= 0
        await books_are_sound(desk)


async def test_every_bad_row_of_a_file_is_named_and_nothing_taken(tmp_path):
    async with paper_desk(tmp_path) as desk:
        bad = model_file(
            tmp_path, "IT,25,INFY,60\nIT,30,TCS,40\nBanks,x,HDFCBANK,60\n,5,SBIN,100\nIT,,INFY,1\n"
        )
        with pytest.raises(FileProblem) as found:
            await desk.models.import_file(bad, "Balanced")
        assert [(one.row, one.field) for one in found.value.problems] == [
            (3, "target"),
            (4, "target"),
            (5, "sector"),
            (6, "symbol"),
        ]
        with pytest.raises(FileProblem) as found:
            await desk.models.import_file(model_file(tmp_path, "IT,60,INFY,60\nBanks,50,SBIN,100\n"), "B")
        assert {one.field for one in found.value.problems} == {"target", "weight"}
        assert await desk.models.all() == []


async def test_each_change_of_a_model_is_a_version_and_none_is_lost(tmp_path):
    async with paper_desk(tmp_path) as desk:
        first = await kept(desk, tmp_path)
        changed = await desk.models.set_rules("balanced", ModelRules(band_bps=500))
        kept_out = await desk.models.set_exception(7, "Balanced", "NSE:INFY", ModelException.KEEP)
        assert (first.version, changed.version, kept_out.version) == (1, 2, 3)
        again = await desk.models.import_file(model_file(tmp_path), "BALANCED")
        assert (again.name, again.rules.band_bps, len(again.exceptions)) == ("Balanced", 500, 1)
        assert [one.version for one in await desk.models.versions("Balanced")] == [4, 3, 2, 1]
        with pytest.raises(BadInput):
            await desk.models.set_exception(7, "Balanced", "NSE:ITC", ModelException.KEEP)
        await desk.models.retire("Balanced")
        assert await desk.models.all() == []


async def test_what_cash_did_not_carry_waits_and_is_first_in_the_next_look(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, buy("INFY", QTY, 30, 1))
        exchange_of(desk)
        model = await kept(desk, tmp_path, cash_bps=0, to=RebalanceTo.TARGET)
        (made,) = (await desk.rebalancing.look([1], model)).proposals
        assert made.verdict is RebalanceVerdict.PROPOSED
        intent = there((await desk.rebalancing.look([1], model)).intent)
        plan = await desk.plans.freeze(intent)
        run = await desk.runs.start(plan, plan.digest)
        await desk.runs.settled(run.number, 30)
        assert desk.runs.get(run.number).counts[RunCount.UNSENT] == 0


async def test_the_look_tells_what_limits_would_keep_back_as_the_frozen_plan_does(tmp_path):
    async with paper_desk(tmp_path, shares=True) as desk:
        model = await kept(desk, tmp_path, band_bps=200, to=RebalanceTo.TARGET)
        free = await desk.rebalancing.look(everybody(desk), model)
        assert free.preview is None, "a desk without limits of its own pays nothing for them"
        bound = LimitWish(LimitScope.DESK, "", LimitKind.ORDER_VALUE, LimitStrength.HARD, 10_000_00)
        await desk.limits.set(bound)
        looked = await desk.rebalancing.look(everybody(desk), model)
        frozen = await desk.plans.freeze(there(looked.intent))
        told = kept_back_words(looked.preview)
        assert told == kept_back_words(frozen) != {}
        limited = {line.client_id for line in frozen.skipped_lines if line.reason is Reason.OVER_LIMIT}
        assert limited
        assert limited <= told.keys()
