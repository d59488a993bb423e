"""Whole lots: a count that somebody typed is refused off the lot, a count that was sized is rounded down."""

import pytest

from data.errors import BadInput
from data.reference.instruments import Instrument
from data.vocabulary import OrderState, Reason, Side, SizingKind
from engine.planning.intent import Intent, LineChange, Selection, Sizing
from engine.words.trading.why import detail_words
from tests.desks import books_are_sound, buy, carry_out, paper_desk, sell
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.compose.brokers.paper_prices import take_instruments

QTY = SizingKind.FIXED_QUANTITY
ROHAN, AMIT = 8, 22
LOT = 1_600
SMALL = Instrument(
    "NSE", "GOLDSTAR-SM", "GOLDSTAR POWER", 5, LOT, isin="INE405Y01021", prev_close_paise=12_50
)


@pytest.fixture
async def desk(tmp_path):
    async with paper_desk(tmp_path) as one:
        await take_instruments(one, [SMALL], "test")
        exchange_of(one).pin("GOLDSTAR-SM", 12_50, 12_50)
        yield one
        await books_are_sound(one)


@pytest.mark.parametrize(
    ("typed", "nearest"), [(2_000, "1,600 or 3,200"), (12_000, "11,200 or 12,800"), (1, "1,600")]
)
@pytest.mark.parametrize("side", list(Side))
async def test_a_typed_count_off_the_lot_is_refused_with_the_nearest(desk, side, typed, nearest):
    intent = Intent(side, SMALL.key, Sizing(QTY, typed), selection=Selection((ROHAN,)))
    with pytest.raises(BadInput) as bad:
        await desk.plans.freeze(intent)
    assert (bad.value.field, bad.value.value) == ("quantity", typed)
    assert bad.value.expected == f"GOLDSTAR-SM trades in lots of 1,600: give {nearest}"
    assert desk.orders.all() == []


async def test_a_line_changed_by_hand_is_refused_with_the_nearest(desk):
    intent = Intent(
        Side.BUY,
        SMALL.key,
        Sizing(QTY, LOT),
        selection=Selection((ROHAN, AMIT)),
        line_changes=(LineChange(AMIT, 5_000),),
    )
    with pytest.raises(BadInput, match="lots of 1,600: give 4,800 or 6,400"):
        await desk.plans.freeze(intent)


async def test_a_modify_to_a_count_off_the_lot_is_refused_before_anything_is_blocked(desk):
    _, run = await carry_out(desk, buy("GOLDSTAR-SM", QTY, 2 * LOT, ROHAN, limit_paise=11_00))
    (order_id,) = run.order_ids
    before = desk.orders.get(order_id)
    assert before.state is OrderState.OPEN
    for ask in (desk.orders.change_needs, desk.orders.modify):
        with pytest.raises(BadInput, match="lots of 1,600: give 3,200 or 4,800"):
            await ask(order_id, quantity=4_000)
    assert desk.orders.get(order_id) == before
    await desk.orders.modify(order_id, quantity=3 * LOT)
    await desk.settle()
    assert desk.orders.get(order_id).quantity == 3 * LOT


async def test_a_sized_count_is_rounded_down_and_says_what_is_left(desk):
    plan = await desk.plans.freeze(buy("GOLDSTAR-SM", SizingKind.FIXED_AMOUNT, 50_000_00, ROHAN))
    (line,) = plan.lines
    assert (line.quantity, line.left_paise) == (3_200, 50_000_00 - 3_200 * 12_50)


async def test_the_odd_rest_of_a_position_stays_and_is_told(desk):
    await carry_out(desk, buy("GOLDSTAR-SM", QTY, 3 * LOT, ROHAN))
    half = await desk.plans.freeze(sell("GOLDSTAR-SM", SizingKind.PERCENT_OF_POSITION, 5_000, ROHAN))
    (line,) = half.lines
    assert (line.quantity, detail_words(line)) == (
        LOT,
        "800 of 2,400 shares make no whole lot of 1,600 and stay",
    )
    less = await desk.plans.freeze(sell("GOLDSTAR-SM", SizingKind.PERCENT_OF_POSITION, 2_000, ROHAN))
    (line,) = less.lines
    assert (line.quantity, line.reason) == (0, Reason.QUANTITY_ZERO)
    assert detail_words(line) == "20 % of 4,800 shares is less than one lot of 1,600"
