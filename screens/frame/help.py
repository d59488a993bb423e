"""Help for the screen it was asked from, written from the bindings that are active there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widgets import Input

from screens.frame.commands import COMMANDS, EMERGENCY
from screens.frame.key_words import key_words
from screens.frame.pane import Pane
from screens.frame.workspace import Dialog, Framed
from widgets.columns import LINE_CELLS
from widgets.keyline import TYPED_ONLY
from widgets.livegrid import Column, LiveGrid
from widgets.steady import SteadyInput, SteadyStatic

RULES = (
    "F9 F9 cancels all live orders of all clients and halts. No other key sends, cancels or quits: each "
    "leads to a line that names what, how many and whose. A capital is its small letter over many rows. "
    "To select text with the mouse, hold Shift (a Mac: Option)."
)

KEY_CELLS = 16
"""Cells for the keys of a line, and for the place where those of a group work."""


NOT_HERE = "not here now"
"""Where keys work that have nothing to do on the screen below."""


class Reach(IntEnum):
    """How far from the focus a key works, nearest first."""

    FOCUS = 0
    SCREEN = 1
    EVERYWHERE = 2


class KeyRow(NamedTuple):
    """One line of the help: a key and what it does, the head of a group, or a blank between two groups.

    `where` says where the keys of a group work; `press` is the first of them by Textual's name for it.
    """

    where: str
    group: str
    keys: str = ""
    words: str = ""
    press: str = ""


class HelpScreen(Dialog[None]):
    """Every key that works where the trader was: those of what has the focus, of the screen, of everywhere.

    What is typed narrows them to a key, or to what keys do, and finds those too that do nothing there. Esc
    clears that first. Enter or a double click on one goes back and presses it.
    """

    CSS_PATH = Path(__file__).with_name("help.tcss")
    AUTO_FOCUS = "Input"
    TITLE_WORDS = "Help"

    def __init__(self, below: Screen[Any]) -> None:
        super().__init__()
        self._rows = key_rows(below)
        self._below = below
        self._of = screen_words(below)
        self._lines: dict[int, KeyRow] = {}

    def compose_body(self) -> ComposeResult:
        """The rules, the line that narrows, then the keys."""
        with Pane("help-pane", hint="type to narrow  Enter presses it  Esc back"):
            yield SteadyStatic(Content(RULES), id="rules")
            yield SteadyInput(placeholder="a key, or what it is to do", compact=True, id="narrow")
            yield LiveGrid(
                [
                    Column("keys", "", KEY_CELLS, lambda row: row.keys or row.where, style=_style),
                    Column(
                        "words",
                        "",
                        30,
                        lambda row: row.words or row.group,
                        style=_head_style,
                        flex=True,
                        most=LINE_CELLS,
                    ),
                ],
                monotonic=self.shell.monotonic,
                markable=False,
                show_header=False,
                hint="no key does that here: : takes commands, ctrl+p finds them by name",
                id="all-keys",
            )

    def on_mount(self) -> None:
        """Show the keys."""
        self._show("")

    def _show(self, text: str) -> None:
        found = narrowed(self._rows, text)
        elsewhere = narrowed(self._elsewhere(), text) if len(text.strip()) > 1 else ()
        grid, self._lines = self.query_one(LiveGrid), dict(enumerate(by_group([*found, *elsewhere])))
        grid.set_rows(self._lines)
        grid.to_top()
        if text:
            grid.move_cursor(next((place for place, row in self._lines.items() if row.keys), 0))
        figure = f"{len(found)} of {len(self._rows)}" if len(found) < len(self._rows) else str(len(found))
        self.query_one(Pane).set_title(f"Keys {self._of}".rstrip(), [figure])

    def _elsewhere(self) -> list[KeyRow]:
        """Keys of the table that do nothing where the trader was: who looks for one finds it named."""
        active = {one.binding.id for one in self._below.active_bindings.values() if one.enabled}
        rows: list[KeyRow] = []
        for command in COMMANDS.values():
            keys = [key for key in command.keys.split(",") if key and self.shell.meaning(key) == command.id]
            if keys and command.id not in active and command.group != EMERGENCY:
                rows.append(KeyRow(NOT_HERE, command.group, key_words(keys), command.help))
        return rows

    def on_input_changed(self, event: Input.Changed) -> None:
        """The keys follow what is typed."""
        event.stop()
        self._show(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter is for the key under the cursor, though the focus stays in the line."""
        event.stop()
        self.query_one(LiveGrid).action_open()

    def on_live_grid_opened(self, event: LiveGrid.Opened) -> None:
        """Go back and press the key, where it does something there and may be pressed for somebody."""
        event.stop()
        row = self._lines[event.key] if isinstance(event.key, int) else None
        if row is None or not row.keys:
            return
        if row.where == NOT_HERE:
            self.shell.say(f"{row.keys} has nothing to do where you were", "warning")
        elif row.group == EMERGENCY or row.press == TYPED_ONLY:
            self.shell.say(f"{row.keys} is pressed by hand alone", "warning")
        else:
            self.dismiss(None)
            self.app.call_later(self.app.simulate_key, row.press)

    def on_key(self, event: events.Key) -> None:
        """The arrows go through the keys while what is typed keeps the focus."""
        steps = {"down": 1, "up": -1, "pagedown": 1, "pageup": -1}
        if event.key in steps and self.query_one(Input).has_focus:
            grid = self.query_one(LiveGrid)
            move = grid.action_cursor_page if event.key.startswith("page") else grid.action_cursor_by
            move(steps[event.key])
            event.stop()

    def action_close(self) -> None:
        """First what was typed goes, then the help."""
        typed = self.query_one(Input)
        if typed.value:
            typed.value = ""
        else:
            super().action_close()


def _style(row: KeyRow) -> str:
    return "strong" if row.keys else "warn"


def _head_style(row: KeyRow) -> str | None:
    return None if row.keys else "warn"


def screen_words(screen: Screen[Any]) -> str:
    """What the help calls a screen, or the card that is open on it."""
    card = screen.card if isinstance(screen, Framed) else None
    return card.TITLE_WORDS if card else screen.TITLE_WORDS if isinstance(screen, Framed) else ""


def narrowed(rows: Sequence[KeyRow], text: str) -> Sequence[KeyRow]:
    """The rows of the key that was typed; where none is, those that have all words that were."""
    wanted = text.strip()
    of_key = [row for row in rows if wanted in row.keys.split()]
    words = wanted.casefold().split()
    if not of_key and len(wanted) > 1:  # b and B are two keys, f9 and F9 one
        of_key = [row for row in rows if words[0] in row.keys.casefold().split()]
    return of_key or [row for row in rows if all(word in " ".join(row[:4]).casefold() for word in words)]


def by_group(rows: Sequence[KeyRow]) -> list[KeyRow]:
    """The lines with the name of each group above its keys."""
    lines: list[KeyRow] = []
    for head, members in groupby(rows, key=lambda row: (row.where, row.group)):
        lines += [*([KeyRow("", "")] if lines else []), KeyRow(*head), *members]
    return lines


def key_rows(screen: Screen[Any]) -> list[KeyRow]:
    """The active bindings of a screen as help lines, by their reach, then as in the table of commands."""
    found: dict[tuple[Reach, str], list[str]] = {}
    pressed: dict[tuple[Reach, str], str] = {}
    words: dict[tuple[Reach, str], tuple[str, str]] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if not active.enabled or not (binding.description or binding.id in COMMANDS):
            continue
        name = binding.id or binding.action
        command = COMMANDS.get(name)
        group = command.group if command else "Workspaces" if name.startswith("workspace.") else ""
        of = _reach(active.node, screen), name
        words[of] = (group, command.help if command else binding.tooltip or binding.description)
        pressed.setdefault(of, binding.key)
        found.setdefault(of, []).append(binding.key_display or key_words(binding.key))
    order = {name: place for place, name in enumerate(COMMANDS)}
    known = _places((EMERGENCY, "Workspaces", *(command.group for command in COMMANDS.values())))
    names = sorted(words, key=lambda of: (of[0], known.get(words[of][0], 99), order.get(of[1], 999)))
    heads = {Reach.FOCUS: _focus_words(screen), Reach.SCREEN: "this screen", Reach.EVERYWHERE: "everywhere"}
    return [
        KeyRow(heads[of[0]], words[of][0], " ".join(found[of]), words[of][1], pressed[of]) for of in names
    ]


def _places(names: Iterable[str]) -> dict[str, int]:
    return {name: place for place, name in enumerate(dict.fromkeys(names))}


def _reach(node: DOMNode, screen: Screen[Any]) -> Reach:
    if node is screen.app:
        return Reach.EVERYWHERE
    return Reach.SCREEN if node is screen else Reach.FOCUS


def _focus_words(screen: Screen[Any]) -> str:
    """What has the focus: the frame that it stands in, or the card."""
    above = screen.focused.ancestors_with_self if screen.focused is not None else []
    pane = next((one for one in above if isinstance(one, Pane)), None)
    return pane.title if pane is not None else screen_words(screen)
