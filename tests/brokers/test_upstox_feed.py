"""The market feed's messages, held to the whole list of fields and to one that came by a real feed."""

import random
from datetime import UTC, datetime

from brokers.upstox.streaming.messages import UpstoxArrival, decode
from tests.brokers.upstox_feed import GOLDEN, as_dict, full_frame, theirs

AT = datetime(2026, 11, 18, 4, tzinfo=UTC)


def arrival(sent_ms: int = 0) -> UpstoxArrival:
    return UpstoxArrival(AT, 0.0, sent_ms, {"NSE:RELIANCE": (1_277_20, 1_561_00)})


def test_a_message_that_came_is_read_to_the_paisa():
    found = decode(GOLDEN)
    assert (list(found.packets), found.sent_ms, found.fault) == (["NSE_EQ|INE002A01018"], 1732775008661, "")
    tick = arrival(found.sent_ms).tick("NSE:RELIANCE", found.packets["NSE_EQ|INE002A01018"])
    assert (tick.last_paise, tick.prev_close_paise) == (1_419_10, 1_400_00)
    assert (tick.lower_circuit_paise, tick.upper_circuit_paise) == (1_277_20, 1_561_00)
    assert tick.market_at == datetime(2024, 11, 28, 6, 23, 28, 661_000, tzinfo=UTC)
    assert (tick.bids, tick.asks, tick.volume) == ((), (), 0)


def test_every_figure_is_that_of_the_official_reading():
    frame = full_frame(random.Random(3), 40)
    official, found = as_dict(frame), decode(frame)
    assert found.packets.keys() == official["feeds"].keys()
    for token, packet in found.packets.items():
        body = official["feeds"][token]["fullFeed"]["marketFF"]
        tick = arrival(found.sent_ms).tick("NSE:X", packet)
        day = next(one for one in body["marketOHLC"]["ohlc"] if one["interval"] == "1d")
        assert [tick.last_paise, tick.open_paise, tick.high_paise, tick.low_paise] == [
            round(one * 100) for one in (body["ltpc"]["ltp"], day["open"], day["high"], day["low"])
        ]
        assert tick.volume == int(body["vtt"])
        levels = body["marketLevel"]["bidAskQuote"]
        assert [(one.price_paise, one.quantity) for one in tick.bids] == [
            (round(one["bidP"] * 100), int(one["bidQ"])) for one in levels
        ]
        assert [(one.price_paise, one.quantity) for one in tick.asks] == [
            (round(one["askP"] * 100), int(one["askQ"])) for one in levels
        ]
        assert (tick.bid_paise, tick.ask_paise) == (tick.bids[0].price_paise, tick.asks[0].price_paise)


def test_an_index_and_a_first_level_are_read_and_what_is_no_price_is_none():
    message = theirs()(type=0, currentTs=5)
    message.feeds["NSE_INDEX|Nifty 50"].fullFeed.indexFF.ltpc.ltp = 25_000.05
    first = message.feeds["NSE_EQ|A"].firstLevelWithGreeks
    first.ltpc.ltp, first.firstDepth.bidP, first.firstDepth.bidQ, first.vtt = 10.0, 9.95, 7, 8
    message.feeds["NSE_EQ|B"].ltpc.ltq = 3
    message.feeds["NSE_EQ|C"].ltpc.ltp = float("nan")
    message.feeds["NSE_EQ|D"].ltpc.ltp = float("inf")
    message.feeds["NSE_EQ|E"].ltpc.ltp = -1.0
    found = decode(message.SerializeToString())
    for odd in "BCDE":
        assert arrival().tick("NSE:X", found.packets[f"NSE_EQ|{odd}"]).last_paise == 0
    index = arrival().tick("NSE:NIFTY 50", found.packets["NSE_INDEX|Nifty 50"])
    assert (index.last_paise, index.bids, index.market_at) == (25_000_05, (), AT)
    share = arrival().tick("NSE:A", found.packets["NSE_EQ|A"])
    assert (share.last_paise, share.bid_paise, share.ask_paise, share.volume) == (10_00, 9_95, 0, 8)


def test_the_state_of_the_market_holds_no_price():
    message = theirs()(type=2, currentTs=9)
    message.marketInfo.segmentStatus["NSE_EQ"] = 2
    assert decode(message.SerializeToString()) == ({}, 9, "")


def test_no_bytes_break_it():
    dice = random.Random(11)
    frame = full_frame(dice, 6)
    for cut in range(len(frame)):
        decode(frame[:cut])
    for _ in range(2_000):
        bent = bytearray(frame)
        for _ in range(dice.randrange(1, 6)):
            bent[dice.randrange(len(bent))] = dice.randrange(256)
        found = decode(bytes(bent))
        for packet in found.packets.values():
            arrival(found.sent_ms).tick("NSE:X", packet)
