"""Help for the screen it was asked from, written from the bindings that are active there."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen

from screens.frame.commands import COMMANDS, EMERGENCY
from screens.frame.key_words import key_words
from screens.frame.workspace import Dialog, Framed
from widgets.columns import LINE_CELLS
from widgets.livegrid import Column, LiveGrid
from widgets.steady import SteadyStatic

RULES = (
    "No single key sends, cancels or quits: each leads to a line that names what, how many and whose.\n"
    "A capital is its small letter over many rows. To select text with the mouse, hold Shift (a Mac: Option)."
)


class KeyRow(NamedTuple):
    """One line of the help: a key and what it does, the head of a group, or a blank between two groups."""

    group: str
    keys: str = ""
    words: str = ""


class HelpScreen(Dialog[None]):
    """Every key that works where the trader was, by group. Scrolls."""

    CSS_PATH = Path(__file__).with_name("help.tcss")
    AUTO_FOCUS = "LiveGrid"
    TITLE_WORDS = "Help"

    def __init__(self, below: Screen[Any]) -> None:
        super().__init__()
        self._rows = key_rows(below)
        card = below.card if isinstance(below, Framed) else None
        self._title = card.TITLE_WORDS if card else below.TITLE_WORDS if isinstance(below, Framed) else ""

    def compose_body(self) -> ComposeResult:
        """The rules, then the keys."""
        yield SteadyStatic(Content(f"Keys · {self._title}".rstrip(" ·")), classes="title")
        yield SteadyStatic(Content(RULES), id="rules")
        yield LiveGrid(
            [
                Column("keys", "", 14, lambda row: row.keys or row.group, style=_style),
                Column("words", "", 30, lambda row: row.words, flex=True, most=LINE_CELLS),
            ],
            monotonic=self.shell.monotonic,
            markable=False,
            show_header=False,
            id="all-keys",
        )

    def on_mount(self) -> None:
        """Show the keys."""
        self.query_one(LiveGrid).set_rows(dict(enumerate(by_group(self._rows))))


def _style(row: KeyRow) -> str:
    return "strong" if row.keys else "warn"


def by_group(rows: Sequence[KeyRow]) -> list[KeyRow]:
    """The lines with the name of each group above its keys."""
    lines: list[KeyRow] = []
    for group, members in groupby(rows, key=lambda row: row.group):
        lines += [*([KeyRow("")] if lines else []), KeyRow(group), *members]
    return lines


def key_rows(screen: Screen[Any]) -> list[KeyRow]:
    """The active bindings of a screen as help lines, grouped as in the table of commands."""
    found: dict[str, list[str]] = {}
    words: dict[str, tuple[str, str]] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if not active.enabled or not (binding.description or binding.id in COMMANDS):
            continue
        name = binding.id or binding.action
        command = COMMANDS.get(name)
        group = command.group if command else "Workspaces" if name.startswith("workspace.") else "Here"
        words[name] = (group, command.help if command else binding.tooltip or binding.description)
        found.setdefault(name, []).append(binding.key_display or key_words(binding.key))
    order = {name: place for place, name in enumerate(COMMANDS)}
    known = dict.fromkeys((EMERGENCY, "Workspaces", *(command.group for command in COMMANDS.values())))
    groups = {group: place for place, group in enumerate(known)}
    names = sorted(words, key=lambda name: (groups.get(words[name][0], 99), order.get(name, 999)))
    return [KeyRow(words[name][0], " ".join(found[name]), words[name][1]) for name in names]
