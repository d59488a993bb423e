"""Holdings at Upstox as their rows tell them, whatever of the doubtful facts holds there."""

from datetime import date
from typing import Any

import pytest

from brokers.upstox.answers.portfolio import Portfolio
from brokers.wire.shares import SoldCounting

DAY = date(2026, 11, 18)
SETTLED, ON_THEIR_WAY, SOLD, BOUGHT_AT, LAST = 20, 3, 10, 100.0, 110.0


def key_of(token: str, exchange: str, symbol: str) -> str:
    return f"{exchange}:{symbol}"


@pytest.mark.parametrize("sold", [0, SOLD])
@pytest.mark.parametrize("sold_counts", [False, True])
@pytest.mark.parametrize("on_its_way_counts", [False, True])
def test_shares_on_their_way_are_there_once_whatever_was_sold(
    sold: int, sold_counts: bool, on_its_way_counts: bool
) -> None:
    counting = SoldCounting()
    counting.counted = sold_counts
    holding: dict[str, Any] = {
        "exchange": "NSE",
        "instrument_token": "NSE_EQ|INE467B01029",
        "trading_symbol": "TCS",
        "isin": "INE467B01029",
        "product": "D",
        "average_price": BOUGHT_AT,
        "last_price": LAST,
        "pnl": (LAST - BOUGHT_AT) * (SETTLED - sold + ON_THEIR_WAY),
        "quantity": SETTLED - (0 if sold_counts else sold) + (ON_THEIR_WAY if on_its_way_counts else 0),
        "t1_quantity": ON_THEIR_WAY,
        "cnc_used_quantity": sold,
    }
    traded = {
        "exchange": "NSE",
        "instrument_token": "NSE_EQ|INE467B01029",
        "trading_symbol": "TCS",
        "product": "D",
        "quantity": -sold,
        "day_buy_quantity": 0,
        "day_sell_quantity": sold,
        "day_buy_value": 0.0,
        "day_sell_value": LAST * sold,
        "average_price": 0.0,
    }
    read = Portfolio(key_of, counting, "U1", DAY).read([holding], [traded] if sold else [], [])
    (held,) = read
    assert not read.unread
    assert (held.free, held.t1, held.today) == (SETTLED - sold, ON_THEIR_WAY, 0)
