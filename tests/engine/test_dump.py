"""The broker's instrument dump: once a day, the difference told, yesterday's kept where it fails."""

import dataclasses

import pytest

from brokers.contract import BrokerError, BrokerRows, UnreadRow
from data.vocabulary import SizingKind
from engine.market.instruments import instruments_day
from engine.words.tape import news_words
from tests.desks import buy, carry_out, paper_desk
from tradedesk.testing import seam

ROHAN = 8


@pytest.fixture
async def desk(tmp_path):
    async with paper_desk(tmp_path) as one:
        yield one


class Dump:
    """The feed's dump as a test has it."""

    def __init__(self, desk):
        self.reads = 0
        self.rows, self.unread = [], ()
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
    fresh = dataclasses.replace(rows["INFY"], tradingsymbol="FRESH-BE", token="257", isin="")
    future = dataclasses.replace(rows["INFY"], tradingsymbol="INFY26NOVFUT", exchange="NFO")
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
    assert await instruments_day(seam(desk).store) is None


async def test_a_dump_that_lost_its_end_is_not_taken_for_a_market_that_shrank(desk):
    rows = await desk.connections.feed.broker.instruments()
    dump, before = Dump(desk), len(desk.market.index)
    dump.rows = rows[: len(rows) // 2]
    report = await refresh(desk)
    assert f"where there were {before}" in report.problem
    assert len(desk.market.index) == before
