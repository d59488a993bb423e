"""The desk's health: what calls took by kind, percentiles, and the page that Prometheus reads."""

from aiohttp import ClientSession
from prometheus_client.parser import text_string_to_metric_families

from brokers.meter import CallEnd, CallKind, CallMeter
from data.clock import ManualClock
from data.durations import KEPT, Durations
from data.vocabulary import DeskKind, SizingKind
from tests.desks import START, buy, carry_out, paper_desk
from tradedesk.compose.metrics import metrics_page


def meter(clock: ManualClock) -> CallMeter:
    return CallMeter(clock.monotonic)


def test_percentiles_are_by_nearest_rank_of_what_was_kept_and_is_young():
    clock = ManualClock(START)
    times = Durations(clock.monotonic)
    for ms in range(1, 101):
        times.note(ms / 1000)
    spread = times.spread()
    assert (spread.count, spread.p50_ms, spread.p95_ms, spread.p99_ms) == (100, 50.0, 95.0, 99.0)
    for _ in range(2 * KEPT):
        times.note(0.5)
    assert times.spread().count == KEPT, "its room is bounded"
    assert sum(times.within) == 100 + 2 * KEPT, "what is counted is all of it"


def test_a_refusal_is_no_failure_and_few_calls_say_nothing_of_their_share():
    clock = ManualClock(START)
    kept = meter(clock)
    for end in (CallEnd.ANSWERED, CallEnd.REFUSED, CallEnd.FAILED):
        kept.note(CallKind.PLACE, 0.02, end)
    assert kept.lately(CallKind.PLACE).errors_bps is None
    kept.note(CallKind.ORDERS, 0.02, CallEnd.ANSWERED)
    kept.note(CallKind.ORDERS, 0.02, CallEnd.ANSWERED)
    found = kept.lately()
    assert (found.calls, found.failed, found.refused, found.errors_bps) == (5, 1, 1, 2000)


async def test_what_is_old_counts_no_more_and_what_rests_says_for_how_long():
    clock = ManualClock(START)
    kept = meter(clock)
    kept.note(CallKind.PLACE, 0.02, CallEnd.FAILED)
    kept.rest("place AB1234", 10.0)
    await clock.advance(4)
    assert dict(kept.resting()) == {"place AB1234": 6.0}
    await clock.advance(301)
    assert kept.lately().calls == 0
    assert dict(kept.resting()) == {}


async def test_a_desk_measures_the_calls_of_its_connections_and_its_own_commits(tmp_path):
    async with paper_desk(tmp_path, kind=DeskKind.APP) as desk:
        await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1, 15, 8))
        found = desk.health.look()
        (paper,) = found.connections
        by_kind = {call.call: call for call in paper.calls}
        assert by_kind["place"].calls == 2
        assert by_kind["place"].failed == 0
        assert {"orders", "funds", "holdings"} <= by_kind.keys()
        assert found.commits > 0
        assert found.commit.count > 0
        assert {one.queue for one in found.queues} >= {"writer", "facts", "orders", "sending", "alerts"}
        assert found.books_bytes > 0
        assert found.disk_free_bytes > 0


async def test_prometheus_reads_the_same_on_loopback(tmp_path):
    async with paper_desk(tmp_path, kind=DeskKind.APP) as desk:
        await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1, 15))
        before = desk.commits
        async with (
            metrics_page(desk, free_port()) as port,
            ClientSession() as session,
            session.get(f"http://127.0.0.1:{port}/metrics") as answer,
        ):
            text = await answer.text()
        samples = {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
        placed = (("call", "place"), ("connection", "paper"))
        assert samples["tradedesk_broker_call_duration_seconds_count", placed] == 1
        answered = ("call", "place"), ("connection", "paper"), ("outcome", "answered")
        assert samples["tradedesk_broker_calls_total", answered] == 1
        assert samples["tradedesk_disk_free_bytes", ()] > 0
        commits = sum(value for (name, _), value in samples.items() if name == "tradedesk_commits_total")
        assert before <= commits <= desk.commits


async def test_without_a_port_there_is_no_page(tmp_path):
    async with paper_desk(tmp_path) as desk, metrics_page(desk, 0) as port:
        assert port == 0


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
