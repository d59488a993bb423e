"""The local Kite's binary frames, read by the official client's own parser."""

from datetime import datetime
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.contract import DepthLevel
from brokers.simulators.kite.frames import FULL, LTP, MODES, QUOTE, Snapshot, frame, packets
from data.clock import IST
from tests.brokers.official import parse_binary


def parsed(data: bytes) -> list[dict[str, Any]]:
    """What the official client makes of a binary message."""
    return parse_binary(data)


def levels(text: str) -> list[DepthLevel]:
    """`5@157340x1` is 5 shares at 157340 paise in one order."""
    rows = [level.replace("@", " ").replace("x", " ").split() for level in text.split()]
    return [DepthLevel(int(price), int(quantity), int(orders)) for quantity, price, orders in rows]


MOCK_WITH = partial(
    Snapshot,
    408065,
    157370,
    156915,
    157500,
    156105,
    156780,
    exchange_at=1625461887,
    last_trade_at=1625461887,
    last_quantity=7,
    average_paise=157037,
    volume=1192471,
    buy_quantity=256443,
    sell_quantity=363009,
    bids=levels("5@157340x1 140@157300x2 2@157295x1 219@157290x7 50@157285x1"),
    asks=levels("172@157370x3 44@157375x3 302@157385x3 141@157390x2 724@157395x5"),
)
MOCK = MOCK_WITH()
"""The tick of the official mocks."""


def test_an_ltp_frame_is_the_documented_bytes() -> None:
    sbin = Snapshot(884737, 39295, 0, 0, 0, 0)
    assert frame([packets(sbin)[LTP]]).hex() == "00010008000d80010000997f"
    assert parsed(frame([packets(sbin)[LTP]])) == [
        {"tradable": True, "mode": "ltp", "instrument_token": 884737, "last_price": 392.95}
    ]


def test_a_full_packet_says_what_the_official_mock_says() -> None:
    sized = packets(MOCK)[FULL]
    assert len(sized) == 2 + 184
    (tick,) = parsed(frame([sized]))
    depth = tick.pop("depth")
    assert [(row["quantity"], row["price"], row["orders"]) for row in depth["buy"]] == [
        *((5, 1573.4, 1), (140, 1573.0, 2), (2, 1572.95, 1), (219, 1572.9, 7), (50, 1572.85, 1))
    ]
    assert depth["sell"][0] == {"quantity": 172, "price": 1573.7, "orders": 3}
    assert depth["sell"][4] == {"quantity": 724, "price": 1573.95, "orders": 5}
    # The official client gives times of the machine's own zone, without saying so.
    at = datetime(2021, 7, 5, 10, 41, 27, tzinfo=IST)
    assert tick.pop("last_trade_time").astimezone(IST) == tick.pop("exchange_timestamp").astimezone(IST) == at
    assert tick.pop("change") == pytest.approx((1573.7 - 1567.8) * 100 / 1567.8)
    assert tick == {
        "tradable": True,
        "mode": "full",
        "instrument_token": 408065,
        "last_price": 1573.7,
        "last_traded_quantity": 7,
        "average_traded_price": 1570.37,
        "volume_traded": 1192471,
        "total_buy_quantity": 256443,
        "total_sell_quantity": 363009,
        "ohlc": {"open": 1569.15, "high": 1575.0, "low": 1561.05, "close": 1567.8},
        "oi": 0,
        "oi_day_high": 0,
        "oi_day_low": 0,
    }


def test_the_first_bytes_of_a_full_packet_lie_where_the_layout_has_them() -> None:
    """The parser cannot tell fields that the mock leaves alike; these offsets are the documentation's."""
    full = packets(MOCK_WITH(open_interest=1, open_interest_high=2, open_interest_low=3))[FULL][2:]
    assert [int.from_bytes(full[at : at + 4]) for at in (44, 48, 52, 56, 60)] == [
        *(1625461887, 1, 2, 3, 1625461887)
    ]
    assert full[74:76] == b"\0\0"
    assert packets(MOCK)[QUOTE] == (44).to_bytes(2) + full[:44]


def test_index_packets_have_an_order_and_lengths_of_their_own() -> None:
    forms = packets(Snapshot(256265, 2340685, 2334445, 2344195, 2329595, 2326485, exchange_at=1718176569))
    assert {mode: len(sized) - 2 for mode, sized in forms.items()} == {LTP: 8, QUOTE: 28, FULL: 32}
    _, quote, full = parsed(frame([forms[mode] for mode in MODES]))
    assert quote["ohlc"] == {"high": 23441.95, "low": 23295.95, "open": 23344.45, "close": 23264.85}
    assert (full["tradable"], full["mode"], full["last_price"]) == (False, "full", 23406.85)
    assert full["change"] == pytest.approx(0.61036, abs=1e-5)
    assert full["exchange_timestamp"].timestamp() == 1718176569


@pytest.mark.parametrize("segment", [1, 2, 3, 4, 5, 6, 7, 8, 12])
def test_prices_are_divided_as_the_segment_asks(segment: int) -> None:
    at_73_75 = Snapshot(
        *(1612 * 256 + segment, 7375, 7300, 7400, 7200, 7350), bids=[DepthLevel(7374, 9, 70_000)]
    )
    (tick,) = parsed(frame([packets(at_73_75)[FULL]]))
    assert tick["last_price"] == 73.75
    assert tick["ohlc"] == {"open": 73.0, "high": 74.0, "low": 72.0, "close": 73.5}
    assert tick["depth"]["buy"][0] == {"quantity": 9, "price": 73.74, "orders": 65_535}
    assert tick["depth"]["buy"][1] == tick["depth"]["sell"][0] == {"quantity": 0, "price": 0, "orders": 0}


U32 = st.integers(0, 2**32 - 1)


@given(st.lists(st.tuples(st.sampled_from(MODES), U32, U32, st.integers(0, 2**40)), max_size=30))
def test_instruments_and_modes_mix_in_one_frame(rows: list[tuple[str, int, int, int]]) -> None:
    sized = [packets(Snapshot(token, last, 5, 6, 4, 5, volume=vol))[mode] for mode, token, last, vol in rows]
    ticks = parsed(frame(sized))
    assert [(tick["mode"], tick["instrument_token"]) for tick in ticks] == [row[:2] for row in rows]
    for tick, (_, token, last, vol) in zip(ticks, rows, strict=True):
        if token & 0xFF not in (3, 6, 12):
            assert tick["last_price"] == last / 100
        if "volume_traded" in tick:
            assert tick["volume_traded"] == vol % 2**32
