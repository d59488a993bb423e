"""What the strip says: the desk at a glance, or that it is halted, or that F9 is armed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from data.clock import IST
from data.records import replace
from data.vocabulary import HaltScope, PhaseKind, Right, RunCount, RunStatus
from engine.words import formats
from engine.words.day.calendar import missing_words
from engine.words.firm.leases import elsewhere_words
from engine.words.market import PHASES, index_words
from engine.words.trading.flattens import going_words
from engine.words.trading.halted import REDUCE_ONLY
from engine.words.trading.runs import run_why
from screens.desk.rows import aged, direction, sign_of
from screens.frame.times import market_time
from widgets.statusstrip import Mode, Segment

if TYPE_CHECKING:
    from data.reference.phases import Phase
    from engine.book.halt_scope import HaltView
    from engine.desk import Desk
    from engine.execution.views import RunView
    from engine.flatten.views import FlattenProgress

SELL_OUT_NEAR = timedelta(minutes=30)
"""So long before brokers sell intraday shares out the strip says it."""

MANY = 100
"""Clients from which on their two counts take so much of 80 columns that the day's P&L would leave."""


def calm(
    desk: Desk, key: str | None, run: RunView | None, indices: Sequence[str], *, frozen: bool, privacy: bool
) -> list[Segment]:
    """The strip of a desk that trades; `key` is the symbol whose phase is shown, `run` the one going on."""
    counts = desk.counts()
    today = desk.market.now()
    mode = Segment(
        f"{desk.mode} {day_words(today)}",
        style="mode",
        brief=(f"{desk.mode} {day_words(today, True)}", desk.mode),
    )
    segments = [mode]
    if frozen:
        segments.append(Segment("PAINTING FROZEN · z goes on", style="warn", brief="FROZEN · z"))
    if desk.trading_disabled:
        segments.append(
            Segment(
                f"NO NEW ORDERS: {desk.trading_disabled}",
                style="warn",
                brief=f"NO ORDERS: {desk.trading_disabled}",
            )
        )
    segments.append(_clock(desk, key))
    age, stale = desk.market.feed_age(), desk.market.feed_stale()
    segments += [
        _feed(desk.market.feed_source(), formats.age(age), stale),
        Segment(
            f"unknown {counts.unknown}",
            style="warn" if counts.unknown else "",
            brief=f"unk {counts.unknown}",
            action="needs_me",
        ),
        Segment(f"live {counts.live}", 6, action="workspace('orders')"),
        _gate(counts.ready, counts.clients),
    ]
    if (missing := desk.calendar.missing_year) is not None:
        segments.append(Segment(missing_words(missing), 3, "warn", f"{missing} cal?"))
    if (ending := desk.holdings.intraday_ending(SELL_OUT_NEAR)) is not None:
        at, clients = ending
        words = f"MIS square-off {formats.time_of_day(at)[:5]}"
        segments.append(Segment(f"{words} of {formats.counted(clients, 'client')}", 3, "warn", words))
    if others := desk.leases.elsewhere():
        segments.append(Segment(elsewhere_words(others), 3, brief=f"{sum(others.values())} elsewhere"))
    segments += _halts_in_part(desk)
    segments += [_flatten(one) for one in desk.flatten.going]
    segments += _paused(desk)
    if run is not None and not run.needs_attention:
        done = (
            run.counts[RunCount.TOTAL] - run.unsent - run.counts[RunCount.SENDING] - run.counts[RunCount.OPEN]
        )
        paused = run.frozen_since or run.status is RunStatus.PAUSED
        rests = run.settled and not run.counts[RunCount.UNKNOWN]
        how = f" {run.word}" if paused else ""
        progress = f"{done}/{run.counts[RunCount.TOTAL]}"
        segments.append(
            Segment(
                f"run {run.number} {progress}{' resting' if rests and not paused else how}",
                5,
                "" if rests else "strong",
                f"run{run.number} {progress}{how}",
                f"run_command('run {run.number}')",
            )
        )
    if not privacy:
        total = desk.valuation.desk_total()
        everyone = [client.id for client in desk.clients.all()]
        known = not desk.valuation.unpriced(everyone)
        net_paise, gross_paise = (total.net_day_pnl_paise, total.day_pnl_paise) if known else (None, None)
        net = f"net {formats.signed_short(net_paise)}"
        gross = formats.signed_short(gross_paise)
        style = aged(desk, desk.valuation.keys(), direction(net_paise)) or ""
        segments.append(Segment(f"{net} gross {gross}", 2, style, net, "workspace('positions')"))
    if told := counts.needs_attention + len(desk.alerts.standing):
        segments.append(Segment(f"!{told}", 4, "warn", action="alerts"))
    return [*segments, *(_index(desk, one) for one in indices)]


def _feed(source: str, age: str, stale: bool) -> Segment:
    """How old what the feed said last is, and where a firm has one for all its desks, whose feed that is."""
    if stale:
        return Segment(f"{source} feed {age} STALE".lstrip(), style="stale", brief=f"feed {age} STALE")
    return Segment(
        f"{source} feed {age}".lstrip(), style="warn" if source == "own" else "", brief=f"feed {age}"
    )


def _index(desk: Desk, key: str) -> Segment:
    """The level of an index with its change and age."""
    market = desk.market
    quote, change = market.quote(key), market.change_bps(key)
    last = quote.last_paise if quote else None
    name = key.partition(":")[2]
    words, brief = index_words(name, desk.mode == "PAPER", last, change, market.age(key))
    return Segment(words, style=aged(desk, (key,), sign_of(change)) or "", brief=brief, spare=True)


def _gate(ready: int, clients: int) -> Segment:
    """The clients ready of all; of hundreds, where space is short, how many are not."""
    missing = clients - ready
    brief = "" if clients < MANY else f"gate -{missing}" if missing else "gate ok"
    return Segment(f"gate {ready}/{clients}", 7, "warn" if missing else "", brief, "workspace('clients')")


def _flatten(one: FlattenProgress) -> Segment:
    """A flatten that goes on, or stands still: positions that are flat of all, and that are left."""
    words = going_words(one.flat, one.positions, one.left, one.carried)
    style = "warn" if one.left or not one.carried else "strong"
    return Segment(words, 5 if one.carried else 1, style, action=f"run_command('flatten show {one.number}')")


def _paused(desk: Desk) -> list[Segment]:
    """The runs that paused by themselves: one with its reason, several together, so that none is cut off."""
    runs = desk.runs.need_trader()
    unsent = sum(run.unsent for run in runs)
    if not runs:
        return []
    if len(runs) == 1:
        words = f"run {runs[0].number} PAUSED {unsent} unsent: {run_why(runs[0])}"
        brief = f"run{runs[0].number} PAUSED {unsent}"
        return [Segment(words, 1, "warn", brief, f"run_command('run {runs[0].number}')")]
    numbers = ", ".join(str(run.number) for run in reversed(runs))
    return [Segment(f"runs {numbers} PAUSED {unsent} unsent", 1, "warn", f"{len(runs)} runs PAUSED {unsent}")]


def day_words(moment: datetime, brief: bool = False) -> str:
    """A day in India: `Wed 18 Nov`, `18 Nov` where space is short."""
    return moment.astimezone(IST).strftime("%d %b" if brief else "%a %d %b").lstrip("0")


def _clock(desk: Desk, key: str | None) -> Segment:
    """Market time, phase, and what comes next when.

    Stocks with futures and options have times of their own. As long as both classes are in one phase, its
    next change in either is shown, whatever the cursor is on; else the phase of the cursor's class.
    """
    now = formats.time_of_day(desk.market.now())
    instrument = desk.market.index.get(key) if key else None
    market_halt = desk.market_halts.standing
    if instrument is None:
        return Segment(f"{now} {PHASES[PhaseKind.HALTED][0]}", 1, "warn") if market_halt else Segment(now, 1)
    futures = desk.market.phase(replace(instrument, fno=True))
    ordinary = desk.market.phase(replace(instrument, fno=False))
    phase, kind = (futures, " (F&O)") if instrument.fno else (ordinary, "")
    if futures.kind is ordinary.kind:
        phase, kind = ordinary, ""
        if futures.ends_at and ordinary.ends_at and futures.ends_at < ordinary.ends_at:
            phase, kind = futures, " (F&O)"
    words, brief = PHASES[phase.kind]
    style = "warn" if market_halt else ""
    if phase.ends_at is None:
        return Segment(f"{now} {words}", 1, style, f"{now} {brief}")
    ends = _ends(phase, desk.market.now())
    after = f" {PHASES[phase.next_kind][0].partition(',')[0]}" if phase.next_kind is not None else ""
    shorter = (f"{now} {words} → {ends}", f"{now} {brief}→{ends}")
    return Segment(f"{now} {words} → {ends}{after}{kind}", 1, style, shorter)


COUNTED_DOWN = timedelta(minutes=10)
"""From so long before it on the end of a phase is counted down."""


def _ends(phase: Phase, now: datetime) -> str:
    """When a phase ends: `15:15`, `15:15 4:37` where that is soon, `15:30 any second` if drawn by lot."""
    assert phase.ends_at is not None
    at, left = formats.time_of_day(phase.ends_at)[:5], phase.ends_at - now
    if phase.may_close:
        return f"{at} any second"
    if left > COUNTED_DOWN:
        return at
    minutes, seconds = divmod(max(0, int(left.total_seconds())), 60)
    return f"{at} {minutes}:{seconds:02d}"


def _halts_in_part(desk: Desk) -> list[Segment]:
    """Halts of clients or groups, beside which the rest goes on: one by whose it is, several by count."""
    halts = [halt for halt in desk.halt.active() if not halt.whole and _is_over_some(desk, halt)]
    if not halts:
        return []
    if len(halts) > 1:
        return [Segment(f"{len(halts)} HALTS", 1, "warn", action="alerts")]
    (halt,) = halts
    one = halt.scope is HaltScope.CLIENT
    of = desk.clients.get(int(halt.value)).code if one else f"{halt.scope.value} {halt.value}"
    what, answer = (REDUCE_ONLY, "alerts") if halt.reduces else ("HALTED", "certificate")
    # Whose it is gives way last of all words, but before the count of live orders: the alerts say it too.
    return [Segment(f"{of} {what}", style="warn", brief=what, action=answer)]


def _is_over_some(desk: Desk, halt: HaltView) -> bool:
    """Whether a halt is over clients of this desk; of another desk's they are those who came from there."""
    ids = {client.id for client in desk.clients.all()}
    if halt.scope is HaltScope.DESK:
        return not ids.isdisjoint(halt.members)
    return halt.scope is not HaltScope.CLIENT or int(halt.value) in ids


def halted(desk: Desk) -> list[Segment]:
    """The strip of a halted desk; empty where no halt is of everything. The one that stops most is told."""
    active = [halt for halt in desk.halt.active() if halt.whole]
    if not active:
        return []
    halt = next((one for one in reversed(active) if not one.reduces), active[-1])
    counts = desk.counts()
    certificate = desk.halt.certificate(halt.number)
    at = f"{day_words(desk.shown_at(halt.at), True)} {market_time(desk, halt.at)}"
    what = f"HALTED{' BUT FOR REDUCING' if halt.reduces else ''}"
    segments = [
        Segment(f"{what} {at} by {halt.by}", style="mode", brief=f"{what} {at}"),
        Segment(
            f"live {counts.live} unknown {counts.unknown}", brief=f"live {counts.live} unk {counts.unknown}"
        ),
    ]
    if certificate is not None and certificate.unreachable:
        unreachable = formats.counted(certificate.unreachable, "client")
        segments.append(Segment(f"{unreachable} unreachable", 2, "warn"))
    return [
        *segments,
        *(_flatten(one) for one in desk.flatten.going),
        Segment("F9 F9 cancels again", 1),
        Segment(":resume", 1, action="certificate"),
        Segment(":certificate", 3, action="certificate"),
    ]


def armed(desk: Desk, seconds: int) -> list[Segment]:
    """The strip after the first F9: what a second one would do, and how long it may."""
    exposure = desk.halt.exposure()
    shared = desk.halt.shared
    firm = shared and desk.who.may(Right.HALT_FIRM)
    what = f"F9 AGAIN CANCELS {'MINE' if shared else 'ALL'} AND HALTS"
    return [
        Segment(what, style="mode", brief="F9 AGAIN: MINE" if firm else ""),
        *([Segment("ctrl+f THE FIRM", style="mode")] if firm else []),
        Segment("Esc stands down", 1),
        Segment(f"{seconds} s"),
        Segment(
            f"{exposure.live} live {exposure.unsent} unsent {exposure.unknown} unknown",
            brief=formats.counted(exposure.orders, "order"),
        ),
        Segment(formats.counted(exposure.clients, "client")),
        Segment(f"₹{formats.rupees(exposure.blocked_paise)} blocked", 2),
    ]


def strip(
    desk: Desk,
    key: str | None,
    run: RunView | None,
    indices: Sequence[str],
    *,
    armed_seconds: int,
    frozen: bool,
    privacy: bool,
) -> tuple[Mode, list[Segment]]:
    """The strip's ground and words at this moment."""
    if armed_seconds:
        return "armed", armed(desk, armed_seconds)
    stopped = halted(desk)
    if stopped:
        return "halted", stopped
    grounds: dict[str, Mode] = {"LIVE": "live", "SIM": "sim"}
    return grounds.get(desk.mode, "paper"), calm(desk, key, run, indices, frozen=frozen, privacy=privacy)
