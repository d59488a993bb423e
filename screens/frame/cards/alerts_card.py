"""What needs the trader in one list, each with the key that answers it; the rules; what left by channels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import BindingType

from data.errors import BadInput
from data.records import replace
from data.vocabulary import AlertKind, FlattenWhat, HaltScope
from engine.alerts.attention import Attention, AttentionKind
from engine.colon.alerts import AT_FIRST
from engine.events import (
    AlertRulesChanged,
    AlertsChanged,
    ChaseChanged,
    FlattenChanged,
    GuardsLooked,
    OrderChanged,
    OutboxChanged,
    RunChanged,
    SessionsChanged,
)
from engine.words.formats import time_of_day
from screens.frame.cards.alert_rows import AlertsView, PanelRow, need_rows, outbox_rows, rule_rows
from screens.frame.cards.put_off_card import PutOffCard
from screens.frame.commands import COMMANDS, binding, bindings
from screens.frame.dock import Card, DockHost
from screens.frame.routes import View, WorkspaceName
from screens.frame.shell import Here
from screens.frame.times import market_time
from widgets.columns import LINE_CELLS
from widgets.keyline import KeyHint
from widgets.livegrid import Column, LiveGrid

if TYPE_CHECKING:
    from data.repositories.alerting.outbox import AlertDelivery
    from engine.book.break_views import BreakView
    from engine.book.watched.alert_views import AlertView
    from engine.desk import Desk
    from engine.execution.views import RunView
    from engine.flatten.views import FlattenProgress

ROWS = 10
"""Lines of the panel; more scroll."""

RULE_KEYS = "Enter e change  Insert new  Delete take away  Tab outbox  Esc back"
NO_RULE_KEYS = "Insert new  :alerts usual adds the usual ones  Tab outbox  Esc back"
OUTBOX_KEYS = "Tab needs you  Esc back · `tradedesk alerts channel add NAME` adds a channel"

HINTS = {
    AlertsView.NEEDS: "nothing needs you",
    AlertsView.RULES: "no rule: Insert makes one, :alerts usual the usual ones",
    AlertsView.OUTBOX: "nothing has left this machine",
}

CHANGED = (
    AlertsChanged,
    AlertRulesChanged,
    OutboxChanged,
    RunChanged,
    OrderChanged,
    ChaseChanged,
    FlattenChanged,
    GuardsLooked,
    SessionsChanged,
)
"""What the panel is filled anew by, on the next frame."""


class AlertsCard(Card[None]):
    """What needs the trader; nothing is sent from here before the answer of what it opens."""

    TITLE_WORDS = "Alerts"
    HEARS = CHANGED
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("plan.drop", "alert.later", "alert.until", "flatten", "order.modify"),
        *bindings("watch.add", "watch.remove"),
        binding(replace(COMMANDS["needs_me"], action="needs_orders", words="orders")),
        binding(replace(COMMANDS["command_line"], action="to_command_line")),
        binding(replace(COMMANDS["pane.next"], action="turn(1)", words="turn")),
        binding(replace(COMMANDS["pane.previous"], action="turn(-1)", words="turn")),
    ]

    def __init__(self, view: AlertsView = AlertsView.NEEDS) -> None:
        super().__init__()
        self.rows = ROWS
        self.view = view
        self._rows: dict[int, PanelRow] = {}
        self._deliveries: Sequence[AlertDelivery] = ()

    def compose(self) -> ComposeResult:
        """A line each."""
        yield LiveGrid(
            [
                Column("at", "since", 8, lambda row: row.since),
                Column("code", "code", 7, lambda row: row.code),
                Column("what", "what", 30, lambda row: row.what, style=_style, flex=True, most=LINE_CELLS),
            ],
            monotonic=self.shell.monotonic,
            markable=False,
            hint=HINTS[self.view],
            id="alerts",
        )
        yield KeyHint(classes="keys -always", id="alert-keys")

    def title(self) -> str:
        """What is shown, how much of it, and the market's time."""
        now = time_of_day(self.desk.market.now())
        needed = sum(row.need is not None and not _is_under(row) for row in self._rows.values())
        shown = needed if self.view is AlertsView.NEEDS else len(self._rows)
        others = " · ".join(view.value for view in AlertsView if view is not self.view)
        return f"ALERTS · {self.view.value} {shown} · Tab: {others} · now {now}"

    def begin(self) -> None:
        """In the rows."""
        self.refill()
        self.query_one(LiveGrid).focus()

    def refill(self) -> None:
        """The rows of its view."""
        if self.view is AlertsView.OUTBOX:
            self.run_worker(self._fill_outbox(), exclusive=True, exit_on_error=False)
            return
        needs = self.view is AlertsView.NEEDS
        self._show(need_rows(self.desk, self.shell.privacy) if needs else rule_rows(self.desk))

    async def _fill_outbox(self) -> None:
        deliveries = await self.desk.outbox.deliveries()
        if self.view is AlertsView.OUTBOX:
            self._show(outbox_rows(self.desk, deliveries))

    def _show(self, rows: Sequence[PanelRow]) -> None:
        self._rows = dict(enumerate(rows))
        grid = self.query_one(LiveGrid)
        grid.hint = HINTS[self.view]
        grid.set_rows(self._rows)
        self.query_one("#alert-keys", KeyHint).update(self._keys())
        self.refresh_bindings()

    def _keys(self) -> str:
        """The keys that do something with what is shown."""
        match self.view:
            case AlertsView.RULES:
                return RULE_KEYS if self._rows else NO_RULE_KEYS
            case AlertsView.OUTBOX:
                return OUTBOX_KEYS
            case _:
                alerts = any(_is_alert(row) for row in self._rows.values())
                own = ["Enter answer"] if self._rows else []
                own += ["d done  h H later"] if alerts else []
                return "  ".join([*own, "F7 flatten  u orders  Tab rules  Esc back"])

    @property
    def _row(self) -> PanelRow | None:
        key = self.query_one(LiveGrid).cursor_key
        return self._rows.get(key) if isinstance(key, int) else None

    @property
    def _alert(self) -> AlertView | None:
        row = self._row
        need = None if row is None else row.need
        return cast("AlertView", need.of) if need is not None and need.kind is AttentionKind.ALERT else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What has nothing under the cursor to be done with is absent."""
        if not self.is_mounted:
            return True
        if action in ("drop_line", "put_off", "put_off_until"):
            return self._alert is not None
        if action in ("modify_here", "remove_here"):
            return self._row is not None and self._row.rule is not None
        return True

    def here(self) -> Here:
        """The client of what is under the cursor."""
        row = self._row if self.is_mounted else None
        return Here(client_id=None if row is None else row.client_id)

    # --- what the keys do ---

    def action_turn(self, step: int) -> None:
        """The next or previous of what the panel shows."""
        views = list(AlertsView)
        self.view = views[(views.index(self.view) + step) % len(views)]
        self.refill()
        self.refresh_bindings()

    def action_needs_orders(self) -> None:
        """The orders that need the trader, in Orders."""
        self.close()
        self.shell.open_workspace(WorkspaceName.ORDERS, View.NEEDS_ME)

    def action_to_command_line(self) -> None:
        """The command line in its place, so that no letter of a line acts on a row."""
        self.close()
        self.shell.action_command_line()

    def action_add_here(self) -> None:
        """The form of a rule."""
        self.shell.open_alert_form(over=self)

    def action_modify_here(self) -> None:
        """The form of the rule under the cursor."""
        if self._row is not None and self._row.rule is not None:
            self.shell.open_alert_form(self._row.rule.number, over=self)

    def action_remove_here(self) -> None:
        """Take the rule under the cursor away; `:alert` with its line makes it anew."""
        if self._row is not None and self._row.rule is not None:
            rule = self._row.rule
            self.carry_out(self.desk.alert_rules.remove(rule.number))
            self.shell.say(f"rule {rule.number} is taken away; :alert {rule.line} makes it anew")

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """What answers the row under the cursor."""
        event.stop()
        row, screen = self._row, self.host
        if row is None:
            return
        if row.rule is not None:
            self.action_modify_here()
        elif row.need is not None:
            self.close()
            if row.need.kind is AttentionKind.ALERT and self._is_of_guards(row.need):
                self._open_guards(screen, row)
            else:
                self._answer(row, row.need)

    def _is_of_guards(self, need: Attention) -> bool:
        return cast("AlertView", need.of).kind is AlertKind.GUARDS

    def _open_guards(self, screen: DockHost[Any], row: PanelRow) -> None:
        """What a guard has taken flat, or the panel of guards."""
        trip = None if row.guard is None else row.guard.trip
        if trip is not None and trip.flatten_number is not None:
            self.shell.open_flatten(number=trip.flatten_number)
            return
        from screens.guards.guards_card import GuardsCard

        screen.open_card(GuardsCard())

    def _answer(self, row: PanelRow, need: Attention) -> None:
        shell = self.shell
        match need.kind:
            case AttentionKind.ALERT:
                self._answer_alert(row, cast("AlertView", need.of))
            case AttentionKind.RUN:
                shell.open_run(cast("RunView", need.of).number)
            case AttentionKind.FLATTEN:
                shell.open_flatten(number=cast("FlattenProgress", need.of).number)
            case AttentionKind.ORDER if row.order_id is not None:
                shell.open_order(row.order_id)
            case AttentionKind.CHASE:
                shell.open_workspace(WorkspaceName.ORDERS, View.LIVE)
            case AttentionKind.BREAK:
                shell.open_client(cast("BreakView", need.of).client_id)
            case AttentionKind.SIGN_IN:
                shell.open_workspace(WorkspaceName.CLIENTS, View.SIGN_IN)
            case _:
                shell.open_workspace(WorkspaceName.ORDERS, View.NEEDS_ME)

    def _answer_alert(self, row: PanelRow, alert: AlertView) -> None:
        """What answers an alert: the order or client it names, a flatten, the symbol that a rule looks at."""
        shell = self.shell
        if row.order_id is not None:
            shell.open_order(row.order_id)
        elif alert.kind in (AlertKind.CHASES_LOST, AlertKind.HAND_OVER, AlertKind.MARKET_FALL):
            shell.open_workspace(WorkspaceName.ORDERS, View.LIVE)
        elif alert.kind is AlertKind.BUYS_WAIT:
            shell.open_run(int(alert.subject))
        elif alert.kind in (AlertKind.BROKER_DOWN, AlertKind.BROKER_ANSWERS):
            shell.open_workspace(WorkspaceName.CLIENTS)
        elif alert.kind is AlertKind.SQUARE_OFF:
            whole = row.client_id is None
            scope = HaltScope.EVERYTHING if whole else HaltScope.CLIENT
            shell.open_flatten(scope, "" if whole else str(row.client_id), FlattenWhat.MIS)
        elif row.client_id is not None:
            shell.open_client(row.client_id)
        elif key := next((one["key"] for one in alert.told.get("readings", ()) if one["key"]), ""):
            shell.open_symbol(key)
        elif alert.client_ids is not None and len(alert.client_ids) == 1:
            shell.open_client(alert.client_ids[0])

    def action_drop_line(self) -> None:
        """Done with the alert under the cursor."""
        if (alert := self._alert) is not None:
            self.carry_out(self.desk.alerts.done(alert))

    def action_put_off(self) -> None:
        """The alert under the cursor again in ten minutes."""
        if (alert := self._alert) is not None:
            self.carry_out(put_off(self.desk, self.shell.say, alert))

    def action_put_off_until(self) -> None:
        """Ask for how long the alert under the cursor is put off."""
        alert = self._alert
        if alert is None:
            return

        def answered(how_long: str | None) -> None:
            if how_long is not None:
                self.carry_out(put_off(self.desk, self.shell.say, alert, how_long))

        self.host.open_card(PutOffCard(alert), answered, over=self)


def _style(row: PanelRow) -> str | None:
    return row.style


def _is_alert(row: PanelRow) -> bool:
    return row.need is not None and row.need.kind is AttentionKind.ALERT


def _is_under(row: PanelRow) -> bool:
    """Whether a row stands under the alert that names it."""
    return _is_alert(row) and row.style is None


async def put_off(desk: Desk, say: Callable[..., None], alert: AlertView, how_long: str = AT_FIRST) -> None:
    """Put an alert off and say until when, or what is wrong with the time, which may have come meanwhile."""
    try:
        until = await desk.alerts.put_off(alert, how_long)
    except BadInput as problem:
        say(f"{problem.value}: {problem.expected}", "refused")
        return
    say(f"shown again at {market_time(desk, until)}")
