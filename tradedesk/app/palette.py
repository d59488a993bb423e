"""The command palette: its entries from the same table as the bindings, the dangerous ones last."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, cast

from textual.actions import parse
from textual.await_complete import AwaitComplete
from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from data.errors import BadInput
from screens.frame.commands import EMERGENCY, Command
from screens.frame.key_words import key_words
from tradedesk.app.keymap import all_commands
from tradedesk.app.typed.rights import OF_FORM, right_of_action

if TYPE_CHECKING:
    from tradedesk.app.shell import ShellApp


class Palette(CommandPalette):
    """Textual's palette; an Enter too many while it closes is none."""

    _dismissed = False
    _waiting_to_dismiss = False

    def dismiss(self, result: None = None) -> AwaitComplete:
        """Close, once; under a screen that came up meanwhile, when that one is gone."""
        if self._dismissed:
            return AwaitComplete.nothing()
        if not self.is_active:
            self._waiting_to_dismiss = True
            return AwaitComplete.nothing()
        self._dismissed = True
        return super().dismiss(result)

    def on_screen_resume(self) -> None:
        """What covered the palette is gone."""
        if self._waiting_to_dismiss:
            self.dismiss()


TYPED = "Typed"
"""The group of what is typed with words behind it, at the command line."""

WORKSPACES_FIRST = ("Workspaces", "Orders", TYPED, "Finding", "Program", "Tables", "Here", EMERGENCY)
"""The order of the groups; what halts the desk is never what Enter takes before anything was chosen."""
KEY_CELLS, GROUP_CELLS = 10, 12
"""Cells of the columns of an entry: its keys, and the group it is in."""
LAST = 0.01
"""What the score of an entry that halts the desk is multiplied by."""
UNDERSTOOD = 10.0
"""The score of a line that is understood whole, above whatever has some of its letters."""
LOOK_BELOW = "below: what halts the desk"
"""Stands before those entries where nothing else was found, and does nothing."""


class PaletteLine(NamedTuple):
    """One line of the palette."""

    group: str
    words: str
    keys: str
    act: Callable[[], object]

    def shown(self, words: Content) -> Content:
        """Keys and group in columns of their own, then `words`."""
        keys, group = f"{self.keys:<{KEY_CELLS}}", f"{self.group.casefold():<{GROUP_CELLS}}"
        return Content.assemble((keys, "bold"), (group, "dim"), words)


class DeskCommands(Provider):
    """Every command that means something by its name, with its keys beside it, group by group."""

    def entries(self) -> Iterator[PaletteLine]:
        """What it offers before anything is typed, in its order."""
        keys = self._shell.preferences.keys
        places = {group: place for place, group in enumerate(WORKSPACES_FIRST)}
        for command in sorted(all_commands().values(), key=lambda command: places.get(command.group, 0)):
            action = self._action_of(command) if command.palette else None
            if action is not None:
                yield PaletteLine(command.group, command.help, key_words(keys.keys_of(command)), action)
        from engine.words.line_forms import FORMS

        for name, (form, help_words) in FORMS.items():
            if self._shell.refusal_of(OF_FORM.get(name)) is not None:
                continue
            act = partial(self._shell.action_command_line, f"{name} ")
            yield PaletteLine(TYPED, f"{name} {form}: {help_words}", ":", act)
        for name in self._shell.themes.names:
            yield PaletteLine("Theme", name, "", partial(self._shell.preferences.take_theme, name))

    @property
    def _shell(self) -> ShellApp:
        return cast("ShellApp", self.app)

    def _understood(self, query: str) -> PaletteLine | None:
        """What the query asks for as a line of the command line, where it has words behind a command."""
        if not self._shell.desk_is_open or len(query.split()) < 2:
            return None
        from engine.colon import grammar
        from engine.words.colon import asked_words

        known = self._shell.known()
        try:
            asked = grammar.parse(query, known)
        except (BadInput, LookupError):
            return None
        return PaletteLine(
            TYPED, asked_words(asked, known.select), ":", partial(self._shell.open_asked, asked)
        )

    def _action_of(self, command: Command) -> Callable[[], object] | None:
        """What the command does here, None where it has nothing to do."""
        name = command.action.partition("(")[0]
        in_app = name.startswith("app.") or command.group == "Workspaces"
        namespace = self.app if in_app else self.screen
        action = command.action.removeprefix("app.")
        _, bare, parameters = parse(action)
        if self._shell.refusal_of(right_of_action(namespace, bare, parameters)) is not None:
            return None
        if not hasattr(namespace, f"action_{bare}") or namespace.check_action(bare, parameters) is False:
            return None
        return partial(self.app.run_action, action, namespace)

    async def discover(self) -> Hits:
        """What the palette offers before anything is typed."""
        for entry in self.entries():
            yield DiscoveryHit(entry.shown(Content(entry.words)), entry.act, text=entry.words)

    async def search(self, query: str) -> Hits:
        """What fits the words typed; what halts the desk stands last, and never alone."""
        matcher = self.matcher(query)
        found = [(matcher.match(f"{one.group} {one.words}"), one) for one in self.entries()]
        matching = [(score, one) for score, one in found if score > 0]
        if (typed := self._understood(query)) is not None:
            yield Hit(UNDERSTOOD, typed.shown(Content(typed.words)), typed.act, text=typed.words)
        elif matching and all(one.group == EMERGENCY for _, one in matching):
            yield Hit(1.0, LOOK_BELOW, lambda: None)
        for score, one in matching:
            ranked = score * LAST if one.group == EMERGENCY else score
            yield Hit(ranked, one.shown(matcher.highlight(one.words)), one.act, text=one.words)
