"""The saved baskets as a list: opened, saved under a name, renamed, deleted."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Input

from data.vocabulary import Right
from engine.words.formats import counted
from engine.words.refusals import refusal_words
from engine.words.trading.baskets import SHORT_PER_CLIENT, leg_words
from screens.frame.cards.confirm import WordsCard
from screens.frame.commands import bindings
from screens.frame.dock import Card
from screens.frame.shell import HasRights
from widgets.columns import LINE_CELLS
from widgets.keyline import KeyHint
from widgets.livegrid import Column, LiveGrid
from widgets.steady import SteadyInput, SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from engine.planning.entry.baskets import Basket
    from screens.matrix.draft import BasketDraft

ROWS = 11
"""Lines of the list, as many as the form has over which it is laid."""

KEYS = "Enter opens  Insert saves the legs  e renames  Delete deletes  Esc back"


class NameCard(Card[str]):
    """Asks for the name of a basket."""

    TITLE_WORDS = "A basket's name"

    def __init__(self, title: str, name: str, lines: str) -> None:
        super().__init__()
        self._title, self._first, self._lines = title, name, lines
        self.rows = 3

    def compose(self) -> ComposeResult:
        """What it is for, and the line."""
        yield SteadyStatic(Content(plain(self._lines)))
        yield SteadyInput(self._first, placeholder="name", compact=True, max_length=40)
        yield KeyHint("Enter keeps it   Esc back, nothing changes", classes="keys -always")

    def title(self) -> str:
        """What is asked."""
        return self._title

    def begin(self) -> None:
        """In the line, at whose end typing goes on."""
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The name."""
        event.stop()
        if event.value.strip():
            self.close(event.value.strip())


class SavedCard(HasRights, Card["Basket"]):
    """Closes with the basket that was opened. What is saved under a name are the legs of the form."""

    TITLE_WORDS = "Saved baskets"
    rights: ClassVar[Mapping[str, Right]] = {"modify_here": Right.KEEP_LISTS}
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("watch.add", "watch.remove", "order.modify")]

    def __init__(self, draft: BasketDraft) -> None:
        super().__init__()
        self._draft = draft
        self._baskets: dict[str, Basket] = {}
        self.rows = ROWS

    def compose(self) -> ComposeResult:
        """A line a basket."""
        yield LiveGrid(
            [
                Column("name", "basket", 16, lambda one: one.name, flex=True, most=40),
                Column("legs", "legs", 4, lambda one: str(len(one.legs)), "right"),
                Column("how", "per client", 11, lambda one: SHORT_PER_CLIENT[one.per_client]),
                Column("by", "saved by", 10, lambda one: one.saved_by, priority=1),
                Column("what", "what", 20, _what, flex=True, most=LINE_CELLS),
            ],
            monotonic=self.shell.monotonic,
            markable=False,
            hint="no basket is saved yet: Insert saves the legs of the form",
            id="baskets",
        )
        yield KeyHint(KEYS, classes="keys -always")

    def title(self) -> str:
        """How many there are."""
        return f"SAVED BASKETS · {len(self._baskets)}"

    def begin(self) -> None:
        """In the list."""
        self.query_one(LiveGrid).focus()
        self.run_worker(self._read(), exit_on_error=False)

    async def _read(self, cursor: str = "") -> None:
        self._baskets = {one.name: one for one in await self.desk.baskets.all()}
        grid = self.query_one(LiveGrid)
        grid.set_rows(self._baskets)
        grid.move_cursor(cursor or self._draft.name)
        self.host.refresh_bindings()

    @property
    def _under_cursor(self) -> str | None:
        key = self.query_one(LiveGrid).cursor_key
        return key if isinstance(key, str) else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a basket there is nothing to rename or delete."""
        if action in ("modify_here", "remove_here") and self.is_mounted:
            return self._under_cursor is not None
        return True

    def key_words(self, action: str) -> str | None:
        """What a basket is modified in from here is its name."""
        return "rename" if action == "modify_here" else None

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """This basket's legs go into the form."""
        event.stop()
        self.close(self._baskets[str(event.key)])

    def action_add_here(self) -> None:
        """The legs of the form under a name, in place of those that it has."""

        def named(name: str | None) -> None:
            if name is not None:
                self._do(partial(self._save, name))

        legs = counted(len(self._draft.said), "leg")
        lines = f"{legs} of the form; those of a basket of this name are replaced"
        self.host.open_card(NameCard("SAVE BASKET", self._draft.name, lines), named, over=self)

    async def _save(self, name: str) -> str:
        replaced = await self.desk.baskets.save(name, self._draft.made(self.desk), self._draft.per_client)
        self._draft.name = (await self.desk.baskets.get(name)).name
        await self._read()
        return f"{self._draft.name} {'replaced' if replaced else 'saved'}"

    def action_modify_here(self) -> None:
        """Another name for the basket under the cursor."""
        name = self._under_cursor

        def named(to: str | None) -> None:
            if name is not None and to is not None:
                self._do(partial(self._rename, name, to))

        if name is not None:
            card = NameCard(f"RENAME {name}", name, "its legs stay as they are")
            self.host.open_card(card, named, over=self)

    async def _rename(self, name: str, to: str) -> str:
        await self.desk.baskets.rename(name, to)
        if self._draft.name == name:
            self._draft.name = to
        await self._read(to)
        return f"{name} is {to} now"

    def action_remove_here(self) -> None:
        """Forget the basket under the cursor."""
        name = self._under_cursor

        def answered(yes: bool | None) -> None:
            if yes and name is not None:
                self._do(partial(self._remove, name))

        if name is not None:
            lines = [f"{name}: {_what(self._baskets[name])}", "plans and runs made of it stay as they are"]
            self.host.open_card(WordsCard(f"DELETE {name}", lines, "delete"), answered, over=self)

    async def _remove(self, name: str) -> str:
        await self.desk.baskets.remove(name)
        if self._draft.name == name:
            self._draft.name = ""
        await self._read()
        return f"{name} deleted"

    def _do(self, work: Callable[[], Coroutine[Any, Any, str]]) -> None:
        """Have something done to its end, and say what became of it."""

        async def done() -> None:
            try:
                self.shell.say(await work())
            except Exception as problem:  # whatever it was, the list stands as it was
                self.shell.say(refusal_words(problem) or f"{type(problem).__name__}: {problem}", "warning")

        self.carry_out(done())


def _what(basket: Basket) -> str:
    return ", ".join(leg_words(leg) for leg in basket.legs)
