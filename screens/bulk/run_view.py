"""A run as it goes on and as it ended: bar, counts, every order, and the keys to pause, stop and repair."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message

from data.errors import BadInput
from data.records import replace
from data.vocabulary import RunCount, RunStatus, Side
from engine.colon.asked import OfRun
from engine.words.refusals import refusal_words
from screens.bulk.run_stop import ask_to_go_on, ask_to_stop, told
from screens.bulk.run_words import (
    RANKS,
    counts_line,
    left_to_repair,
    repairable_words,
    result_words,
    reversing_side,
    run_title,
)
from screens.frame.commands import bindings
from screens.frame.pane import Pane
from screens.frame.records import Record, order_record, skipped_record
from screens.frame.shell import Here, Table
from screens.frame.times import market_stamp
from screens.orders.modify_many import ask_modify_many
from screens.orders.rows import SkippedLine, run_columns
from widgets.keyline import KeyHint
from widgets.livegrid import LiveGrid
from widgets.steady import SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from engine.execution.views import RunView
    from engine.planning.intent import Intent
    from engine.planning.plan import Plan
    from screens.frame.workspace import Framed

EDGES = 2
"""Cells that the lines of a pane leave at its edges where it is as wide as the screen."""
SHORT_S = 2
"""A run that has sent everything within so many seconds is not worth a forecast."""


RUN_ACTIONS = ("pause_run", "cancel_here", "modify_marked", "repair", "step")
"""What the keys of this view do, each only where it has a use."""


class RunPanel(Vertical):
    """Follows one run; its rows stand problems first, then by client."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("run.pause", "order.cancel", "order.modify_marked", "run.repair"),
        *bindings("previous", "next", "close"),
    ]

    @dataclass
    class Repair(Message):
        """The trader wants a plan for what failed."""

        intent: Intent

    @dataclass
    class Left(Message):
        """The trader goes back."""

    def __init__(self) -> None:
        super().__init__(id="run")
        self.number: int | None = None
        self._plan: Plan | None = None
        self._rows: dict[Any, int | SkippedLine] = {}
        self._in_legs = False
        self._waiting = 0
        """Buys of a later stage of which no order was made."""
        self._left: int | None = None
        """Clients whom earlier repairs have left to another; None while that is all, or not known."""
        self._dirty: set[int] = set()
        self._shown: RunView | None = None
        self._keys: tuple[tuple[bool, str | None], ...] = ()

    def compose(self) -> ComposeResult:
        """Title, bar and counts, the result, the orders."""
        with Pane("run-pane"):
            yield SteadyStatic(id="run-bar")
            yield KeyHint(id="run-result")
        shell = self._screen.shell
        with Pane("run-orders-pane", hint="Enter the order's life  { } run"):
            yield LiveGrid(
                run_columns(self._screen.desk, lambda: shell.privacy),
                monotonic=shell.monotonic,
                markable=False,
                hint="no order in this run: r plans it again, Esc goes back",
                follows_top=True,
                id="run-orders",
            )

    @property
    def _screen(self) -> Framed[None]:
        return cast("Framed[None]", self.screen)

    @property
    def grid(self) -> LiveGrid:
        """The orders."""
        return self.query_one(LiveGrid)

    @property
    def _run(self) -> RunView | None:
        if self.number is None:
            return None
        try:
            return self._screen.desk.runs.get(self.number)
        except BadInput:
            return None

    # Showing

    def show(self, number: int) -> None:
        """Turn to a run."""
        self.number = number
        self._plan, self._left = None, None
        self._fill()
        self.grid.to_top()
        self.paint()
        self.grid.focus()
        load = partial(self._load_plan, number)
        self.run_worker(load, exclusive=True, exit_on_error=False, group="run-plan")
        self.refresh_bindings()

    async def _load_plan(self, number: int) -> None:
        """The plan tells who was skipped and why, and with it what earlier repairs have left."""
        run, desk = self._run, self._screen.desk
        if run is None:
            return
        plan = await desk.plans.get(run.plan_number)
        intent = await desk.runs.repair_intent(number) if repairable_words(run) else None
        if self.number == number:
            self._plan, self._left = plan, left_to_repair(run, intent)
            self._fill()
            self.paint()

    def orders_changed(self, order_ids: Iterable[int]) -> None:
        """Orders changed; the next frame paints them."""
        self._dirty.update(order_ids)

    def on_frame(self) -> None:
        """Paint what moved."""
        run = self._run
        if run is None:
            return
        mine = self._dirty & set(run.order_ids)
        self._dirty.clear()
        if mine:
            self._fill()
            self.grid.apply({("order", order_id) for order_id in mine})
        if mine or run != self._shown:
            self.paint()

    def redraw(self) -> None:
        """Everything anew."""
        self._fill()
        self.grid.apply(set(self.grid.shown_keys))
        self.paint()

    def _fill(self) -> None:
        run = self._run
        if run is None:
            return
        desk = self._screen.desk
        # By client and not by number: a run begins with another client each time.
        placed: list[tuple[tuple[int, str, int], Any, int | SkippedLine]] = []
        for order in (desk.orders.get(order_id) for order_id in run.order_ids):
            place = (RANKS[order.state], desk.clients.get(order.client_id).code, order.id)
            placed.append((place, ("order", order.id), order.id))
        not_ordered = self._skipped()
        self._waiting = sum(skipped.line.ok for skipped in not_ordered)
        for count, skipped in enumerate(not_ordered):
            line = skipped.line
            key = ("skipped", line.client_id, line.product.value, skipped.leg.instrument.key)
            placed.append(((RANKS[None], line.code, count), key, skipped))
        placed.sort(key=lambda each: each[0])
        rows: dict[Any, int | SkippedLine] = {key: row for _, key, row in placed}
        in_legs = self._plan is not None and self._plan.intent.in_legs
        if in_legs != self._in_legs:
            self._in_legs = in_legs
            shell = self._screen.shell
            self.grid.set_columns(run_columns(desk, lambda: shell.privacy, in_legs))
        if rows.keys() != self._rows.keys():
            self._rows = rows
            self.grid.set_rows(rows)
        else:
            self.grid.set_order(rows)
        self.query_one("#run-orders-pane", Pane).set_title("Orders", [str(len(rows))])

    def _skipped(self) -> list[SkippedLine]:
        """What the plan left out, leg by leg, and what of its later stages is no order."""
        plan, run = self._plan, self._run
        if plan is None or run is None:
            return []
        legs = [replace(leg, number=plan.number) for leg in plan.parts]
        ordered = {(order.leg, order.client_id) for order in map(self._screen.desk.orders.get, run.order_ids)}
        goes_on = run.finished_at is None
        return [
            SkippedLine(leg, line, goes_on)
            for leg in legs
            for line in leg.lines
            if not line.ok or (leg.stage > 0 and (leg.leg, line.client_id) not in ordered)
        ]

    def paint(self) -> None:
        """Title, bar, counts, result."""
        run = self._run
        if run is None:
            return
        self._shown = run
        counts = run.counts
        state = run.status.value.upper() if run.status is RunStatus.PAUSED else run.status.value
        if run.frozen_since is not None:
            state = f"FROZEN since {market_stamp(self._screen.desk, run.frozen_since)}"
        elif run.finished_at is None and run.settled and run.status is RunStatus.RUNNING:
            state = "in doubt, being read back" if counts[RunCount.UNKNOWN] else "resting at the exchange"
        rate = counts[RunCount.SENT] / run.elapsed_s if run.elapsed_s >= 1 and not run.settled else None
        pace = f" · {rate:.1f}/s" if rate else ""
        if run.status is RunStatus.RUNNING and run.eta_s > SHORT_S:
            pace += f" · about {ceil(run.eta_s)} s left"
        when = market_stamp(self._screen.desk, run.started_at)
        orders = [self._screen.desk.orders.get(order_id) for order_id in run.order_ids]
        title = f"Run {run.number} · {plain(run_title(run, self._plan, orders))}"
        pane = self.query_one("#run-pane", Pane)
        pane.set_title(title, [state, when, f"{run.elapsed_s:.1f} s{pace}"])
        pane.set_class(run.frozen_since is not None or run.status is RunStatus.PAUSED, "-warned")
        line = counts_line(counts, self._screen.size.width - EDGES)
        self.query_one("#run-bar", SteadyStatic).update(Content.assemble(*line))
        words = result_words(run, orders, self._screen.shell.privacy, self._waiting, self._left)
        self.query_one("#run-result", SteadyStatic).update(Content(words))
        keys = tuple(
            (self.check_action(action, ()) is True, self.key_words(action)) for action in RUN_ACTIONS
        )
        if keys != self._keys:
            self._keys = keys
            self.refresh_bindings()

    # What the cursor is on

    def here(self) -> Here:
        """The order, its symbol and client under the cursor."""
        row = self._rows.get(self.grid.cursor_key)
        if row is None:
            return Here(key=self._plan.instrument.key if self._plan else None, run_number=self.number)
        if isinstance(row, int):
            order = self._screen.desk.orders.get(row)
            return Here(order.key, order.client_id, order.id, self.number)
        return Here(row.leg.instrument.key, row.line.client_id, None, self.number)

    def is_against(self, side: Side) -> bool:
        """Whether the leg under the cursor was traded on the other side, and something of it filled."""
        run, key = self._run, self.here().key
        orders = [] if run is None else [self._screen.desk.orders.get(one) for one in run.order_ids]
        return reversing_side(order for order in orders if order.key == key) is side

    def table(self) -> Table | None:
        """The run's rows as they stand."""
        rows = [self._rows[key] for key in self.grid.shown_keys if key in self._rows]
        cursor = self._rows.get(self.grid.cursor_key)
        return Table(f"run-{self.number}", tuple(self.grid.columns), tuple(rows), cursor, self._record)

    def _record(self, row: int | SkippedLine) -> Record:
        """An order, or a line that was skipped, for a file."""
        desk = self._screen.desk
        if isinstance(row, int):
            return order_record(desk, row)
        return skipped_record(desk, row.leg, row.line, row.why)

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """The order's life, or the page of a client that was skipped."""
        event.stop()
        row, shell = self._rows.get(cast(Any, event.key)), self._screen.shell
        if isinstance(row, int):
            shell.open_order(row)
        elif row is not None:
            shell.open_client(row.line.client_id)

    # Commands

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key without use on this run is absent."""
        run = self._run
        if action not in RUN_ACTIONS:
            return True
        if run is None:
            return False
        if action == "pause_run":
            alive = run.status in (RunStatus.RUNNING, RunStatus.PAUSED)
            return alive and run.finished_at is None and run.unsent > 0
        if action == "cancel_here":
            return bool(run.unsent or run.at_brokers)
        if action == "modify_marked":
            return bool(run.at_brokers)
        if action == "repair":
            ended = run.settled or run.finished_at is not None
            return bool(repairable_words(run)) and ended and self._left != 0
        return len(self._screen.desk.runs.all()) > 1

    def key_words(self, action: str) -> str | None:
        """What a key does now where that is not what the table of keys says."""
        run = self._run
        return "send the rest" if action == "pause_run" and run is not None and run.paused else None

    def action_pause_run(self) -> None:
        """Pause the run; one that is paused goes on by typed words alone."""
        run = self._run
        if run is None:
            return
        if run.paused:
            asked = ask_to_go_on(self._screen, run.number)
            self.run_worker(asked, exclusive=True, exit_on_error=False, group="go-on")
        else:
            done = told(self._screen, run.number, self._screen.desk.runs.pause(run.number), "paused")
            self._screen.carry_out(done)

    def action_cancel_here(self) -> None:
        """Stop the run; asks for typed words."""
        if (run := self._run) is not None:
            ask_to_stop(self._screen, run)

    def ask(self, what: OfRun) -> None:
        """Ask what a typed line about this run asks, or say why there is nothing to ask."""
        run = self._run
        if run is not None and what is OfRun.RESUME and run.paused:
            self.action_pause_run()
        elif run is not None and what is OfRun.STOP and (run.unsent or run.at_brokers):
            self.action_cancel_here()
        else:
            nothing = "is not paused" if what is OfRun.RESUME else "has nothing that is unsent or live"
            self._screen.shell.say(f"run {self.number} {nothing}", "warning")

    def action_modify_marked(self) -> None:
        """Change the limits of the run's live orders; asks for typed words."""
        run = self._run
        if run is not None:
            desk = self._screen.desk
            ask_modify_many(self._screen, [desk.orders.get(order_id) for order_id in run.order_ids])

    def action_repair(self) -> None:
        """A plan for what provably failed or was skipped."""
        if self.number is not None:
            self.run_worker(self._repair(self.number), exit_on_error=False)

    async def _repair(self, number: int) -> None:
        try:
            intent = await self._screen.desk.runs.repair_intent(number)
        except Exception as problem:
            self._screen.shell.say(f"repair of run {number}: {refusal_words(problem)}", "error")
            return
        if intent is None:
            self._screen.shell.say(f"run {number} has nothing left to repair")
        else:
            self.post_message(self.Repair(intent))

    def action_step(self, step: int) -> None:
        """The next or previous run."""
        numbers = sorted(run.number for run in self._screen.desk.runs.all())
        if self.number in numbers:
            self.show(numbers[(numbers.index(self.number) + step) % len(numbers)])

    def action_close(self) -> None:
        """Go back."""
        self.post_message(self.Left())
