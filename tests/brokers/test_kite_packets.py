"""Kite's binary frames: the documentation's examples, the official client's reading, and broken frames."""

import struct
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.contract import DepthLevel, RawPacket, Tick
from brokers.kite.streaming.packets import (
    FullPacket,
    IndexFullPacket,
    LtpPacket,
    QuotePacket,
    decode,
    depth,
    levels,
    moment,
    paise,
    read,
)
from brokers.kite.streaming.ticks import tick_of
from data.records import replace
from tests.brokers.official import parse_binary

INFY = 408065
AT = datetime(2021, 7, 5, 5, 11, 27, tzinfo=UTC)
BIDS = [(5, 157340, 1), (140, 157300, 2), (2, 157295, 1), (219, 157290, 7), (50, 157285, 1)]
ASKS = [(172, 157370, 3), (44, 157375, 3), (302, 157385, 3), (141, 157390, 2), (724, 157395, 5)]
OHLC = (156915, 157500, 156105, 156780)


def frame(*packets: bytes, count: int | None = None) -> bytes:
    """Packets in their container; `count` lies about how many there are."""
    body = b"".join(struct.pack(">H", len(packet)) + packet for packet in packets)
    return struct.pack(">H", len(packets) if count is None else count) + body


def wire(rows: list[tuple[int, int, int]]) -> bytes:
    return b"".join(struct.pack(">IIHxx", *row) for row in rows)


LTP = struct.pack(">II", 884737, 39295)
QUOTE = struct.pack(">11I", INFY, 157315, 1, 157033, 1175986, 256511, 360503, *OHLC)
INDEX = struct.pack(">8I", 256265, 2340685, 2344195, 2329595, 2334445, 2326485, 2**32 - 1, 1718176569)
FULL = struct.pack(
    ">16I", INFY, 157370, 7, 157037, 1192471, 256443, 363009, *OHLC, 1625461887, 0, 0, 0, 1625461887
) + wire(BIDS + ASKS)


def raw(packet: bytes) -> RawPacket:
    """What is kept of one packet in a frame of its own."""
    decoded = decode(frame(packet))
    assert decoded.fault == ""
    assert decoded.ignored == 0
    (found,) = decoded.packets
    return found


def only(packet: bytes):
    """What one packet in a frame of its own is read as."""
    return read(raw(packet))


class TestDocumentedExamples:
    def test_last_price(self):
        decoded = decode(bytes.fromhex("00010008000d80010000997f"))
        assert [read(packet) for packet in decoded.packets] == [LtpPacket(884737, 39295)]

    def test_quote_carries_no_time_so_the_tick_takes_the_moment_it_came(self):
        tick = tick_of("NSE:INFY", AT, raw(QUOTE), {})
        assert (tick.last_paise, tick.volume, tick.prev_close_paise) == (157315, 1175986, 156780)
        assert (tick.open_paise, tick.high_paise, tick.low_paise) == OHLC[:3]
        assert tick.market_at == AT
        assert (tick.bids, tick.asks, tick.bid_paise) == ((), (), 0)
        quote = only(QUOTE)
        assert isinstance(quote, QuotePacket)
        assert quote.average == 157033

    def test_full_packet_as_a_tick(self):
        received = AT.replace(second=29)
        tick = tick_of("NSE:INFY", received, raw(FULL), {"NSE:INFY": (141105, 172455)})
        expected = Tick(
            key="NSE:INFY",
            last_paise=157370,
            prev_close_paise=156780,
            open_paise=156915,
            high_paise=157500,
            low_paise=156105,
            volume=1192471,
            bid_paise=157340,
            ask_paise=157370,
            lower_circuit_paise=141105,
            upper_circuit_paise=172455,
            market_at=AT,
            received_at=received,
            bids=tuple(DepthLevel(price, quantity, orders) for quantity, price, orders in BIDS),
            asks=tuple(DepthLevel(price, quantity, orders) for quantity, price, orders in ASKS),
        )
        for field in Tick.__dataclass_fields__:
            assert getattr(tick, field) == getattr(expected, field), field
        assert tick == replace(tick)
        full = only(FULL)
        assert isinstance(full, FullPacket)
        assert full.last_trade_time == 1625461887

    def test_an_index_puts_high_before_open_and_its_change_is_never_used(self):
        tick = tick_of("NSE:NIFTY 50", AT, raw(INDEX), {})
        assert (tick.last_paise, tick.open_paise, tick.high_paise, tick.low_paise, tick.prev_close_paise) == (
            2340685,
            2334445,
            2344195,
            2329595,
            2326485,
        )
        assert tick.market_at == datetime(2024, 6, 12, 7, 16, 9, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("token", "raw", "expected"),
        [
            (412675, 737_550_000, 7376),  # CDS: 73.755 rupees, half a paisa up
            (412675, 737_549_999, 7375),
            (6, 737_550, 7376),  # BCD and NCO: ten-thousandths
            (12, 49, 0),
            (7, 4_294_967_295, 4_294_967_295),
        ],
    )
    def test_segments_finer_than_paise_are_rounded_half_up(self, token: int, raw: int, expected: int):
        assert only(struct.pack(">II", token, raw)).last == expected

    def test_zero_times_and_empty_levels_are_absent(self):
        packet = FULL[:44] + bytes(140)
        tick = tick_of("NSE:INFY", AT, raw(packet), {})
        assert moment(0) is None
        assert (tick.market_at, tick.bids, tick.asks, tick.bid_paise, tick.ask_paise) == (AT, (), (), 0, 0)

    def test_a_heartbeat_holds_nothing(self):
        for beat in (b"", b"\0", b"\n"):
            assert decode(beat) == ([], 0, "")


SEGMENTS = st.sampled_from([1, 2, 3, 4, 5, 6, 7, 8, 9, 12])
TOKENS = st.builds(lambda high, segment: high << 8 | segment, st.integers(0, 2**24 - 1), SEGMENTS)
BODIES = st.one_of(*(st.binary(min_size=size, max_size=size) for size in (4, 24, 28, 40, 180)))
PACKETS = st.builds(lambda token, body: struct.pack(">I", token) + body, TOKENS, BODIES)
RUNS = st.builds(lambda packet, times: [packet] * times, PACKETS, st.sampled_from([1, 1, 2, 3, 130, 257]))
FRAMES = st.lists(RUNS, max_size=6).map(lambda runs: [packet for run in runs for packet in run])


def official_paise(rupees: float) -> int:
    return int((Decimal(repr(rupees)) * 100).to_integral_value(ROUND_HALF_UP))


def check_against_official(packet: RawPacket, theirs: dict) -> None:
    ours = read(packet)
    assert ours.token == theirs["instrument_token"]
    assert ours.last == official_paise(theirs["last_price"])
    if "ohlc" in theirs:
        for name, value in theirs["ohlc"].items():
            assert getattr(ours, name) == official_paise(value), name
    if "volume_traded" in theirs:
        assert isinstance(ours, QuotePacket | FullPacket)
        assert ours.volume == theirs["volume_traded"]
        assert ours.last_quantity == theirs["last_traded_quantity"]
        assert ours.average == official_paise(theirs["average_traded_price"])
        assert ours.buy_quantity == theirs["total_buy_quantity"]
        assert ours.sell_quantity == theirs["total_sell_quantity"]
    if "exchange_timestamp" in theirs:
        assert isinstance(ours, IndexFullPacket | FullPacket)
        assert ours.exchange_time == int(theirs["exchange_timestamp"].timestamp())
    if "depth" in theirs:
        assert isinstance(ours, FullPacket)
        assert ours.open_interest == (theirs["oi"], theirs["oi_day_high"], theirs["oi_day_low"])
        assert ours.last_trade_time == int(theirs["last_trade_time"].timestamp())
        bid, ask = ours.best()
        bids, asks = levels(packet)
        numbers = depth(packet)
        for side, found, best, own in (("buy", bids, bid, numbers[:15]), ("sell", asks, ask, numbers[15:])):
            rows = [
                DepthLevel(official_paise(row["price"]), row["quantity"], row["orders"])
                for row in theirs["depth"][side]
            ]
            assert found == tuple(
                row for row, wire in zip(rows, theirs["depth"][side], strict=True) if wire["price"]
            )
            assert best == rows[0].price_paise
            assert own == tuple(part for row in rows for part in (row.quantity, row.price_paise, row.orders))
    else:
        assert depth(packet) == ()
        assert levels(packet) == ((), ())


class TestAgainstTheOfficialClient:
    @given(FRAMES)
    @settings(max_examples=150, deadline=None, derandomize=True)
    def test_every_packet_of_every_mode_reads_the_same(self, packets: list[bytes]):
        whole = frame(*packets)
        decoded = decode(whole)
        theirs = parse_binary(whole)
        assert (decoded.ignored, decoded.fault) == (0, "")
        assert len(decoded.packets) == len(theirs) == len(packets)
        for ours, official in zip(decoded.packets, theirs, strict=True):
            check_against_official(ours, official)


class TestBrokenFrames:
    @given(FRAMES, st.data())
    @settings(max_examples=150, deadline=None, derandomize=True)
    def test_a_cut_frame_keeps_its_whole_packets_and_says_so(self, packets: list[bytes], data):
        whole = frame(*packets)
        cut = data.draw(st.integers(0, len(whole)))
        decoded = decode(whole[:cut])
        kept, start = 0, 2
        for packet in packets:
            start += 2 + len(packet)
            kept += start <= cut
        assert decoded.packets == decode(whole).packets[:kept]
        assert bool(decoded.fault) == (cut >= 2 and kept < len(packets))

    @given(FRAMES, st.integers(0, 65_535))
    @settings(max_examples=150, deadline=None, derandomize=True)
    def test_a_count_that_lies_is_a_fault_and_costs_no_packet_within_it(
        self, packets: list[bytes], count: int
    ):
        decoded = decode(frame(*packets, count=count))
        assert decoded.packets == decode(frame(*packets)).packets[:count]
        assert bool(decoded.fault) == (count != len(packets))

    @given(st.binary(max_size=600))
    @settings(max_examples=500, deadline=None, derandomize=True)
    def test_no_bytes_at_all_raise(self, garbage: bytes):
        decoded = decode(garbage)
        assert 10 * (len(decoded.packets)) <= max(0, len(garbage) - 2)

    def test_unknown_lengths_are_counted_and_skipped(self):
        decoded = decode(frame(LTP, b"", QUOTE, bytes(45), bytes(300), FULL, b"\1"))
        assert [len(body) for _, body in decoded.packets] == [4, 40, 180]
        assert (decoded.ignored, decoded.fault) == (4, "")

    def test_lengths_that_share_a_low_byte_with_a_known_one_are_not_taken_for_it(self):
        decoded = decode(frame(LTP, LTP, bytes(256 + 8), LTP))
        assert len(decoded.packets) == 3
        assert decoded.ignored == 1

    def test_the_fault_names_what_was_promised_and_found(self):
        assert decode(frame(LTP, LTP)[:-1]).fault == "2 packets announced, 1 whole in 21 bytes"
        assert decode(frame(LTP) + b"abc").fault == "3 bytes after the last of 1 packets"


def test_a_price_of_the_stocks_is_what_the_wire_says():
    assert paise(INFY, 157370) == 157370
