"""The guards that are set: of whom, its bar, how it stands and why, and the key that answers it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from data.vocabulary import GuardState
from engine.events import GuardsChanged, GuardsLooked
from engine.guards.asked import GuardWish
from engine.words.firm.leases import alone_words
from engine.words.trading.guards import BESIDE_DAY, asking_words, bar_words, made_of_words
from screens.frame.commands import bindings
from screens.frame.dock import Card
from screens.frame.shell import Here
from screens.guards.guard_card import GuardCard, ask_arm, ask_off
from widgets.columns import LINE_CELLS
from widgets.livegrid import Column, LiveGrid
from widgets.steady import SteadyStatic

if TYPE_CHECKING:
    from engine.book.watched.guard_views import GuardView

ROWS = 10
"""Lines of the panel; more scroll."""

KEYS = "Enter change or see its flatten  r arm again  F7 flatten  Delete take away  Esc back"
KEYS_OF_NONE = ":guard CODE mis loss 2%  sets one  Esc back"

STYLES = {
    GuardState.ARMED: None,
    GuardState.NEAR: "warn",
    GuardState.WAITING: "warn",
    GuardState.TRIPPED: "down",
    GuardState.FLAT: "down",
    GuardState.LOCKED: "down",
}
"""How a guard's bar is painted; the words beside it say the same."""


class GuardsCard(Card[None]):
    """A line a guard, what needs the trader first."""

    TITLE_WORDS = "Guards"
    HEARS = (GuardsLooked, GuardsChanged)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("run.repair", "watch.remove", "flatten", "needs_me")]

    def __init__(self) -> None:
        super().__init__()
        self.rows = ROWS
        self._views: dict[int, GuardView] = {}

    def compose(self) -> ComposeResult:
        """A line a guard."""
        yield LiveGrid(
            [
                Column("of", "of", 8, lambda one: one.of),
                Column("set", "set", 5, lambda one: one.what.value),
                Column("bar", "net / limit", 16, self._bar, "right", style=_style),
                Column("does", "does", 5, lambda one: one.action.value),
                Column("state", "state", 28, asking_words, style=_style, flex=True, most=LINE_CELLS),
                Column("made", "made of", 34, self._made, style=lambda _: "dim", flex=True, priority=1),
            ],
            monotonic=self.shell.monotonic,
            markable=False,
            hint="no guard is set",
            id="guards",
        )
        yield SteadyStatic(id="guard-told")
        yield SteadyStatic(id="guard-beside")
        yield SteadyStatic(classes="keys -always", id="guard-keys")

    def _bar(self, view: GuardView) -> str:
        return bar_words(view, self.shell.privacy)

    def _made(self, view: GuardView) -> str:
        return made_of_words(view, self.shell.privacy)

    def title(self) -> str:
        """How many are set, and how many need the trader; whom they count, where other desks have clients."""
        views = self.desk.guards.all()
        asking = sum(view.asks for view in views)
        need = f" · {asking} need{'s' if asking == 1 else ''} you" if asking else ""
        return f"GUARDS · {len(views)}{need}{alone_words('they count', self.desk.leases.elsewhere())}"

    def begin(self) -> None:
        """In the rows."""
        self.refill()
        self.query_one(LiveGrid).focus()

    def refill(self) -> None:
        """The guards as they stand."""
        self._views = {view.number: view for view in self.desk.guards.all()}
        self.query_one(LiveGrid).set_rows(self._views)
        self.query_one("#guard-beside", SteadyStatic).update(BESIDE_DAY if self._views else "")
        self.query_one("#guard-keys", SteadyStatic).update(KEYS if self._views else KEYS_OF_NONE)
        self._tell()

    def on_live_grid_highlighted(self, _: LiveGrid.Highlighted) -> None:
        """Tell the guard that the cursor came to."""
        self._tell()

    def _tell(self) -> None:
        """The guard under the cursor in full: of a long row the end is cut off."""
        view = self._view
        words = "" if view is None else f"{asking_words(view)} · {self._made(view)}"
        self.query_one("#guard-told", SteadyStatic).update(words)

    @property
    def _view(self) -> GuardView | None:
        key = self.query_one(LiveGrid).cursor_key if self.is_mounted else None
        return self._views.get(key) if isinstance(key, int) else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a guard there is nothing to take away."""
        if action in ("remove_here", "repair") and self.is_mounted:
            view = self._view
            return view is not None and (action == "remove_here" or view.trip is not None)
        return True

    def here(self) -> Here:
        """The client of the guard under the cursor."""
        view = self._view
        return Here(client_id=None if view is None else view.client_id)

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """What it took flat, or its terms."""
        event.stop()
        view = self._view
        if view is None:
            return
        screen, trip = self.host, view.trip
        self.close()
        if trip is not None and trip.flatten_number is not None:
            self.shell.open_flatten(number=trip.flatten_number)
        else:
            screen.open_card(GuardCard(GuardWish(view.scope, view.value, view.what)))

    def action_repair(self) -> None:
        """Ask for the words that arm the guard under the cursor again."""
        view, screen = self._view, self.host
        if view is not None:
            self.close()
            ask_arm(screen, view)

    def action_remove_here(self) -> None:
        """Ask before the guard under the cursor is taken away."""
        view, screen = self._view, self.host
        if view is not None:
            self.close()
            ask_off(screen, view)


def _style(view: GuardView) -> str | None:
    return STYLES[view.state]
