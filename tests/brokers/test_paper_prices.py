"""The demo market's prices: pure, on the tick, inside the band, and plausible."""

from datetime import date
from itertools import pairwise
from math import log

import pytest

from brokers.simulators.exchange.day_prices import DayPrices, Pin, price_from
from brokers.simulators.exchange.prices import Listing, circuits
from data.errors import BadInput
from data.reference.classes import classes
from data.reference.instruments import BrokerInstrument
from data.reference.seed import universe

DAY = date(2026, 11, 18)
WHOLE_DAY = range(0, 22_501, 60)


def listing(
    number: int, *, last: int = 245_050, prev: int = 239_520, tick: int = 10, band: int = 1_000
) -> Listing:
    instrument = BrokerInstrument(
        token=str(number),
        exchange="NSE",
        tradingsymbol=f"SHARE{number}",
        name="",
        tick_paise=tick,
        band_bps=band,
        prev_close_paise=prev,
    )
    return Listing(instrument, last, last - tick, last + 5 * tick, last - 5 * tick, 1_000_000)


MARKET = {row.instrument.key: row for row in [listing(number) for number in range(30)]}


def test_a_quote_depends_on_nothing_but_seed_day_and_moment():
    asked_all_day = DayPrices(7, DAY, MARKET)
    for elapsed in WHOLE_DAY:
        asked_all_day.quote("NSE:SHARE3", elapsed)
    for elapsed in (22_000.5, 3.0, 9_999.9):
        fresh = DayPrices(7, DAY, MARKET)
        assert asked_all_day.quote("NSE:SHARE3", elapsed) == fresh.quote("NSE:SHARE3", elapsed)
    ends = {
        DayPrices(seed, day, MARKET).quote("NSE:SHARE3", 22_000).last_paise
        for seed, day in [(7, DAY), (8, DAY), (7, date(2026, 11, 19))]
    }
    assert len(ends) == 3


def test_the_day_starts_at_the_seed_and_stays_plausible():
    prices = DayPrices(7, DAY, MARKET)
    ranges: list[float] = []
    for key, row in MARKET.items():
        quotes = [prices.quote(key, elapsed) for elapsed in WHOLE_DAY]
        assert quotes[0].last_paise == row.last_paise
        assert (quotes[0].high_paise, quotes[0].low_paise) == (row.high_paise, row.low_paise)
        assert quotes[0].volume == row.volume
        for earlier, later in pairwise(quotes):
            assert later.high_paise >= max(earlier.high_paise, later.last_paise)
            assert later.low_paise <= min(earlier.low_paise, later.last_paise)
            assert later.volume >= earlier.volume
        for quote in quotes:
            assert quote.last_paise in (quote.bid_paise, quote.ask_paise)
            assert quote.bid_paise < quote.ask_paise
            assert len(quote.bids) == len(quote.asks) == 5
            assert not any(level.price_paise % 10 for level in (*quote.bids, *quote.asks))
        lasts = [quote.last_paise for quote in quotes]
        ranges.append((max(lasts) - min(lasts)) / row.last_paise)
    assert 0.005 < sum(ranges) / len(ranges) < 0.03


def test_the_high_is_a_price_that_was_traded():
    prices = DayPrices(7, DAY, MARKET)
    seen = [prices.quote("NSE:SHARE5", tenths / 5) for tenths in range(5 * 7_200)]
    opening = MARKET["NSE:SHARE5"]
    assert seen[-1].high_paise == max(opening.high_paise, *(quote.last_paise for quote in seen))
    assert seen[-1].low_paise == min(opening.low_paise, *(quote.last_paise for quote in seen))


def test_symbols_change_every_one_to_three_seconds_and_not_together():
    prices = DayPrices(7, DAY, MARKET)
    changes: dict[str, list[int]] = {}
    for key in MARKET:
        quotes = [prices.quote(key, tenths / 10) for tenths in range(6_000)]
        changes[key] = [at for at, (one, two) in enumerate(pairwise(quotes)) if one is not two]
        assert 200 <= len(changes[key]) <= 600
    assert len({tuple(at[:5]) for at in changes.values()}) == len(MARKET)


def test_prices_and_depth_stay_inside_a_narrow_band():
    row = listing(99, last=101_90, prev=100_00, tick=5, band=200)
    prices = DayPrices(3, DAY, {row.instrument.key: row})
    lower, upper = circuits(100_00, 200, 5)
    assert (lower, upper) == (98_00, 102_00)
    for elapsed in WHOLE_DAY:
        quote = prices.quote("NSE:SHARE99", elapsed)
        shown = [quote.last_paise, *(level.price_paise for level in (*quote.bids, *quote.asks))]
        assert lower <= min(shown) <= max(shown) <= upper


def test_circuits_are_rounded_into_the_band():
    assert circuits(239_525, 1_000, 10) == (215_580, 263_470)


def test_at_a_circuit_nobody_is_on_the_side_that_would_leave_the_band():
    prices = DayPrices(7, DAY, MARKET)
    prices.set_pins({"NSE:SHARE1": Pin(264_000, 240_000), "NSE:SHARE2": Pin(216_000, 240_000)})
    up, down = prices.quote("NSE:SHARE1", 100), prices.quote("NSE:SHARE2", 100)
    assert (up.bid_paise, up.ask_paise, len(up.bids), len(up.asks)) == (264_000, 0, 1, 0)
    assert (down.bid_paise, down.ask_paise, len(down.bids), len(down.asks)) == (0, 216_000, 0, 1)


def test_a_pin_stands_until_it_is_taken_away():
    prices = DayPrices(7, DAY, MARKET)
    walking = prices.quote("NSE:SHARE1", 100)
    prices.set_pins({"NSE:SHARE1": Pin(250_000, 240_000)})
    pinned = prices.quote("NSE:SHARE1", 100)
    assert (pinned.bid_paise, pinned.last_paise, pinned.ask_paise) == (250_000, 250_000, 250_000)
    assert (pinned.prev_close_paise, pinned.upper_circuit_paise) == (240_000, 264_000)
    assert prices.quote("NSE:SHARE1", 20_000) is pinned
    prices.set_pins({})
    assert prices.quote("NSE:SHARE1", 100) == walking


def test_an_index_moves_with_the_mean_of_its_shares_and_has_no_band():
    market = {
        row.instrument.key: Listing(
            row.instrument, row.last_paise, row.open_paise, row.high_paise, row.low_paise, row.volume
        )
        for row in universe()
    }
    (nifty,) = [one for one in classes().indices if one.name == "NIFTY 50"]
    prices, index = DayPrices(7, DAY, market), market["NSE:NIFTY 50"]
    apart, moves = [], []
    for elapsed in WHOLE_DAY:
        shares = [market[f"NSE:{symbol}"] for symbol in sorted(nifty.symbols)]
        mean = sum(log(prices.last(one.instrument.key, elapsed) / one.last_paise) for one in shares) / 50
        quote = prices.quote("NSE:NIFTY 50", elapsed)
        assert quote.low_paise <= quote.last_paise <= quote.high_paise
        assert (quote.lower_circuit_paise, quote.upper_circuit_paise) == (0, 0)
        moves.append(log(quote.last_paise / index.last_paise))
        apart.append(moves[-1] - mean)
    assert max(map(abs, apart)) < 0.002
    assert max(moves) - min(moves) > 0.001, "it does not stand still"
    fresh = DayPrices(7, DAY, market).quote("NSE:NIFTY 50", 22_000)
    assert fresh == prices.quote("NSE:NIFTY 50", 22_000)


def test_a_price_to_hold_is_typed_in_rupees_or_as_part_of_the_previous_close():
    facts = BrokerInstrument(
        token="1",
        exchange="NSE",
        tradingsymbol="NIFTY 50",
        name="",
        tick_paise=5,
        isin="",
        prev_close_paise=24_512_35,
    )
    listing = Listing(facts, 24_000_00, 0, 0, 0, 0)
    typed = {"2,450.50": 2450_50, "-10%": 22_061_10, "+10%": 26_963_60, "walks": None}
    assert {word: price_from(word, listing) for word in typed} == typed
    for word in ("", "ten", "-%", "x%", "nan%", "inf%", "1e99%"):
        with pytest.raises(BadInput):
            price_from(word, listing)
