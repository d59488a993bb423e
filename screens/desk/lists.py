"""The form that makes, renames and deletes watchlists."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input

from data.errors import BadInput
from engine.words.formats import counted
from screens.frame.cards.form import FormCard
from widgets.choicefield import ChoiceField
from widgets.keyline import KeyHint
from widgets.steady import SteadyInput, SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from textual.widget import Widget


class Do(StrEnum):
    """What the form does, by the word of the choice."""

    NEW = "NEW"
    RENAME = "RENAME"
    DELETE = "DELETE"


class WatchlistCard(FormCard[None]):
    """What is done, a name, and what will come of it; Enter does it. A list is deleted by its typed name."""

    TITLE_WORDS = "Watchlists"
    SAYS = "#list-what"

    def __init__(self, name: str) -> None:
        """About the list of this name, which is the one in view."""
        super().__init__()
        self._list_name = name

    def compose(self) -> ComposeResult:
        """The choice and the name, what will come of it, and the lists that there are."""
        with Horizontal(classes="row"):
            yield SteadyStatic("do")
            yield ChoiceField(list(Do), id="list-do")
            yield SteadyStatic("name")
            yield SteadyInput(compact=True, select_on_focus=False, id="list-name")
        yield SteadyStatic(id="list-what")
        yield SteadyStatic(id="lists")
        yield KeyHint(
            "Tab field  ← → choose  Enter does it  Esc back, nothing changes", classes="keys -always"
        )

    def title(self) -> str:
        """The list that it is about."""
        return f"WATCHLISTS: {self._list_name}"

    def begin(self) -> None:
        """In the name."""
        lists = self.desk.watchlists
        words = (
            f"{place} {name} {len(lists.keys(name))}" for place, name in enumerate(lists.names(), start=1)
        )
        self.query_one("#lists", SteadyStatic).update(Content(plain(" · ".join(words))))
        self.say()
        self._line.focus()

    @property
    def _line(self) -> Input:
        return self.query_one("#list-name", Input)

    @property
    def _do(self) -> Do:
        return Do(self.query_one("#list-do", ChoiceField).value)

    def comes_to(self) -> str:
        """What will come of it."""
        held = counted(len(self.desk.watchlists.keys(self._list_name)), "symbol")
        return {
            Do.NEW: "a new list, empty, behind the others",
            Do.RENAME: f"{self._list_name} gets this name",
            Do.DELETE: f"{self._list_name} is deleted with its {held}: type its name",
        }[self._do]

    def on_choice_field_changed(self, event: ChoiceField.Changed) -> None:
        """What is renamed begins with the name that it has."""
        self._line.value = self._list_name if self._do is Do.RENAME else ""

    def entered(self, field: Widget) -> None:
        """From the choice to the name; from there do it."""
        if field is self._line:
            self.keep(self._keep())
        else:
            super().entered(field)

    async def _keep(self) -> None:
        self.shell.say(await self._done(self._do, self._line.value))
        self.close()

    async def _done(self, do: Do, text: str) -> str:
        """Do it; returns what was done. Raises `BadInput`."""
        lists = self.desk.watchlists
        match do:
            case Do.NEW:
                self.shell.list_in_view = await lists.make(text)
                return f"{self.shell.list_in_view} is made: / finds symbols, Insert puts them here"
            case Do.RENAME:
                self.shell.list_in_view = await lists.rename(self._list_name, text)
                return f"{self._list_name} is {self.shell.list_in_view} now"
            case Do.DELETE:
                if " ".join(text.split()).casefold() != self._list_name.casefold():
                    raise BadInput("name", text, f"type {self._list_name} to delete it; nothing is deleted")
                held = counted(await lists.delete(self._list_name), "symbol")
                return f"{self._list_name} with its {held} is deleted"
