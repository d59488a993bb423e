"""What an order is made with beside its size: an instruction, a multiplier, what the market sees."""

import pytest

from brokers.kite.orders import place_params
from data.audit import AuditAction
from data.csvfiles import FileProblem
from data.errors import BadInput
from data.records import replace
from data.vocabulary import OrderState, Reason, SizingKind
from engine.accounts.client_edit import ClientEdit
from engine.accounts.client_file import multiplier_from
from engine.planning.entry.leg_files import legs_from_file, orders_from_file
from engine.planning.entry.leg_words import intent_of, legs_from_words
from engine.planning.intent import Selection
from engine.planning.of_clients import REF_KEPT
from tests.desks import Wire, books_are_sound, buy, carry_out, manual_clock, paper_desk

QTY = SizingKind.FIXED_QUANTITY
ROHAN, RV = 8, 12


@pytest.fixture
async def desk(tmp_path):
    async with paper_desk(tmp_path) as one:
        yield one
        await books_are_sound(one)


def of_client(plan, client_id):
    (line,) = [line for line in plan.lines if line.client_id == client_id]
    return line


@pytest.mark.proof
async def test_an_instruction_is_kept_a_quarter_of_an_hour_for_its_client_alone(desk):
    await desk.clients.edit(ROHAN, ClientEdit(discretionary=False))
    await desk.clients.edit(RV, ClientEdit(discretionary=False))
    wish = buy("TCS", QTY, 1, ROHAN, RV)
    refused = await desk.plans.preview(wish)
    assert refused.skipped_by_reason == {Reason.INSTRUCTION_MISSING: 2}

    plan, run = await carry_out(desk, replace(buy("TCS", QTY, 1, ROHAN), ref="call 09:12"))
    assert of_client(plan, ROHAN).ref == "call 09:12"
    later = await desk.plans.preview(replace(wish, again=True))
    assert (of_client(later, ROHAN).ref, of_client(later, RV).reason) == (
        "call 09:12",
        Reason.INSTRUCTION_MISSING,
    )
    assert await desk.plans.instruction(ROHAN) == "call 09:12"
    told = [(row.action, row.details.get("ref")) for row in await desk.audit.rows()]
    assert (AuditAction.PLAN_FROZEN, "call 09:12") in told
    assert (AuditAction.ORDER_RESERVED, "call 09:12") in told
    assert (await desk.plans.get(plan.number)).lines[0].ref == "call 09:12"
    assert len(run.order_ids) == 1

    await manual_clock(desk).advance(REF_KEPT.total_seconds() + 1)
    assert await desk.plans.instruction(ROHAN) == ""
    assert of_client(await desk.plans.preview(wish), ROHAN).reason is Reason.INSTRUCTION_MISSING


async def test_a_target_weight_counts_what_is_held_and_what_live_orders_would_add(desk):
    await carry_out(desk, buy("TCS", QTY, 10, ROHAN))
    await carry_out(desk, buy("TCS", QTY, 2, ROHAN, limit_paise=2400_00))
    wish = buy("TCS", SizingKind.TARGET_WEIGHT, 2_000, ROHAN, again=True)
    line = of_client(await desk.plans.preview(wish), ROHAN)
    portfolio = desk.valuation.client(ROHAN).portfolio_paise
    assert line.base_paise == portfolio
    assert line.quantity == (portfolio // 5 - 12 * 2500_00) // 2500_00 > 0
    _, run = await carry_out(desk, wish)
    assert desk.orders.get(run.order_ids[0]).state is OrderState.FILLED
    again = of_client(await desk.plans.preview(wish), ROHAN)
    assert (again.reason, again.quantity) == (Reason.QUANTITY_ZERO, 0)


async def test_what_the_market_sees_of_an_order_reaches_its_broker(desk):
    wire = Wire(desk)
    shown = replace(buy("TCS", QTY, 30, ROHAN, limit_paise=2400_00), disclosed_quantity=3)
    await carry_out(desk, shown)
    (request,) = wire.placed
    assert request.disclosed_quantity == 3
    assert place_params(request)["disclosed_quantity"] == 3
    assert "disclosed_quantity" not in place_params(replace(request, disclosed_quantity=0))
    assert [order.state for order in desk.orders.all()] == [OrderState.OPEN]


async def test_a_multiplier_is_the_clients_own_and_is_kept(desk):
    await desk.clients.edit(ROHAN, ClientEdit(multiplier_bps=multiplier_from("1.5")))
    assert (desk.clients.get(ROHAN).multiplier_bps, desk.clients.get(ROHAN).discretionary) == (15_000, True)
    plan, _ = await carry_out(desk, replace(buy("TCS", QTY, 4, ROHAN, RV), multiplied=True))
    assert {line.client_id: line.quantity for line in plan.lines} == {ROHAN: 6, RV: 4}
    assert of_client(await desk.plans.get(plan.number), ROHAN).multiplier_bps == 15_000


async def test_a_basket_goes_by_multipliers_and_an_order_file_does_not(desk, tmp_path):
    await desk.clients.edit(ROHAN, ClientEdit(multiplier_bps=multiplier_from("1.5")))
    whom = Selection(client_ids=(ROHAN, RV))
    legs = legs_from_words(["buy", "TCS:4", "ITC:2"], desk.market.index)
    basket = await desk.plans.preview(replace(intent_of(legs), selection=whom))
    of_legs = [{line.client_id: line.quantity for line in part.lines} for part in basket.parts]
    assert of_legs == [{ROHAN: 6, RV: 4}, {ROHAN: 3, RV: 2}]
    file = tmp_path / "orders.csv"
    code = desk.clients.get(ROHAN).code
    file.write_text(f"client,symbol,side,quantity\n{code},TCS,BUY,4\n")
    listed = orders_from_file(file, desk.market.index, desk.clients.find)
    (line,) = (await desk.plans.preview(listed)).lines
    assert line.quantity == 4


async def test_a_limit_in_a_file_is_also_called_price_but_not_said_twice(desk, tmp_path):
    file, index = tmp_path / "file.csv", desk.market.index
    for name in ("limit", "price", "Price"):
        file.write_text(f"symbol,side,size,{name}\nTCS,buy,10,2400\nINFY,buy,10,\n")
        assert [leg.limit_paise for leg in legs_from_file(file, index)] == [2400_00, None]
    code = desk.clients.get(ROHAN).code
    for name in ("limit", "price"):
        file.write_text(f"client,symbol,side,quantity,{name}\n{code},TCS,buy,4,2400\n")
        assert orders_from_file(file, index, desk.clients.find).limit_paise == 2400_00
    file.write_text("symbol,side,size,limit,price\nTCS,buy,10,2400,2390\n")
    with pytest.raises(FileProblem, match="row 2, price: '2390' is not valid; give it as limit or as price"):
        legs_from_file(file, index)


async def test_every_limit_of_a_file_outside_its_band_is_named_by_its_symbol_and_client(desk, tmp_path):
    file = tmp_path / "orders.csv"
    code = desk.clients.all()[0].code
    rows = (f"{code},INFY,BUY,1,1.10", f"{code},TCS,BUY,1,2500", f"{code},SBIN,BUY,1,99000")
    file.write_text("\n".join(["client,symbol,side,quantity,price", *rows]))
    orders = orders_from_file(file, desk.market.index, desk.clients.find)
    with pytest.raises(BadInput) as bad:
        await desk.plans.preview(orders)
    assert bad.value.field == "limit"
    assert bad.value.value == f"INFY 1.10 of {code}, SBIN 99,000.00 of {code}"
    assert "INFY: " in bad.value.expected
    assert "SBIN: it is 100 times the last price" in bad.value.expected
