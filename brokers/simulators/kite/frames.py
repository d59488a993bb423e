"""The binary side of the stream: instrument packets and the frames that carry them.

Layouts are those of the Kite Connect documentation (WebSocket streaming) and of the official client's parser:
big-endian, unsigned, prices in the segment's smallest unit.
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple

from brokers.contract import DepthLevel
from brokers.simulators.exchange.prices import Quote

LTP, QUOTE, FULL = "ltp", "quote", "full"
MODES = (LTP, QUOTE, FULL)
"""How much of an instrument a subscription carries."""

HEARTBEAT = b"\x00"
"""What a socket gets while there is nothing to say."""

INDICES = 9
"""The segment, a token's low byte, whose instruments have no quantities and no depth."""

_UNITS_PER_PAISA = {3: 100_000, 6: 100, 12: 100}
"""CDS prices count ten-millionths, BCD and NCO prices ten-thousandths; all other segments count paise."""

_LEVELS = 5
_NO_LEVEL = (0, 0, 0)
_U32 = 0xFFFF_FFFF
_U16 = 0xFFFF

_TRADABLE = struct.Struct(">16I" + "IIH2x" * 2 * _LEVELS)
_INDEX = struct.Struct(">8I")
_COUNT = struct.Struct(">H")
_TRADABLE_BYTES = {LTP: 8, QUOTE: 44, FULL: 184}
_INDEX_BYTES = {LTP: 8, QUOTE: 28, FULL: 32}


class Snapshot(NamedTuple):
    """All that a full packet says of an instrument. Prices in paise, times in Unix seconds, 0 for unknown.

    `close_paise` is the previous trading day's; depth runs best first, five levels a side at most.
    """

    token: int
    last_paise: int
    open_paise: int
    high_paise: int
    low_paise: int
    close_paise: int
    exchange_at: int = 0
    last_trade_at: int = 0
    last_quantity: int = 0
    average_paise: int = 0
    volume: int = 0
    buy_quantity: int = 0
    sell_quantity: int = 0
    bids: Sequence[DepthLevel] = ()
    asks: Sequence[DepthLevel] = ()
    open_interest: int = 0
    open_interest_high: int = 0
    open_interest_low: int = 0


def snapshot(token: int, quote: Quote, exchange_at: int) -> Snapshot:
    """A paper quote as Kite would stream it at `exchange_at`, in Unix seconds.

    The synthetic market keeps no single trades: the last one counts as one share, and the day's average price
    is the mean of open, high, low and last, as in the quotes over HTTP.
    """
    traded = bool(quote.bids or quote.asks)
    return Snapshot(
        token,
        quote.last_paise,
        quote.open_paise,
        quote.high_paise,
        quote.low_paise,
        quote.prev_close_paise,
        exchange_at,
        exchange_at if traded else 0,
        1 if traded else 0,
        quote.average_paise,
        quote.volume,
        sum(level.quantity for level in quote.bids),
        sum(level.quantity for level in quote.asks),
        quote.bids,
        quote.asks,
    )


def packets(of: Snapshot) -> dict[str, bytes]:
    """One instrument's packet in each mode, its length in front, ready to be joined into frames.

    Every shorter form is the beginning of the full one. A value beyond 32 bits wraps, as it does on the wire.
    """
    index = of.token & 0xFF == INDICES
    values = _index_values(of) if index else _tradable_values(of)
    layout, sizes = (_INDEX, _INDEX_BYTES) if index else (_TRADABLE, _TRADABLE_BYTES)
    try:
        full = layout.pack(*values)
    except struct.error:
        full = layout.pack(*[value & _U32 for value in values])
    return {mode: _COUNT.pack(size) + full[:size] for mode, size in sizes.items()}


def frame(sized_packets: Sequence[bytes]) -> bytes:
    """One binary message of packets as `packets` gives them, of any instruments and modes; 65,535 at most."""
    return _COUNT.pack(len(sized_packets)) + b"".join(sized_packets)


def _index_values(of: Snapshot) -> list[int]:
    prices = (of.last_paise, of.high_paise, of.low_paise, of.open_paise, of.close_paise)
    return [of.token, *prices, of.last_paise - of.close_paise, of.exchange_at]


def _tradable_values(of: Snapshot) -> list[int]:
    units = _UNITS_PER_PAISA.get(of.token & 0xFF, 1)
    values = [
        of.token,
        of.last_paise * units,
        of.last_quantity,
        of.average_paise * units,
        of.volume,
        of.buy_quantity,
        of.sell_quantity,
        of.open_paise * units,
        of.high_paise * units,
        of.low_paise * units,
        of.close_paise * units,
        of.last_trade_at,
        of.open_interest,
        of.open_interest_high,
        of.open_interest_low,
        of.exchange_at,
    ]
    for side in (of.bids, of.asks):
        for level in side[:_LEVELS]:
            values += (level.quantity, level.price_paise * units, min(level.orders, _U16))
        values += _NO_LEVEL * (_LEVELS - min(len(side), _LEVELS))
    return values
