"""What is Groww's own in the suite of every adapter, over a local Groww."""

from datetime import timedelta
from typing import Any

import pytest

from brokers.contract import Accepted, Ambiguous, BrokerStatus, OrderUpdate, Refused, StreamEvent, Tick
from brokers.simulators.groww.switches import DOUBTS
from data.records import replace
from data.vocabulary import OrderType, Side
from tests.brokers import conformance
from tests.brokers.conformance import CASES, Case
from tests.brokers.groww_stands import groww_stand
from tests.brokers.stand import heard_of, listening, soon
from tests.brokers.test_conformance import named
from tests.further import further

APPROVED = "totp_needs_approval"
"""Without an approval nobody signs in at all, which has a test of its own."""

OTHERWISE = {doubt.switch: doubt.positions[1] for doubt in DOUBTS if doubt.switch != APPROVED}
"""Every other doubtful fact of Groww in its second position."""


@pytest.mark.parametrize("case", further(CASES, 12), ids=named)
async def test_groww_with_every_doubtful_fact_the_other_way(case: Case) -> None:
    async with groww_stand(switches=OTHERWISE) as (stand, _):
        await case(stand)


@pytest.mark.parametrize("messages", ["items", "bytes", "joined"])
async def test_the_feed_is_read_however_its_protocol_lies_in_messages(messages: str) -> None:
    async with groww_stand(switches={"feed_messages": messages, "split_frames": True}) as (stand, _):
        await conformance.a_new_subscription_replaces_the_old_one(stand)


async def test_a_page_may_hold_fewer_orders_than_are_asked_for() -> None:
    async with groww_stand(switches={"most_in_page": 25}) as (stand, _):
        placed = [await stand.placed(stand.resting(1)) for _ in range(27)]
        assert (await stand.book()).keys() == set(placed)


async def test_a_book_is_told_anew_after_a_gap_and_the_feed_comes_back() -> None:
    async with groww_stand() as (stand, groww), listening(stand) as heard:
        broker: Any = stand.broker
        await stand.broker.subscribe([stand.key])
        await soon(lambda: _hears(broker, stand.ann))
        order_id = await stand.placed(stand.resting())
        await stand.at(order_id, BrokerStatus.OPEN)
        start = len(heard)
        groww.sockets.drop("ANN")
        moved = stand.away(-100)
        stand.move(moved)
        await heard_of(heard, lambda one: isinstance(one, Tick) and one.last_paise == moved, start)

        def told_anew(one: StreamEvent) -> bool:
            return isinstance(one, OrderUpdate) and one.order.broker_order_id == order_id

        await heard_of(heard, told_anew, start)


async def _hears(broker: Any, account: object) -> bool | None:
    return broker.hears(account) or None


async def test_prices_are_polled_while_the_feed_is_down_and_are_as_old_as_their_question() -> None:
    async with groww_stand() as (stand, groww), listening(stand) as heard:
        broker: Any = stand.broker
        told: list[bool] = []
        broker.feed_stream.on_polling = told.append
        groww.mishaps.add("unavailable", user_id="ANN", route="socket_token", count=10_000)
        groww.sockets.drop("ANN")
        await soon(lambda: _down(broker, stand.ann))
        await stand.broker.subscribe([stand.key])
        moved = stand.away(-200)
        stand.move(moved)
        tick = await heard_of(heard, lambda one: isinstance(one, Tick) and one.last_paise == moved)
        assert isinstance(tick, Tick)
        assert (tick.bids, tick.asks, told) == ((), (), [True])
        assert tick.received_at == tick.market_at, "it is known as of when it was asked for"


async def _down(broker: Any, account: object) -> bool | None:
    return not broker.hears(account) or None


async def test_a_stop_at_the_markets_price_stands_as_one_with_a_limit_that_follows_its_trigger() -> None:
    async with groww_stand() as (stand, _):
        stop = replace(
            stand.order(5, side=Side.SELL), order_type=OrderType.SL_M, trigger_paise=stand.away(-200)
        )
        order_id = await stand.placed(stop)
        order = await stand.waiting(order_id)
        assert order.order_type is OrderType.SL
        assert order.price_paise is not None
        assert order.price_paise < stand.away(-200)
        stand.move(stand.away(-210))
        assert (await stand.at(order_id, BrokerStatus.COMPLETE)).filled_quantity == 5


async def test_a_key_that_has_to_be_approved_says_so_and_signs_in_once_it_is() -> None:
    async with groww_stand() as (stand, groww):
        groww.switches.totp_needs_approval = True
        with pytest.raises(Exception, match="approve"):
            await stand.broker.exchange_token(stand.ann, "")
        groww.sessions.approve("lgann")
        assert (await stand.broker.exchange_token(stand.ann, "")).user_id == stand.ann.user_id


async def test_smart_orders_are_read_and_cancelled() -> None:
    async with groww_stand() as (stand, groww):
        broker: Any = stand.broker
        assert list(await broker.conditionals(stand.ann)) == []
        body = {
            "reference_id": "smart0001", "smart_order_type": "GTT", "segment": "CASH", "quantity": 3,
            "trading_symbol": stand.still.tradingsymbol, "trigger_price": "2600.00", "exchange": "NSE",
            "trigger_direction": "UP", "product_type": "CNC", "duration": "DAY",
            "order": {"order_type": "LIMIT", "price": "2605.00", "transaction_type": "SELL"},
        }  # fmt: skip
        await placed_smart(groww.url, stand.secrets[-2], body)
        (found,) = await broker.conditionals(stand.ann)
        assert (found.key, found.places_orders) == (stand.key, True)
        assert "SELL" in found.what
        assert list(await broker.conditionals(stand.poor)) == []
        assert isinstance(await broker.delete_conditional(stand.ann, found), Accepted)
        assert list(await broker.conditionals(stand.ann)) == []
        assert isinstance(await broker.delete_conditional(stand.ann, found), Refused)


async def placed_smart(url: str, token: str, body: dict[str, Any]) -> None:
    """Place a smart order, as a client's own app would."""
    import aiohttp

    headers = {"Authorization": f"Bearer {token}", "X-API-VERSION": "1.0"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/v1/order-advance/create", json=body, headers=headers) as answer,
    ):
        assert answer.status in (200, 201), await answer.text()


LAST = {
    doubt.switch: doubt.positions[-1]
    for doubt in DOUBTS
    if len(doubt.positions) > 2 and doubt.switch != "error_statuses"
}
"""Doubtful facts with more than two positions, in their last; how refusals are told is tried alone."""


@pytest.mark.proof
@pytest.mark.parametrize("case", CASES, ids=named)
async def test_groww_with_doubtful_facts_in_their_last_position(case: Case) -> None:
    async with groww_stand(switches=LAST) as (stand, _):
        await case(stand)


async def test_a_refusal_that_is_told_as_a_success_leaves_an_order_in_doubt() -> None:
    async with groww_stand(switches={"error_statuses": "200"}) as (stand, _):
        wrong = replace(stand.resting(), price_paise=stand.last_paise * 2)
        outcome = await stand.broker.place(stand.ann, wrong)
        assert isinstance(outcome, Ambiguous)
        assert "circuit limit" in outcome.why
        assert await stand.book() == {}


async def test_what_waits_for_a_price_is_read_however_old_and_is_deleted() -> None:
    async with groww_stand() as (stand, groww):
        broker: Any = stand.broker
        symbol, now = stand.still.tradingsymbol, groww.venue.market.now()
        facts = {"trading_symbol": symbol, "exchange": "NSE", "segment": "CASH", "quantity": 10}
        order = {"order_type": "LIMIT", "price": "2300.00", "transaction_type": "BUY"}
        gtt = facts | {"product_type": "CNC", "trigger_price": "2310.00", "trigger_direction": "DOWN"}
        legs = {name: {"trigger_price": "2600.00", "order_type": "LIMIT"} for name in ("target", "stop_loss")}
        groww.smart_orders.add("ANN", "GTT", now, gtt | {"order": order})
        groww.smart_orders.add("ANN", "GTT", now - timedelta(days=200), gtt | {"order": order})
        groww.smart_orders.add("ANN", "OCO", now, facts | {"product_type": "MIS"} | legs)
        found = await broker.conditionals(stand.ann)
        assert (len(found), found.unread) == (3, ())
        assert all(symbol in one.what and one.places_orders and one.key == stand.key for one in found)
        assert tuple(await broker.conditionals(stand.poor)) == (), "they are one client's own"
        assert isinstance(await broker.delete_conditional(stand.poor, found[0]), Refused)
        for one in found:
            assert isinstance(await broker.delete_conditional(stand.ann, one), Accepted)
        assert tuple(await broker.conditionals(stand.ann)) == ()
        assert isinstance(await broker.delete_conditional(stand.ann, found[0]), Refused)
