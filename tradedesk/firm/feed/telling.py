"""What the feed tells of the quotes that it holds: at each step those that changed, now and then all."""

from collections.abc import Iterable
from datetime import timedelta

from msgspec import Struct

from data.clock import Clock
from engine.market.quotes import QuoteMap
from tradedesk.firm.feed.packets import FeedHead, micros, packed, packed_record

STEP_S = 0.1
"""How often it tells."""

VOUCH_STEPS = 5
"""At one in so many steps it says which quotes have not changed and are the market still."""

YOUNG_S = 1.5
"""Quotes that its broker has confirmed within so many seconds are vouched for."""

WHOLE_STEPS = 50
"""At one in so many steps all quotes are put into the hash, should Redis have lost it."""

OWNER = "feed"
"""Under which name it follows quotes."""


class FeedStep(Struct, frozen=True):
    """A step: the message, what goes into the hash, which keys leave it, and whether it begins anew."""

    message: bytes
    changed: dict[str, bytes]
    gone: tuple[str, ...] = ()
    anew: bool = False


class Telling:
    """Makes the messages of one feed, term by term."""

    def __init__(self, quotes: QuoteMap, clock: Clock, feed: int) -> None:
        self._quotes, self._clock, self._feed = quotes, clock, feed
        self._epoch = 0
        self._seq = 0
        self._told, self._left = set[str](), set[str]()
        self._whole = False

    def tell_all(self) -> None:
        """Put all quotes into the hash at the next step."""
        self._whole = True

    def step(self, epoch: int) -> FeedStep:
        """What is to be told now, in a term of this number."""
        anew = epoch != self._epoch
        if anew:
            self._epoch, self._seq = epoch, 0
            self._told, self._left = set(), set()
        self._seq += 1
        now, followed = self._clock.now(), self._quotes.followed_by(OWNER)
        changed = self._quotes.take_dirty(OWNER)
        if anew:
            changed = {key for key in followed if self._quotes.knows(key)}
        gone = tuple(self._told - followed)
        self._told = (self._told & followed) | changed
        self._left = (self._left | set(gone)) - changed
        ticks = [tick for key in changed if (tick := self._quotes.quote(key)) is not None]
        age = self._quotes.feed_age(now)
        heard_at = 0 if age is None else micros(now - timedelta(seconds=age))
        vouched_at, names = self._vouched() if self._seq % VOUCH_STEPS == 0 else (0, frozenset[str]())
        records = {tick.key: (micros(tick.received_at), packed_record(tick)) for tick in ticks}
        head = FeedHead(self._feed, self._epoch, self._seq, micros(now), heard_at, vouched_at)
        message = packed(head, [record for _, record in records.values()], names)
        into_hash = {key: self._alone(at, record) for key, (at, record) in records.items()}
        if self._whole or self._seq % WHOLE_STEPS == 0:
            self._whole = False
            into_hash |= dict(self._all(self._told - into_hash.keys()))
        return FeedStep(message, into_hash, gone, anew)

    def _vouched(self) -> tuple[int, frozenset[str]]:
        """As of when quotes are vouched for, and those that are not."""
        now = self._clock.now()
        ages = {key: self._quotes.age(key, now) for key in self._told}
        young = [age for age in ages.values() if age is not None and age <= YOUNG_S]
        if not young:
            return 0, frozenset()
        at = now - timedelta(seconds=max(young))
        old = frozenset(key for key, age in ages.items() if age is None or age > YOUNG_S)
        return micros(at), old | self._left

    def _all(self, keys: Iterable[str]) -> Iterable[tuple[str, bytes]]:
        now = self._clock.now()
        for key in keys:
            tick, age = self._quotes.quote(key), self._quotes.age(key, now)
            if tick is not None and age is not None:
                yield key, self._alone(micros(now - timedelta(seconds=age)), packed_record(tick))

    def _alone(self, at: int, record: bytes) -> bytes:
        """A quote as it stands in the hash, which was the market at a moment."""
        return packed(FeedHead(self._feed, self._epoch, self._seq, at), [record])
