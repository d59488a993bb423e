"""The gate of one client as a table: each item, whether it is ok, since when, why, and what mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from data.clock import IST
from data.vocabulary import ClientStatus, GateColour, GateItem
from engine.book.halt_scope import covers
from engine.words.program.mending import ends, mends, since
from engine.words.trading.client_terms import pause_words, until_words
from screens.clients.gate_rows import STYLES, item_words, may_be_waived
from widgets.columns import LINE_CELLS
from widgets.livegrid import Column

if TYPE_CHECKING:
    from datetime import datetime

    from engine.book.views import ClientView
    from engine.desk import Desk


class GateLine(Struct, frozen=True):
    """One row: an item of the gate, or the client and the halts, which stand before all items."""

    title: str
    state: str
    colour: GateColour
    since: str
    why: str
    mends: str
    item: GateItem | None = None


OK, WAITS, FAILS = "ok", "waits", "FAILS"
_STATES = {GateColour.GREEN: OK, GateColour.AMBER: WAITS, GateColour.RED: FAILS}


def gate_lines(desk: Desk, client_id: int, masked: bool) -> list[GateLine]:
    """Every row of a client's gate, what keeps it from trading in front of its items."""
    client, row = desk.clients.get(client_id), desk.gate.of(client_id)
    lines = [_status(client)]
    for halt in desk.halt.active():
        if covers(halt, client, ""):
            whom = f"{halt.scope.value} {halt.value}".strip()
            at, why = _at(desk.shown_at(halt.at)), f"halt {halt.number} of {whom} by {halt.by}"
            of_guard = any(one.trip and one.trip.halt_number == halt.number for one in desk.guards.all())
            ended = ":guard, r arms it again" if of_guard else ":resume, by a typed word"
            lines.append(GateLine("halt", FAILS, GateColour.RED, at, why, ended))
    for check, told in zip(row.checks, item_words(desk, row, masked), strict=True):
        waived = bool(check.waived) and check.judged.colour is GateColour.AMBER
        began = since(check.judged, desk.shown_at)
        mending = "" if check.judged.colour is GateColour.GREEN else mends(check.judged.finding)
        if may_be_waived(check):
            mending += "; Enter waives it for today"
        state = f"waived to {desk.market_clock.trading_day:%d %b}" if waived else _STATES[check.colour]
        at = ends(check.judged) or ("" if began is None else _at(began))
        colour = GateColour.AMBER if waived else check.colour
        lines.append(GateLine(told.title, state, colour, at, told.words, mending, check.item))
    return lines


def _status(client: ClientView) -> GateLine:
    """Whether the client is traded for at all."""
    if client.status is not ClientStatus.ACTIVE:
        at = f"{client.status_since:%d %b}" if client.status_since else ""
        why = client.status.value + (f": {client.status_reason}" if client.status_reason else "")
        return GateLine("client", FAILS, GateColour.RED, at, why, "e gives it another status")
    if client.paused:
        ends_words = until_words(client.paused_until)
        return GateLine("client", FAILS, GateColour.RED, ends_words, pause_words(client), "p ends the pause")
    return GateLine("client", OK, GateColour.GREEN, "", "active", "")


def _at(at: datetime) -> str:
    """A stamp that is shown by the market's clock already."""
    return f"{at.astimezone(IST):%d %b %H:%M}"


def gate_tab_columns() -> list[Column]:
    """Rows are `GateLine`s."""

    def style(line: GateLine) -> str:
        return STYLES[line.colour]

    return [
        Column("item", "item", 7, lambda line: line.title),
        Column("state", "is", 6, lambda line: line.state, style=style, grows=True),
        Column("since", "since", 12, lambda line: line.since, priority=2),
        Column("why", "why", 26, lambda line: line.why, flex=True, most=LINE_CELLS),
        Column("mends", "what mends it", 18, lambda line: line.mends, flex=True, most=LINE_CELLS, priority=1),
    ]
