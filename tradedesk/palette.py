"""The command palette's entries, from the same table as the bindings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from textual.actions import parse
from textual.command import DiscoveryHit, Hit, Hits, Provider

from screens.commands import key_words
from tradedesk.keymap import all_commands, keys_of
from tradedesk.themes import THEMES


class DeskCommands(Provider):
    """Every command that means something by its name, with its keys beside it."""

    def _entries(self) -> Iterator[tuple[str, str, Callable[[], object]]]:
        below = self.screen
        for command in all_commands().values():
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
