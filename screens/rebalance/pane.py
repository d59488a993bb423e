"""Clients beside one model: their drift, what would bring them back, and a plan of it up to its answer."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content

from data.records import replace
from engine.planning.by_client import clients_of
from engine.planning.titles import ALL
from engine.rebalancing.asked import RebalanceOf
from engine.rebalancing.service import intent_of
from engine.words.refusals import refusal_words
from screens.bulk.plan_gate import PlanGate
from screens.bulk.plan_lines import LinesGrid
from screens.frame.pane import FilterLine
from screens.frame.shell import Table
from screens.frame.times import market_time
from screens.frame.whose import who_words
from screens.rebalance.rows import DriftRow, client_columns, client_rows, is_meant, rebalance_record
from screens.rebalance.words import MODEL_FILE, NO_MODEL, plan_line, rules_line, sum_line, title_figures
from widgets.answerfield import AnswerField
from widgets.keyline import KeyHint
from widgets.steady import SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from engine.planning.intent import Intent
    from engine.planning.plan import Plan
    from engine.rebalancing.proposal import Proposal
    from engine.rebalancing.service import Rebalance

OWNER = "rebalance-screen"
"""Under this name the prices of the model's stocks are followed."""

EVERY_S = 5.0
"""Seconds between two looks at the clients; more where a look takes long."""

TIMES = 20
"""How many times as long as a look took the next one is waited for."""


class ClientsGrid(LinesGrid):
    """The clients. While a plan waits the letters of its answer are the answer's."""

    answering = False


class RebalancePane(PlanGate):
    """Rules, clients, what it comes to, and the answer. Nothing is sent before the answer a plan asks for."""

    def __init__(self) -> None:
        super().__init__("rebalance-pane", hint="Enter opens  f filter  space marks  d leaves out")
        self.looked: Rebalance | None = None
        self._rows: dict[int, DriftRow] = {}
        self._of: RebalanceOf | None = None
        self._out: set[int] = set()
        """Clients left out by hand."""
        self._override = ""
        """Why what soft limits keep out may go, in plans of this look."""
        self._sent_again = False
        self._trouble = ""
        self._next_at = float("inf")
        self._looking = self._again = False

    def compose(self) -> ComposeResult:
        """From the top."""
        clock = self.shell.monotonic
        yield SteadyStatic(id="rebalance-rules")
        yield ClientsGrid(
            client_columns(lambda: self.shell.privacy),
            monotonic=clock,
            hint=NO_MODEL,
            follows_top=True,
            id="drifts",
        )
        yield FilterLine("drifts-filter", "code, name, broker:, stock, why")
        yield KeyHint(id="rebalance-sum")
        with Horizontal(id="answer-row"):
            yield AnswerField("", monotonic=clock, id="answer")

    @property
    def grid(self) -> ClientsGrid:
        """The clients."""
        return self.query_one(ClientsGrid)

    @property
    def filter_line(self) -> FilterLine:
        """The words that rows must have."""
        return self.query_one(FilterLine)

    def narrow(self) -> None:
        """Show the clients whose rows have all words of the filter; a plan is of all all the same."""
        words = self.filter_line.value.casefold().split()
        order: list[int] = [*self._rows]
        if self.plan is not None:  # what the plan keeps back stands first
            order.sort(key=lambda key: _has_no_problem(self._rows[key]))
        self.grid.set_order(key for key in order if is_meant(self._rows[key], self._who(key), words))
        self.paint()

    def _who(self, client_id: int) -> str:
        return who_words(self.shell.desk.clients.get(client_id))

    @property
    def of(self) -> RebalanceOf | None:
        """Which model is looked at, for whom; None without a model."""
        return self._of

    @property
    def made(self) -> Proposal | None:
        """What the cursor is on."""
        key = self.grid.cursor_key
        row = self._rows.get(key) if isinstance(key, int) else None
        return None if row is None else row.made

    @property
    def as_table(self) -> Table:
        """The clients as they are shown."""
        grid = self.grid
        shown = tuple(self._rows[key] for key in grid.shown_keys if isinstance(key, int))
        key = grid.cursor_key
        row = self._rows.get(key) if isinstance(key, int) else None
        return Table("rebalance", tuple(grid.columns), shown, row, rebalance_record)

    @property
    def marked(self) -> tuple[int, ...]:
        """The marked clients, as they stand."""
        marked = self.grid.marked_keys
        return tuple(key for key in self.grid.shown_keys if key in marked and isinstance(key, int))

    # Looking

    def look_at(self, of: RebalanceOf | None) -> None:
        """Look at clients beside a model; what was planned or left out before is forgotten."""
        self._of, self._trouble = of, ""
        self._out.clear()
        self.clear()
        if of is None:
            self.looked = None
            self._next_at = float("inf")
            self._fill()
        else:
            self.look_again()

    def look_again(self) -> None:
        """Look at the same clients as they are now, one look at a time."""
        self._again = True
        if not self._looking:
            self._looking = True
            self.run_worker(self._look_on(), exit_on_error=False, group="rebalance-look")

    async def _look_on(self) -> None:
        began = self.shell.monotonic()
        try:
            while self._again and self._of is not None:
                self._again = False
                await self._look_once(self._of)
        finally:
            now = self.shell.monotonic()
            self._looking, self._next_at = False, now + max(EVERY_S, TIMES * (now - began))

    async def _look_once(self, of: RebalanceOf) -> None:
        """Show what a look of now finds, unless something else is looked at by then."""
        try:
            looked = await self._looked(of)
        except Exception as problem:
            if of == self._of:
                self._trouble = refusal_words(problem) or f"{type(problem).__name__}: {problem}"
                self.paint()
            return
        if of == self._of and self.plan is None:
            self._show(looked)

    async def _looked(self, of: RebalanceOf) -> Rebalance:
        """What brings the clients to the model now. Raises `BadInput` for a model that is none."""
        model = await self.desk.models.get(of.model)
        ids = [client.id for client in self.desk.plans.select(of.selection)]
        return await self.desk.rebalancing.look(ids, model, of.wish)

    def _show(self, looked: Rebalance) -> None:
        """These proposals, in their order."""
        targets = looked.model.targets
        if self.looked is None or self.looked.model.targets != targets:
            self._screen.follow([target.key for target in targets], OWNER)
        self.looked, self._trouble = looked, ""
        self._fill()

    def _fill(self) -> None:
        """The rows anew; the cursor stays where it is."""
        looked, plan = self.looked, self.plan
        self.grid.answering = plan is not None
        proposals = () if looked is None else looked.proposals
        shown = plan or (looked and looked.preview)
        planned = {} if shown is None else {one.client_id: one for one in clients_of(shown)}
        rows = self._rows = client_rows(proposals, shown, planned, self._out)
        self.grid.set_rows(rows, ())
        self.narrow()
        self.grid.apply(set(rows))
        self._screen.refresh_bindings()

    # From the look to a plan

    def freeze(self, of: RebalanceOf) -> None:
        """Look anew, freeze the plan of it, and ask for its answer."""
        if self._busy:
            return
        if self._of is not None and self._of.model != of.model:
            self._out.clear()
        self._of, self._remakes = of, 0
        self.work(partial(self._frozen, of, ""))

    async def _frozen(self, of: RebalanceOf, why: str) -> None:
        """A plan of what a look of now finds; `why` says why it replaces the last."""
        looked = await self._looked(of)
        intent = self._intent(looked)
        if intent is None:
            self.clear()
            self._show(looked)
            self.shell.say(f"{looked.model.title}: nothing to trade")
            return
        plan = await self.desk.plans.freeze(intent)
        if self._of != of:  # another model was clicked meanwhile
            return
        old, self.plan = self.plan, plan
        self._answer.clear()
        self._show(looked)
        if why:
            self.shell.say(f"plan {plan.number} replaces {old.number if old else '—'}, {why}: {plan.answer}")
        else:
            self.grid.to_top()
            (self._answer if plan.orders else self.grid).focus()
        self._screen.refresh_bindings()

    def _intent(self, looked: Rebalance) -> Intent | None:
        """One intent for all who are not left out."""
        made = intent_of(looked.model, [one for one in looked.proposals if one.client_id not in self._out])
        return made and replace(made, override=self._override, again=self._sent_again)

    def change(self, why: str, *, override: str = "", again: bool = False) -> None:
        """What clients need now, planned by the trader's word."""
        if self._of is not None:
            self._override, self._sent_again = override or self._override, again or self._sent_again
            self._remakes = 0
            self.work(partial(self._frozen, self._of, why))

    def clear(self) -> None:
        """No plan: the clients as they stand."""
        self.plan, self._override, self._sent_again = None, "", False
        self._answer.clear()
        if self.is_mounted and self._screen.focused in self._answer.children:
            self._screen.set_focus(self.grid)
        self._fill()

    def leave_out(self) -> None:
        """Leave the client under the cursor out of what is planned, or take it in again."""
        made = self.made
        if made is None:
            return
        self._out ^= {made.client_id}
        if self.plan is not None and self._of is not None:
            self._remakes = 0
            self.work(partial(self._frozen, self._of, f"{made.code} changed"))
        else:
            self._fill()

    async def make_anew(self, plan: Plan, why: str) -> None:
        """What clients need at the prices of now."""
        assert self._of is not None
        await self._frozen(self._of, why)

    def show_sent(self, number: int) -> None:
        """The run in its own workspace; the clients are looked at anew."""
        self.clear()
        self._next_at = float("-inf")
        self.shell.open_run(number)

    # Painting

    def on_frame(self) -> None:
        """Look again in a while; a plan too old or too far from its prices is made anew."""
        self.desk.market.take_dirty(OWNER)
        if self.plan is None:
            if self._of is not None and self.shell.monotonic() >= self._next_at:
                self._next_at = float("inf")
                self.look_again()
            return
        self._paint_head()
        self.paint_answer()
        self.look_at_age()

    def paint(self) -> None:
        """The lines around the clients."""
        if not self.is_mounted:
            return
        looked, of = self.looked, self._of
        below = ""
        if looked is None or of is None:
            self.set_title("Rebalance", ["no model" if of is None else "looking …"])
        else:
            shown, words = len(self.grid.shown_keys), self.filter_line.value.strip()
            narrowed = (f"filter {words}: {shown} of {len(self._rows)}",) if words else ()
            self.set_title(looked.model.title, (*narrowed, *title_figures(looked)))
            below = self._trouble or sum_line(looked, len(self._out))
        self._paint_head()
        self.query_one("#rebalance-sum", SteadyStatic).update(Content(f" {plain(below)}"))
        self._screen.set_class(self.plan is not None, "-planned")
        self.paint_answer()

    def _paint_head(self) -> None:
        """The line above the clients: what they are looked at by, or the plan at the prices of now."""
        looked, plan, of = self.looked, self.plan, self._of
        brief = self.size.width < BRIEF
        if looked is None or of is None:
            words = self._trouble or (MODEL_FILE if of is None else "reading the clients …")
            head = Content(plain(words))
        else:
            whose = f"clients {of.selection.title or ALL}"
            line = rules_line(looked, whose, market_time(self.desk, looked.made_at), brief)
            head = (
                Content(plain(line))
                if plan is None
                else plan_line(self.desk, plan, whose, looked.wish, brief)
            )
        self.query_one("#rebalance-rules", SteadyStatic).update(head)


BRIEF = 100
"""Columns below which the line of rules begins with what is of this look."""


def _has_no_problem(row: DriftRow) -> bool:
    return row.planned is None or row.planned.problem is None
