"""The command palette: its entries from the same table as the bindings, the dangerous ones last."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from textual.actions import parse
from textual.await_complete import AwaitComplete
from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider

from screens.frame.commands import EMERGENCY
from screens.frame.key_words import key_words
from tradedesk.app.keymap import all_commands, keys_of
from tradedesk.app.themes import THEMES


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


class DeskCommands(Provider):
    """Every command that means something by its name, with its keys beside it."""

    def _entries(self) -> Iterator[tuple[str, str, Callable[[], object]]]:
        below = self.screen
        # The first entry is the one that Enter takes before anything was chosen.
        for command in sorted(all_commands().values(), key=lambda command: command.group == EMERGENCY):
            if not command.palette:
                continue
            name = command.action.partition("(")[0]
            in_app = name.startswith("app.") or command.group == "Workspaces"
            namespace = self.app if in_app else below
            action = command.action.removeprefix("app.")
            _, bare, parameters = parse(action)
            if not hasattr(namespace, f"action_{bare}") or namespace.check_action(bare, parameters) is False:
                continue
            keys = key_words(keys_of(command))
            words = f"{command.group.casefold()}: {command.help}"
            yield words, keys, partial(self.app.run_action, action, namespace)
        for theme in THEMES:
            yield f"theme: {theme.name}", "", partial(setattr, self.app, "theme", theme.name)

    async def discover(self) -> Hits:
        """What the palette offers before anything is typed."""
        for words, keys, act in self._entries():
            yield DiscoveryHit(f"{words}  {keys}", act)

    async def search(self, query: str) -> Hits:
        """What fits the words typed."""
        matcher = self.matcher(query)
        for words, keys, act in self._entries():
            score = matcher.match(words)
            if score > 0:
                yield Hit(score, matcher.highlight(words), act, help=keys)
