"""What tests of the local brokers stand on, whichever broker it is: the exchange, its control, the clock."""

import asyncio
from collections.abc import Callable
from datetime import time
from pathlib import Path
from typing import Any

import aiohttp

from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.exchange.openings import AccountOpening, HoldingOpening
from brokers.simulators.exchange.prices import Listing
from data.clock import ManualClock
from data.reference.instruments import BrokerInstrument
from data.reference.phases import load_calendar

CALENDAR = load_calendar()
CASH = 1_000_000_00


def listing(token: int, symbol: str, **more: Any) -> Listing:
    facts: dict[str, Any] = {
        "tick_paise": 5,
        "mtf_margin_bps": 2_500,
        "mis_margin_bps": 2_000,
        "prev_close_paise": 10_000,
        "band_bps": 1_000,
    }
    row = BrokerInstrument(
        token=str(token), exchange="NSE", tradingsymbol=symbol, name=f"{symbol} Ltd", **(facts | more)
    )
    return Listing(row, *(10_000, 10_000, 10_000, 10_000, 5_000))


def open_exchange(clock: ManualClock, path: Path | None = None, begins: time | None = None) -> PaperExchange:
    """Two shares held at 100 rupees and an index; ANN holds 500 of one of them, both have ten lakh."""
    exchange = PaperExchange(path, clock, CALENDAR, begins=begins)
    index = {"segment": "INDICES", "tick_paise": 1}
    rows = [listing(257, "ACC", isin="INE012A01025"), listing(513, "TCS", isin="INE467B01029")]
    exchange.list_instruments([*rows, listing(265, "NIFTY 50", **index)])
    exchange.open_accounts([AccountOpening(name, CASH, 5 * CASH) for name in ("ANN", "BOB")])
    exchange.open_holdings([HoldingOpening("ANN", "NSE:ACC", 500, 500 * 8_000)])
    exchange.pin("ACC", 10_000)
    exchange.pin("TCS", 10_000)
    return exchange


async def control(session: aiohttp.ClientSession, url: str, path: str, body: Any = None) -> Any:
    """What the local broker's control answers."""
    method = "GET" if body is None else "POST"
    async with session.request(method, f"{url}/control/{path}", json=body) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def until(clock: ManualClock, happened: Callable[[], object]) -> None:
    """Move the clock until something has happened."""
    async with asyncio.timeout(10):
        while not happened():
            await clock.advance(0.05)
