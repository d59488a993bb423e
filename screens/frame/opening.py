"""What is on screen before the desk is open, and why it did not open."""

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen

from widgets.steady import SteadyStatic
from widgets.text import plain

OPENING = "opening the desk…"


class OpeningScreen(Screen[None]):
    """The first frame: it is up before anything heavy has been imported."""

    DEFAULT_CSS = """
    OpeningScreen { align: center middle; }
    OpeningScreen Static { width: auto; max-width: 90%; text-align: center; }
    """

    def __init__(self, words: str = OPENING) -> None:
        super().__init__()
        self._words = words

    def compose(self) -> ComposeResult:
        """A few words in the middle."""
        yield SteadyStatic(f"tradedesk\n\n{self._words}", markup=False)

    def say(self, words: str) -> None:
        """Say something else in their place."""
        self.query_one(SteadyStatic).update(Content(f"tradedesk\n\n{words}"))

    def show_problem(self, words: str) -> None:
        """Say why the desk did not open, and how to leave."""
        self.query_one(SteadyStatic).update(
            Content(f"The desk did not open.\n\n{plain(words)}\n\nctrl+q leaves.")
        )
