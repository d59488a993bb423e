"""A page of figures: what is told in words above, a line for each below; what risk, costs and flows share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from msgspec import Struct
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content

from engine.words.formats import DASH, MASK
from engine.words.refusals import refusal_words
from screens.frame.commands import bindings
from screens.frame.pane import Pane
from screens.frame.shell import Here, Table
from screens.frame.workspace import Workspace
from widgets.livegrid import Column, LiveGrid
from widgets.steady import SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from screens.frame.records import Record


class PageFigures(Struct, frozen=True):
    """What a page shows: titles of both panes with their figures, lines above, rows below.

    A row has the same key in each reading, so that the cursor stays on it.
    """

    above: str
    below: str
    lines: list[str]
    rows: Mapping[Any, Any]
    figures: list[str] = []


class FiguresScreen(Workspace):
    """Read at once and again every so often; Enter opens the client under the cursor."""

    CSS_PATH = Path(__file__).with_name("figures.tcss")
    AUTO_FOCUS = "#figures"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("close")]
    FILE_NAME: ClassVar[str] = "figures"
    NOTHING: ClassVar[str] = ""
    """What is said where there is no row."""
    EVERY_S: ClassVar[float] = 30.0
    """Seconds between two readings; a reading of a thousand clients takes a second beside the event loop."""

    def __init__(self) -> None:
        super().__init__()
        self._told: PageFigures | None = None
        self._read_at = float("-inf")

    def compose_body(self) -> ComposeResult:
        """The words above, a line for each below."""
        with Pane("figures-above"):
            yield SteadyStatic("reading …", id="figures-words")
        with Pane("figures-below", hint="Enter opens the client"):
            yield LiveGrid(
                self.columns(),
                monotonic=self.shell.monotonic,
                markable=False,
                hint=self.NOTHING,
                id="figures",
            )

    def columns(self) -> list[Column]:
        """Those of its rows."""
        raise NotImplementedError

    async def read(self) -> PageFigures:
        """What there is to tell. Raises what the desk raises."""
        raise NotImplementedError

    def record(self, row: Any) -> Record:
        """A row for a file."""
        raise NotImplementedError

    def client_of(self, row: Any) -> int | None:
        """Whose a row is, where it is of a client of this desk."""
        raise NotImplementedError

    def money(self, words: Callable[[int], str], of: Callable[[Any], int | None]) -> Callable[[Any], str]:
        """The cell of a figure of money, hidden in privacy; a dash where it is not known, nothing of zero."""

        def cell(row: Any) -> str:
            if self.shell.privacy:
                return MASK
            paise = of(row)
            return DASH if paise is None else words(paise) if paise else ""

        return cell

    def code(self, client_id: int) -> str:
        """A client's code."""
        return self.desk.clients.get(client_id).code

    def on_mount(self) -> None:
        """Read at once."""
        self._read_soon()

    def on_frame(self) -> None:
        """Read anew every so often."""
        if self.shell.monotonic() - self._read_at >= self.EVERY_S:
            self._read_soon()

    def _read_soon(self) -> None:
        self._read_at = self.shell.monotonic()
        self.run_worker(self._read(), exclusive=True, exit_on_error=False, group="figures")

    async def _read(self) -> None:
        try:
            self._told = await self.read()
        except Exception as problem:
            words = f"it cannot be told: {refusal_words(problem)}"
            self.query_one("#figures-words", SteadyStatic).update(Content(plain(words)))
            return
        self.redraw()

    def redraw(self) -> None:
        """Everything anew, as it was read last."""
        told = self._told
        if not self.is_mounted or told is None:
            return
        self.query_one("#figures-above", Pane).set_title(told.above, told.figures)
        self.query_one("#figures-below", Pane).set_title(told.below, [])
        lines = [MASK] if self.shell.privacy and told.lines else told.lines
        self.query_one("#figures-words", SteadyStatic).update(Content("\n").join(map(plain, lines)))
        grid = self.query_one("#figures", LiveGrid)
        grid.set_rows(told.rows)
        grid.apply(set(told.rows))

    @property
    def _row_here(self) -> Any:
        key = self.query_one("#figures", LiveGrid).cursor_key if self.is_mounted else None
        return None if self._told is None else self._told.rows.get(key)

    def here(self) -> Here:
        """The client under the cursor."""
        row = self._row_here
        return Here() if row is None else Here(client_id=self.client_of(row))

    def table_of(self, grid: LiveGrid) -> Table | None:
        """Its rows."""
        rows = () if self._told is None else tuple(self._told.rows[key] for key in grid.shown_keys)
        return Table(self.FILE_NAME, tuple(grid.columns), rows, self._row_here, self.record)

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """The client's page."""
        row = self._row_here
        if row is not None and (client_id := self.client_of(row)) is not None:
            self.shell.open_client(client_id)

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)
