"""What a stream has met, what of it waits to be taken, and what each of its sockets has brought."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from brokers.contract import Heartbeat, OrderUpdate, StreamEvent, Ticks, UnreadTick


@dataclass(slots=True)
class StreamCounts:
    """What the stream has met since it was made, for the page of health."""

    ticks: int = 0
    order_updates: int = 0
    ignored_packets: int = 0
    broken_frames: int = 0
    unread_texts: int = 0
    losses: int = 0


@dataclass(slots=True, eq=False)
class PendingTicks:
    """The newest tick of each instrument that waits to be taken, and the span in which they came in."""

    packets: dict[str, UnreadTick] = field(default_factory=dict[str, UnreadTick])
    moments: tuple[datetime, ...] = ()

    def add(self, packets: dict[str, UnreadTick], *moments: datetime) -> None:
        """Take newer ticks, which came in at these moments; the dictionary is its own from now on."""
        if packets:
            if self.packets:
                self.packets.update(packets)
            else:
                self.packets = packets
            both = self.moments + moments
            self.moments = (min(both), max(both))


@dataclass(slots=True, eq=False)
class BroughtTicks:
    """What one socket has brought: the last tick of each instrument it carries, since there was a gap.

    `keys` are the keys of `latest` when they were last asked for, `name` is the socket's in heartbeats.
    """

    name: str
    latest: dict[str, UnreadTick] = field(default_factory=dict[str, UnreadTick])
    keys: frozenset[str] = frozenset()

    def heartbeat(self, heard_at: datetime) -> Heartbeat:
        """What is vouched for as of this moment, with the same set as before while no key came or went."""
        if len(self.keys) != len(self.latest):
            self.keys = frozenset(self.latest)
        return Heartbeat(heard_at, self.keys, self.name)

    def forget(self, keys: Collection[str]) -> None:
        """Vouch no more for the last ticks of these, some of `latest`."""
        if keys:
            self.latest = {key: tick for key, tick in self.latest.items() if key not in keys}
            self.keys = frozenset()


class Heard(Protocol):
    """A socket, of which it is known when it was last heard; None while it does not stand."""

    heard_at: datetime | None


S = TypeVar("S", bound=Heard)


class StreamQueue(Generic[S]):
    """What the sockets of a stream have brought, for its one consumer. `brought` is kept by their owner."""

    def __init__(self) -> None:
        self.brought: dict[S, BroughtTicks] = {}
        self.closed = False
        self._ticks = PendingTicks()
        self._updates: deque[OrderUpdate] = deque()
        self._alive: dict[S, None] = {}
        self._news = asyncio.Event()

    def add(self, socket: S, carried: dict[str, UnreadTick], received_at: datetime) -> None:
        """Take a socket's newer ticks; the dictionary is the queue's own from now on."""
        self.brought[socket].latest.update(carried)
        self._ticks.add(carried, received_at)

    def beat(self, socket: S) -> None:
        """Have a socket's heartbeat told, with what waits."""
        self._alive[socket] = None
        self._news.set()

    def tell(self, update: OrderUpdate) -> None:
        """Take an order update."""
        self._updates.append(update)
        self._news.set()

    def close(self) -> None:
        """Take leave: `events` ends after what is queued."""
        self.closed = True
        self._news.set()

    async def events(self) -> AsyncIterator[StreamEvent]:
        """What came in, for one consumer: every order update, and of ticks the newest of each instrument.

        Each socket has its own heartbeat, which speaks for the instruments it carries and has brought since
        they were subscribed and since it was last lost. Called again it goes on, beginning with the last tick
        of each of those.
        """
        self._ticks = PendingTicks()
        for brought in self.brought.values():
            moments = {arrival.received_at for _, arrival in brought.latest.values()}
            self._ticks.add(dict(brought.latest), *moments)
        self._news.set()
        while True:
            await self._news.wait()
            self._news.clear()
            while self._updates:
                yield self._updates.popleft()
            # Taken together: a tick that comes while these are given out is not in these heartbeats.
            ticks, self._ticks = self._ticks, PendingTicks()
            beats = self._take_beats()
            if ticks.packets:
                yield Ticks(ticks.packets, min(ticks.moments), max(ticks.moments))
            for beat in beats:
                yield beat
            if self.closed:
                return

    def _take_beats(self) -> list[Heartbeat]:
        """The heartbeats of the sockets that were heard since this was last asked."""
        heard, self._alive = self._alive, {}
        return [
            self.brought[socket].heartbeat(socket.heard_at)
            for socket in heard
            if socket in self.brought and socket.heard_at is not None
        ]
