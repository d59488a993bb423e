"""What the suite of every adapter does not ask: charges, conversions, ticks in doubt, bars, gaps."""

import asyncio
import gzip
import json
import random
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from brokers.contract import (
    Accepted,
    BarSpan,
    BrokerError,
    BrokerStatus,
    Conversion,
    OrderUpdate,
    Refused,
    StreamEvent,
    Tick,
    TradedLine,
)
from brokers.simulators.exchange.history import prices_before
from brokers.upstox.calls import READ_WINDOWS, UpstoxCalls
from brokers.upstox.instruments import read_dump
from brokers.upstox.roots import upstox_roots
from brokers.upstox.streaming.sockets import ORDER_STREAM, Lines, UpstoxSocket
from brokers.wire.calls import CallWaits
from brokers.wire.reading import Reading
from brokers.wire.sockets import SocketWaits
from data.clock import IST, SystemClock
from data.records import replace
from data.vocabulary import Product, Side
from tests.brokers.kite_stub import ANN, Access, running_stub
from tests.brokers.stand import heard_of, listening, soon
from tests.brokers.test_upstox_outcomes import RELIANCE, ROW, at_stub, told
from tests.brokers.upstox_stands import upstox_stand


async def test_charges_of_orders_come_by_kind_and_add_up() -> None:
    async with upstox_stand() as (stand, _):
        lines = [
            TradedLine("NSE", stand.still.tradingsymbol, side, product, 10, 10 * stand.last_paise)
            for side in Side
            for product in (Product.CNC, Product.MIS)
        ]
        found = await stand.broker.order_charges(stand.ann, lines)  # pyright: ignore
        assert len(found) == len(lines)
        assert all(one.total_paise > 0 for one in found)
        assert found[0].stt_paise > found[1].stt_paise == 0, "a buy within the day pays no STT"


async def test_shares_of_the_day_become_delivery_once() -> None:
    async with upstox_stand() as (stand, _):
        bought = replace(stand.order(10), product=Product.MIS)
        await stand.at(await stand.placed(bought), BrokerStatus.COMPLETE)
        wish = Conversion("NSE", stand.still.tradingsymbol, 10, Product.MIS, Product.CNC)
        assert await stand.broker.convert(stand.ann, wish) == Accepted("")  # pyright: ignore
        held = {one.product: one for one in await stand.broker.holdings(stand.ann)}
        assert (held.keys(), held[Product.CNC].free + held[Product.CNC].today) == ({Product.CNC}, 110)
        again = await stand.broker.convert(stand.ann, wish)  # pyright: ignore
        assert isinstance(again, Refused)


async def test_a_book_is_told_anew_after_a_gap_of_its_stream() -> None:
    async with upstox_stand() as (stand, upstox), listening(stand) as heard:
        await soon(lambda: _hears(stand))
        order_id = await stand.placed(stand.resting())
        await stand.at(order_id, BrokerStatus.OPEN)
        start = len(heard)
        upstox.sockets.drop("ANN")

        def told_anew(one: StreamEvent) -> bool:
            return isinstance(one, OrderUpdate) and one.order.broker_order_id == order_id

        await heard_of(heard, told_anew, start)


async def _hears(stand: Any) -> bool | None:
    return stand.broker.hears(stand.ann) or None


async def test_a_later_sign_in_takes_the_one_feed_over() -> None:
    """Upstox may let a user have one socket of prices: the next waits until the one before has ended."""
    async with upstox_stand(switches={"market_sockets": 1}) as (stand, upstox), listening(stand) as heard:
        await stand.broker.subscribe([stand.key])
        await heard_of(heard, lambda one: isinstance(one, Tick))
        code = upstox.sessions.request_token("annkey", "ANN")
        await stand.broker.exchange_token(stand.ann, code)
        broker: Any = stand.broker
        await broker.follow([stand.ann, stand.poor])
        moved = stand.away(-100)
        stand.move(moved)
        await heard_of(heard, lambda one: isinstance(one, Tick) and one.last_paise == moved)


class Losses:
    """Counts how often a socket was lost; more than that it does not hear."""

    def __init__(self) -> None:
        self.lost_twice = asyncio.Event()
        self._count = 0

    def opened(self, socket: UpstoxSocket, again: bool) -> None: ...
    def took(self, socket: UpstoxSocket, message: str | bytes, received_at: datetime) -> None: ...
    def alive(self, socket: UpstoxSocket) -> None: ...

    def lost(self, socket: UpstoxSocket, problem: BrokerError) -> None:
        self._count += 1
        if self._count == 2:
            self.lost_twice.set()


async def test_a_handshake_that_hangs_is_given_up_and_tried_again() -> None:
    clock, access, losses = SystemClock(), Access(), Losses()
    async with running_stub() as stub:
        silent = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
        address = f"ws://127.0.0.1:{silent.sockets[0].getsockname()[1]}/"
        stub.on("GET /v2/feed/portfolio-stream-feed/authorize", told({"authorized_redirect_uri": address}))
        calls = UpstoxCalls(access, upstox_roots(stub.base), clock, CallWaits(), lambda _: None)
        lines = Lines(
            calls, Reading(calls, clock, READ_WINDOWS), clock, random.Random(7), asyncio.Semaphore(1)
        )
        waits = SocketWaits(open_s=0.05, first_retry_s=0.01, longest_retry_s=0.01)
        running = asyncio.create_task(UpstoxSocket(ANN, ORDER_STREAM, lines, waits, losses).run())
        try:
            async with asyncio.timeout(5):
                await losses.lost_twice.wait()
        finally:
            running.cancel()
            await asyncio.wait([running])
            await calls.close()
            silent.close()


async def test_the_year_one_of_a_time_that_is_none_hides_no_book_and_no_quote() -> None:
    none = "0001-01-01 00:00:00"
    quote = {
        "instrument_token": RELIANCE, "last_price": 100.0, "ohlc": {},
        "timestamp": "0001-01-01T00:00:00+05:30", "last_trade_time": "1771822800000",
    }  # fmt: skip
    async with at_stub() as (broker, stub, _):
        stub.on("GET /v2/order/retrieve-all", told([ROW | {"exchange_timestamp": none}]))
        stub.on("GET /v2/market-quote/quotes", told({"NSE_EQ:RELIANCE": quote}))
        (order,) = await broker.orders(ANN)
        assert order.updated_at == order.placed_at == datetime(2026, 11, 23, 9, 20, 5, tzinfo=IST)
        await broker.follow([ANN], heard=())
        quoted = (await broker.quotes(["NSE:RELIANCE"]))["NSE:RELIANCE"]
        assert quoted.market_at == datetime(2026, 2, 23, 5, tzinfo=UTC)


async def test_gtt_orders_are_read_and_deleted_and_an_odd_one_hides_no_other() -> None:
    rule = {"strategy": "ENTRY", "status": "SCHEDULED", "trigger_type": "ABOVE", "trigger_price": 2_500.5}
    row = {
        "type": "SINGLE", "exchange": "NSE", "instrument_token": RELIANCE, "quantity": 4, "product": "D",
        "gtt_order_id": "GTT-1", "rules": [rule | {"transaction_type": "BUY"}],
    }  # fmt: skip
    over = row | {"gtt_order_id": "GTT-2", "rules": [rule | {"status": "CANCELLED"}]}
    unheard = row | {"gtt_order_id": "GTT-3", "rules": [rule | {"status": "PONDERING"}]}
    async with at_stub() as (broker, stub, _):
        stub.on("GET /v3/order/gtt", told([row, over, unheard, row | {"gtt_order_id": None}]))
        stub.on("DELETE /v3/order/gtt/cancel", told({"gtt_order_ids": ["GTT-1"]}))
        found = await broker.conditionals(ANN)
        assert [one.number for one in found] == ["GTT-1", "GTT-3"]
        assert len(found.unread) == 1
        assert found[0].what == f"{found[0].key.partition(':')[2]}: ENTRY BUY 4 D when ABOVE 2500.5"
        assert await broker.delete_conditional(ANN, found[0]) == Accepted("GTT-1")
        assert json.loads(stub.asked[-1].raw_form) == {"gtt_order_id": "GTT-1"}


async def test_a_gtt_at_upstox_is_read_and_deleted_over_a_socket() -> None:
    async with upstox_stand() as (stand, upstox):
        rule = {"strategy": "ENTRY", "trigger_type": "ABOVE", "trigger_price": 2_500.0}
        broker: Any = stand.broker
        body = {
            "type": "SINGLE", "quantity": 1, "product": "D", "instrument_token": RELIANCE,
            "transaction_type": "BUY", "rules": [rule],
        }  # fmt: skip
        ann_token = stand.secrets[-2]  # the tokens come last, as the two signed in
        headers = {"Authorization": f"Bearer {ann_token}", "User-Agent": "a terminal"}
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{upstox.url}/v3/order/gtt/place", json=body, headers=headers) as placed,
        ):
            assert placed.status == 200, await placed.text()
        (found,) = await broker.conditionals(stand.ann)
        assert (found.key, found.places_orders) == (stand.key, True)
        assert list(await broker.conditionals(stand.poor)) == []
        assert isinstance(await broker.delete_conditional(stand.ann, found), Accepted)
        assert list(await broker.conditionals(stand.ann)) == []
        assert isinstance(await broker.delete_conditional(stand.ann, found), Refused)


async def test_no_order_leaves_while_the_unit_of_a_tick_is_in_doubt() -> None:
    async with upstox_stand() as (stand, upstox):
        doubts: list[dict[str, int]] = []
        ticks = stand.broker.market.ticks  # pyright: ignore
        ticks.on_change = lambda found: doubts.append(dict(found))
        ticks.doubtful = {stand.key: 500}
        before = len(list(upstox.journal.of_user("ANN")))
        stand.move(stand.last_paise + stand.still.tick_paise)
        outcome = await stand.broker.place(stand.ann, stand.resting())
        assert isinstance(outcome, Refused)
        assert (outcome.code, len(list(upstox.journal.of_user("ANN")))) == ("tick_in_doubt", before)
        ticks.doubtful = {stand.key: stand.still.tick_paise}
        assert isinstance(await stand.broker.place(stand.ann, stand.resting()), Accepted)
        assert doubts == [{}], "the quote has settled it"


# --- the instruments' file --------------------------------------------------------------------------------


def share(symbol: str, isin: str, **more: Any) -> dict[str, Any]:
    return {
        "segment": "NSE_EQ",
        "exchange": "NSE",
        "name": symbol,
        "isin": isin,
        "instrument_type": "EQ",
        "instrument_key": f"NSE_EQ|{isin}",
        "lot_size": 1,
        "tick_size": 5.0,
        "trading_symbol": symbol,
        **more,
    }


FUTURE = {"segment": "NSE_FO", "instrument_type": "FUT", "instrument_key": "NSE_FO|1", "expiry": 1}
NIFTY = {
    "segment": "NSE_INDEX",
    "instrument_key": "NSE_INDEX|Nifty 50",
    "trading_symbol": "NIFTY",
    "instrument_type": "INDEX",
}


def dump(tmp_path: Path, rows: object) -> Path:
    path = tmp_path / "complete.json.gz"
    path.write_bytes(gzip.compress(json.dumps(rows).encode()))
    return path


@pytest.mark.parametrize(("whole", "ticks"), [("paise", (5.0, 10.0, 1.0)), ("rupees", (0.05, 0.1, 0.01))])
def test_the_unit_of_ticks_is_that_of_most_of_the_file(
    whole: str, ticks: tuple[float, ...], tmp_path: Path
) -> None:
    names = ("AAA", "BBB", "CCC")
    rows = [
        share(name, f"INE00000{n}018", tick_size=tick)
        for n, (name, tick) in enumerate(zip(names, ticks, strict=True))
    ]
    odd = share("ODD", "INE999999018", tick_size=0.05 if whole == "paise" else 20.0)
    weird = share("WEIRD", "INE999998018", tick_size=7)
    found = read_dump(dump(tmp_path, [*rows, odd, weird, FUTURE, NIFTY]))
    listed = {row.tradingsymbol: row for row in found.rows}
    assert [listed[name].tick_paise for name in names] == [5, 10, 1]
    assert found.doubtful == {"NSE:ODD", "NSE:WEIRD"}
    index = listed["NIFTY 50"]
    assert (index.segment, index.token, index.tick_paise) == ("INDICES", "NSE_INDEX|Nifty 50", 1)


def test_series_stand_in_the_symbol_and_odd_rows_beside(tmp_path: Path) -> None:
    rows = [share(f"S{n}", f"INE{n:06d}018") for n in range(200)]
    rows += [share("CENTRALBK", "INE483A01010", instrument_type="BE"), share("", "INE000001010")]
    found = read_dump(dump(tmp_path, rows)).rows
    assert "CENTRALBK-BE" in {row.tradingsymbol for row in found}
    (odd,) = found.unread
    assert "trading_symbol" in odd.words


@pytest.mark.parametrize("fault", ["cut", "cut text", "object", "numbers", "plain", "odd"])
def test_a_damaged_file_is_none(fault: str, tmp_path: Path) -> None:
    path = dump(tmp_path, [share(f"S{n}", f"INE{n:06d}018") for n in range(2_000)])
    whole = path.read_bytes()
    text = gzip.decompress(whole)
    path.write_bytes(
        {
            "cut": whole[: len(whole) // 2],
            "cut text": gzip.compress(text[: len(text) // 2]),
            "object": gzip.compress(b'{"a": 1}'),
            "numbers": gzip.compress(b"[1, 2]"),
            "plain": text,
            "odd": gzip.compress(json.dumps([share("", "INE1")] * 9).encode()),
        }[fault]
    )
    with pytest.raises(BrokerError, match="instruments"):
        read_dump(path)


# --- bars -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("both", [False, True])
async def test_bars_over_a_socket_are_those_of_the_markets_own_walk(both: bool) -> None:
    async with upstox_stand(switches={"candles_of_today": both}) as (stand, upstox):
        key = stand.walking.key
        before = prices_before(upstox.exchange, key)
        assert before is not None
        day = upstox.exchange.market_clock.trading_day
        since, until = (datetime.combine(one, time(), IST) for one in (day - timedelta(days=9), day))
        for span in BarSpan:
            wanted = before.bars(span, since, until)
            assert wanted
            found = await stand.broker.bars(key, span, since, until - timedelta(seconds=1))  # pyright: ignore
            assert found == wanted
        today = await stand.broker.bars(key, BarSpan.MINUTE, until, until + timedelta(days=1))  # pyright: ignore
        assert today
        assert {bar.at.astimezone(IST).date() for bar in today} == {day}
        assert len({bar.at for bar in today}) == len(today)


async def test_bars_of_days_and_of_today_are_joined_oldest_first() -> None:
    until = datetime(2026, 11, 18, 12, tzinfo=IST)
    old = ["2026-11-17T00:00:00+05:30", 100.05, 101, 99, 100.5, 7, 0]
    older = ["2026-11-16T00:00:00+05:30", 99, 101, 98, 100, 5, 0]
    today = ["2026-11-18T00:00:00+05:30", 100, 103, 100, 102, 3, 0]
    async with at_stub() as (broker, stub, _):
        await broker.follow([ANN])
        stub.on(
            f"GET /v3/historical-candle/{RELIANCE}/days/1/2026-11-18/2026-11-10",
            told({"candles": [old, older]}),
        )
        stub.on(f"GET /v3/historical-candle/intraday/{RELIANCE}/days/1", told({"candles": [today, ["x"]]}))
        bars = await broker.bars("NSE:RELIANCE", BarSpan.DAY, until - timedelta(days=8), until)
        assert [(bar.at.astimezone(IST).day, bar.open_paise, bar.volume) for bar in bars] == [
            (16, 99_00, 5),
            (17, 100_05, 7),
            (18, 100_00, 3),
        ]
        assert all(bar.at.tzinfo is UTC for bar in bars)
