"""What alerts say: of whom, until when, and what answers them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import convert

from data.vocabulary import AlertKind, DeliveryState, Dies, Measure
from engine.alert_figures import AnswersFigures, JobFigures, SilenceFigures, WaitingFigures
from engine.book.watched.alert_views import AlertDying, AlertOrder
from engine.colon.alert_rules import AlertReading, MeasureUnit
from engine.words.firm.jobs import kind_words
from engine.words.formats import (
    counted,
    percent,
    price,
    quantity,
    rupees,
    signed,
    signed_percent,
    time_of_day,
)
from engine.words.gate import down_words
from engine.words.market import moved_words
from engine.words.privacy import unless_private
from engine.words.trading.flattens import signed as signed_shares
from engine.words.trading.modify_words import lost_words
from engine.words.trading.mtf import warning_words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from engine.book.watched.alert_views import AlertFigure, AlertPosition, AlertView
    from engine.colon.alert_rules import AlertCondition, AlertRule, AlertRuleView


PUT_OFF_WORDS = {
    "5m": "for 5 minutes",
    "10m": "for 10 minutes",
    "30m": "for 30 minutes",
    "1h": "for an hour",
    "15:00": "until 15:00",
    "eod": "today",
}
"""What is offered to whom an alert comes too early, in words."""


def square_off_words(positions: int, clients: int, ends: Sequence[datetime]) -> str:
    """`MIS open: 23 positions of 14 clients · brokers square off from 15:00, 15:20`."""
    of = f"{counted(positions, 'position')} of {counted(clients, 'client')}"
    when = ", ".join(time_of_day(at)[:5] for at in ends)
    return f"MIS open: {of}" + (f" · brokers square off from {when}" if when else "")


def alert_words(alert: AlertView) -> str:
    """What an alert is about, until when, and the key that answers it, in a line of 80 columns."""
    if alert.kind is AlertKind.CHASES_LOST:
        return f"{lost_words(len(alert.orders))} · Enter E x"
    if alert.kind is AlertKind.HAND_OVER:
        clients = len({one.client_id for one in alert.dying})
        return f"{hand_over_words(len(alert.dying), clients, alert.dies_at)} · Enter e x"
    if alert.kind is AlertKind.MARKET_FALL and alert.index is not None:
        level = alert.index.level_bps // 100
        return f"{moved_words(alert.index.key, alert.index.moved_bps)}, halted at {level} % · :market"
    if alert.kind is AlertKind.GUARDS:
        return f"{counted(len(alert.guards), 'guard')} {'needs' if len(alert.guards) == 1 else 'need'} you"
    if alert.kind is not AlertKind.SQUARE_OFF:
        return told_words(alert.kind, alert.told)
    clients = len({one.client_id for one in alert.positions})
    until = f", until {time_of_day(alert.ends[0])[:5]}" if alert.ends else ""
    return f"{square_off_words(len(alert.positions), clients, ())}{until} · F7"


def told_words(kind: AlertKind, told: Mapping[str, Any]) -> str:
    """What an alert says by its figures."""
    match kind:
        case AlertKind.RULE:
            note = told.get("note", "")
            said = " and ".join(map(reading_words, _readings(told))) or str(told.get("line", ""))
            return f"{note}: {said}" if note else said
        case AlertKind.MTF:
            return f"MTF {told.get('code', '')}: {unless_private(_margin_words(told))}"
        case AlertKind.BUYS_WAIT:
            return _buys_wait_words(convert(told, WaitingFigures))
        case AlertKind.BROKER_DOWN:
            down = convert(told, SilenceFigures)
            return f"{down_words(down.broker, down.since)}: {counted(down.clients, 'client')} red · Enter"
        case AlertKind.BROKER_ANSWERS:
            back = convert(told, AnswersFigures)
            return f"{back.broker.capitalize()} answers again, after {span_words(back.down_s)}"
        case AlertKind.JOB_FAILED:
            job = convert(told, JobFigures)
            return f"job {job.job}, {kind_words(job.kind)}, failed: {job.problem}"
        case AlertKind.TEST:
            return "a test: alerts arrive"
        case _:
            return kind.value.replace("_", " ")


def _buys_wait_words(one: WaitingFigures) -> str:
    doubt = f", {one.unknown} unknown" if one.unknown else ""
    on = f"on {counted(one.sales, 'sale')}{doubt}" if one.sales else "for cash"
    return f"run {one.run}: {counted(one.buys, 'buy', 'wait')} {on}, of {counted(one.clients, 'client')}"


def _margin_words(told: Mapping[str, Any]) -> str:
    from engine.mtf.warnings import MtfWarning

    # One raised before its figures were kept has its words.
    warned = told.get("warning")
    return str(told.get("words", "")) if warned is None else warning_words(convert(warned, MtfWarning))


def _readings(told: Mapping[str, Any]) -> Sequence[AlertReading]:
    return convert(told.get("readings", ()), tuple[AlertReading, ...])


def reading_words(one: AlertReading) -> str:
    """A condition that came true: `RELIANCE price 2,500.50, at or above 2,500.00`."""
    of = _of_words(one.key, one.whom, one.connection)
    if one.unit is MeasureUnit.YES:
        return f"{of}{_YES[one.measure]}"
    side = "at or above" if one.above else "at or below"
    value, limit = (figure_words(one.measure, one.unit, figure) for figure in (one.value, one.limit))
    return f"{of}{one.measure.value} {value}, {side} {limit}"


def _of_words(key: str, whom: str, connection: str) -> str:
    named = [part for part in (key.partition(":")[2] or key, whom, connection) if part]
    return " ".join(named) + (" " if named else "")


_YES = {
    Measure.CIRCUIT: "circuit touched",
    Measure.SESSION: "session ended",
    Measure.HALTED: "the desk is halted",
}


def figure_words(measure: Measure, unit: MeasureUnit, value: int | None) -> str:
    """A figure of a measure as a trader reads it; `—` where it is not known."""
    if value is None:
        return "—"
    if unit is MeasureUnit.TIME:
        return f"{value} ms" if measure is Measure.LATENCY and value < 10_000 else f"{value / 1000:g} s"
    if unit is MeasureUnit.PERCENT:
        return f"{signed_percent(value) if measure in _SIGNED else percent(value)} %"
    return _BY_UNIT[unit](measure, value)


_SIGNED = (Measure.CHANGE, Measure.PNL)
_BY_UNIT: Mapping[MeasureUnit, Callable[[Measure, int], str]] = {
    MeasureUnit.PRICE: lambda _, value: price(value),
    MeasureUnit.MONEY: lambda measure, value: signed(value) if measure in _SIGNED else rupees(value),
    MeasureUnit.COUNT: lambda _, value: quantity(value),
    MeasureUnit.YES: lambda _, value: "yes" if value else "no",
}


def condition_words(one: AlertCondition, values: Sequence[int | None] | None = None) -> str:
    """A condition, with what it reads now: `RELIANCE price at or above 2,500.00 (now 2,450.50)`."""
    of, unit = _of_words(one.key, one.whom or _EACH.get(one.each, ""), one.connection), one.unit
    if unit is MeasureUnit.YES:
        said = f"{of}{_YES[one.measure]}"
    else:
        side = "at or above" if one.above else "at or below"
        said = f"{of}{one.measure.value} {side} {figure_words(one.measure, unit, one.limit)}"
    return said if values is None else f"{said} ({now_words(one, values)})"


_EACH = {True: "each client's"}


def now_words(one: AlertCondition, values: Sequence[int | None]) -> str:
    """What a condition reads now: its figure, or of many clients for how many it holds."""
    known = [value for value in values if value is not None]
    if one.each and len(values) != 1:
        return f"{sum(map(one.meets, known))} of {counted(len(values), 'client')} now"
    farthest = (max if one.above else min)(known, default=None)
    return f"now {figure_words(one.measure, one.unit, farthest)}"


def rule_words(rule: AlertRule, readings: Mapping[int, Sequence[int | None]] | None = None) -> str:
    """A rule in words; `readings` are what each condition reads now, by its place."""
    parts: list[str] = []
    place = 0
    for part in rule.parts:
        said: list[str] = []
        for one in part:
            said.append(condition_words(one, None if readings is None else readings.get(place, ())))
            place += 1
        parts.append(" and ".join(said))
    how = "once" if rule.again_s is None else f"each time, {span_words(rule.again_s)} apart at least"
    note = f" · “{rule.note}”" if rule.note else ""
    return f"tell me of {', or '.join(parts)} · {how}{note}"


def span_words(seconds: float) -> str:
    """A length of time: `30 s`, `10 min`, `1 h`."""
    whole = int(seconds)
    if whole % 3600 == 0 and whole:
        return f"{whole // 3600} h"
    return f"{whole // 60} min" if whole % 60 == 0 and whole else f"{whole} s"


def client_figure_words(alert: AlertView, one: AlertFigure) -> str:
    """A client's own figure in an alert of a rule: `cash 4,200`."""
    for told in _readings(alert.told):
        if told.key and told.measure in (Measure.PRICE, Measure.CHANGE, Measure.VOLUME):
            continue
        if told.unit is MeasureUnit.YES:
            return _YES[told.measure]
        return f"{told.measure.value} {figure_words(told.measure, told.unit, one.value)}"
    return ""


def delivery_words(alert: AlertView, codes: Mapping[int, str]) -> tuple[str, str]:
    """The title and the text under which an alert leaves this machine: codes, and no names."""
    words = alert_words(alert).partition(" · ")[0]
    lines = [f"{codes.get(one.client_id, '')} {position_words(one)}" for one in alert.positions]
    lines += [f"{codes.get(one.client_id, '')} {order_words(one)}" for one in alert.orders]
    lines += [f"{codes.get(one.client_id, '')} {dying_words(one)}" for one in alert.dying]
    lines += [f"{codes.get(one.client_id, '')} {client_figure_words(alert, one)}" for one in alert.figures]
    more = [f"and {len(lines) - MOST_LINES} more"] if len(lines) > MOST_LINES else []
    return f"tradedesk: {words}", "\n".join([words, *lines[:MOST_LINES], *more])


def delivery_words_of(alert: int, channel: str, state: DeliveryState, tries: int, problem: str) -> str:
    """How far an alert is on its way: `alert 12 to phone: sent`, `… queued, tried 2x: no answer`."""
    tried = f", tried {tries}x" if tries > 1 or problem else ""
    return f"alert {alert} to {channel}: {state.value}{tried}{f': {problem}' if problem else ''}"


def rule_state_words(one: AlertRuleView) -> str:
    """Where a rule is: what it reads now, how often it came, or why it waits for nothing."""
    if one.rule is None:
        return f"waits for nothing: {one.problem}"
    now = ", ".join(now_words(condition, list(figures.values())) for condition, figures in one.readings)
    came = f" · came {one.fired}x" if one.fired else ""
    return f"{one.state.value} · {now}{came}"


MOST_LINES = 20
"""Lines of clients in what leaves this machine."""


def named_words(one: AlertPosition | AlertOrder | AlertDying) -> str:
    """What an alert names, in a line under it."""
    match one:
        case AlertOrder():
            return order_words(one)
        case AlertDying():
            return dying_words(one)
        case _:
            return position_words(one)


def order_words(one: AlertOrder) -> str:
    """An order that an alert names: `order 12 BUY 2 TCS at 2,400.00, was to follow to 2,450.00`."""
    what = f"order {one.order_id} {one.side.value} {one.leaves} {one.tradingsymbol}"
    return f"{what} at {price(one.limit_paise)}, was to follow to {price(one.bound_paise)}"


_DIES = {
    Dies.STOP: "stop not triggered",
    Dies.DISCLOSED: "shows a part",
    Dies.BAND: "outside ±3 % of the last price",
}


def hand_over_words(orders: int, clients: int, begins: datetime | None) -> str:
    """`3 orders of 2 clients end at 15:15, not taken into the auction`."""
    at = f" at {time_of_day(begins)[:5]}" if begins else ""
    of = f"{counted(orders, 'order')} of {counted(clients, 'client')}"
    return f"{of} {'ends' if orders == 1 else 'end'}{at}, not taken into the auction"


def dying_words(one: AlertDying) -> str:
    """An order that ends there: `order 12 SELL 2 TCS trigger 2,400.00: stop not triggered`."""
    trigger = f" trigger {price(one.trigger_paise)}" if one.trigger_paise else ""
    at = f" at {price(one.limit_paise)}" if one.limit_paise else ""
    what = f"order {one.order_id} {one.side.value} {one.leaves} {one.tradingsymbol}"
    return f"{what}{at}{trigger}: {_DIES[one.why]}"


def position_words(one: AlertPosition) -> str:
    """A position that an alert names: `TCS +40`."""
    return f"{one.tradingsymbol} {signed_shares(one.net)}"
