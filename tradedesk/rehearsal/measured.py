"""What a rehearsal came to: rates, waits and counts, from moments that its processes noted."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from tradedesk.rehearsal.proving import HeldTo


class Waited(Struct, frozen=True):
    """How long something took, in milliseconds: of so many the middle one, and that of a hundred."""

    count: int
    p50_ms: int
    p99_ms: int


class HaltMeasured(Struct, frozen=True):
    """A halt of the firm: of how many live orders, and after how many milliseconds what was done."""

    live: int
    known_ms: int
    last_cancel_ms: int
    certificate_ms: int
    unread: int


class WritersMeasured(Struct, frozen=True):
    """Writers without a screen and without a broker, on the same kind of server."""

    writers: int
    clients: int
    orders_a_minute: int
    commits_a_second: int
    statements_a_commit: float


class Rehearsed(Struct, frozen=True):
    """All of it; `load` is that of the machine over the last minute as it began and ended."""

    desks: int
    clients: int
    minutes: float
    cores: int
    load: tuple[float, float]
    orders: int
    orders_a_minute: int
    reserved: Waited
    at_broker: Waited
    booked: Waited
    statements_a_commit: float
    commits: int
    refused: int
    halt: HaltMeasured
    memory_mb: Mapping[str, int]
    proof: HeldTo
    writers: WritersMeasured | None = None
    top: Sequence[tuple[str, int, float]] = ()

    @property
    def holds(self) -> bool:
        """Whether the books ended as the broker's."""
        return self.proof.holds


def waited(seconds: Iterable[float]) -> Waited:
    """Of these."""
    ordered = sorted(seconds)
    if not ordered:
        return Waited(0, 0, 0)

    def of(share: float) -> int:
        return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))])

    return Waited(len(ordered), of(0.5), of(0.99))


def between(begun: Mapping[str, float], ended: Mapping[str, float]) -> list[float]:
    """Seconds between two moments of whatever has both."""
    return [max(0.0, ended[name] - at) for name, at in begun.items() if name in ended]


def merged(measures: Sequence[Mapping[str, Any]], what: str) -> dict[str, float]:
    """The moments of all desks."""
    return {name: at for one in measures for name, at in one[what].items()}
