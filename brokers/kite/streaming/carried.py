"""What Kite's stream carries: who is signed in on it, what waits, what each socket has brought."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from brokers.contract import (
    BrokerAccount,
    Heartbeat,
    UnreadTick,
)
from brokers.kite.access import KiteRoute


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
class StreamLogin:
    """One client's session on the stream; `refused` once Kite opened no socket for it."""

    account: BrokerAccount
    route: KiteRoute
    token: str
    prices: bool
    refused: bool = False

    def is_like(self, other: "StreamLogin") -> bool:
        """Whether both are the same session on the same way, whatever it carries."""
        return (self.account, self.route, self.token) == (other.account, other.route, other.token)

    def __repr__(self) -> str:
        return f"StreamLogin({self.account!r})"


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
