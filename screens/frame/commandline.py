"""The command line, with what may be typed into it."""

from pathlib import Path

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input

from screens.frame.workspace import Dialog
from widgets.steady import SteadyInput, SteadyStatic

WORDS = """\
resume              open the halt's certificate, where typed words resume
certificate [N]     the certificate of a halt
flatten [client CODE|group NAME|desk] [mis|today|mtf|all]   take positions flat; asks
convert CODE SYMBOL mis|mtf cnc   make a position the client's own; asks
reverse N           plan the opposite of what run N filled
run N   plan N      a run, a stored plan
watch SYMBOL        put a symbol on the watchlist
gate                the clients at the morning gate
sign in [CODE]      sign in whoever is due, or one client
help                the keys that work where you are
theme NAME          dark, light, high-contrast, colour-blind
quit                quit; asks"""


class CommandLineScreen(Dialog[None]):
    """One line; Enter carries it out."""

    CSS_PATH = Path(__file__).with_name("commandline.tcss")
    AUTO_FOCUS = "Input"
    TITLE_WORDS = "Command line"

    def __init__(self, text: str = "") -> None:
        """With this in the line already."""
        super().__init__()
        self._text = text

    def compose_body(self) -> ComposeResult:
        """The line and what it takes."""
        yield SteadyInput(self._text, compact=True, select_on_focus=False)
        yield SteadyStatic(Content(WORDS), id="words")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close, then carry it out on the screen below."""
        line = event.value.strip()
        self.dismiss(None)
        if line:
            self.app.call_later(self.shell.run_command, line)
