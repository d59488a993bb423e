"""The desk's health for Prometheus: a page on loopback, made by its own library when it is asked for.

Names and units are by its conventions: seconds, bytes, ratios, `_total` for what only grows.
"""

import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiohttp import web

from brokers.connections import Connections
from brokers.meter import CallEnd
from data.durations import BOUNDS_S, Durations
from engine.book.watched.health_views import HealthView

if TYPE_CHECKING:
    from engine.desk import Desk

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
MISSING = "prometheus-client is not installed: `pip install tradedesk-workstation[metrics]`"


@asynccontextmanager
async def metrics_page(desk: "Desk", port: int) -> AsyncIterator[int]:
    """Answer Prometheus on this port of loopback for as long as the context lasts; yields the port.

    With 0 there is none. What keeps it from being there is logged, and the desk goes on without it.
    """
    if not port:
        yield 0
        return
    runner = await _started(desk, port)
    try:
        yield 0 if runner is None else int(runner.addresses[0][1])
    finally:
        if runner is not None:
            await runner.cleanup()


async def _started(desk: "Desk", port: int) -> web.AppRunner | None:
    try:
        import prometheus_client  # noqa: F401 - loaded for those who set a port alone
    except ImportError:
        log.warning("no metrics on port %d: %s", port, MISSING)
        return None
    app = web.Application()

    async def answer(request: web.Request) -> web.Response:
        text = metrics_text(desk.health.look(), desk.connections, desk.workings.kept.store.times)
        return web.Response(body=text, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    app.router.add_get("/metrics", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOOPBACK, port).start()
    except OSError as problem:
        await runner.cleanup()
        log.warning("no metrics on port %d: %s", port, problem.strerror)
        return None
    return runner


def metrics_text(found: HealthView, connections: Connections, commits: Durations) -> bytes:
    """The figures as Prometheus reads them."""
    from prometheus_client import CollectorRegistry, generate_latest

    class Collector:
        def collect(self) -> Iterator[Any]:
            yield from _of_calls(connections)
            yield from _of_desk(found, commits)

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Collector())  # pyright: ignore[reportArgumentType] - it asks for its own class by name
    return generate_latest(registry)


def _of_calls(connections: Connections) -> Iterator[Any]:
    from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

    labels = ["connection", "call"]
    took = HistogramMetricFamily("tradedesk_broker_call_duration_seconds", "Time of calls.", labels=labels)
    ended = CounterMetricFamily("tradedesk_broker_calls", "Calls by their end.", labels=[*labels, "outcome"])
    for one in connections:
        for kind in one.broker.meter.kinds():
            times, ends = one.broker.meter.totals(kind)
            took.add_metric([one.name, kind.value], _buckets(times), times.seconds)
            for end in CallEnd:
                ended.add_metric([one.name, kind.value, end.value], ends[end])
    yield took
    yield ended


def _buckets(times: Durations) -> list[tuple[str, float]]:
    """The counts up to each bound, as a histogram has them."""
    so_far, found = 0, list[tuple[str, float]]()
    for bound, count in zip((*map(str, BOUNDS_S), "+Inf"), times.within, strict=True):
        so_far += count
        found.append((bound, so_far))
    return found


def _of_desk(found: HealthView, commits: Durations) -> Iterator[Any]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

    def gauge(name: str, says: str, values: Mapping[str, float | None], label: str = "") -> Any:
        made = GaugeMetricFamily(f"tradedesk_{name}", says, labels=[label] if label else [])
        for key, value in values.items():
            if value is not None:
                made.add_metric([key] if label else [], value)
        return made

    yield gauge("up_seconds", "How long the desk has been open.", {"": found.up_s})
    yield gauge("feed_age_seconds", "Time since the feed said anything.", {"": found.feed_age_s})
    waiting = {one.queue: float(one.waiting) for one in found.queues}
    yield gauge("queue_length", "What waits.", waiting, "queue")
    resting = {one.name: float(len(one.resting)) for one in found.connections}
    yield gauge("broker_endpoints_resting", "Endpoints left alone for now.", resting, "connection")
    sizes = {"books": float(found.books_bytes), "log": float(found.log_bytes)}
    yield gauge("database_size_bytes", "Size of the database's files.", sizes, "file")
    yield gauge("disk_free_bytes", "Room on the disk of the home.", {"": float(found.disk_free_bytes)})
    yield gauge("process_resident_memory_bytes", "Memory of the process.", {"": found.memory_bytes})
    total = CounterMetricFamily("tradedesk_commits", "Transactions committed.")
    total.add_metric([], found.commits)
    yield total
    took = HistogramMetricFamily("tradedesk_commit_duration_seconds", "Time of the writer's batches.")
    took.add_metric([], _buckets(commits), commits.seconds)
    yield took
