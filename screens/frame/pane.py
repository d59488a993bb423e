"""A titled part of a screen; the one with the focus is marked by its title."""

from textual.containers import Vertical
from textual.content import Content

from widgets.steady import SteadyInput, SteadyStatic
from widgets.text import plain


class Pane(Vertical):
    """A title line, what stands under it, and a filter line that opens on demand."""

    def set_title(self, text: str) -> None:
        """Say something else in the title line."""
        self.query_one(".title", SteadyStatic).update(Content(f" {plain(text)}"))


class FilterLine(SteadyInput):
    """The words rows must contain; hidden while there are none and nobody types."""

    DEFAULT_CSS = """
    FilterLine { display: none; height: 1; border: none; }
    FilterLine.-open { display: block; }
    """

    def __init__(self, id: str) -> None:  # noqa: A002 - Textual's own word
        super().__init__(placeholder="filter: Enter keeps, Esc clears", compact=True, id=id)

    def open(self) -> None:
        """Show the line and type into it."""
        self.add_class("-open")
        self.focus()

    def settle(self) -> None:
        """The words stay; an empty line goes away."""
        self.set_class(bool(self.value.strip()), "-open")
