"""The last known market of every instrument, how old it is, and who still has to look at it.

A tick only writes here; everything that follows from it waits for the next frame, and so does its reading.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime

from msgspec import Struct

from brokers.contract import Heartbeat, Tick, Ticks, UnreadTick
from data.money import moved_bps, own_share
from data.records import replace
from data.reference.instruments import Instrument

SET_BACK_S = 3.0
"""A packet stamped this much earlier than the one held is no older one: the wall clock was set back."""


class QuoteMap:
    """Last tick by key, with the followed keys and the changed keys of each owner (a screen, the engine).

    A price's age is that of the feed's last packet or heartbeat for its subscription, not of its last
    trade. A heartbeat renews the prices it names. One that speaks for all renews a price only while its key
    is followed and a packet has come since it was: silence after that means that nothing traded.

    An age is the larger of two clocks', the wall's and `monotonic` (seconds that never go back): one may be
    set back, the other may stand still while the machine sleeps. Without `monotonic` the wall's alone counts.
    """

    def __init__(self, monotonic: Callable[[], float] = lambda: 0.0) -> None:
        self._monotonic = monotonic
        self._ticks: dict[str, Tick | UnreadTick] = {}
        self._read: dict[str, tuple[UnreadTick, Tick]] = {}
        self._newest_at: datetime | None = None
        self._received_s: dict[str, float] = {}
        """When the ticks that came read arrived; of the others their arrival knows it."""
        self._followed: dict[str, frozenset[str]] = {}
        self._dirty: dict[str, set[str]] = {}
        self._dirty_of_key: dict[str, tuple[set[str], ...]] = {}
        self._silent: set[str] = set()
        """Followed keys of which no packet has come since they were followed or the stream was opened."""
        self._beats: dict[str, tuple[Heartbeat, float]] = {}
        self._feed_at: datetime | None = None
        self._feed_received_s = 0.0

    def put(self, tick: Tick) -> None:
        """Take a packet of the stream. One that is older than what is held changes nothing."""
        key = tick.key
        if self._overtaken(key, tick.received_at):
            return
        self._hold(tick)
        self._feed_at, self._feed_received_s = tick.received_at, self._received_s[key]
        self._silent.discard(key)

    def put_all(self, ticks: Ticks) -> None:
        """Take packets of the stream as they came in. Those older than what is held change nothing."""
        packets = ticks.packets
        if self._newest_at is not None and ticks.first_at < self._newest_at:
            packets = {
                key: unread
                for key, unread in packets.items()
                if not self._overtaken(key, unread[1].received_at)
            }
        if not packets:
            return
        self._ticks.update(packets)
        self._note_newest(ticks.last_at)
        for owner, followed in self._followed.items():
            dirty = self._dirty[owner]
            if len(dirty) < len(followed):
                many = len(followed) > len(packets)  # a look at each of the fewer
                dirty |= followed.intersection(packets) if many else followed & packets.keys()
        self._feed_at, self._feed_received_s = ticks.last_at, self._monotonic()
        if self._silent:
            self._silent = {key for key in self._silent if key not in packets}

    def put_fetched(self, ticks: Iterable[Tick]) -> None:
        """Take quotes that were asked for once. They say nothing about the stream being alive."""
        for tick in ticks:
            if not self._overtaken(tick.key, tick.received_at):
                self._hold(tick)

    def _overtaken(self, key: str, received_at: datetime) -> bool:
        """Whether what is held is newer, told by stamps as far as the wall clock was not set back between."""
        held = self._ticks.get(key)
        if held is None:
            return False
        return 0 < (_received_at(held) - received_at).total_seconds() < SET_BACK_S

    def _hold(self, tick: Tick) -> None:
        # First: another thread may ask for the tick's age at once.
        self._received_s[tick.key] = self._monotonic()
        self._ticks[tick.key] = tick
        self._note_newest(tick.received_at)
        for changed in self._dirty_of_key.get(tick.key, ()):
            changed.add(tick.key)

    def _note_newest(self, received_at: datetime) -> None:
        if self._newest_at is None or received_at > self._newest_at:
            self._newest_at = received_at

    def heartbeat(self, beat: Heartbeat) -> None:
        """The feed, or one source of it, is alive: from its moment count the prices it speaks for."""
        moment = self._monotonic()
        self._feed_at, self._feed_received_s = beat.received_at, moment
        # A source that stands again and has brought nothing yet takes back nothing of what it said before.
        if beat.keys is None or beat.keys:
            self._beats[beat.source] = (beat, moment)

    def rename(self, moved: Mapping[str, str]) -> None:
        """Let prices and whoever follows them go on under new keys, all at once."""

        def now(keys: Iterable[str]) -> frozenset[str]:
            return frozenset(moved.get(key, key) for key in keys)

        ticks = {key: tick for key, tick in self._ticks.items() if key not in moved}
        moments = {key: at for key, at in self._received_s.items() if key not in moved}
        for key in moved.keys() & self._ticks.keys():
            held = self._looked_at(key, self._ticks[key])
            ticks[moved[key]] = replace(held, key=moved[key])
            moments[moved[key]] = self._moment_of(key, self._ticks[key])
        # First: another thread may ask for the tick's age at once.
        self._received_s = {**self._received_s, **moments}
        self._ticks, self._received_s = ticks, moments
        for owner, keys in list(self._followed.items()):
            if not moved.keys().isdisjoint(keys):
                self.follow(owner, now(keys))

    def reopened(self) -> None:
        """The stream was opened anew: a price must come again before a heartbeat for all renews it."""
        self._silent = self.followed()

    def quote(self, key: str) -> Tick | None:
        """The last tick, None if there never was one."""
        held = self._ticks.get(key)
        return None if held is None else self._looked_at(key, held)

    def _looked_at(self, key: str, held: Tick | UnreadTick) -> Tick:
        """What is held of a key, read; kept beside, since another thread may read while a newer one comes."""
        if isinstance(held, Tick):
            return held
        read = self._read.get(key)
        if read is None or read[0] is not held:
            packet, arrival = held
            read = self._read[key] = (held, arrival.tick(key, packet))
        return read[1]

    def age(self, key: str, now: datetime) -> float | None:
        """Seconds since the feed last confirmed this price, None if there is no price."""
        return self._held_age(key, now)

    def _held_age(self, key: str, now: datetime) -> float | None:
        tick = self._ticks.get(key)
        if tick is None:
            return None
        age = self._age(_received_at(tick), self._moment_of(key, tick), now)
        among_all = key in self._dirty_of_key and key not in self._silent
        for beat, moment in tuple(self._beats.values()):  # the writer's thread looks too, while beats come in
            if among_all if beat.keys is None else key in beat.keys:
                age = min(age, self._age(beat.received_at, moment, now))
        return age

    def knows(self, key: str) -> bool:
        """Whether a price was ever told of an instrument."""
        return key in self._ticks

    def is_older(self, key: str, limit_s: float, now: datetime) -> bool:
        """Whether a price is older than this, or not known: as its age says, sooner of a young packet."""
        held = self._ticks.get(key)
        if held is None:
            return True
        if self._age(_received_at(held), self._moment_of(key, held), now) <= limit_s:
            return False
        age = self._held_age(key, now)
        return age is None or age > limit_s

    def older(self, keys: Iterable[str], limit_s: float, now: datetime) -> list[str]:
        """Those of many whose price is older than this, or not known; what came together is judged once."""
        found: list[str] = []
        ticks, young = self._ticks, None
        for key in keys:
            held = ticks.get(key)
            if held is not None and not isinstance(held, Tick):
                arrival = held[1]
                if arrival is young:
                    continue
                if self._age(arrival.received_at, arrival.received_s, now) <= limit_s:
                    young = arrival
                    continue
            if self.is_older(key, limit_s, now):
                found.append(key)
        return found

    def _moment_of(self, key: str, held: Tick | UnreadTick) -> float:
        return self._received_s[key] if isinstance(held, Tick) else held[1].received_s

    def _age(self, at: datetime, moment: float, now: datetime) -> float:
        return max(0.0, (now - at).total_seconds(), self._monotonic() - moment)

    def feed_age(self, now: datetime) -> float | None:
        """Seconds since the stream's last packet or heartbeat of any kind, None before the first."""
        return None if self._feed_at is None else self._age(self._feed_at, self._feed_received_s, now)

    def take_dirty(self, owner: str) -> set[str]:
        """The keys `owner` follows that changed since it last asked."""
        dirty = self._dirty.get(owner)
        if not dirty:
            return set()
        taken = set(dirty)
        dirty.clear()
        return taken

    def follow(self, owner: str, keys: Collection[str]) -> bool:
        """Replace what `owner` follows. Says whether the set over all owners changed.

        Keys it did not follow before count as changed where a price is known, so that it paints at once.
        """
        before = self.followed()
        mine = frozenset(keys)
        joined = mine - self._followed.get(owner, frozenset())
        dirty = self._dirty.setdefault(owner, set())
        dirty &= mine
        dirty |= joined & self._ticks.keys()
        if mine:
            self._followed[owner] = mine
        else:
            self._followed.pop(owner, None)
        after = self.followed()
        # A key that was not subscribed has missed packets, so a heartbeat for all may not vouch for it yet;
        # first, since another thread may ask for an age at once.
        self._silent |= after - before
        self._dirty_of_key = {
            key: tuple(self._dirty[name] for name, followed in self._followed.items() if key in followed)
            for key in after
        }
        self._silent &= after
        return before != after

    def followed_by(self, owner: str) -> frozenset[str]:
        """What one owner follows."""
        return self._followed.get(owner, frozenset())

    def followed(self) -> set[str]:
        """Every key that anyone follows."""
        return {key for keys in self._followed.values() for key in keys}


def _received_at(held: Tick | UnreadTick) -> datetime:
    return held.received_at if isinstance(held, Tick) else held[1].received_at


class StockDetail(Struct, frozen=True):
    """One stock as the desk shows it. Changes are against the previous close, None while it is unknown."""

    instrument: Instrument
    quote: Tick | None
    change_paise: int | None
    change_bps: int | None
    mtf_own_per_share_paise: int | None
    held_quantity: int
    holder_count: int


def detail(
    instrument: Instrument, quote: Tick | None, held_quantity: int = 0, holder_count: int = 0
) -> StockDetail:
    """What follows from a stock's last price: its change, and a client's own money a share in MTF."""
    last = quote.last_paise if quote else 0
    close = (quote.prev_close_paise if quote else 0) or instrument.prev_close_paise
    known = last > 0 and close > 0
    margin = instrument.mtf_margin_bps
    return StockDetail(
        instrument=instrument,
        quote=quote,
        change_paise=last - close if known else None,
        change_bps=moved_bps(close, last),
        mtf_own_per_share_paise=own_share(last, margin) if margin is not None and last > 0 else None,
        held_quantity=held_quantity,
        holder_count=holder_count,
    )
