"""The broker's instrument dump: once a day, the difference told, yesterday's kept where it fails."""

from contextlib import asynccontextmanager
from random import Random

import pytest

from brokers.connection import Connection
from brokers.contract import BrokerError, BrokerRows, UnreadRow
from brokers.life import Life
from brokers.paper.broker import CAPABILITIES, PaperBroker
from brokers.simulators.exchange.exchange import PaperExchange
from data.clock import ManualClock
from data.home import books_file
from data.migrating import BooksFile
from data.records import replace
from data.reference.instruments import BrokerInstrument
from data.reference.phases import load_calendar
from data.reference.seed import universe
from data.vocabulary import ClientStatus, ConnectionKind, DeskKind, SizingKind
from engine.accounts.client_file import NewClient
from engine.market.instruments import instruments_day
from engine.rules import Rules, Waits
from engine.startup import opened
from engine.words.tape import news_words
from tests.books import empty_books
from tests.desks import START, buy, carry_out, paper_desk
from tradedesk.compose.foundation import Foundation
from tradedesk.compose.settings import Settings
from tradedesk.testing import seam

ROHAN = 8
PAPER = ConnectionKind.PAPER


@pytest.fixture
async def desk(tmp_path):
    async with paper_desk(tmp_path) as one:
        yield one


class Dump:
    """The feed's dump as a test has it."""

    def __init__(self, desk):
        self.reads = 0
        self.rows: list[BrokerInstrument] = []
        self.unread: tuple[UnreadRow, ...] = ()
        self.problem = ""
        desk.connections.feed.broker.instruments = self.read

    async def read(self):
        self.reads += 1
        if self.problem:
            raise BrokerError(self.problem)
        return BrokerRows(tuple(self.rows), self.unread)


async def refresh(desk, again=False):
    return await desk.instruments.refresh(again)


async def test_a_dump_is_read_once_a_day_and_says_what_came_and_went(desk):
    await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1, ROHAN))
    rows = {row.tradingsymbol: row for row in await desk.connections.feed.broker.instruments()}
    dump = Dump(desk)
    fresh = replace(rows["INFY"], tradingsymbol="FRESH-BE", token="257", isin="")
    future = replace(rows["INFY"], tradingsymbol="INFY26NOVFUT", exchange="NFO")
    dump.rows = [row for name, row in rows.items() if name not in ("TCS", "ITC")] + [fresh, future]
    known = desk.market.index.get("NSE:RELIANCE")
    report = await refresh(desk)
    assert (report.added, report.gone, report.problem) == (("NSE:FRESH-BE",), ("NSE:ITC",), "")
    assert desk.market.index.get("NSE:ITC") is None
    assert desk.market.index.get("NSE:TCS") is not None, "a client holds it"
    assert desk.market.index.get("NFO:INFY26NOVFUT") is None
    assert desk.market.index.get("NSE:FRESH-BE").trade_to_trade
    assert desk.market.index.get("NSE:RELIANCE").mtf_margin_bps == known.mtf_margin_bps, "a dump has none"
    assert "1 new, 1 gone" in news_words(desk.tape()[-1].news)
    assert await refresh(desk) is None
    assert dump.reads == 1


async def test_with_a_row_unread_no_symbol_is_proven_gone(desk):
    rows = list(await desk.connections.feed.broker.instruments())
    dump = Dump(desk)
    dump.rows = [row for row in rows if row.tradingsymbol != "ITC"]
    dump.unread = (UnreadRow("row 7, tick_size: x; it must be a number"),)
    report = await refresh(desk)
    assert (report.gone, report.unread) == ((), ("row 7, tick_size: x; it must be a number",))
    assert desk.market.index.get("NSE:ITC") is not None
    assert "1 unread: row 7, tick_size" in news_words(desk.tape()[-1].news)


@pytest.mark.parametrize("fault", ["the file is cut short", ""])
async def test_yesterdays_instruments_stay_where_todays_cannot_be_had(desk, fault):
    dump, before = Dump(desk), len(desk.market.index)
    dump.problem = fault
    report = await refresh(desk)
    assert (report.day, report.count) == (None, before)
    assert fault in report.problem
    assert report.problem
    assert "could not be read" in news_words(desk.tape()[-1].news)
    assert await instruments_day(seam(desk).store, "paper") is None


async def test_a_dump_that_lost_its_end_is_not_taken_for_a_market_that_shrank(desk):
    rows = await desk.connections.feed.broker.instruments()
    dump, before = Dump(desk), len(desk.market.index)
    dump.rows = rows[: len(rows) // 2]
    report = await refresh(desk)
    assert f"where there were {before}" in report.problem
    assert len(desk.market.index) == before


class Lister(PaperBroker):
    """A stand-in for a broker that has a list of its own, with its own tokens."""

    def __init__(self, exchange, clock, name):
        super().__init__(exchange, clock, latency=(0.0, 0.0))
        self.rows, self.problem, self.called = [], "", name

    @property
    def name(self):
        return self.called

    @property
    def capabilities(self):
        return replace(CAPABILITIES, lists_all=False)

    async def instruments(self):
        if self.problem:
            raise BrokerError(self.problem)
        return BrokerRows(tuple(self.rows))


class MorningReader(Life):
    """Reads its broker's instruments whenever the test asks."""

    def attach(self, host):
        self.read = host.read_instruments
        self.listings = host.listings


@asynccontextmanager
async def two_brokers(home, lists_all=True):
    """A desk that takes its prices from paper, or from a broker that lists, and has another broker beside."""
    clock, calendar = ManualClock(START), load_calendar()
    exchange = PaperExchange(None, clock, calendar)
    exchange.list_instruments(universe())
    paper = PaperBroker(exchange, clock, latency=(0.0, 0.0))
    feed = paper if lists_all else Lister(exchange, clock, "zerodha")
    other = Lister(exchange, clock, "upstox")
    other.rows = [
        replace(row, token=f"NSE_EQ|{row.token}")
        for row in await paper.instruments()
        if row.tradingsymbol != "ITC"
    ]
    life = MorningReader()
    base = Foundation(
        home,
        BooksFile(books_file(empty_books(home))),
        Settings(trader="tester"),
        clock,
        calendar,
        Rules(),
        Waits(),
        Random(7),
    )
    ways = [Connection("first", PAPER, feed), Connection("second", ConnectionKind.SIM, other, life)]
    desk = base.desk(DeskKind.SCRIPT, clock, ways)
    try:
        async with opened(desk):
            yield desk, other, life
    finally:
        exchange.close()


def listed(life, *symbols):
    return {one.key: one.token for one in life.listings([f"NSE:{symbol}" for symbol in symbols])}


async def test_a_broker_beside_the_feeds_is_asked_for_its_own_instruments(tmp_path):
    async with two_brokers(tmp_path) as (desk, _, life):
        await desk.market.store_instruments([row.instrument for row in universe()], "test")
        new = NewClient("U1", "One", "upstox", "UX1", ClientStatus.ACTIVE, 10_00_000_00, 10_00_000_00)
        await desk.clients.add([new])
        (client,) = desk.clients.all()
        assert client.connection == "second"
        assert not desk.market.index.lists("upstox", "NSE:INFY")
        assert await life.read()
        infy = next(row.instrument for row in universe() if row.instrument.tradingsymbol == "INFY")
        assert listed(life, "INFY", "ITC") == {"NSE:INFY": f"NSE_EQ|{infy.token}"}
        assert desk.market.index.get("NSE:ITC") is not None, "the feed's broker says what there is"
        assert "instruments of Upstox: 203, 203 new, 0 gone" in news_words(desk.tape()[-1].news)
        assert await instruments_day(seam(desk).store, "upstox") == desk.market_clock.trading_day
        assert await instruments_day(seam(desk).store, "paper") is None
        assert [check.detail for check in await desk.doctor.run() if not check.ok] == []


async def test_what_another_broker_lists_follows_its_own_file(tmp_path):
    async with two_brokers(tmp_path) as (desk, other, life):
        await desk.market.store_instruments([row.instrument for row in universe()], "test")
        await life.read()
        rows = {row.tradingsymbol: row for row in other.rows}
        isin = replace(rows["WIPRO"], isin="INE000000000")
        only_there = replace(rows["INFY"], tradingsymbol="ONLYTHERE", token="NSE_EQ|1", isin="")
        other.rows = [row for name, row in rows.items() if name not in ("TCS", "WIPRO")] + [isin, only_there]
        report = await desk.instruments.refresh(again=True, of=list(desk.connections)[1])
        assert report is not None
        assert (report.added, report.gone) == ((), ("NSE:TCS", "NSE:WIPRO")), "one ISIN contradicts"
        assert desk.market.index.get("NSE:TCS") is not None
        assert desk.market.index.get("NSE:ONLYTHERE") is None


async def test_the_feeds_instruments_are_read_before_anothers(tmp_path):
    async with two_brokers(tmp_path, lists_all=False) as (desk, other, life):
        dump = Dump(desk)
        dump.problem = "nobody is signed in"
        assert not await life.read()
        assert "today's instruments of Zerodha could not be read" in news_words(desk.tape()[-1].news)
        assert await instruments_day(seam(desk).store, "upstox") is None
        assert listed(life, "INFY") == {}
        dump.problem, dump.rows = "", list(other.rows)
        other.problem = "the file is cut short"
        assert not await life.read()
        assert "today's instruments of Upstox could not be read" in news_words(desk.tape()[-1].news)
        other.problem = ""
        assert await life.read()
        assert len(listed(life, "INFY", "TCS")) == 2
