"""How the desk fares: what brokers' calls take, what waits, what commits take, and what room is left."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from brokers.connection import Connection
from brokers.connections import Connections
from brokers.meter import CallFigures, CallKind
from data.durations import Durations
from data.engines.looks import server_bytes
from engine.book.kept import Kept
from engine.book.watched.health_views import (
    CallHealth,
    ConnectionHealth,
    HealthView,
    QueueHealth,
    RestHealth,
)
from engine.execution.workers import Workers
from engine.market.market import Market
from engine.timing import Timing

PAGE_BYTES = 4096
"""What `/proc/self/statm` counts in, on the machines that have it."""

STATM = Path("/proc/self/statm")

ALL = "all"
"""Stands for calls of every kind."""


class Health:
    """Looks at the desk without asking anybody anything."""

    def __init__(
        self, kept: Kept, timing: Timing, connections: Connections, market: Market, workers: Workers
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._connections = connections
        self._market = market
        self._workers = workers
        self._began = timing.wall.monotonic()
        self.looks = Durations(timing.wall.monotonic)
        """What looks of the rules of alerts take."""
        self.waiting: dict[str, Callable[[], int]] = {}
        """What else waits, by the name of its queue."""

    def look(self) -> HealthView:
        """The desk's health now."""
        store, wall = self._kept.store, self._timing.wall
        books = store.path
        return HealthView(
            at=wall.now(),
            up_s=round(wall.monotonic() - self._began, 1),
            feed_age_s=self._market.feed_age(),
            feed_stale=self._market.feed_stale(),
            connections=tuple(self._connection(one) for one in self._connections),
            queues=tuple(QueueHealth(name, count()) for name, count in self._queues().items()),
            commits=store.commits,
            commit=store.times.spread(),
            look=self.looks.spread(),
            books_bytes=store.glance(server_bytes) if store.on_server else _size(books),
            log_bytes=_size(books.with_name(f"{books.name}-wal")),
            disk_free_bytes=shutil.disk_usage(self._kept.home).free,
            memory_bytes=_memory(),
            trouble=store.trouble or self._connections.trouble,
        )

    def _queues(self) -> dict[str, Callable[[], int]]:
        return {
            "writer": self._kept.store.waiting,
            "facts": self._workers.recorder.waiting,
            "orders": lambda: self._workers.dispatcher.waiting,
            "sending": lambda: self._workers.dispatcher.under_way,
            **self.waiting,
        }

    def _connection(self, one: Connection) -> ConnectionHealth:
        meter = one.broker.meter
        calls = tuple(self._call(one, kind) for kind in meter.kinds())
        resting = [RestHealth(what, round(left, 1)) for what, left in meter.resting().items()]
        clients = self._kept.book.clients
        for client, left in self._workers.dispatcher.resting().items():
            if client in clients and clients[client].connection == one.name:
                resting.append(RestHealth(f"place {clients[client].code}", round(left, 1)))
        whole = _health(ALL, meter.lately()) if calls else None
        return ConnectionHealth(
            one.name, one.kind, one.broker.name, whole, calls, tuple(resting), one.life.trouble
        )

    def _call(self, one: Connection, kind: CallKind) -> CallHealth:
        return _health(kind.value, one.broker.meter.lately(kind))


def _health(call: str, found: CallFigures) -> CallHealth:
    spread = found.spread
    return CallHealth(
        call,
        found.calls,
        found.failed,
        found.refused,
        found.errors_bps,
        spread.p50_ms,
        spread.p95_ms,
        spread.p99_ms,
    )


def _size(path: Path) -> int:
    """The size of a file; 0 where there is none."""
    with suppress(OSError):
        return path.stat().st_size
    return 0


def _memory() -> int | None:
    """What the process holds in memory; None on a machine that does not tell it so."""
    with suppress(OSError, ValueError, IndexError):
        return int(STATM.read_text(encoding="ascii").split()[1]) * PAGE_BYTES
    return None
