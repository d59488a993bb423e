"""Workspace 6: the models, a client's sectors and stocks beside one, and all clients with what they trade."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input

from data.errors import TradedeskError
from data.records import replace
from data.vocabulary import Right
from engine.colon.splitting import quoted
from engine.rebalancing.asked import RebalanceOf
from engine.words.formats import MASK
from engine.words.refusals import refusal_words
from engine.words.trading.rebalancing import client_words, rules_words, stock_notes
from screens.frame.commands import bindings
from screens.frame.pane import Pane
from screens.frame.routes import WorkspaceName
from screens.frame.shell import HasRights, Here, Table
from screens.frame.workspace import Workspace
from screens.rebalance.exception_card import ExceptionCard
from screens.rebalance.pane import RebalancePane
from screens.rebalance.rows import PartRow, model_columns, part_columns, part_rows
from screens.rebalance.rules_card import RulesCard
from screens.rebalance.wish_card import WishCard
from screens.rebalance.words import NO_MODEL
from widgets.livegrid import LiveGrid
from widgets.steady import SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from engine.rebalancing.model import Model

MODELS_EVERY_S = 5.0
"""Seconds between two readings of the models, which another program may change."""


class RebalanceScreen(HasRights, Workspace):
    """How far clients are from a model, and the plan that brings them back."""

    CSS_PATH = Path(__file__).with_name("rebalance.tcss")
    AUTO_FOCUS = "#models"
    TITLE_WORDS = "Rebalance"
    rights: ClassVar[Mapping[str, Right]] = {"modify_here": Right.KEEP_LISTS}
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("order.modify", "plan.drop", "plan.again", "filter", "previous", "next", "close"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._models: dict[str, Model] = {}
        self._rows: dict[str, PartRow] = {}
        self._came_from = self.app.current_mode
        self._next_at = float("-inf")
        self._reading = self._is_up = False
        self._shown: object = None

    def compose_body(self) -> ComposeResult:
        """Models and one client's parts at the left, all clients at the right."""
        clock = self.shell.monotonic
        with Horizontal(id="rebalance"):
            with Vertical(id="model-side"):
                with Pane("models-pane", hint="Enter plans  e rules"):
                    yield LiveGrid(
                        model_columns(), monotonic=clock, markable=False, hint=NO_MODEL, id="models"
                    )
                with Pane("parts-pane", hint="e exception"):
                    yield LiveGrid(
                        part_columns(), monotonic=clock, markable=False, hint="no model", id="parts"
                    )
                    yield SteadyStatic(id="part-notes")
            yield RebalancePane()

    @property
    def _pane(self) -> RebalancePane:
        return self.query_one(RebalancePane)

    @property
    def _grid(self) -> LiveGrid:
        return self.query_one("#models", LiveGrid)

    @property
    def _parts(self) -> LiveGrid:
        return self.query_one("#parts", LiveGrid)

    @property
    def _model(self) -> Model | None:
        """The model that is looked at."""
        of = self._pane.of
        return None if of is None else self._models.get(of.model)

    # Opened

    def on_mount(self) -> None:
        """Read the models; the first is looked at."""
        self._is_up = True
        self.app.mode_change_signal.subscribe(self, self._mode_changed)
        self._read_soon()

    def _mode_changed(self, mode: str) -> None:
        if mode != WorkspaceName.REBALANCE:
            self._came_from = mode

    def _read_soon(self) -> None:
        if not self._reading:
            self._reading = True
            self.run_worker(self._read(), exit_on_error=False, group="models")

    async def _read(self) -> None:
        try:
            found = {one.name: one for one in await self.desk.models.all()}
        except TradedeskError as problem:
            self._grid.hint = refusal_words(problem)
            self._grid.refresh()
            return
        finally:
            self._reading, self._next_at = False, self.shell.monotonic() + MODELS_EVERY_S
        if self.is_running:
            self._take(found)

    def _take(self, found: dict[str, Model]) -> None:
        """These are the models; the one that is looked at stays, as its newest version."""
        before, self._models = self._models, found
        self._grid.set_rows(found)
        self._grid.apply(set(found))
        self.query_one("#models-pane", Pane).set_title(f"Models {len(found) or ''}".strip())
        of = self._pane.of
        if of is None or of.model not in found:
            first = next(iter(found), None)
            self._pane.look_at(None if first is None else RebalanceOf(first))
        elif before.get(of.model) != found[of.model]:
            self._pane.look_again()
        if of is None and found:
            self._grid.to_top()
        self._paint_parts()

    async def turn_to(self, name: str) -> None:
        """Look at all clients beside a model. Raises `BadInput` with the nearest names."""
        model = await self.desk.models.get(name)
        await self._read()
        self._grid.move_cursor(model.name)
        self._pane.look_at(RebalanceOf(model.name))
        self._grid.focus()

    async def show(self, name: str) -> None:
        """The same, with what is wrong said in a toast."""
        await self.tell_refusal(lambda: self.turn_to(name))

    async def begin(self, of: RebalanceOf) -> None:
        """Freeze the plan that a line asks for, as Enter does; what is wrong is said in a toast."""

        async def begun() -> None:
            model = await self.desk.models.get(of.model)
            await self._read()
            self._pane.freeze(replace(of, model=model.name))
            self._grid.move_cursor(model.name)

        await self.tell_refusal(begun)

    async def open_rules(self, name: str) -> None:
        """The form of a model's rules. Raises `BadInput`."""
        model = await self.desk.models.get(name)
        self.open_card(RulesCard(model), self._changed)

    # Painting

    def on_frame(self) -> None:
        """Models and clients, from time to time."""
        if self.shell.monotonic() >= self._next_at:
            self._next_at = float("inf")
            self._read_soon()
        self._pane.on_frame()
        self._paint_parts()

    def redraw(self) -> None:
        """Everything anew."""
        if self._is_up:
            self._shown = None
            self._read_soon()
            self._pane.grid.apply(set(self._pane.grid.shown_keys))
            self._pane.paint()
            self._paint_parts()

    def _paint_parts(self) -> None:
        """The sectors and stocks of the client under the cursor, or of the model alone."""
        of, made = self._pane.of, self._pane.made
        looked = self._pane.looked
        model = looked.model if looked is not None and made is not None else self._model
        told = (model, made, self.shell.privacy)
        if told == self._shown:
            return
        self._shown = told
        pane = self.query_one("#parts-pane", Pane)
        if of is None or model is None:
            pane.set_title("Targets")
            self._rows = {}
            self._parts.set_rows({})
            return
        self._rows = part_rows(model, made)
        self._parts.set_rows(self._rows)
        self._parts.apply(set(self._rows))
        notes: list[str] = []
        if made is None:
            pane.set_title("Targets", [rules_words(model.rules)])
        else:
            pane.set_title(f"{made.code} {MASK if self.shell.privacy else made.name}", [f"in {model.title}"])
            notes = [*client_words(model, made), *stock_notes(made)]
        self.query_one("#part-notes", SteadyStatic).update(Content("\n".join(map(plain, notes))))

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key without use here is absent."""
        if not self._is_up:
            return super().check_action(action, parameters)
        if action == "modify_here":
            return self._excepting is not None if self.focused is self._parts else self._model is not None
        if action == "drop_line":
            return self.focused is self._pane.grid and self._pane.made is not None
        if action == "filter_here":
            return self.focused is self._pane.grid
        if action == "send_again":
            return self._pane.insists and self.focused is self._pane.grid
        if action == "step":
            return len(self._models) > 1 and self._pane.plan is None
        if action in ("ticket", "bulk"):
            return self._pane.plan is None
        return super().check_action(action, parameters)

    def key_words(self, action: str) -> str | None:
        """What `e`, `d` and Enter are about here."""
        if not self._is_up:
            return super().key_words(action)
        if action == "modify_here":
            return "exception" if self.focused is self._parts else "rules"
        if action == "drop_line":
            return "leave out"
        if action == "open" and self.focused is self._grid:
            return "plan"
        return super().key_words(action)

    @property
    def _excepting(self) -> tuple[int, str] | None:
        """The client and the stock under both cursors."""
        made, row = self._pane.made, self._part
        return (made.client_id, row.key) if made is not None and row is not None and row.key else None

    @property
    def _part(self) -> PartRow | None:
        return self._rows.get(str(self._parts.cursor_key))

    def action_modify_here(self) -> None:
        """The rules of the model; in a client's stocks the exception of that client in that stock."""
        model, looked, excepting = self._model, self._pane.looked, self._excepting
        if model is None:
            return
        if self.focused is self._parts:
            if excepting is not None and looked is not None:
                self.open_card(ExceptionCard(looked.model, *excepting), self._changed)
        else:
            self.open_card(RulesCard(model), self._changed)

    def _changed(self, name: str | None) -> None:
        if name is None:
            return
        if self._pane.plan is not None and self._pane.of is not None:
            self._pane.freeze(self._pane.of)
        self._read_soon()

    def action_drop_line(self) -> None:
        """Leave the client under the cursor out, or take it in again."""
        self._pane.leave_out()

    def action_send_again(self) -> None:
        """Insist on what was left out as just sent, or for a typed reason on what soft limits kept out."""
        self._pane.insist()

    def action_filter_here(self) -> None:
        """Filter the clients by code, name, stock, or why not more."""
        self._pane.filter_line.open()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Rows follow the words as they are typed."""
        if event.input is self._pane.filter_line:
            self._pane.narrow()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The filter stays, the focus goes back to the rows."""
        if event.input is self._pane.filter_line:
            self._pane.filter_line.settle()
            self.set_focus(self._pane.grid)

    def action_step(self, step: int) -> None:
        """The model before or after the one that is looked at."""
        names, of = list(self._grid.shown_keys), self._pane.of
        if of is not None and of.model in names:
            name = str(names[(names.index(of.model) + step) % len(names)])
            self._grid.move_cursor(name)
            self._pane.look_at(replace(of, model=name))

    def action_close(self) -> None:
        """First the filter goes, then the plan, then back to where the trader came from."""
        line = self._pane.filter_line
        if line.value or self.focused is line:
            line.value = ""
            line.settle()
            self.set_focus(self._pane.grid)
        elif self._pane.plan is not None:
            self._pane.clear()
            self._pane.look_again()
        else:
            self.app.switch_mode(self._came_from)

    def on_live_grid_highlighted(self, event: LiveGrid.Highlighted) -> None:
        """Another model is looked at; another client's parts are shown."""
        of = self._pane.of
        if event.grid is self._grid and isinstance(event.key, str):
            if of is None or of.model != event.key:
                self._pane.look_at(RebalanceOf(event.key) if of is None else replace(of, model=event.key))
        else:
            self._paint_parts()
        self.refresh_bindings()

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """Of a model the form of its plan, of a client or a stock its page."""
        if event.grid is self._grid:
            self._ask()
        elif event.grid is self._parts:
            if (part := self._part) is not None and part.key:
                self.shell.open_symbol(part.key)
        elif isinstance(event.key, int):
            shown = [key for key in self._pane.grid.shown_keys if isinstance(key, int)]
            self.shell.open_client(event.key, shown)

    def _ask(self) -> None:
        """For whom, and what becomes of their cash."""
        of = self._pane.of
        if of is None:
            return

        def asked(of: RebalanceOf | None) -> None:
            if of is not None:
                self.shell.note(f"rebalance {quoted(of.model)}")
                self._pane.freeze(of)

        self.open_card(WishCard(of, self._pane.marked), asked)

    # What the cursor is on

    def here(self) -> Here:
        """The client and stock under the cursors, and those that are marked."""
        if not self._is_up:
            return Here()
        made, part = self._pane.made, self._part
        stock = part.key if part is not None and self.focused is self._parts else ""
        return Here(
            key=stock or None,
            client_id=None if made is None else made.client_id,
            client_ids=self._pane.marked,
        )

    def table_of(self, grid: LiveGrid) -> Table | None:
        """Models, a client's parts, or clients as they are shown."""
        if grid is self._pane.grid:
            return self._pane.as_table
        name, rows = ("models", self._models) if grid is self._grid else ("targets", self._rows)
        shown = tuple(rows[str(key)] for key in grid.shown_keys)
        return Table(name, tuple(grid.columns), shown, rows.get(str(grid.cursor_key)))
