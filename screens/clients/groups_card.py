"""The groups as a list: made by hand or by rule, changed, renamed, deleted."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widgets import Input

from data.errors import BadInput, TradedeskError
from data.vocabulary import Right
from engine.words.formats import counted
from engine.words.refusals import refusal_words
from screens.frame.cards.confirm import WordsCard
from screens.frame.cards.form import FormCard
from screens.frame.commands import bindings
from screens.frame.dock import Card
from screens.frame.shell import HasRights
from widgets.columns import LINE_CELLS
from widgets.keyline import KeyHint
from widgets.livegrid import Column, LiveGrid
from widgets.steady import SteadyInput, SteadyStatic

if TYPE_CHECKING:
    from textual.widget import Widget

    from engine.accounts.groups import GroupView

ROWS = 11
"""Lines of the list."""


class GroupCard(FormCard[str]):
    """A group's name with its rule, or with the codes of who is in it; Enter keeps it."""

    TITLE_WORDS = "A group"

    def __init__(self, group: GroupView | None, codes: Sequence[str]) -> None:
        """For this group, or for one that is to be made, which begins with these codes."""
        super().__init__()
        self._group, self._codes = group, codes
        self.rows = 5

    def compose(self) -> ComposeResult:
        """Name, rule, codes, and what would come of it."""
        group = self._group
        with Horizontal(classes="row"):
            yield SteadyStatic("name")
            yield SteadyInput(group.name if group else "", compact=True, max_length=30, id="group-name")
        with Horizontal(classes="row"):
            yield SteadyStatic("rule")
            yield SteadyInput(
                group.rule if group else "",
                placeholder="capital > 5L and broker = zerodha; empty: by hand",
                compact=True,
                select_on_focus=False,
                id="rule",
            )
        with Horizontal(classes="row"):
            yield SteadyStatic("codes")
            codes = "" if group is not None and group.rule else " ".join(self._codes)
            yield SteadyInput(codes, compact=True, select_on_focus=False, id="group-codes")
        yield SteadyStatic(id="group-would", classes="would")
        yield KeyHint("Tab field  Enter keeps  Esc back, nothing changes", classes="keys -always")

    def title(self) -> str:
        """Which group it is."""
        return "A GROUP" if self._group is None else f"GROUP {self._group.name}"

    def begin(self) -> None:
        """In the name of one that is made, else where it is changed."""
        by_rule = self._group is not None and self._group.rule
        self.query_one(
            "#group-name" if self._group is None else "#rule" if by_rule else "#group-codes"
        ).focus()
        self.say()

    def _text(self, name: str) -> str:
        return self.query_one(f"#{name}", Input).value.strip()

    def _ids(self) -> list[int]:
        """The clients whose codes are typed. Raises `BadInput`."""
        codes = self._text("group-codes").replace(",", " ").split()
        return [self.desk.clients.find(code).id for code in codes]

    def comes_to(self) -> str:
        """Who would be in it."""
        rule = self._text("rule")
        inside = self.desk.groups.members_of_rule(rule) if rule else self._ids()
        codes = " ".join(self.desk.clients.get(one).code for one in inside[:8])
        return f"{counted(len(inside), 'client')}{' now' if rule else ''}: {codes}"

    def entered(self, field: Widget) -> None:
        """Keep it."""
        self.keep(self._keep())

    async def _keep(self) -> None:
        self.close(await self._kept())

    async def _kept(self) -> str:
        groups, group, name, rule = (
            self.desk.groups,
            self._group,
            self._text("group-name"),
            self._text("rule"),
        )
        ids = [] if rule else self._ids()
        if rule and self._text("group-codes"):
            raise BadInput(
                "codes", self._text("group-codes"), "a group is by rule or by hand: empty one of both"
            )
        if group is None:
            if not rule and not ids:
                raise BadInput("group", name, "give a rule, or the code of a client at least")
            made = await (groups.set_rule(name, rule) if rule else groups.add(name, ids))
            return made.name
        standing = set[int]() if group.rule else set(group.client_ids)
        added, removed = set(ids) - standing, set[int]() if rule else standing - set(ids)
        return (await groups.edit(group.name, name, rule, added, removed)).name


class GroupsCard(HasRights, Card[str]):
    """Every group with its rule and how many are in it now; Enter shows its clients where that can be."""

    TITLE_WORDS = "Groups"
    rights: ClassVar[Mapping[str, Right]] = dict.fromkeys(
        ("add_here", "remove_here", "modify_here"), Right.CLIENTS
    )
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("watch.add", "watch.remove", "order.modify")]

    def __init__(self, marked: Sequence[int] = ()) -> None:
        """`marked` are the clients that a group which is made begins with."""
        super().__init__()
        self._marked = tuple(marked)
        self._groups: dict[str, GroupView] = {}
        self.rows = ROWS

    def compose(self) -> ComposeResult:
        """A line a group."""
        yield LiveGrid(
            [
                Column("name", "group", 12, lambda one: one.name, flex=True, most=30),
                Column("count", "clients", 7, lambda one: str(len(one.client_ids)), "right"),
                Column("what", "rule, or who is in it", 20, self._what, flex=True, most=LINE_CELLS),
            ],
            monotonic=self.shell.monotonic,
            markable=False,
            hint="no group yet: Insert makes one",
            id="groups",
        )
        yield KeyHint("Insert makes one  e changes  Delete deletes  Esc back", classes="keys -always")

    def _what(self, group: GroupView) -> str:
        return group.rule or " ".join(self.desk.clients.get(one).code for one in group.client_ids[:20])

    def title(self) -> str:
        """How many there are."""
        return f"GROUPS · {len(self._groups)}"

    def begin(self) -> None:
        """In the list."""
        self.query_one(LiveGrid).focus()
        self._read()

    def on_frame(self) -> None:
        """Rules follow what is traded, and others may change groups."""
        self._read()

    def _read(self, cursor: str = "") -> None:
        found = {one.name: one for one in self.desk.groups.all()}
        if found == self._groups and not cursor:
            return
        grid = self.query_one(LiveGrid)
        before, self._groups = self._groups, found
        if list(before) == list(found):
            grid.set_rows(found)
        else:
            grid.set_rows(found)
            self.host.refresh_bindings()
        if cursor:
            grid.move_cursor(cursor)

    @property
    def _under_cursor(self) -> GroupView | None:
        key = self.query_one(LiveGrid).cursor_key
        return self._groups.get(key) if isinstance(key, str) else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a group there is nothing to change or delete."""
        if action in ("modify_here", "remove_here") and self.is_mounted:
            return self._under_cursor is not None
        return True

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """Change it."""
        event.stop()
        self.action_modify_here()

    def action_add_here(self) -> None:
        """Make one, of the marked clients where there are any."""
        codes = [self.desk.clients.get(one).code for one in self._marked]
        self.host.open_card(GroupCard(None, codes), self._changed, over=self)

    def action_modify_here(self) -> None:
        """Change the one under the cursor."""
        if (group := self._under_cursor) is not None:
            codes = [self.desk.clients.get(one).code for one in group.client_ids]
            self.host.open_card(GroupCard(group, codes), self._changed, over=self)

    def _changed(self, name: str | None) -> None:
        if name is not None:
            self._read(name)

    def action_remove_here(self) -> None:
        """Have the one under the cursor no more."""
        group = self._under_cursor

        def answered(yes: bool | None) -> None:
            if yes and group is not None:
                self._do(partial(self._delete, group.name))

        if group is not None:
            lines = [self._what(group), "its clients stay; halts and plans made of it stay as they are"]
            self.host.open_card(WordsCard(f"DELETE group {group.name}", lines, "delete"), answered, over=self)

    async def _delete(self, name: str) -> str:
        await self.desk.groups.delete(name)
        return f"group {name} is deleted"

    def _do(self, work: Callable[[], Coroutine[Any, Any, str]]) -> None:
        async def done() -> None:
            try:
                self.shell.say(await work())
            except TradedeskError as problem:
                self.shell.say(refusal_words(problem), "warning")

        self.carry_out(self.before_further_keys(done()))
