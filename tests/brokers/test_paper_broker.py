"""The paper broker: the contract's calls on the event loop, batches, latency and the stream."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from brokers.contract import (
    Accepted,
    Broker,
    BrokerAccount,
    BrokerError,
    BrokerStatus,
    Heartbeat,
    NotSent,
    OrderChange,
    OrderRequest,
    OrderUpdate,
    Refused,
    StreamEvent,
    Tick,
)
from brokers.paper.broker import PaperBroker
from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.exchange.openings import AccountOpening
from data.clock import ManualClock
from data.reference.phases import load_calendar
from data.reference.seed import universe
from data.vocabulary import OrderType, Product, Side

CALENDAR = load_calendar()
ACCOUNTS = [BrokerAccount(number, f"P{number:04}") for number in range(1_000)]
ANN = ACCOUNTS[0]
KEY = "NSE:RELIANCE"


def open_exchange(clock: ManualClock, path: Path | None = None) -> PaperExchange:
    exchange = PaperExchange(path, clock, CALENDAR)
    exchange.list_instruments(universe())
    exchange.open_accounts(AccountOpening(account.user_id, 1_000_000_00) for account in ACCOUNTS)
    return exchange


def buy(quantity: int = 10, limit: int | None = None) -> OrderRequest:
    kind = OrderType.MARKET if limit is None else OrderType.LIMIT
    return OrderRequest(
        *("NSE", "RELIANCE", Side.BUY, quantity, Product.CNC, kind, "tag1"),
        price_paise=limit,
        protection_bps=200 if limit is None else None,
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 22, tzinfo=UTC))


@pytest.fixture
def exchange(clock: ManualClock) -> PaperExchange:
    exchange = open_exchange(clock)
    exchange.pin("RELIANCE", 245_050, 239_525)
    return exchange


@pytest.fixture
async def broker(clock: ManualClock, exchange: PaperExchange) -> AsyncIterator[PaperBroker]:
    broker = PaperBroker(exchange, clock, latency=(0, 0))
    await broker.open()
    yield broker
    await broker.close()


async def let_run() -> None:
    """Give tasks that wait for nothing their turns."""
    for _ in range(20):
        await ManualClock(datetime(2026, 11, 22, tzinfo=UTC)).sleep(0)


async def first_update(events: AsyncIterator[StreamEvent]) -> OrderUpdate:
    async with asyncio.timeout(5):
        async for event in events:
            if isinstance(event, OrderUpdate):
                return event
    raise AssertionError("the stream ended")


async def test_the_contract_from_placing_to_reading(broker: PaperBroker):
    adapter: Broker = broker
    assert adapter.capabilities.simulated
    assert await adapter.login_url(ANN) == ""
    assert (await adapter.exchange_token(ANN, "")).user_id == "P0000"
    placed = await adapter.place(ANN, buy())
    assert isinstance(placed, Accepted)
    (order,) = await adapter.orders(ANN)
    assert (order.broker_order_id, order.status, order.tags[0]) == (
        placed.broker_order_id,
        BrokerStatus.COMPLETE,
        "tag1",
    )
    assert (await adapter.trades(ANN))[0].price_paise == 245_050
    assert (await adapter.holdings(ANN))[0].today == 10
    assert (await adapter.funds(ANN)).available_paise < 1_000_000_00 - 2_450_500
    resting = await adapter.place(ANN, buy(5, 240_000))
    assert isinstance(resting, Accepted)
    changed = await adapter.modify(ANN, resting.broker_order_id, OrderChange(quantity=4))
    assert changed == await adapter.cancel(ANN, resting.broker_order_id) == resting
    assert isinstance(await adapter.cancel(ANN, resting.broker_order_id), Refused)
    quotes = await adapter.quotes([KEY, "NSE:NOSUCH"])
    assert list(quotes) == [KEY]
    assert quotes[KEY].last_paise == 245_050
    rows = {row.tradingsymbol: row for row in await adapter.instruments()}
    assert rows["RELIANCE"].isin == "INE002A01018"


async def test_an_unknown_client_harms_nobody_else(broker: PaperBroker):
    eve = BrokerAccount(9, "EVE")
    placed, failed, refused = await asyncio.gather(
        broker.place(ANN, buy()), broker.funds(eve), broker.place(eve, buy()), return_exceptions=True
    )
    assert isinstance(placed, Accepted)
    assert isinstance(failed, BrokerError)
    assert failed.code == "unknown_account"
    assert isinstance(refused, Refused)
    for call in (broker.orders(eve), broker.trades(eve), broker.holdings(eve), broker.profile(eve)):
        with pytest.raises(BrokerError, match="EVE"):
            await call


async def test_a_fill_is_in_the_stream_without_any_time_passing(broker: PaperBroker, clock: ManualClock):
    await broker.place(ANN, buy())
    update = await first_update(broker.stream())
    assert (update.order.status, update.order.filled_quantity) == (BrokerStatus.COMPLETE, 10)
    assert sum(trade.quantity for trade in update.trades) == 10
    assert clock.monotonic() == 0


async def test_a_thousand_orders_at_once_are_a_few_transactions(broker: PaperBroker, exchange: PaperExchange):
    statements: list[str] = []
    exchange.database.set_trace_callback(statements.append)
    outcomes = await asyncio.gather(*(broker.place(account, buy()) for account in ACCOUNTS))
    exchange.database.set_trace_callback(None)
    assert len({outcome.broker_order_id for outcome in outcomes if isinstance(outcome, Accepted)}) == 1_000
    assert statements.count("BEGIN IMMEDIATE") == 4
    stream = broker.stream()
    told = [(await first_update(stream)).order.broker_order_id for _ in range(1_000)]
    assert told == sorted(told)


async def test_ticks_come_when_quotes_change_and_heartbeats_always(broker: PaperBroker, clock: ManualClock):
    await broker.subscribe([KEY, "NSE:INFY", "NSE:NOSUCH"])
    events: list[StreamEvent] = []

    async def consume() -> None:
        events.extend([event async for event in broker.stream()])

    consumer = asyncio.create_task(consume())
    await let_run()
    await clock.advance(60)
    await broker.close()
    await consumer
    ticks = [event for event in events if isinstance(event, Tick)]
    assert sum(tick.key == KEY for tick in ticks) == 1, "a pinned quote does not change"
    moving = [tick for tick in ticks if tick.key == "NSE:INFY"]
    assert 20 <= len(moving) <= 60
    assert all(one.market_at < two.market_at for one, two in pairwise(moving))
    assert moving[-1].received_at <= clock.now()
    beats = [event.received_at for event in events if isinstance(event, Heartbeat)]
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(beats)]
    assert len(beats) >= 59
    assert max(gaps) <= 1.1


async def test_another_process_is_heard_and_heard_of(clock: ManualClock, tmp_path: Path):
    near = PaperBroker(open_exchange(clock, tmp_path / "x.db"), clock, latency=(0, 0))
    far = PaperBroker(open_exchange(clock, tmp_path / "x.db"), clock, latency=(0, 0))
    await near.open()
    await far.open()
    placed = await far.place(ANN, buy(1, 240_000))
    assert isinstance(placed, Accepted)
    stream = near.stream()
    assert (await first_update(stream)).order.broker_order_id == placed.broker_order_id
    await near.cancel(ANN, placed.broker_order_id)
    assert (await first_update(stream)).order.status is BrokerStatus.CANCELLED
    stream = far.stream()
    told = [(await first_update(stream)).order.status for _ in range(2)]
    assert told == [BrokerStatus.OPEN, BrokerStatus.CANCELLED]
    await near.close()
    await far.close()


async def test_a_single_question_moves_the_market_on(clock: ManualClock, broker: PaperBroker):
    before = (await broker.quotes([KEY]))[KEY].market_at
    clock.shift(1)
    after = (await broker.quotes([KEY]))[KEY].market_at
    assert (after - before).total_seconds() == 1


async def test_the_order_travels_half_the_latency_each_way(clock: ManualClock, exchange: PaperExchange):
    broker = PaperBroker(exchange, clock, latency=(0.1, 0.1))
    await broker.open()
    sending = asyncio.create_task(broker.place(ANN, buy()))
    await let_run()
    await clock.advance(0.04)
    assert exchange.orders("P0000") == []
    await clock.advance(0.02)
    assert len(exchange.orders("P0000")) == 1
    assert not sending.done()
    await clock.advance(0.05)
    assert isinstance(await sending, Accepted)
    await broker.close()


async def test_a_locked_file_sends_nothing_and_answers_nothing(clock: ManualClock, tmp_path: Path):
    exchange = open_exchange(clock, tmp_path / "x.db")
    exchange.database.execute("PRAGMA busy_timeout = 0")
    broker = PaperBroker(exchange, clock, latency=(0, 0))
    await broker.open()
    holder = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert isinstance(await broker.place(ANN, buy()), NotSent)
    with pytest.raises(BrokerError, match="locked"):
        await broker.funds(ANN)
    holder.execute("ROLLBACK")
    assert isinstance(await broker.place(ANN, buy()), Accepted)
    assert len(await broker.orders(ANN)) == 1
    await broker.close()
    assert isinstance(await broker.place(ANN, buy()), NotSent)
    with pytest.raises(BrokerError, match="closed"):
        await broker.funds(ANN)


def test_a_file_that_stands_opens_while_another_process_holds_it(clock: ManualClock, tmp_path: Path):
    exchange = open_exchange(clock, tmp_path / "x.db")
    exchange.close()
    holder = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    again = PaperExchange(tmp_path / "x.db", clock, load_calendar())
    assert again.funds("P0000").available_paise == 1_000_000_00
    again.close()
    holder.close()
