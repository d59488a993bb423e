"""How the desk fares, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.words.formats import DASH, age, counted, percent

if TYPE_CHECKING:
    from data.durations import Spread
    from engine.book.watched.health_views import ConnectionHealth, HealthView, RestHealth

_UNITS = ("B", "kB", "MB", "GB", "TB")


def ms(value: float | None) -> str:
    """Milliseconds: `0.4 ms`, `48 ms`, `1.2 s`."""
    if value is None:
        return DASH
    if value >= 1000:
        return f"{value / 1000:.1f} s"
    return f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"


def share(bps: int | None) -> str:
    """A share of calls: `0.4 %`; a dash of too few."""
    return DASH if bps is None else f"{percent(bps)} %"


def size(count: int | None) -> str:
    """Bytes: `1.2 GB`."""
    if count is None:
        return DASH
    value, unit = float(count), 0
    while value >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.0f} {_UNITS[unit]}" if unit < 2 or value >= 100 else f"{value:.1f} {_UNITS[unit]}"


def spread_words(spread: Spread) -> str:
    """How times are spread: `p50 0.8 ms  p95 2.1 ms  p99 4.0 ms of 120`."""
    p50, p95, p99 = ms(spread.p50_ms), ms(spread.p95_ms), ms(spread.p99_ms)
    return f"p50 {p50}  p95 {p95}  p99 {p99} of {spread.count}"


def connection_words(one: ConnectionHealth) -> str:
    """A connection in a line: `kite LIVE · 412 calls · p95 210 ms · 0.4 % failed · 1 rests`."""
    whole = one.all_calls
    parts = [f"{one.name} {one.kind.value.upper()}"]
    if whole is None:
        parts.append("no call yet")
    else:
        parts += [
            counted(whole.calls, "call"),
            f"p95 {ms(whole.p95_ms)}",
            f"{share(whole.errors_bps)} failed",
        ]
    if one.resting:
        parts.append(f"{len(one.resting)} left alone")
    if one.trouble:
        parts.append(one.trouble)
    return " · ".join(parts)


def rest_words(one: RestHealth) -> str:
    """What is left alone: `place DR4411 rests for 8 s`."""
    return f"{one.what} rests for {one.seconds:.0f} s"


def desk_lines(found: HealthView) -> list[tuple[str, str]]:
    """What is not a connection's, each with its name."""
    stale = " STALE" if found.feed_stale else ""
    queues = " · ".join(f"{one.queue} {one.waiting}" for one in found.queues)
    return [
        ("feed", f"{age(found.feed_age_s)}{stale}"),
        ("queues", queues),
        ("commits", f"{found.commits} · {spread_words(found.commit)}"),
        ("alert rules", spread_words(found.look)),
        ("database", f"{size(found.books_bytes)}, log {size(found.log_bytes)}"),
        ("disk free", size(found.disk_free_bytes)),
        ("memory", size(found.memory_bytes)),
        *([("trouble", found.trouble)] if found.trouble else []),
    ]
