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

from data.vocabulary import RunCount, RunStatus
from engine.words.refusals import refusal_words
from engine.words.trading.runs import cancelled_words, prospect_lines
from screens.bulk.run_stop import StopCard
from screens.bulk.run_words import ALWAYS, BAR, RANKS, bar, repairable_words, result_words, run_title
from screens.frame.cards.confirm import WordsCard
from screens.frame.commands import bindings
from screens.frame.pane import Pane
from screens.frame.records import Record, order_record, skipped_record
from screens.frame.shell import Here, Table
from screens.frame.times import market_stamp
from screens.orders.modify_many import ask_modify_many
from screens.orders.rows import run_columns
from widgets.livegrid import LiveGrid
from widgets.steady import SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from engine.book.views import OrderView
    from engine.execution.views import RunView
    from engine.planning.intent import Intent
    from engine.planning.plan import Plan, PlanLine
    from screens.frame.workspace import Framed

SHORT_S = 2
"""A run that has sent everything within so many seconds is not worth a forecast."""


CANCEL_PATIENCE_S = 10.0
"""Seconds after which what became of a run's cancels is told; the run shows what comes later."""

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
        self._rows: dict[Any, int | PlanLine] = {}
        self._dirty: set[int] = set()
        self._shown: RunView | None = None
        self._keys: tuple[tuple[bool, str | None], ...] = ()

    def compose(self) -> ComposeResult:
        """Title, bar and counts, the result, the orders."""
        with Pane("run-pane"):
            yield SteadyStatic(id="run-bar")
            yield SteadyStatic(id="run-result")
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
        except KeyError:
            return None

    # Showing

    def show(self, number: int) -> None:
        """Turn to a run."""
        self.number = number
        self._plan = None
        self._fill()
        self.grid.to_top()
        self.paint()
        self.grid.focus()
        load = partial(self._load_plan, number)
        self.run_worker(load, exclusive=True, exit_on_error=False, group="run-plan")
        self.refresh_bindings()

    async def _load_plan(self, number: int) -> None:
        """The plan tells who was skipped and why."""
        run = self._run
        if run is None:
            return
        plan = await self._screen.desk.plans.get(run.plan_number)
        if self.number == number:
            self._plan = plan
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
        placed: list[tuple[tuple[int, str, int], Any, int | PlanLine]] = []
        for order in (desk.orders.get(order_id) for order_id in run.order_ids):
            place = (RANKS[order.state], desk.clients.get(order.client_id).code, order.id)
            placed.append((place, ("order", order.id), order.id))
        for count, line in enumerate(self._plan.skipped_lines if self._plan else ()):
            key = ("skipped", line.client_id, line.product.value)
            placed.append(((RANKS[None], line.code, count), key, line))
        placed.sort(key=lambda each: each[0])
        rows: dict[Any, int | PlanLine] = {key: row for _, key, row in placed}
        if rows.keys() != self._rows.keys():
            self._rows = rows
            self.grid.set_rows(rows)
        else:
            self.grid.set_order(rows)
        self.query_one("#run-orders-pane", Pane).set_title("Orders", [str(len(rows))])

    def paint(self) -> None:
        """Title, bar, counts, result."""
        run = self._run
        if run is None:
            return
        self._shown = run
        counts, brief = run.counts, self._screen.size.width < 110
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
        title = f"Run {run.number} · {plain(run_title(run, self._plan))}"
        pane = self.query_one("#run-pane", Pane)
        pane.set_title(title, [state, when, f"{run.elapsed_s:.1f} s{pace}"])
        pane.set_class(run.frozen_since is not None or run.status is RunStatus.PAUSED, "-warned")
        others = [word for word, _, _ in BAR if counts[word] and word not in ALWAYS]
        words = " ".join(f"{word.words} {counts[word]}" for word in (*ALWAYS, *others))
        self.query_one("#run-bar", SteadyStatic).update(
            Content.assemble(*bar(counts, 20 if brief else 40), f"  {words}")
        )
        self.query_one("#run-result", SteadyStatic).update(Content(self._result(run)))
        keys = tuple(
            (self.check_action(action, ()) is True, self.key_words(action)) for action in RUN_ACTIONS
        )
        if keys != self._keys:
            self._keys = keys
            self.refresh_bindings()

    def _result(self, run: RunView) -> str:
        orders = [self._screen.desk.orders.get(order_id) for order_id in run.order_ids]
        return result_words(run, orders, self._screen.shell.privacy)

    # What the cursor is on

    @property
    def _here(self) -> OrderView | PlanLine | None:
        row = self._rows.get(self.grid.cursor_key)
        return self._screen.desk.orders.get(row) if isinstance(row, int) else row

    def here(self) -> Here:
        """The order and client under the cursor."""
        row = self._here
        key = self._plan.instrument.key if self._plan else None
        if row is None:
            return Here(key=key, run_number=self.number)
        cursor = self._rows.get(self.grid.cursor_key)
        order_id = cursor if isinstance(cursor, int) else None
        return Here(key, row.client_id, order_id, self.number)

    def table(self) -> Table | None:
        """The run's rows as they stand."""
        rows = [self._rows[key] for key in self.grid.shown_keys if key in self._rows]
        cursor = self._rows.get(self.grid.cursor_key)
        return Table(f"run-{self.number}", tuple(self.grid.columns), tuple(rows), cursor, self._record)

    def _record(self, row: int | PlanLine) -> Record:
        """An order, or a line that was skipped, for a file."""
        desk = self._screen.desk
        if isinstance(row, int):
            return order_record(desk, row)
        return skipped_record(desk, self._plan, row) if self._plan else {}

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """The order's life, or the page of a client that was skipped."""
        event.stop()
        row, shell = self._rows.get(cast(Any, event.key)), self._screen.shell
        if isinstance(row, int):
            shell.open_order(row)
        elif row is not None:
            shell.open_client(row.client_id)

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
            return bool(repairable_words(run)) and (run.settled or run.finished_at is not None)
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
            self.run_worker(
                self._ask_to_go_on(run.number), exclusive=True, exit_on_error=False, group="go-on"
            )
        else:
            self._do(self._screen.desk.runs.pause(run.number), "paused")

    async def _ask_to_go_on(self, number: int) -> None:
        """Show what going on would do now, and do it once the words were typed."""
        shell, runs = self._screen.shell, self._screen.desk.runs
        try:
            found = await runs.prospect(number)
        except Exception as problem:
            shell.say(f"run {number}: {refusal_words(problem)}", "error")
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._do(runs.go_on(number, found.unsent), "goes on")

        lines = prospect_lines(found, shell.privacy)
        self._screen.open_card(WordsCard(f"GO ON with run {number}", lines, found.answer), answered)

    def action_cancel_here(self) -> None:
        """Stop the run; asks for typed words."""
        run = self._run
        if run is None:
            return
        question = StopCard(run)

        def answered(yes: bool | None) -> None:
            if yes and question.live:
                self._screen.carry_out(self._cancel(run.number))
            elif yes:
                self._do(self._screen.desk.runs.stop(run.number, live=False), "stopped")

        self._screen.open_card(question, answered)

    def action_modify_marked(self) -> None:
        """Change the limits of the run's live orders; asks for typed words."""
        run = self._run
        if run is not None:
            desk = self._screen.desk
            ask_modify_many(self._screen, [desk.orders.get(order_id) for order_id in run.order_ids])

    async def _cancel(self, number: int) -> None:
        shell = self._screen.shell
        try:
            told = await self._screen.desk.runs.cancel(number, CANCEL_PATIENCE_S)
        except Exception as problem:
            shell.say(f"run {number}: {refusal_words(problem)}", "error")
        else:
            failed = any(not one.cancelled for one in told)
            shell.say(f"run {number}: {cancelled_words(told)}", "warning" if failed else "information")

    def _do(self, work: Awaitable[Any], word: str) -> None:
        number = self.number

        async def carry_out() -> None:
            try:
                await work
            except Exception as problem:
                self._screen.shell.say(f"run {number}: {refusal_words(problem)}", "error")
            else:
                self._screen.shell.say(f"run {number} {word}")
            self.paint()
            self.refresh_bindings()

        self._screen.carry_out(carry_out())

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
            self._screen.shell.say(f"run {number} has nothing that provably failed or was skipped")
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
