"""Prices of several brokers: which one's an instrument's is now, and whether two of them are too far apart.

The first connection's price counts while it is young. Where it is not (the broker does not list the
instrument, its stream is dead, or the price is too old) that of the next one counts which is. A price is one
broker's packet whole: its last, bid, ask, band and age are never of two.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from brokers.connection import Connection
from brokers.connections import Connections
from brokers.contract import Tick
from data.clock import Clock
from data.money import moved_beyond, moved_bps
from data.vocabulary import ConnectionKind
from engine.market.quotes import QuoteMap

APART_BPS = 50
"""Last prices of two brokers further apart than that are no input for a decision: one of them is wrong."""


class PriceSource(Struct, frozen=True):
    """A connection that brings prices, and the last that it brought."""

    connection: Connection
    quotes: QuoteMap

    @property
    def broker(self) -> str:
        """The word of its broker."""
        return self.connection.broker.name


class PricesApart(Struct, frozen=True):
    """Last prices in paise that two brokers tell of one instrument, both of them young."""

    broker: str
    last_paise: int
    other: str
    other_paise: int

    @property
    def bps(self) -> int:
        """How far apart they are, in basis points of the first."""
        return abs(moved_bps(self.last_paise, self.other_paise) or 0)


class SeveralQuotes(QuoteMap):
    """The map of the first connection, which looks up in those of `beside` where its own price is too old.

    What is written here is the first one's; each other connection writes to its own map.
    """

    def __init__(self, clock: Clock, limit_s: float, feed: Connection, beside: Sequence[Connection]) -> None:
        super().__init__(clock.monotonic)
        self.clock = clock
        self._limit_s = limit_s
        self._feed = feed
        self.beside = tuple(PriceSource(one, QuoteMap(clock.monotonic)) for one in beside)

    def source(self, key: str, now: datetime) -> PriceSource | None:
        """Whose price counts instead of the first's; None where that counts, or nobody's is young."""
        if not super().is_older(key, self._limit_s, now):
            return None
        return next((one for one in self.beside if not one.quotes.is_older(key, self._limit_s, now)), None)

    def told_by(self, key: str, now: datetime) -> str:
        """The broker whose price of an instrument counts now."""
        other = self.source(key, now)
        return (self._feed if other is None else other.connection).broker.name

    def of(self, broker: str) -> QuoteMap | None:
        """The prices of one broker alone; None for that of the first, whose own methods tell them."""
        return next((one.quotes for one in self.beside if one.broker == broker), None)

    def first_quote(self, key: str) -> Tick | None:
        """The first connection's last packet, whatever its age."""
        return super().quote(key)

    def first_age(self, key: str, now: datetime) -> float | None:
        """The age of that."""
        return super().age(key, now)

    def apart(self, key: str, now: datetime) -> PricesApart | None:
        """Two young prices of an instrument that are too far apart; None where there are none."""
        found = self._young(key, now)
        if len(found) < 2:
            return None
        (broker, last), *others = found
        for other, theirs in others:
            if moved_beyond(last, theirs, APART_BPS):
                return PricesApart(broker, last, other, theirs)
        return None

    def _young(self, key: str, now: datetime) -> list[tuple[str, int]]:
        found: list[tuple[str, int]] = []
        for one in self.beside:
            if not one.quotes.is_older(key, self._limit_s, now) and (tick := one.quotes.quote(key)):
                found.append((one.broker, tick.last_paise))
        if found and not super().is_older(key, self._limit_s, now) and (tick := super().quote(key)):
            found.insert(0, (self._feed.broker.name, tick.last_paise))
        return [(broker, last) for broker, last in found if last > 0]

    # --- as of one map ---

    def quote(self, key: str) -> Tick | None:
        """The last tick of whose price counts, None if there never was one."""
        other = self.source(key, self.clock.now())
        return super().quote(key) if other is None else other.quotes.quote(key)

    def age(self, key: str, now: datetime) -> float | None:
        """Seconds since that was last confirmed."""
        other = self.source(key, now)
        return super().age(key, now) if other is None else other.quotes.age(key, now)

    def knows(self, key: str) -> bool:
        """Whether anybody ever told a price of an instrument."""
        return super().knows(key) or any(one.quotes.knows(key) for one in self.beside)

    def is_older(self, key: str, limit_s: float, now: datetime) -> bool:
        """Whether everybody's price is older than this, or not known."""
        return super().is_older(key, limit_s, now) and all(
            one.quotes.is_older(key, limit_s, now) for one in self.beside
        )

    def feed_age(self, now: datetime) -> float | None:
        """Seconds since any of the streams said anything, None before the first."""
        ages = [super().feed_age(now), *(one.quotes.feed_age(now) for one in self.beside)]
        return min((age for age in ages if age is not None), default=None)

    def follow(self, owner: str, keys: Collection[str]) -> bool:
        """Replace what `owner` follows, at everybody's. Says whether the set over all owners changed."""
        for one in self.beside:
            one.quotes.follow(owner, keys)
        return super().follow(owner, keys)

    def take_dirty(self, owner: str) -> set[str]:
        """The keys `owner` follows of which the price that counts changed since it last asked."""
        now, moved = self.clock.now(), super().take_dirty(owner)
        for one in self.beside:
            moved |= {key for key in one.quotes.take_dirty(owner) if self.source(key, now) is one}
        return moved

    def rename(self, moved: Mapping[str, str]) -> None:
        """Let prices and whoever follows them go on under new keys, everybody's."""
        for one in self.beside:
            one.quotes.rename(moved)
        super().rename(moved)


def quotes_of(connections: Connections, clock: Clock, limit_s: float) -> QuoteMap:
    """The quotes of a desk: one map where one connection alone brings prices, as paper does beside none."""
    feed = connections.feed
    beside = [one for one in connections if one is not feed and one.kind is not ConnectionKind.PAPER]
    return SeveralQuotes(clock, limit_s, feed, beside) if beside else QuoteMap(clock.monotonic)
