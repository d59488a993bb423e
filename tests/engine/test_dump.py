"""The broker's instrument dump: once a day, the difference told, yesterday's kept where it fails."""

from contextlib import asynccontextmanager
from random import Random

import pytest

from brokers.connection import Connection
from brokers.contract import BrokerError, BrokerRows, UnreadRow
from brokers.life import Life
from brokers.paper.broker import CAPABILITIES, PaperBroker
from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.exchange.openings import AccountOpening
from data.clock import ManualClock
from data.home import app_lock
from data.records import replace
from data.reference.instruments import BrokerInstrument
from data.reference.phases import load_calendar
from data.reference.seed import universe
from data.vocabulary import ClientStatus, ConnectionKind, DeskKind, Reason, SizingKind
from data.writing.locks import HeldLock
from engine.accounts.client_file import NewClient
from engine.market.instruments import instruments_day
from engine.rules import Rules, Waits
from engine.startup import opened
from engine.words.tape import news_words
from engine.words.trading.why import detail_words
from tests.books import books_of, empty_books
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
        self.rows, self.problem, self.called, self.asked = [], "", name, 0

    @property
    def name(self):
        return self.called

    @property
    def capabilities(self):
        return replace(CAPABILITIES, lists_all=False)

    async def instruments(self):
        self.asked += 1
        if self.problem:
            raise BrokerError(self.problem)
        return BrokerRows(tuple(self.rows))


class MorningReader(Life):
    """Reads its broker's instruments whenever the test asks, which also says whether that `tells` them."""

    tells = False

    def tells_instruments(self):
        return self.tells

    def attach(self, host):
        self.read = host.read_instruments
        self.listings = host.listings


@asynccontextmanager
async def two_brokers(home, lists_all=True, kind=DeskKind.SCRIPT):
    """A desk that takes its prices from paper, or from a broker that lists, and has another broker beside."""
    clock, calendar = ManualClock(START), load_calendar()
    exchange = PaperExchange(None, clock, calendar)
    exchange.list_instruments(universe())
    exchange.open_accounts([AccountOpening(user, 10_00_000_00) for user in ("UX1", "K1")])
    paper = PaperBroker(exchange, clock, latency=(0.0, 0.0))
    feed = paper if lists_all else Lister(exchange, clock, "zerodha")
    other = Lister(exchange, clock, "upstox")
    other.rows = [
        replace(row, token=f"NSE_EQ|{row.token}")
        for row in await paper.instruments()
        if row.tradingsymbol != "ITC"
    ]
    life, feeds = MorningReader(), MorningReader()
    base = Foundation(
        home,
        books_of(empty_books(home)),
        Settings(trader="tester"),
        clock,
        calendar,
        Rules(),
        Waits(),
        Random(7),
    )
    ways = [Connection("first", PAPER, feed, feeds), Connection("second", ConnectionKind.SIM, other, life)]
    desk = base.desk(kind, clock, ways)
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
        assert not desk.market.index.listing("upstox", "NSE:INFY")
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


async def test_a_command_reads_what_each_broker_lists_with_the_first_sign_in_that_may_ask(tmp_path):
    async with two_brokers(tmp_path, lists_all=False, kind=DeskKind.COMMAND) as (desk, other, life):
        new = [
            NewClient(code, code, broker, user, ClientStatus.ACTIVE, 10_00_000_00, 10_00_000_00)
            for code, broker, user in (("K1", "zerodha", "KX1"), ("U1", "upstox", "UX1"))
        ]
        await desk.market.store_instruments([row.instrument for row in universe()], "test")
        await desk.clients.add(new)
        feed, feeds, clock = desk.connections.feed.broker, desk.connections.feed.life, desk.clock
        assert isinstance(feed, Lister)
        assert isinstance(feeds, MorningReader)
        assert isinstance(clock, ManualClock)
        life.tells = True
        await desk.sessions.sign_in(2, "ok")
        assert (feed.asked, other.asked) == (0, 0), "the feed's comes first, and nobody may ask for it"
        feeds.tells, feed.rows, other.problem = True, list(other.rows), "the file is cut short"
        await desk.sessions.sign_in(1, "ok")
        await desk.sessions.sign_in(2, "ok")
        assert (feed.asked, other.asked) == (1, 1)
        other.problem = ""
        await clock.advance(61)
        for _ in range(3):
            await desk.sessions.sign_in(2, "ok")
        assert (feed.asked, other.asked) == (1, 2), "once a broker and day"
        assert len(listed(life, "INFY", "TCS")) == 2


async def test_what_an_open_app_reads_anyway_no_command_beside_it_reads(tmp_path):
    async with two_brokers(tmp_path, kind=DeskKind.COMMAND) as (desk, other, life):
        await desk.market.store_instruments([row.instrument for row in universe()], "test")
        new = NewClient("U1", "One", "upstox", "UX1", ClientStatus.ACTIVE, 10_00_000_00, 10_00_000_00)
        await desk.clients.add([new])
        life.tells = True
        app = HeldLock(app_lock(tmp_path))
        assert app.take()
        await desk.sessions.sign_in(1, "ok")
        app.free()
        assert other.asked == 0


async def test_one_isin_is_one_instrument_whatever_each_broker_calls_it_and_the_line_says_so(tmp_path):
    async with two_brokers(tmp_path) as (desk, other, life):
        await desk.market.store_instruments([row.instrument for row in universe()], "test")
        new = NewClient("U1", "One", "upstox", "UX1", ClientStatus.ACTIVE, 10_00_000_00, 10_00_000_00)
        await desk.clients.add([new])
        rows = {row.tradingsymbol: row for row in other.rows}
        rows["TCS"] = replace(rows["TCS"], tradingsymbol="TATACONS")
        rows["WIPRO"] = replace(rows["WIPRO"], series="BE")
        rows["INFY"] = replace(rows["INFY"], isin="INE000000000")
        alone = {"tradingsymbol": "ONLYTHERE", "isin": "INE000000018", "token": "9"}
        rows["ONLYTHERE"] = replace(rows["HCLTECH"], **alone)
        other.rows = list(rows.values())
        assert await life.read()
        assert listed(life, "TCS", "INFY", "ONLYTHERE") == {
            "NSE:TCS": rows["TCS"].token,
            "NSE:ONLYTHERE": "9",
        }
        found = {}
        for symbol in ("TCS", "WIPRO", "INFY", "ITC", "ONLYTHERE"):
            await desk.market.fetch([f"NSE:{symbol}"])
            (line,) = (await desk.plans.preview(buy(symbol, SizingKind.FIXED_QUANTITY, 1))).lines
            found[symbol] = line.reason, detail_words(line)
        assert found == {
            "TCS": (None, "TATACONS at Upstox"),
            "WIPRO": (Reason.SERIES_DIFFERS, "in series BE at Upstox, in EQ here"),
            "INFY": (Reason.NOT_LISTED, "Upstox has another security as INFY (INE000000000)"),
            "ITC": (Reason.NOT_LISTED, "NSE:ITC is not listed at Upstox"),
            "ONLYTHERE": (Reason.PRICE_STALE, "no price known"),
        }
        assert [check.detail for check in await desk.doctor.run() if not check.ok] == []


async def test_what_another_broker_still_lists_stays_known_and_is_unlisted_where_it_is_gone(tmp_path):
    async with two_brokers(tmp_path, lists_all=False) as (desk, other, life):
        await desk.market.store_instruments([row.instrument for row in universe()], "test")
        feed = Dump(desk)
        feed.rows = list(other.rows)
        assert await life.read()
        feed.rows = [row for row in other.rows if row.tradingsymbol != "TCS"]
        report = await refresh(desk, again=True)
        assert report.gone == ()
        assert desk.market.index.get("NSE:TCS") is not None
        assert desk.market.index.listing("zerodha", "NSE:TCS") is None
        assert (await refresh(desk, again=True)).problem == ""
