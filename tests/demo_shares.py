"""The shares that the demonstration's clients bring, made of the paper market's own past.

`python -m tests.demo_shares` writes `data/reference/seed/shares.csv` anew; a test holds the file to it.
"""

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path

from msgspec import Struct

from brokers.contract import Bar, BarSpan
from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.exchange.history import prices_before
from data.clock import IST, ManualClock
from data.money import own_share, rupees_of
from data.reference.phases import load_calendar
from data.reference.seed import SHARE_COLUMNS, DemoClient, demo_clients, universe
from data.vocabulary import Product

FILE = Path(__file__).parents[1] / "data" / "reference" / "seed" / "shares.csv"

START = datetime(2026, 11, 18, 3, 45, tzinfo=UTC)
"""The opening of the demonstration's first day."""

SEED = 7

LOOKS_BACK = timedelta(days=370)
"""As long ago the oldest shares were bought: beyond twelve months a gain is a long-term one."""

PIECE_PAISE = 60_000_00
"""About what is bought at a time."""

ON_MARGIN = ("LK1020", "SS1046", "ZM1048", "IK1028")
"""Clients who bought with the broker's money too; what they bring is their own share of it."""

ON_THE_WAY = ("MI1001", "PS1015", "SB1037", "GT1030", "VC1033", "RK1039")
"""Clients who bought the day before, so that some of their shares have not settled."""


class Bought(Struct, frozen=True):
    """A line of the file; money in paise."""

    code: str
    symbol: str
    product: Product
    quantity: int
    cost_paise: int
    loan_paise: int
    bought_on: date


class Past:
    """The market of the year before, as far as it is asked for."""

    def __init__(self) -> None:
        self._exchange = PaperExchange(None, ManualClock(START), load_calendar())
        self._exchange.list_instruments(universe())
        self._bars: dict[str, list[Bar]] = {}

    @cached_property
    def large(self) -> list[str]:
        """Symbols that people hold: those of the large index."""
        return [one.instrument.tradingsymbol for one in universe() if one.index == "NIFTY50"]

    @cached_property
    def margins(self) -> Mapping[str, int]:
        """A client's own share under MTF by symbol, where there is one."""
        rows = (one.instrument for one in universe())
        return {row.tradingsymbol: row.mtf_margin_bps for row in rows if row.mtf_margin_bps}

    def bars(self, symbol: str) -> list[Bar]:
        """The days of a symbol, oldest first."""
        if symbol not in self._bars:
            prices = prices_before(self._exchange, f"NSE:{symbol}")
            assert prices is not None
            self._bars[symbol] = prices.bars(BarSpan.DAY, START - LOOKS_BACK, START)
        return self._bars[symbol]


def bought() -> list[Bought]:
    """What every client brings: its cost, but for what is lent, is what its capital lacks in cash."""
    past, dice = Past(), random.Random(SEED)
    return [one for client in demo_clients() for one in _of(client, past, dice)]


def _of(client: DemoClient, past: Past, dice: random.Random) -> Iterator[Bought]:
    left = client.capital_paise - client.available_paise - client.hold_paise
    symbols = dice.sample(past.large, len(past.large))
    days = [-1] if client.code in ON_THE_WAY else []
    if client.code in ON_MARGIN:
        lent = next(_lent(client, symbols, left // 2, past, dice))
        left -= lent.cost_paise - lent.loan_paise
        yield lent
    while left > 2 * PIECE_PAISE or (days and left > PIECE_PAISE // 6):
        symbol = symbols.pop()
        bars = past.bars(symbol)
        bar = bars[days.pop()] if days else dice.choice(bars)
        quantity = max(1, int(min(left * 0.6, PIECE_PAISE) * dice.uniform(0.6, 1.2)) // bar.close_paise)
        cost = quantity * bar.close_paise
        if cost < left // 2:
            left -= cost
            yield _line(client, symbol, quantity, cost, bar)
    if left:
        yield _last(client, symbols, left, past, dice)


def _lent(
    client: DemoClient, symbols: list[str], own_paise: int, past: Past, dice: random.Random
) -> Iterator[Bought]:
    """Purchases on margin of about this much of the client's own."""
    for symbol in [one for one in symbols if one in past.margins]:
        bar = dice.choice(past.bars(symbol)[-40:])
        quantity = own_paise * 10_000 // (past.margins[symbol] * bar.close_paise)
        if quantity:
            symbols.remove(symbol)
            cost = quantity * bar.close_paise
            loan = cost - own_share(cost, past.margins[symbol])
            yield _line(client, symbol, quantity, cost, bar, loan)


def _last(client: DemoClient, symbols: list[str], left: int, past: Past, dice: random.Random) -> Bought:
    """One purchase that costs just what is left, at a price that its day saw."""
    while True:
        symbol = dice.choice(symbols)
        for bar in dice.sample(past.bars(symbol), 40):
            quantity = round(left / bar.close_paise)
            if quantity and bar.low_paise * quantity <= left <= bar.high_paise * quantity:
                return _line(client, symbol, quantity, left, bar)


def _line(client: DemoClient, symbol: str, quantity: int, cost: int, bar: Bar, loan: int = 0) -> Bought:
    product = Product.MTF if loan else Product.CNC
    day = bar.at.astimezone(IST).date()
    return Bought(client.code, symbol, product, quantity, cost, loan, day)


def text() -> str:
    """The file's text."""
    lines = [SHARE_COLUMNS, *(_cells(one) for one in bought())]
    return "".join(",".join(cells) + "\n" for cells in lines)


def _cells(one: Bought) -> tuple[str, ...]:
    money = f"{rupees_of(one.cost_paise):.2f}", f"{rupees_of(one.loan_paise):.2f}"
    return one.code, one.symbol, one.product.value, str(one.quantity), *money, one.bought_on.isoformat()


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
