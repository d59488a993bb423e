"""Beside the fields of a bulk form: what each client would trade or why not, and the symbol's runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from data.vocabulary import RunCount
from engine.words import formats
from engine.words.formats import MASK
from engine.words.gate import READY, gate_brief
from engine.words.trading.plans import problem
from engine.words.trading.reasons import reason_word
from screens.desk.rows import symbol_of
from screens.frame.pane import Pane
from screens.frame.times import market_when
from widgets.columns import LINE_CELLS
from widgets.livegrid import Column, LiveGrid

if TYPE_CHECKING:
    from engine.book.views import ClientView
    from engine.execution.views import RunView
    from engine.planning.plan import Plan, PlanLine
    from screens.frame.shell import Shell

EVERY_S = 1.0
"""Seconds between two looks at whom the form is for, and at the runs."""

NAME_CELLS = 13
"""Cells at which a client's name stops growing: what is left is the reason's."""

NOBODY = "nobody: choose other clients"


class FormClients(Pane):
    """The clients chosen in the form, first who would be skipped: money, shares, what each would trade."""

    def __init__(self, shell: Shell) -> None:
        super().__init__("form-clients")
        self._shell = shell
        self._held: Counter[int] = Counter()
        self._live: Counter[int] = Counter()
        self._quantity: Counter[int] = Counter()
        self._skipped: dict[int, PlanLine] = {}
        self._looked_at = float("-inf")
        self._of: tuple[str | None, tuple[int, ...]] = (None, ())
        self._plan: Plan | None = None

    def compose(self) -> ComposeResult:
        """A row a client."""
        yield LiveGrid(
            self._columns(),
            monotonic=self._shell.monotonic,
            markable=False,
            follows_top=True,
            id="form-clients-grid",
        )

    def on_mount(self) -> None:
        """Tab goes on in the fields; these rows are for the eye and the mouse."""
        self.query_one(LiveGrid).can_focus = False

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """The client's page, by the mouse."""
        event.stop()
        if isinstance(event.key, int):
            self._shell.open_client(event.key)

    def _columns(self) -> list[Column]:
        desk = self._shell.desk

        def name(client: int) -> str:
            return MASK if self._shell.privacy else desk.clients.get(client).name

        def cash(client: int) -> str:
            return MASK if self._shell.privacy else formats.rupees(desk.funds.of(client).available_paise)

        def counted(title: str, of: Mapping[int, int], width: int) -> Column:
            return Column(
                title, title, width, lambda one: formats.quantity(of[one]) if of[one] else "", "right"
            )

        return [
            Column("code", "code", 6, lambda client: desk.clients.get(client).code),
            Column("name", "client", 10, name, flex=True, most=NAME_CELLS),
            Column("cash", "available", 9, cash, "right"),
            counted("holds", self._held, 6),
            counted("live", self._live, 4),
            counted("qty", self._quantity, 6),
            # A blank of its own, since figures end where the words begin.
            Column(
                "why",
                " why not",
                16,
                lambda one: f" {self._why(one)}",
                style=lambda _: "warn",
                flex=True,
                most=LINE_CELLS,
            ),
        ]

    def _why(self, client: int) -> str:
        """Why it would be skipped; before there is a plan, what keeps it from trading at all."""
        line = self._skipped.get(client)
        if line is not None and line.reason is not None:
            # What is short is an amount.
            return reason_word(line.reason, True) if self._shell.privacy else problem(line)
        words = gate_brief(self._shell.desk.reconcile.readiness(client))
        return "" if words == READY else words

    def on_frame(self, key: str | None, clients: Sequence[ClientView], plan: Plan | None) -> None:
        """Show these clients with what `plan` has for them, once a second or when that is another."""
        if not self.display or not self.size:
            return
        of, now = (key, tuple(client.id for client in clients)), self._shell.monotonic()
        if plan is self._plan and of == self._of and now - self._looked_at < EVERY_S:
            return
        self._plan, self._of, self._looked_at = plan, of, now
        self._count(key, plan)
        places = {line.client_id: place for place, line in enumerate(plan.lines)} if plan is not None else {}
        ids = sorted(of[1], key=lambda client: places.get(client, len(places)))
        grid = self.query_one(LiveGrid)
        grid.hint = NOBODY
        if grid.shown_keys != tuple(ids):
            grid.set_rows({client: client for client in ids})
        grid.apply(set(ids))
        cash = sum(self._shell.desk.funds.of(client).available_paise for client in ids)
        held = sum(self._held[client] for client in ids)
        self.set_title(
            f"For {formats.counted(len(clients), 'client')}",
            [
                f"available {MASK if self._shell.privacy else formats.rupees(cash)}",
                f"hold {formats.quantity(held)} sh" if held else "",
            ],
        )

    def _count(self, key: str | None, plan: Plan | None) -> None:
        """What each client has of the symbol, what of it lives, and what the plan has for it."""
        desk = self._shell.desk
        for counts in (self._held, self._live, self._quantity):
            counts.clear()
        self._skipped.clear()
        if key is not None:
            for holding in desk.holdings.all():
                if holding.key == key:
                    self._held[holding.client_id] += holding.quantity
            self._live.update(order.client_id for order in desk.orders.all(live=True, key=key))
        for line in plan.lines if plan is not None else ():
            if line.ok:
                self._quantity[line.client_id] += line.quantity
            else:
                self._skipped.setdefault(line.client_id, line)


class SymbolRuns(Pane):
    """The day's runs of the symbol, or all before one is chosen, the newest first, and how they went."""

    def __init__(self, shell: Shell) -> None:
        super().__init__("form-runs", hint="Enter opens")
        self._shell = shell
        self._key: str | None = None
        self._changed = True
        self._looked_at = float("-inf")
        self._runs: dict[int, RunView] = {}

    def compose(self) -> ComposeResult:
        """A row a run."""
        yield LiveGrid(
            self._columns(),
            monotonic=self._shell.monotonic,
            markable=False,
            hint="none today",
            id="form-runs-grid",
        )

    def on_mount(self) -> None:
        """Tab goes on in the fields; these rows are for the eye and the mouse."""
        self.query_one(LiveGrid).can_focus = False

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """The run, by the mouse."""
        event.stop()
        if isinstance(event.key, int):
            self._shell.open_run(event.key)

    def _columns(self) -> list[Column]:
        def begun(run: int) -> str:
            return market_when(self._shell.desk, self._runs[run].started_at)

        def what(run: int) -> str:
            return self._runs[run].title.replace(f" {symbol_of(self._key or '')} ", " ", 1)

        def filled(run: int) -> str:
            counts = self._runs[run].counts
            return f"{counts[RunCount.FILLED]}/{counts[RunCount.TOTAL]}"

        return [
            Column("at", "time", 8, begun),
            Column("run", "run", 4, str, "right", priority=1),
            Column("what", "what", 16, what, flex=True, most=LINE_CELLS),
            Column("filled", "filled", 7, filled, "right"),
            Column("state", "state", 8, lambda run: self._runs[run].word, style=lambda _: "dim"),
        ]

    def heard(self) -> None:
        """Orders or runs have changed."""
        self._changed = True

    def on_frame(self, key: str | None) -> None:
        """Show the runs of this symbol, once a second where they changed; nothing while unseen."""
        if not self.display or not self.size:
            return
        due = self._changed and self._shell.monotonic() - self._looked_at >= EVERY_S
        if key == self._key and not due:
            return
        self._key, self._changed, self._looked_at = key, False, self._shell.monotonic()
        desk = self._shell.desk
        runs = desk.runs.of_today()
        if key:
            numbers = {order.run_number for order in desk.orders.all(key=key, today=True)}
            runs = [run for run in runs if run.number in numbers]
        self._runs.clear()
        self._runs.update((run.number, run) for run in runs)
        grid = self.query_one(LiveGrid)
        grid.set_rows({number: number for number in self._runs})
        self.set_title(f"Runs of {symbol_of(key)}" if key else "Runs", [str(len(runs) or "")])
