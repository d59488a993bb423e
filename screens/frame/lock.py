"""The locked screen: nothing of the desk is seen, and a name and a password open it. F9 is the app's."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import Screen

from widgets.steady import SteadyInput, SteadyStatic
from widgets.text import plain
from widgets.tokenfield import TokenField


class LockScreen(Screen[None]):
    """Asks who is there. It knows nothing of the desk."""

    DEFAULT_CSS = """
    LockScreen { align: center middle; }
    LockScreen Vertical { width: 60; max-width: 100%; height: auto; }
    LockScreen SteadyStatic { width: 100%; height: auto; text-align: center; }
    LockScreen Input { width: 100%; margin-top: 1; }
    """

    class Answered(Message):
        """A name and a password were given."""

        def __init__(self, name: str, password: str) -> None:
            super().__init__()
            self.person = name
            self.password = password

    def __init__(self) -> None:
        super().__init__()
        self._person = ""
        self._why = "locked"
        self._state = ""
        self._told = ""

    def compose(self) -> ComposeResult:
        """What is going on, and the two lines to be filled."""
        with Vertical():
            yield SteadyStatic(id="lock-words", markup=False)
            yield SteadyInput(self._person, placeholder="name", compact=True, id="lock-name")
            password = TokenField(id="lock-password")
            password.placeholder = "password, and Enter"
            yield password
            yield SteadyStatic(id="lock-told", markup=False)

    def on_mount(self) -> None:
        """In the line that is still empty."""
        self._write()
        self.query_one("#lock-password" if self._person else "#lock-name").focus()

    def show(self, why: str, name: str) -> None:
        """Say why it is locked, with the name of who was here."""
        self._why, self._person, self._told = why, name, ""
        if self.is_mounted:
            self.query_one("#lock-name", SteadyInput).value = name
            self.query_one("#lock-password", TokenField).take()
            self.on_mount()

    def say(self, words: str) -> None:
        """What became of an answer."""
        if words != self._told:
            self._told = words
            self._say()

    def say_state(self, words: str) -> None:
        """How the desk stands, in a line without a figure of any client."""
        if words != self._state:
            self._state = words
            self._say()

    def _say(self) -> None:
        if self.is_mounted:
            self._write()

    def _write(self) -> None:
        lines = ["tradedesk", "", self._why, self._state]
        self.query_one("#lock-words", SteadyStatic).update(Content("\n".join(plain(one) for one in lines)))
        self.query_one("#lock-told", SteadyStatic).update(Content(f"\n{plain(self._told)}"))

    def on_input_submitted(self, event: SteadyInput.Submitted) -> None:
        """Enter behind the name leads to the password, and behind that it is the answer."""
        event.stop()
        name, password = (
            self.query_one("#lock-name", SteadyInput),
            self.query_one("#lock-password", TokenField),
        )
        if event.input is name or not name.value.strip():
            (password if name.value.strip() else name).focus()
            return
        self.say("looking…")
        self.post_message(self.Answered(name.value.strip(), password.take()))
