"""A desk at a local Kite whose instruments carry no margins: MTF is planned with what the broker tells."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from data.money import own_share
from data.records import replace
from data.vocabulary import OrderState, Product, Reason, RunCount, SizingKind
from engine.planning.plan import Plan
from engine.words.trading.why import detail_words
from tests.desks import buy
from tests.scenarios.kite_morning import Morning, Person, kite_morning
from tradedesk.testing import seam

LAKH = 1_00_000_00
PEOPLE = [
    Person(1),
    Person(2, mtf_limit_paise=20 * LAKH),
    Person(3, cash_paise=LAKH, mtf_limit_paise=20 * LAKH),
]
LIMIT = 2_500_00
WISH = buy("TCS", SizingKind.FIXED_QUANTITY, 100, product=Product.MTF, limit_paise=LIMIT)


@pytest.fixture
async def morning(tmp_path: Path) -> AsyncIterator[Morning]:
    """A quarter past nine; nobody is signed in."""
    async with kite_morning(tmp_path, PEOPLE, bare=True) as one:
        one.exchange.pin("NSE:TCS", LIMIT, LIMIT)
        yield one


async def signed_in(morning: Morning) -> None:
    await morning.sign_in(PEOPLE)
    await morning.until(lambda: all(morning.desk.reconcile.is_compared(one.number) for one in PEOPLE))
    await morning.priced(WISH.key)


async def planned(morning: Morning) -> Plan:
    """A plan in the first seconds after whoever is signed in has read its books."""
    await morning.passed(seam(morning.desk).waits.margin_again_s)
    await morning.priced(WISH.key)
    return await morning.desk.plans.preview(WISH)


def share(morning: Morning) -> int:
    """What the exchange behind the local Kite asks of a buyer."""
    listings = {row.instrument.key: row.instrument for row in morning.exchange.listings()}
    told = listings[WISH.key].mtf_margin_bps
    assert told is not None
    return told


async def test_an_mtf_buy_is_planned_with_the_brokers_share_and_fills(morning: Morning) -> None:
    desk = morning.desk
    assert desk.market.detail(WISH.key).mtf_own_per_share_paise is None
    await signed_in(morning)
    before = {one.number: desk.funds.of(one.number).available_paise for one in PEOPLE}
    plan, run = await morning.send(WISH)
    own = own_share(100 * LIMIT, share(morning))
    reasons = {line.client_id: line.reason for line in plan.lines}
    assert reasons == {1: Reason.MTF_LIMIT, 2: None, 3: None}
    assert {line.loan_paise for line in plan.lines if line.ok} == {100 * LIMIT - own}
    assert run.counts[RunCount.TOTAL] == 2

    orders = desk.orders.all()
    await morning.until(lambda: {desk.orders.get(order.id).state for order in orders} == {OrderState.FILLED})
    await morning.compared(PEOPLE)
    for client_id in (2, 3):
        funds = desk.funds.of(client_id)
        assert funds.mtf_loan_paise == 100 * LIMIT - own
        assert 0 <= before[client_id] - funds.available_paise - own < 100 * LIMIT // 100
        assert desk.reconcile.breaks(client_id) == []
    assert [check for check in await desk.doctor.run() if not check.ok] == []
    assert desk.market.detail(WISH.key).mtf_own_per_share_paise == own // 100


async def test_a_kite_that_tells_no_margin_is_asked_again_and_says_so_meanwhile(
    morning: Morning, caplog: pytest.LogCaptureFixture
) -> None:
    await signed_in(morning)
    morning.kite.mishaps.add("unavailable", route="order_margins", count=len(PEOPLE))
    plan = await morning.desk.plans.preview(WISH)
    assert plan.skipped_by_reason == {Reason.NOT_MTF_ELIGIBLE: len(PEOPLE)}
    assert detail_words(plan.lines[0]) == "no margin of TCS is known: its broker has not told it yet"
    assert "the margins of NSE:TCS could not be read: Request failed (kitetrade-oms)." in caplog.text
    delivered = await morning.desk.plans.preview(replace(WISH, product=Product.CNC))
    assert delivered.orders > 0
    plan = await planned(morning)
    assert (plan.orders, plan.instrument.mtf_margin_bps) == (2, share(morning))


async def test_who_is_not_signed_in_is_not_asked(morning: Morning, caplog: pytest.LogCaptureFixture) -> None:
    plan = await morning.desk.plans.preview(WISH)
    assert plan.instrument.mtf_margin_bps is None
    assert "nobody of whom it could be asked is signed in" in caplog.text
    await morning.sign_in(PEOPLE[1:2])
    assert (await planned(morning)).instrument.mtf_margin_bps == share(morning)
    (row,) = await morning.desk.audit.rows(10, action="MARGINS_TOLD")
    assert row.details["through"] == "KC0002"
