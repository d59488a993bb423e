"""The form that makes, renames and deletes watchlists."""

from __future__ import annotations

from enum import StrEnum

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input

from data.errors import BadInput, TradedeskError
from engine.words.formats import counted
from engine.words.refusals import refusal_words
from screens.frame.dock import Card
from widgets.choicefield import ChoiceField
from widgets.steady import SteadyInput, SteadyStatic
from widgets.text import plain


class Do(StrEnum):
    """What the form does, by the word of the choice."""

    NEW = "NEW"
    RENAME = "RENAME"
    DELETE = "DELETE"


class WatchlistCard(Card[None]):
    """What is done, a name, and what will come of it; Enter does it. A list is deleted by its typed name."""

    TITLE_WORDS = "Watchlists"

    def __init__(self, name: str) -> None:
        """About the list of this name, which is the one in view."""
        super().__init__()
        self._name = name

    def compose(self) -> ComposeResult:
        """The choice and the name, what will come of it, and the lists that there are."""
        with Horizontal(classes="row"):
            yield SteadyStatic("do")
            yield ChoiceField(list(Do), id="list-do")
            yield SteadyStatic("name")
            yield SteadyInput(compact=True, select_on_focus=False, id="list-name")
        yield SteadyStatic(id="list-what")
        yield SteadyStatic(id="lists")
        yield SteadyStatic(
            "Tab field  ← → choose  Enter does it  Esc back, nothing changes", classes="keys -always"
        )

    def title(self) -> str:
        """The list that it is about."""
        return f"WATCHLISTS: {self._name}"

    def begin(self) -> None:
        """In the name."""
        lists = self.desk.watchlists
        words = (
            f"{place} {name} {len(lists.keys(name))}" for place, name in enumerate(lists.names(), start=1)
        )
        self.query_one("#lists", SteadyStatic).update(Content(plain(" · ".join(words))))
        self._say_what()
        self._line.focus()

    @property
    def _line(self) -> Input:
        return self.query_one("#list-name", Input)

    @property
    def _do(self) -> Do:
        return Do(self.query_one("#list-do", ChoiceField).value)

    def _say_what(self, problem: str = "") -> None:
        held = counted(len(self.desk.watchlists.keys(self._name)), "symbol")
        what = {
            Do.NEW: "a new list, empty, behind the others",
            Do.RENAME: f"{self._name} gets this name",
            Do.DELETE: f"{self._name} is deleted with its {held}: type its name",
        }[self._do]
        line = self.query_one("#list-what", SteadyStatic)
        line.set_class(bool(problem), "-problem")
        line.update(Content(plain(problem or what)))

    def on_choice_field_changed(self, event: ChoiceField.Changed) -> None:
        """Another thing to do; what is renamed begins with the name that it has."""
        event.stop()
        self._line.value = self._name if self._do is Do.RENAME else ""
        self._say_what()

    def on_choice_field_submitted(self, event: ChoiceField.Submitted) -> None:
        """Enter goes on."""
        event.stop()
        self._line.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """What was wrong with another name is not of this one."""
        event.stop()
        self._say_what()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Do it."""
        event.stop()
        self.carry_out(self.before_further_keys(self._carry_out(self._do, event.value)))

    async def _carry_out(self, do: Do, text: str) -> None:
        try:
            words = await self._done(do, text)
        except TradedeskError as problem:
            if self.is_attached:
                self._say_what(refusal_words(problem))
            return
        self.shell.say(words)
        self.close()

    async def _done(self, do: Do, text: str) -> str:
        """Do it; returns what was done. Raises `BadInput`."""
        lists = self.desk.watchlists
        match do:
            case Do.NEW:
                self.shell.list_in_view = await lists.make(text)
                return f"{self.shell.list_in_view} is made: / finds symbols, + puts them here"
            case Do.RENAME:
                self.shell.list_in_view = await lists.rename(self._name, text)
                return f"{self._name} is {self.shell.list_in_view} now"
            case Do.DELETE:
                if " ".join(text.split()).casefold() != self._name.casefold():
                    raise BadInput("name", text, f"type {self._name} to delete it; nothing is deleted")
                held = counted(await lists.delete(self._name), "symbol")
                return f"{self._name} with its {held} is deleted"
