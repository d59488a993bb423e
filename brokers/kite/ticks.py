"""A packet of Kite as the contract's tick, read only when somebody looks at it.

Thousands of packets a second come in, and a screen looks at a few dozen of them, so a tick keeps its
packet and fills its fields on the first look; the depth, the dearest part, on the first look at the depth.
"""

from collections.abc import Mapping
from datetime import datetime

from brokers.contract import Tick
from brokers.kite.packets import FullPacket, IndexFullPacket, LtpPacket, Packet, QuotePacket, moment

Circuits = Mapping[str, tuple[int, int]]
"""The day's lower and upper circuit in paise by `EXCHANGE:SYMBOL`; quotes tell them, the stream never."""


class KiteTick(Tick):
    """A tick whose fields come from a packet; what the packet does not carry is 0 or empty.

    `market_at` is the exchange's time where the packet has one, else the time it was received. Made by
    `tick_of`; it equals another tick of its own class field by field.
    """

    __slots__ = ("circuits", "packet")

    packet: Packet
    circuits: Circuits

    def __getattr__(self, name: str) -> object:
        """Called by Python for a field that is not filled yet."""
        if name == "bids":
            _set(self, name, self.packet.bids() if isinstance(self.packet, FullPacket) else ())
        elif name == "asks":
            _set(self, name, self.packet.asks() if isinstance(self.packet, FullPacket) else ())
        elif name in _QUOTED:
            _fill(self)
        else:
            raise AttributeError(name)
        return object.__getattribute__(self, name)


_QUOTED = frozenset(Tick.__dataclass_fields__) - {"key", "received_at", "bids", "asks"}

# The tick is frozen for everybody else.
_set = object.__setattr__


def tick_of(key: str, received_at: datetime, packet: Packet, circuits: Circuits) -> KiteTick:
    """The tick of one packet. `circuits` is looked up when the tick is, so it may be filled in later."""
    tick: KiteTick = object.__new__(KiteTick)
    _set(tick, "key", key)
    _set(tick, "received_at", received_at)
    _set(tick, "packet", packet)
    _set(tick, "circuits", circuits)
    return tick


def _fill(tick: KiteTick) -> None:
    packet = tick.packet
    lower, upper = tick.circuits.get(tick.key, (0, 0))
    opened = high = low = close = volume = bid = ask = 0
    market_at = None
    if not isinstance(packet, LtpPacket):
        opened, high, low, close = packet.open, packet.high, packet.low, packet.close
    if isinstance(packet, QuotePacket | FullPacket):
        volume = packet.volume
    if isinstance(packet, FullPacket):
        bid, ask = packet.best()
    if isinstance(packet, FullPacket | IndexFullPacket):
        market_at = moment(packet.exchange_time)
    _set(tick, "last_paise", packet.last)
    _set(tick, "prev_close_paise", close)
    _set(tick, "open_paise", opened)
    _set(tick, "high_paise", high)
    _set(tick, "low_paise", low)
    _set(tick, "volume", volume)
    _set(tick, "bid_paise", bid)
    _set(tick, "ask_paise", ask)
    _set(tick, "lower_circuit_paise", lower)
    _set(tick, "upper_circuit_paise", upper)
    _set(tick, "market_at", market_at or tick.received_at)
