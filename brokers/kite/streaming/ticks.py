"""A packet of Kite as the contract's tick, read only when somebody looks at it.

Thousands of packets a second come in, and a screen looks at a few dozen of them, so packets stay bytes until
their tick is asked for; the depth, the dearest part, until the first look at the depth.
"""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from brokers.contract import RawPacket, Tick
from brokers.kite.streaming.packets import (
    FullPacket,
    IndexFullPacket,
    LtpPacket,
    QuotePacket,
    levels,
    moment,
    read,
)

Circuits = Mapping[str, tuple[int, int]]
"""The day's lower and upper circuit in paise by `EXCHANGE:SYMBOL`; quotes tell them, the stream never."""


class KiteTick(Tick):
    """A tick whose depth is read on the first look at it; it equals another of its class field by field."""

    __slots__ = ("packet",)

    packet: RawPacket

    def __getattr__(self, name: str) -> object:
        """Called by Python for a field that is not filled yet."""
        if name not in ("bids", "asks"):
            raise AttributeError(name)
        bids, asks = levels(self.packet)
        _set(self, "bids", bids)
        _set(self, "asks", asks)
        return object.__getattribute__(self, name)


# The tick is frozen for everybody else.
_set = object.__setattr__


class KiteArrival(Struct, frozen=True):
    """When packets of Kite came in. `circuits` is looked up when a tick is read, so it may still fill."""

    received_at: datetime
    received_s: float
    circuits: Circuits

    def tick(self, key: str, packet: RawPacket) -> Tick:
        """The tick of one packet; what the packet does not carry is 0 or empty.

        `market_at` is the exchange's time where the packet has one, else the time it was received.
        """
        return tick_of(key, self.received_at, packet, self.circuits)


def tick_of(key: str, received_at: datetime, packet: RawPacket, circuits: Circuits) -> Tick:
    """Read the tick of one packet."""
    found = read(packet)
    opened = high = low = close = volume = bid = ask = 0
    market_at = None
    if not isinstance(found, LtpPacket):
        opened, high, low, close = found.open, found.high, found.low, found.close
    if isinstance(found, QuotePacket | FullPacket):
        volume = found.volume
    if isinstance(found, FullPacket | IndexFullPacket):
        market_at = moment(found.exchange_time)
    if isinstance(found, FullPacket):
        bid, ask = found.best()
    lower, upper = circuits.get(key, (0, 0))
    market_at = market_at or received_at
    fields = (
        key,
        found.last,
        close,
        opened,
        high,
        low,
        volume,
        bid,
        ask,
        lower,
        upper,
        market_at,
        received_at,
    )
    if not isinstance(found, FullPacket):
        return Tick(*fields)
    tick: KiteTick = object.__new__(KiteTick)
    for name, value in zip(_WITHOUT_DEPTH, fields, strict=True):
        _set(tick, name, value)
    _set(tick, "packet", packet)
    return tick


_WITHOUT_DEPTH = tuple(name for name in Tick.__dataclass_fields__ if name not in ("bids", "asks"))
