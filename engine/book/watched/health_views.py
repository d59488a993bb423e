"""How the desk fares, as screens and commands see it."""

from datetime import datetime

from msgspec import Struct

from data.durations import Spread
from data.vocabulary import ConnectionKind


class CallHealth(Struct, frozen=True):
    """Calls of a kind (`all` for every) in the last five minutes: milliseconds, failures in basis points."""

    call: str
    calls: int
    failed: int
    refused: int
    errors_bps: int | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class RestHealth(Struct, frozen=True):
    """What of a connection is left alone for now, since it turned calls away or was silent."""

    what: str
    seconds: float


class ConnectionHealth(Struct, frozen=True):
    """A connection: what its calls took, what rests, and what its life says is wrong, empty where nothing."""

    name: str
    kind: ConnectionKind
    broker: str
    all_calls: CallHealth | None
    calls: tuple[CallHealth, ...]
    resting: tuple[RestHealth, ...]
    trouble: str


class QueueHealth(Struct, frozen=True):
    """How much waits in a queue of the desk."""

    queue: str
    waiting: int


class HealthView(Struct, frozen=True):
    """The desk's health at a moment. Sizes are bytes, ages and times what their names say.

    `memory_bytes` is what the process holds now, None where that cannot be told.
    """

    at: datetime
    up_s: float
    feed_age_s: float | None
    feed_stale: bool
    connections: tuple[ConnectionHealth, ...]
    queues: tuple[QueueHealth, ...]
    commits: int
    commit: Spread
    look: Spread
    books_bytes: int
    log_bytes: int
    disk_free_bytes: int
    memory_bytes: int | None
    trouble: str
