"""The day's rows: a client's figures, and how its close stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from data.vocabulary import CloseStepKind
from engine.words import formats
from engine.words.day.closing import STEP_WORDS, prospect_line, tomorrow_lines, why_open_words
from engine.words.formats import MASK
from engine.words.privacy import unless_private
from screens.desk.rows import direction
from screens.frame.records import rupees
from widgets.livegrid import Column

if TYPE_CHECKING:
    from engine.close.views import ClientDay, CloseProspect, ForTomorrow, StaysOpen
    from screens.frame.records import Record

MOST_LINES = 4
"""Clients that stay open, and things for tomorrow, that are told by name; the rest are counted."""

STEP_CELLS = 50
"""What a step takes of a line."""


def close_lines(prospect: CloseProspect, tomorrow: ForTomorrow, width: int, short: bool) -> list[str]:
    """The checklist: how the close stands, its steps, who stays open and why, what waits for tomorrow.

    In a `short` terminal the steps are counted, and the next one is named.
    """
    if short:
        return _short_lines(prospect, tomorrow)
    steps = [f"{'✓' if step in prospect.done else '·'} {STEP_WORDS[step]}" for step in CloseStepKind]
    across = max(1, (width - 2) // STEP_CELLS)
    lines = [prospect_line(prospect)]
    for place in range(0, len(steps), across):
        lines.append("  ".join(step.ljust(STEP_CELLS - 2) for step in steps[place : place + across]).rstrip())
    told = [f"{one.code} stays open: {why_open_words(one)}" for one in prospect.open]
    lines += _cut([f"! {one}" for one in told], "stay open")
    lines += _cut([f"→ {one}" for one in tomorrow_lines(tomorrow)], "for tomorrow")
    return lines


def _short_lines(prospect: CloseProspect, tomorrow: ForTomorrow) -> list[str]:
    left = [step for step in CloseStepKind if step not in prospect.done]
    done = f"{len(CloseStepKind) - len(left)} of {len(CloseStepKind)} steps done"
    told = [f"! {one.code} stays open: {why_open_words(one)}" for one in prospect.open]
    waits = [f"→ {one}" for one in tomorrow_lines(tomorrow)]
    return [
        prospect_line(prospect),
        f"{done}{f', next: {STEP_WORDS[left[0]]}' if left else ''}",
        *told[:2],
        *([f"  {len(told) - 2} more stay open: tradedesk eod --check"] if len(told) > 2 else []),
        *(f"{one}{f'  +{len(waits) - 1}: eod --check' if len(waits) > 1 else ''}" for one in waits[:1]),
    ]


def _cut(lines: Sequence[str], what: str) -> list[str]:
    more = len(lines) - MOST_LINES
    return [*lines[:MOST_LINES], *([f"  {more} more {what}: tradedesk eod --check"] if more > 0 else [])]


def day_columns(
    days: Mapping[int, ClientDay], stays: Mapping[int, StaysOpen], masked: Callable[[], bool]
) -> list[Column]:
    """The columns of a client's day, by its number."""

    def name(client: int) -> str:
        return MASK if masked() else days[client].name

    def gained(key: str, title: str, width: int, of: Callable[[ClientDay], int], priority: int = 0) -> Column:
        def cell(client: int) -> str:
            return MASK if masked() else formats.or_blank(formats.signed, of(days[client]))

        def style(client: int) -> str | None:
            return direction(of(days[client]))

        return Column(key, title, width, cell, "right", style, lambda client: of(days[client]), priority)

    def money(key: str, title: str, width: int, of: Callable[[ClientDay], int], priority: int = 0) -> Column:
        def cell(client: int) -> str:
            paise = of(days[client])
            return MASK if masked() else formats.rupees(paise) if paise else ""

        return Column(key, title, width, cell, "right", None, lambda client: of(days[client]), priority)

    return [
        Column("code", "code", 8, lambda client: days[client].code, sort=lambda client: days[client].code),
        Column("name", "client", 12, name, flex=True, most=28, priority=4),
        gained("net", "net today", 11, lambda one: one.todays_pnl_paise),
        gained("realised", "realised", 10, lambda one: one.realised_today_paise, 2),
        money("charges", "charges", 9, lambda one: one.charges_paise),
        money("interest", "interest", 9, lambda one: one.interest_paise, 3),
        money("value", "value", 12, lambda one: one.portfolio_value_paise),
        gained("total", "total net", 12, lambda one: one.total_pnl_paise, 2),
        Column("open", "open", 5, lambda client: str(days[client].active_trades or ""), "right"),
        Column("stays", "stays open", 10, lambda client: _stays(stays.get(client)), style=_warned(stays)),
    ]


def _stays(one: StaysOpen | None) -> str:
    return "" if one is None else one.why.value


def _warned(stays: Mapping[int, StaysOpen]) -> Callable[[int], str | None]:
    return lambda client: "warn" if client in stays else None


def day_record(one: ClientDay) -> Record:
    """A client's day as a file has it."""
    return {
        "code": one.code,
        "client": unless_private(one.name),
        "net today": rupees(one.todays_pnl_paise),
        "realised today": rupees(one.realised_today_paise),
        "charges": rupees(one.charges_paise),
        "interest": rupees(one.interest_paise),
        "portfolio": rupees(one.portfolio_value_paise),
        "total net": rupees(one.total_pnl_paise),
        "open positions": str(one.active_trades),
    }
