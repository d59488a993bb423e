"""The alerts that stand, newest first: what, of whom, since when, and the key that answers each."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct
from textual.app import ComposeResult
from textual.binding import BindingType

from data.errors import BadInput
from data.vocabulary import AlertKind, FlattenWhat, HaltScope
from engine.book.alert_views import AlertOrder
from engine.colon.alerts import AT_FIRST
from engine.events import AlertsChanged, Event
from engine.words.alerts import alert_words, order_words, position_words
from engine.words.formats import MASK, counted, time_of_day
from screens.frame.cards.put_off_card import PutOffCard
from screens.frame.commands import bindings
from screens.frame.dock import Card
from screens.frame.routes import View, WorkspaceName
from screens.frame.shell import Here
from screens.frame.times import market_time
from widgets.columns import LINE_CELLS
from widgets.livegrid import Column, LiveGrid
from widgets.steady import SteadyStatic

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.book.alert_views import AlertPosition, AlertView
    from engine.desk import Desk

ROWS = 10
"""Lines of the panel; more scroll."""

KEYS = "Enter answer  F7 flatten  d done  h H not for 10 min, …  u needs me  Esc back"
KEYS_OF_NONE = "u needs me  F7 flatten  Esc back"


class AlertRow(Struct, frozen=True):
    """An alert, or one of the positions or orders that it names."""

    alert: AlertView
    named: AlertPosition | AlertOrder | None = None


class AlertsCard(Card[None]):
    """What was told, with its positions; nothing is sent from here before the answer of what it opens."""

    TITLE_WORDS = "Alerts"
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("plan.drop", "alert.later", "alert.until", "flatten", "needs_me")
    ]

    def __init__(self) -> None:
        super().__init__()
        self.rows = ROWS
        self._rows: dict[int, AlertRow] = {}
        self._end_listening = lambda: None

    def compose(self) -> ComposeResult:
        """A line an alert and a position."""
        yield LiveGrid(
            [
                Column("at", "since", 8, self._since),
                Column("code", "code", 7, self._code),
                Column("what", "what", 30, self._what, style=self._style, flex=True, most=LINE_CELLS),
            ],
            monotonic=self.shell.monotonic,
            markable=False,
            hint="no alert stands",
            id="alerts",
        )
        yield SteadyStatic(classes="keys -always", id="alert-keys")

    def _since(self, row: AlertRow) -> str:
        return "" if row.named is not None else market_time(self.desk, row.alert.at)

    def _code(self, row: AlertRow) -> str:
        return "" if row.named is None else self.desk.clients.get(row.named.client_id).code

    def _what(self, row: AlertRow) -> str:
        named = row.named
        if named is None:
            return alert_words(row.alert)
        name = MASK if self.shell.privacy else self.desk.clients.get(named.client_id).name
        return f"{order_words(named) if isinstance(named, AlertOrder) else position_words(named)} · {name}"

    def _style(self, row: AlertRow) -> str | None:
        return "warn" if row.named is None else None

    def title(self) -> str:
        """How many stand, and how many orders need the trader besides."""
        orders = self.desk.counts().needs_attention
        more = f" · {counted(orders, 'order')} need you: u" if orders else ""
        return f"ALERTS · {len(self.desk.alerts.standing)}{more} · now {time_of_day(self.desk.market.now())}"

    def on_mount(self) -> None:
        """Follow what is raised and put off."""
        self._end_listening = self.desk.events.subscribe(self._heard)

    def on_unmount(self) -> None:
        """Listen no more."""
        self._end_listening()

    def _heard(self, event: Event) -> None:
        if isinstance(event, AlertsChanged):
            self.call_later(self._fill)

    def begin(self) -> None:
        """In the rows."""
        self._fill()
        self.query_one(LiveGrid).focus()

    def _fill(self) -> None:
        rows: list[AlertRow] = []
        for alert in self.desk.alerts.standing:
            rows += [AlertRow(alert), *(AlertRow(alert, one) for one in (*alert.positions, *alert.orders))]
        self._rows = dict(enumerate(rows))
        self.query_one(LiveGrid).set_rows(self._rows)
        self.query_one("#alert-keys", SteadyStatic).update(KEYS if rows else KEYS_OF_NONE)

    @property
    def _row(self) -> AlertRow | None:
        key = self.query_one(LiveGrid).cursor_key
        return self._rows.get(key) if isinstance(key, int) else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without an alert there is nothing to be done with or to put off."""
        if action in ("drop_line", "put_off", "put_off_until") and self.is_mounted:
            return self._row is not None
        return True

    def here(self) -> Here:
        """The client of the position or order under the cursor."""
        row = self._row if self.is_mounted else None
        return Here(client_id=None if row is None or row.named is None else row.named.client_id)

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """The order under the cursor, or all live ones; else a flatten, of a position's client or of all."""
        event.stop()
        row, client_id = self._row, self.here().client_id
        self.close()
        if row is not None and isinstance(row.named, AlertOrder):
            self.shell.open_order(row.named.order_id)
        elif row is not None and row.alert.kind is AlertKind.CHASES_LOST:
            self.shell.open_workspace(WorkspaceName.ORDERS, View.LIVE)
        elif client_id is None:
            self.shell.open_flatten(HaltScope.EVERYTHING, "", FlattenWhat.MIS)
        else:
            self.shell.open_flatten(HaltScope.CLIENT, str(client_id), FlattenWhat.MIS)

    def action_drop_line(self) -> None:
        """Done with the alert under the cursor."""
        if self._row is not None:
            self.carry_out(self.desk.alerts.done(self._row.alert))

    def action_put_off(self) -> None:
        """The alert under the cursor again in ten minutes."""
        if self._row is not None:
            self.carry_out(put_off(self.desk, self.shell.say, self._row.alert))

    def action_put_off_until(self) -> None:
        """Ask for how long the alert under the cursor is put off."""
        row = self._row
        if row is None:
            return
        alert = row.alert

        def answered(how_long: str | None) -> None:
            if how_long is not None:
                self.carry_out(put_off(self.desk, self.shell.say, alert, how_long))

        self.host.open_card(PutOffCard(alert), answered, over=self)


async def put_off(desk: Desk, say: Callable[..., None], alert: AlertView, how_long: str = AT_FIRST) -> None:
    """Put an alert off and say until when, or what is wrong with the time, which may have come meanwhile."""
    try:
        until = await desk.alerts.put_off(alert, how_long)
    except BadInput as problem:
        say(f"{problem.value}: {problem.expected}", "warning")
        return
    say(f"shown again at {market_time(desk, until)}")
