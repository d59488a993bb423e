"""The faulty broker: each fault on its own at certainty, the menu as it is typed, the same seed twice."""

import asyncio
import logging
import random
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from brokers.contract import (
    Accepted,
    Ambiguous,
    Broker,
    BrokerAccount,
    BrokerError,
    BrokerStatus,
    Capabilities,
    NotSent,
    OrderChange,
    OrderRequest,
    OrderUpdate,
    Outcome,
    Refused,
    SessionExpired,
)
from brokers.meter import CallKind
from brokers.paper.broker import CAPABILITIES, PaperBroker
from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.exchange.openings import AccountOpening, HoldingOpening
from brokers.simulators.faults.broker import FaultyBroker
from brokers.simulators.faults.menu import PRESETS, SHARES, Faults, faults_from_text
from data.clock import ManualClock
from data.errors import BadInput
from data.records import replace
from data.reference.phases import load_calendar
from data.reference.seed import universe
from data.vocabulary import OrderType, Product, Side

ANN, BOB = (BrokerAccount(number, f"P{number:04}") for number in range(2))
TAGS = count(1)


def buy(quantity: int = 10, limit: int | None = None) -> OrderRequest:
    kind = OrderType.MARKET if limit is None else OrderType.LIMIT
    return OrderRequest(
        *("NSE", "RELIANCE", Side.BUY, quantity, Product.CNC, kind, f"tag{next(TAGS)}"),
        price_paise=limit,
        protection_bps=200 if limit is None else None,
    )


def certain(fault: str) -> Faults:
    """Faults of which this one always strikes."""
    return faults_from_text(f"{fault}=1")


RESTING = 240_000
"""A limit that does not trade while the price is pinned."""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 22, tzinfo=UTC))


@pytest.fixture
def exchange(clock: ManualClock) -> PaperExchange:
    exchange = PaperExchange(None, clock, load_calendar())
    exchange.list_instruments(universe())
    exchange.open_accounts(AccountOpening(account.user_id, 1_000_000_00) for account in (ANN, BOB))
    exchange.open_holdings([HoldingOpening(ANN.user_id, "NSE:RELIANCE", 50, 10_000_000)])
    exchange.pin("RELIANCE", 245_050, 239_525)
    return exchange


@asynccontextmanager
async def rehearsal(
    clock: ManualClock, exchange: PaperExchange, faults: Faults, latency: float = 0.0
) -> AsyncIterator[FaultyBroker]:
    broker = FaultyBroker(
        PaperBroker(exchange, clock, latency=(latency, latency)),
        clock,
        faults,
        random.Random(faults.seed),
        overfill=exchange.overfill,
        resurrect=exchange.resurrect,
    )
    await broker.open()
    yield broker
    await broker.close()


@asynccontextmanager
async def followed(broker: FaultyBroker) -> AsyncIterator[list[OrderUpdate]]:
    """The order updates that the broker's stream has carried."""
    seen: list[OrderUpdate] = []

    async def follow() -> None:
        async for event in broker.stream():
            if isinstance(event, OrderUpdate):
                seen.append(event)

    task = asyncio.create_task(follow())
    await let_run()
    yield seen
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def let_run() -> None:
    """Give tasks that wait for nothing their turns."""
    for _ in range(40):
        await ManualClock(datetime(2026, 11, 22, tzinfo=UTC)).sleep(0)


def id_of(outcome: Outcome) -> str:
    assert isinstance(outcome, Accepted), outcome
    return outcome.broker_order_id


# --- placing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "ending", "words", "placed_after_s"),
    [
        ("drop_answer", Ambiguous, "connection reset", 0),
        ("late_8s", Ambiguous, "connection reset", 8),
        ("late_90s", Ambiguous, "connection reset", 90),
        ("never_placed", Ambiguous, "connection reset", None),
        ("timeout_text", Ambiguous, "Please check the order book and confirm", 0),
        ("empty_id", Ambiguous, "no order id", 0),
        ("refused", Refused, "RMS", None),
    ],
)
async def test_a_placement_ends_as_the_fault_says_and_is_at_the_broker_when_it_says(
    clock: ManualClock,
    exchange: PaperExchange,
    fault: str,
    ending: type[Outcome],
    words: str,
    placed_after_s: int | None,
):
    async with rehearsal(clock, exchange, certain(fault)) as broker:
        request = buy()
        outcome = await broker.place(ANN, request)
        assert isinstance(outcome, ending)
        assert words in str(outcome)
        if placed_after_s is None:
            await clock.advance(600)
            assert exchange.orders(ANN.user_id) == []
        else:
            await clock.advance(max(0, placed_after_s - 0.5))
            assert bool(exchange.orders(ANN.user_id)) == (placed_after_s == 0)
            await clock.advance(1)
            (row,) = await broker.orders(ANN)
            assert row.tags[0] == request.tag
            assert row.status is BrokerStatus.COMPLETE
        assert broker.struck == Counter({fault: 1})


async def test_a_late_answer_is_true_when_it_comes(clock: ManualClock, exchange: PaperExchange):
    async with rehearsal(clock, exchange, Faults(late_answer=1.0)) as broker:
        call = asyncio.create_task(broker.place(ANN, buy()))
        await let_run()
        await clock.advance(11)
        (row,) = exchange.orders(ANN.user_id)
        assert not call.done()
        await clock.advance(1)
        assert await call == Accepted(row.broker_order_id)


@pytest.mark.parametrize("fault", ["drop_answer", "late_answer", "timeout_text"])
async def test_the_order_is_placed_though_the_caller_has_gone(
    clock: ManualClock, exchange: PaperExchange, fault: str
):
    async with rehearsal(clock, exchange, certain(fault), latency=2.0) as broker:
        call = asyncio.create_task(broker.place(ANN, buy()))
        await let_run()
        await clock.advance(0.5)
        call.cancel()
        assert exchange.orders(ANN.user_id) == []
        await clock.advance(2)
        assert len(exchange.orders(ANN.user_id)) == 1
        assert call.cancelled()


@pytest.mark.parametrize(
    ("fault", "took_ms", "failed", "refused"),
    [("late_answer", 12_000, 0, 0), ("drop_answer", 0, 1, 0), ("refused", 0, 0, 1)],
)
async def test_a_call_is_kept_as_its_caller_meets_it(
    clock: ManualClock, exchange: PaperExchange, fault: str, took_ms: int, failed: int, refused: int
):
    async with rehearsal(clock, exchange, certain(fault)) as broker:
        call = asyncio.create_task(broker.place(ANN, buy()))
        await let_run()
        await clock.advance(12)
        await call
        kept = broker.meter.lately(CallKind.PLACE)
        assert (kept.p95_ms, kept.failed, kept.refused) == (took_ms, failed, refused)


async def test_a_call_that_its_caller_gave_up_on_has_failed(clock: ManualClock, exchange: PaperExchange):
    async with rehearsal(clock, exchange, Faults(deaf=1.0)) as broker:
        call = asyncio.create_task(broker.orders(ANN))
        await let_run()
        await clock.advance(7)
        call.cancel()
        await let_run()
        kept = broker.meter.lately(CallKind.ORDERS)
        assert (kept.p95_ms, kept.failed) == (7_000, 1)


async def test_a_page_for_humans_tells_nothing_about_the_order(clock: ManualClock, exchange: PaperExchange):
    async with rehearsal(clock, exchange, Faults(html=1.0)) as broker:
        there: list[bool] = []
        for _ in range(12):
            before = len(exchange.orders(ANN.user_id))
            assert await broker.place(ANN, buy(1)) == Ambiguous("unreadable answer: HTML")
            there.append(len(exchange.orders(ANN.user_id)) > before)
        assert set(there) == {True, False}


async def test_the_exchange_rejects_what_the_broker_accepted(clock: ManualClock, exchange: PaperExchange):
    async with rehearsal(clock, exchange, Faults(exchange_reject=1.0)) as broker, followed(broker) as seen:
        before = await broker.funds(ANN)
        request = buy()
        sale = replace(buy(), side=Side.SELL)
        placed = id_of(await broker.place(ANN, request)), id_of(await broker.place(ANN, sale))
        for row in await broker.orders(ANN):
            assert (row.status, row.order_type, row.price_paise) == (
                *(BrokerStatus.OPEN, OrderType.MARKET, None),
            )
        await clock.advance(1)
        for row, order_id in zip(await broker.orders(ANN), placed, strict=True):
            assert (row.broker_order_id, row.status, row.filled_quantity) == (
                *(order_id, BrokerStatus.REJECTED, 0),
            )
            assert row.status_text == "REJECTED"
            assert "17070" in row.message
        assert (await broker.orders(ANN))[0].tags[0] == request.tag
        ends = [update.order.status for update in seen if update.order.status is not BrokerStatus.OPEN]
        assert ends == [BrokerStatus.REJECTED] * 2
        assert {update.order.price_paise for update in seen} == {None}
        assert (await broker.funds(ANN)).available_paise == before.available_paise
        assert {row.status for row in exchange.orders(ANN.user_id)} == {BrokerStatus.CANCELLED}
        assert exchange.trades(ANN.user_id) == []


async def test_an_order_that_waits_for_its_rejection_does_not_outlive_the_rehearsal(
    clock: ManualClock, exchange: PaperExchange
):
    async with rehearsal(clock, exchange, Faults(exchange_reject=1.0)) as broker:
        await broker.place(ANN, buy())
    assert [row.status for row in exchange.orders(ANN.user_id)] == [BrokerStatus.CANCELLED]


async def test_what_the_broker_itself_refuses_is_not_accepted_first(
    clock: ManualClock, exchange: PaperExchange
):
    async with rehearsal(clock, exchange, Faults(exchange_reject=1.0)) as broker:
        assert isinstance(await broker.place(ANN, buy(90_000)), Refused)
        assert broker.struck == Counter()


# --- cancelling -------------------------------------------------------------------------------------------


async def test_a_lost_cancel_is_not_done(clock: ManualClock, exchange: PaperExchange):
    async with rehearsal(clock, exchange, Faults(cancel_lost=1.0)) as broker:
        order_id = id_of(await broker.place(ANN, buy(limit=RESTING)))
        assert isinstance(await broker.cancel(ANN, order_id), Ambiguous)
        await clock.advance(60)
        assert (await broker.orders(ANN))[0].status is BrokerStatus.OPEN


async def test_a_cancel_is_refused_and_then_done(clock: ManualClock, exchange: PaperExchange):
    async with rehearsal(clock, exchange, Faults(cancel_refused_then_done=1.0)) as broker:
        order_id = id_of(await broker.place(ANN, buy(limit=RESTING)))
        outcome = await broker.cancel(ANN, order_id)
        assert isinstance(outcome, Refused)
        assert "being processed" in outcome.message
        assert (await broker.orders(ANN))[0].status is BrokerStatus.OPEN
        await clock.advance(1)
        assert (await broker.orders(ANN))[0].status is BrokerStatus.CANCELLED


async def test_an_order_fills_while_it_is_cancelled(clock: ManualClock, exchange: PaperExchange):
    async with rehearsal(clock, exchange, Faults(fill_during_cancel=1.0)) as broker:
        order_id = id_of(await broker.place(ANN, buy(limit=RESTING)))
        cancel = asyncio.create_task(broker.cancel(ANN, order_id))
        await let_run()
        await clock.advance(0.5)
        exchange.pin("RELIANCE", RESTING, 239_525)
        await clock.advance(1)
        assert isinstance(await cancel, Refused)
        assert (await broker.orders(ANN))[0].status is BrokerStatus.COMPLETE


# --- updates ----------------------------------------------------------------------------------------------


async def test_an_update_is_lost_and_a_read_finds_it(clock: ManualClock, exchange: PaperExchange):
    async with rehearsal(clock, exchange, Faults(lose_update=1.0)) as broker, followed(broker) as seen:
        order_id = id_of(await broker.place(ANN, buy()))
        await clock.advance(5)
        assert seen == []
        assert [row.broker_order_id for row in await broker.orders(ANN)] == [order_id]
        assert sum(trade.quantity for trade in await broker.trades(ANN)) == 10


@pytest.mark.parametrize(("fault", "times"), [("duplicate_update", 2), ("update_flood", 20)])
async def test_an_update_comes_again(clock: ManualClock, exchange: PaperExchange, fault: str, times: int):
    async with (
        rehearsal(clock, exchange, certain(fault)) as broker,
        followed(broker) as seen,
    ):
        await broker.place(ANN, buy())
        await let_run()
        assert len(seen) == times
        assert seen == [seen[0]] * times
        assert broker.struck == Counter({fault: 1})


async def test_updates_overtake_each_other(clock: ManualClock, exchange: PaperExchange):
    async with rehearsal(clock, exchange, Faults(reorder_update=1.0)) as broker, followed(broker) as seen:
        order_id = id_of(await broker.place(ANN, buy(limit=RESTING)))
        await let_run()
        assert seen == []
        await broker.cancel(ANN, order_id)
        await let_run()
        assert [update.order.status for update in seen] == [BrokerStatus.CANCELLED, BrokerStatus.OPEN]


async def test_trades_come_before_their_order(clock: ManualClock, exchange: PaperExchange):
    async with rehearsal(clock, exchange, Faults(trade_before_order=1.0)) as broker, followed(broker) as seen:
        order_id = id_of(await broker.place(ANN, buy()))
        await let_run()
        (update,) = seen
        assert (update.order.status, update.order.filled_quantity) == (BrokerStatus.OPEN, 0)
        assert [trade.quantity for trade in update.trades] == [10]
        assert not await broker.orders(ANN)
        await clock.advance(2)
        (row,) = await broker.orders(ANN)
        assert (row.broker_order_id, row.status) == (order_id, BrokerStatus.COMPLETE)
        await broker.place(ANN, buy(limit=RESTING))
        await let_run()
        assert broker.struck["trade_before_order"] == 1, "an order without trades has nothing to run ahead"


async def test_ticks_and_the_other_calls_pass_as_they_are(clock: ManualClock, exchange: PaperExchange):
    async with rehearsal(clock, exchange, Faults(lose_update=1.0, failed_read=1.0)) as broker:
        adapter: Broker = broker
        assert adapter.capabilities is CAPABILITIES
        assert adapter.name == "paper"
        assert await adapter.login_url(ANN) == ""
        await adapter.subscribe(["NSE:RELIANCE"])
        stream = adapter.stream()
        kinds = {type(await anext(stream)).__name__ for _ in range(2)}
        assert kinds == {"Heartbeat", "Tick"}
        assert (await adapter.quotes(["NSE:RELIANCE"]))["NSE:RELIANCE"].last_paise == 245_050
        assert len(await adapter.instruments()) == len(universe())


# --- reads ------------------------------------------------------------------------------------------------


async def test_every_read_of_an_account_may_fail(clock: ManualClock, exchange: PaperExchange):
    async with rehearsal(clock, exchange, Faults(failed_read=1.0)) as broker:
        reads = (broker.profile, broker.funds, broker.holdings, broker.orders, broker.trades)
        for read in reads:
            with pytest.raises(BrokerError, match="try again later"):
                await read(ANN)
        assert broker.struck == Counter(failed_read=len(reads))
        assert isinstance(await broker.place(ANN, buy()), Accepted)


async def test_a_stale_book_lacks_the_newest_orders_only(clock: ManualClock, exchange: PaperExchange):
    async with rehearsal(clock, exchange, Faults(stale_book=1.0)) as broker:
        elsewhere = id_of(exchange.place(ANN.user_id, buy(limit=RESTING)))
        old = id_of(await broker.place(ANN, buy(limit=RESTING)))
        await clock.advance(4)
        new = id_of(await broker.place(ANN, buy(limit=RESTING)))
        assert [row.broker_order_id for row in await broker.orders(ANN)] == [elsewhere]
        await clock.advance(2)
        assert [row.broker_order_id for row in await broker.orders(ANN)] == [elsewhere, old]
        await clock.advance(5)
        assert [row.broker_order_id for row in await broker.orders(ANN)] == [elsewhere, old, new]
        assert broker.struck == Counter(stale_book=2)


async def test_a_truncated_book_lacks_its_last_page(clock: ManualClock, exchange: PaperExchange):
    async with rehearsal(clock, exchange, Faults(truncated_book=1.0)) as broker:
        placed = [id_of(await broker.place(ANN, buy(1))) for _ in range(6)]
        assert [row.broker_order_id for row in await broker.orders(ANN)] == placed[:4]


async def test_trades_come_after_their_status(clock: ManualClock, exchange: PaperExchange):
    async with rehearsal(clock, exchange, Faults(trades_late=1.0)) as broker, followed(broker) as seen:
        await broker.place(ANN, buy())
        await let_run()
        assert [(update.order.status, update.trades) for update in seen] == [(BrokerStatus.COMPLETE, ())]
        assert (await broker.orders(ANN))[0].filled_quantity == 10
        await clock.advance(2.5)
        assert not await broker.trades(ANN)
        await clock.advance(1)
        assert [trade.quantity for trade in await broker.trades(ANN)] == [10]
        assert broker.struck == Counter(trades_late=1)


async def test_stamps_are_off_either_way_and_the_rest_is_true(clock: ManualClock, exchange: PaperExchange):
    async with rehearsal(clock, exchange, Faults(clock_skew_s=2.0)) as broker:
        for _ in range(8):
            await broker.place(ANN, buy(1))
        shown, true = await broker.orders(ANN), exchange.orders(ANN.user_id)
        off = [row.updated_at - told.updated_at for row, told in zip(shown, true, strict=True)]
        assert set(off) == {timedelta(seconds=2), timedelta(seconds=-2)}
        stamps = [{"placed_at": row.placed_at, "updated_at": row.updated_at} for row in true]
        assert [replace(row, **stamp) for row, stamp in zip(shown, stamps, strict=True)] == true
        assert list(await broker.orders(ANN)) == list(shown)


# --- whole clients ----------------------------------------------------------------------------------------


async def test_a_session_dies_and_is_revived(clock: ManualClock, exchange: PaperExchange):
    async with rehearsal(clock, exchange, Faults(session_death=0.3, seed=1)) as broker:
        placed = 0
        while isinstance(outcome := await broker.place(ANN, buy(1)), Accepted):
            placed += 1
        assert 0 < placed < 20, "the session dies in the middle of the batch"
        assert isinstance(outcome, Refused)
        assert outcome.code == "TokenException"
        for read in (broker.profile, broker.funds, broker.orders):
            with pytest.raises(SessionExpired):
                await read(ANN)
        order_id = exchange.orders(ANN.user_id)[0].broker_order_id
        assert isinstance(await broker.modify(ANN, order_id, OrderChange(quantity=2)), Refused)
        assert isinstance(await broker.cancel(ANN, order_id), Refused)
        assert broker.struck == Counter(session_death=1)
        assert len(exchange.orders(ANN.user_id)) == placed


async def reads_until_death(broker: FaultyBroker) -> int:
    for answered in count():
        try:
            await broker.funds(ANN)
        except SessionExpired:
            return answered
    raise AssertionError("it never dies")


@pytest.mark.parametrize("by_login", [True, False])
async def test_a_dead_session_stays_dead_until_it_is_revived(
    clock: ManualClock, exchange: PaperExchange, by_login: bool
):
    async with rehearsal(clock, exchange, Faults(session_death=0.1, seed=1)) as broker:
        assert await reads_until_death(broker) > 0
        assert await reads_until_death(broker) == 0
        if by_login:
            assert (await broker.exchange_token(ANN, "token")).user_id == ANN.user_id
        else:
            broker.revive(ANN.user_id)
        assert await reads_until_death(broker) > 0


async def test_a_throttled_client_is_turned_away_for_a_while(clock: ManualClock, exchange: PaperExchange):
    async with rehearsal(clock, exchange, Faults(throttle=0.2, throttle_s=30, seed=3)) as broker:
        while isinstance(outcome := await broker.place(ANN, buy(1)), Accepted):
            pass
        assert outcome == NotSent("429 Too many requests")
        placed = len(exchange.orders(ANN.user_id))
        with pytest.raises(BrokerError, match="429"):
            await broker.orders(ANN)
        await clock.advance(29)
        assert isinstance(await broker.cancel(ANN, "1"), NotSent)
        assert len(exchange.orders(ANN.user_id)) == placed
        broker.struck.clear()
        await clock.advance(2)
        while not isinstance(await broker.place(ANN, buy(1)), Accepted):
            await clock.advance(31)
        assert len(exchange.orders(ANN.user_id)) == placed + 1


async def test_a_deaf_client_is_never_answered_and_the_others_are(
    clock: ManualClock, exchange: PaperExchange
):
    async with rehearsal(clock, exchange, Faults(deaf_clients=frozenset({"P0000"}))) as broker:
        calls = [asyncio.create_task(call) for call in (broker.place(ANN, buy()), broker.cancel(ANN, "1"))]
        read = asyncio.create_task(broker.orders(ANN))
        await let_run()
        await clock.advance(3_600)
        assert isinstance(await broker.place(BOB, buy()), Accepted)
        assert not any(task.done() for task in (*calls, read))
        assert exchange.orders(ANN.user_id) == []
    assert [type(outcome) for outcome in await asyncio.gather(*calls)] == [Ambiguous] * 2
    with pytest.raises(BrokerError, match="closed"):
        await read


async def test_the_deaf_are_chosen_at_first_sight_and_stay_so(clock: ManualClock, exchange: PaperExchange):
    async with rehearsal(clock, exchange, Faults(deaf=0.5, seed=2)) as broker:

        async def answered(number: int) -> bool:
            call = asyncio.create_task(broker.cancel(BrokerAccount(number, f"Q{number}"), "1"))
            await let_run()
            answer = call.done()
            call.cancel()
            return answer

        first = [await answered(number) for number in range(30)]
        assert 5 < sum(first) < 25
        assert first == [await answered(number) for number in range(30)]


# --- mishaps of the exchange ------------------------------------------------------------------------------


async def test_a_complete_order_trades_one_share_more(clock: ManualClock, exchange: PaperExchange):
    async with rehearsal(clock, exchange, Faults(overfill=1.0)) as broker, followed(broker) as seen:
        await broker.place(ANN, buy())
        await let_run()
        assert sum(trade.quantity for trade in await broker.trades(ANN)) == 10
        await clock.advance(60)
        assert sum(trade.quantity for trade in await broker.trades(ANN)) == 11
        assert seen[-1].order.filled_quantity == 11
        assert broker.struck == Counter(overfill=1)


async def test_a_cancelled_order_lives_again_and_a_rejected_one_does_not(
    clock: ManualClock, exchange: PaperExchange
):
    faults = Faults(resurrect=1.0)
    async with rehearsal(clock, exchange, faults) as broker, followed(broker) as seen:
        order_id = id_of(await broker.place(ANN, buy(limit=RESTING)))
        await broker.cancel(ANN, order_id)
        await clock.advance(2)
        assert (await broker.orders(ANN))[0].status is BrokerStatus.OPEN
        await broker.cancel(ANN, order_id)
        await clock.advance(60)
        assert (await broker.orders(ANN))[0].status is BrokerStatus.CANCELLED
        assert broker.struck == Counter(resurrect=1)
        states = [update.order.status for update in seen]
        assert states == [*[BrokerStatus.OPEN, BrokerStatus.CANCELLED] * 2]
    async with rehearsal(clock, exchange, replace(faults, exchange_reject=1.0)) as broker, followed(broker):
        await broker.place(BOB, buy())
        await clock.advance(60)
        assert (await broker.orders(BOB))[0].status is BrokerStatus.REJECTED


async def test_orders_of_an_earlier_process_have_no_mishaps(clock: ManualClock, exchange: PaperExchange):
    exchange.place(ANN.user_id, buy())
    order_id = id_of(exchange.place(ANN.user_id, buy(limit=RESTING)))
    exchange.cancel(ANN.user_id, order_id)
    async with rehearsal(clock, exchange, Faults(overfill=1.0, resurrect=1.0)) as broker:
        await broker.orders(ANN)
        await clock.advance(60)
        assert broker.struck == Counter()


# --- seeds, truth and safety ------------------------------------------------------------------------------


async def outcomes(clock: ManualClock, faults: Faults, bob_too: bool) -> tuple[list[str], Counter[str]]:
    exchange = PaperExchange(None, clock, load_calendar())
    exchange.list_instruments(universe())
    exchange.open_accounts(AccountOpening(account.user_id, 1_000_000_00) for account in (ANN, BOB))
    exchange.pin("RELIANCE", 245_050, 239_525)
    told: list[str] = []
    async with rehearsal(clock, exchange, faults) as broker:
        for number in range(60):
            if bob_too:
                await broker.place(BOB, buy(1))
            told.append(type(await broker.place(ANN, buy(1))).__name__)
            if number % 10 == 0:
                with suppress(BrokerError):
                    told.append(str(len(await broker.orders(ANN))))
        return told, +broker.struck


async def test_a_seed_strikes_the_same_calls_of_a_client_whatever_the_others_do(clock: ManualClock):
    faults = replace(PRESETS["storm"], late_answer=0, drop_answer=0.2, clock_skew_s=0, seed=11)
    once = await outcomes(clock, faults, bob_too=False)
    assert once == await outcomes(clock, faults, bob_too=False)
    assert (await outcomes(clock, faults, bob_too=True))[0] == once[0]
    assert once[0] != (await outcomes(clock, replace(faults, seed=12), bob_too=False))[0]
    assert {"Accepted", "Ambiguous"} <= set(once[0])
    assert len(once[1]) > 3


async def test_a_share_is_how_often_it_strikes(clock: ManualClock, exchange: PaperExchange):
    async with rehearsal(clock, exchange, Faults(never_placed=0.3, refused=0.2)) as broker:
        for _ in range(1_000):
            await broker.place(ANN, buy(90_000))
        assert 250 < broker.struck["never_placed"] < 350
        assert 150 < broker.struck["refused"] < 250


async def test_money_and_trades_are_the_inner_brokers_in_any_storm(
    clock: ManualClock, exchange: PaperExchange
):
    storm = replace(PRESETS["storm"], failed_read=0, throttle=0, late_answer=0, seed=5)
    async with rehearsal(clock, exchange, storm) as broker, followed(broker) as seen:
        asked = [buy(1) for _ in range(120)]
        for request in asked:
            await broker.place(ANN, request)
            await clock.advance(0.5)
        await clock.advance(100)
        true = {trade.trade_id: trade for trade in exchange.trades(ANN.user_id)}
        assert {trade.trade_id: trade for trade in await broker.trades(ANN)} == true
        for update in seen:
            assert all(true[trade.trade_id] == trade for trade in update.trades)
        ours = {request.tag for request in asked}
        tags = {row.broker_order_id: row.tags for row in exchange.orders(ANN.user_id)}
        for row in (*await broker.orders(ANN), *(update.order for update in seen)):
            assert row.tags == tags[row.broker_order_id]
            assert ours.intersection(row.tags)
        assert await broker.funds(ANN) == await broker.inner.funds(ANN)
        assert await broker.holdings(ANN) == await broker.inner.holdings(ANN)
        assert len(broker.struck) > 10


async def test_a_strike_is_logged_without_the_client(
    clock: ManualClock, exchange: PaperExchange, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.INFO, "brokers.simulators"):
        async with rehearsal(clock, exchange, Faults(drop_answer=1.0)) as broker:
            await broker.place(ANN, buy())
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("INFO", "rehearsed fault: drop_answer")
    ]


class RealBroker(PaperBroker):
    @property
    def capabilities(self) -> Capabilities:
        return replace(CAPABILITIES, simulated=False)


def test_a_real_broker_is_never_made_to_fail(clock: ManualClock, exchange: PaperExchange):
    with pytest.raises(BadInput, match="simulated broker only"):
        FaultyBroker(RealBroker(exchange, clock), clock, Faults(), random.Random(0))


# --- the menu ---------------------------------------------------------------------------------------------


def test_faults_are_typed_as_shares_presets_or_both():
    assert faults_from_text("drop_answer=0.05, late_8s=0.02,seed=7") == Faults(
        drop_answer=0.05, late_8s=0.02, seed=7
    )
    assert faults_from_text("storm") == PRESETS["storm"]
    assert faults_from_text("storm,late_8s=0.1,seed=9") == replace(PRESETS["storm"], late_8s=0.1, seed=9)
    named = faults_from_text("deaf_clients=am1042+AM1050,clock_skew_s=2")
    assert (named.deaf_clients, named.clock_skew_s) == (frozenset({"AM1042", "AM1050"}), 2.0)


def test_a_storm_passes_by_itself():
    storm = PRESETS["storm"]
    lasting = {name for name in SHARES if not storm.share(name)}
    assert lasting == {"session_death", "deaf"}


@pytest.mark.parametrize(
    ("text", "field", "value", "expected"),
    [
        ("", "faults", "", "give a preset or name=value"),
        ("strom", "faults", "strom", "did you mean storm?"),
        ("late_8", "faults", "late_8", "did you mean late_8s?"),
        ("drop_answr=0.1", "faults", "drop_answr", "did you mean drop_answer?"),
        ("zzz=1", "faults", "zzz", "known: drop_answer"),
        ("seed=1,storm", "faults", "storm", "a preset comes first"),
        ("storm,late_8s", "faults", "late_8s", "give name=value"),
        ("storm,", "faults", "", "give name=value"),
        ("drop_answer=1.5", "fault drop_answer", 1.5, "from 0 to 1"),
        ("drop_answer=-0.1", "fault drop_answer", -0.1, "from 0 to 1"),
        ("drop_answer=nan", "fault drop_answer", "nan", "from 0 to 1"),
        ("drop_answer=5%", "fault drop_answer", "5%", "from 0 to 1"),
        ("drop_answer=", "fault drop_answer", "", "from 0 to 1"),
        ("drop_answer=0.1,drop_answer=0.2", "fault drop_answer", "0.2", "given twice"),
        ("seed=x", "fault seed", "x", "whole number"),
        ("clock_skew_s=9999", "fault clock_skew_s", 9999.0, "seconds from 0 to 3600"),
        ("drop_answer=0.6,late_8s=0.6", "faults", "drop_answer + late_8s", "1.2 together"),
    ],
)
def test_what_cannot_be_rehearsed_is_named(text: str, field: str, value: object, expected: str):
    with pytest.raises(BadInput) as problem:
        faults_from_text(text)
    assert (problem.value.field, problem.value.value) == (field, value)
    assert expected in problem.value.expected


def test_shares_may_fill_the_whole():
    Faults(drop_answer=0.7, late_8s=0.2, refused=0.1)


def test_every_fault_is_documented():
    words = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)`", words.partition("## Rehearsing faults")[2]))
    assert {field.name for field in fields(Faults)} | PRESETS.keys() <= named
