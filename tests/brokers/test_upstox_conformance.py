"""What is Upstox's own in the suite of every adapter, over a local Upstox."""

import pytest

from brokers.contract import Refused, TellsAddresses
from brokers.simulators.upstox.switches import DOUBTS
from data.records import replace
from tests.brokers import conformance
from tests.brokers.conformance import CASES, Case
from tests.brokers.test_conformance import named
from tests.brokers.upstox_stands import upstox_stand

PROTECTED = "protection_for_all"
"""Without it no market order of the suite's is taken at all, which has a test of its own."""

SOLD = "sold_in_quantity"
"""Learnt from a holding that is read before and after a sale, as its own test does."""

OTHERWISE = {doubt.switch: doubt.positions[1] for doubt in DOUBTS if doubt.switch not in (PROTECTED, SOLD)}
"""Every other doubtful fact of Upstox in its second position."""


@pytest.mark.parametrize("case", CASES, ids=named)
async def test_upstox_with_every_doubtful_fact_the_other_way(case: Case) -> None:
    async with upstox_stand(switches=OTHERWISE) as (stand, _):
        await case(stand)


async def test_protection_that_upstox_does_not_take_is_refused_and_nothing_is_sent_without() -> None:
    async with upstox_stand(switches={PROTECTED: False, "bare_market_orders": True}) as (stand, _):
        outcome = await stand.broker.place(stand.ann, stand.order())
        assert isinstance(outcome, Refused)
        assert outcome.code == "UDAPI1177"
        bare = await stand.broker.place(stand.ann, replace(stand.order(), protection_bps=None))
        assert isinstance(bare, Refused)
        assert await stand.book() == {}


@pytest.mark.parametrize("counted", [True, False])
async def test_a_sale_is_counted_once_whether_or_not_holdings_fall_with_it(counted: bool) -> None:
    async with upstox_stand(switches={SOLD: counted}) as (stand, _):
        await stand.broker.holdings(stand.ann)
        await conformance.shares_move_with_the_trades(stand)
        (held,) = await stand.broker.holdings(stand.ann)
        assert (held.free, held.today) == (70, 10)


async def test_upstox_tells_by_which_addresses_it_takes_orders() -> None:
    async with upstox_stand() as (stand, upstox):
        assert isinstance(stand.broker, TellsAddresses)
        assert list(await stand.broker.registered_addresses(stand.ann)) == []
        upstox.switches.static_ips["ANN"] = ["127.0.0.2", "127.0.0.3"]
        assert list(await stand.broker.registered_addresses(stand.ann)) == ["127.0.0.2", "127.0.0.3"]
