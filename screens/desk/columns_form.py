"""The form that chooses the columns of the watchlist, which shows them above as they are typed."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input

from data.errors import BadInput
from data.vocabulary import WatchColumn
from engine.market.lists.watch_columns import ALL, columns_from, words_of
from screens.frame.dock import Card
from widgets.keyline import KeyHint
from widgets.steady import SteadyInput, SteadyStatic
from widgets.text import plain


class ColumnsCard(Card[None]):
    """Columns by their words, in the order they are to have. Enter keeps them, Esc goes back to before."""

    TITLE_WORDS = "Columns of the watchlist"

    def __init__(
        self,
        columns: tuple[WatchColumn, ...],
        shown: Callable[[tuple[WatchColumn, ...] | None], None],
    ) -> None:
        """`shown` is told what is typed as far as it can be shown, and None when the form has closed."""
        super().__init__()
        self._before = columns or ALL
        self._shown = shown

    def compose(self) -> ComposeResult:
        """The line, what is wrong with it, and the words there are."""
        with Horizontal(classes="row"):
            yield SteadyStatic("columns")
            yield SteadyInput(words_of(self._before), compact=True, select_on_focus=False, id="columns")
        yield SteadyStatic(id="columns-problem")
        yield SteadyStatic(f"there are {words_of(ALL)}", classes="keys -always")
        yield KeyHint(
            "where space is short the last leaves first  Enter keeps  empty: as set", classes="keys -always"
        )

    def title(self) -> str:
        """What it is."""
        return "COLUMNS OF THE WATCHLIST"

    def begin(self) -> None:
        """At the end of the words."""
        line = self.query_one("#columns", Input)
        line.cursor_position = len(line.value)
        line.focus()

    def on_unmount(self) -> None:
        """Show what is kept."""
        self._shown(None)

    def _say(self, problem: str = "") -> None:
        self.query_one("#columns-problem", SteadyStatic).update(Content(plain(problem)))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what is typed, as far as it is known."""
        event.stop()
        try:
            columns = columns_from(event.value)
        except BadInput as problem:
            self._say(f"{problem.value} · {problem.expected}")
        else:
            self._say()
            self._shown(columns)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep them."""
        event.stop()
        try:
            columns = columns_from(event.value)
        except BadInput as problem:
            self._say(f"{problem.value} · {problem.expected}")
            return
        self.carry_out(self.before_further_keys(self._keep(columns)))

    async def _keep(self, columns: tuple[WatchColumn, ...]) -> None:
        await self.desk.watchlists.choose_columns(() if columns == ALL else columns)
        self.close()
