"""The trial of a terminal: it asks for every key that terminals swallow, and keeps what arrives."""

from __future__ import annotations

import os
from typing import ClassVar

from msgspec import Struct
from textual import events
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.content import Content

from engine.words.program.key_doctor import (
    ASKED,
    ASKED_ESC,
    BY_NAME,
    DONE,
    HEAD,
    HINTS,
    NO_TWIN,
    TWINS,
    arrived_words,
)
from screens.frame.key_words import key_words
from tradedesk.app.keymap import PLAIN, KeyTable, all_commands, key_table
from widgets.steady import SteadyStatic

ALWAYS_TRIED = ("ctrl+g", "ctrl+r", "ctrl+s", "ctrl+q", "ctrl+o", "ctrl+p", "shift+tab", "insert", "delete")
"""Keys beside the F-keys that terminals, multiplexers and desktops are known to keep."""

BEHIND_ESC = "j"
"""The letter that is asked for behind Esc."""

JOINED = frozenset({f"alt+{BEHIND_ESC}", "circumflex_accent"})
"""What Esc becomes where it arrives in one piece with the letter behind it."""

SWALLOWED = "space"
"""Pressed where nothing happened."""


class KeyFound(Struct, frozen=True):
    """What became of one key."""

    key: str
    does: str
    arrived: bool
    came_as: tuple[str, ...]
    """What arrived in its place."""
    ms: int | None
    """Milliseconds from its being asked for, of Esc to the letter behind it."""
    twin: str
    hint: str


class KeysFound(Struct, frozen=True):
    """What a terminal delivers."""

    terminal: dict[str, str]
    """What the environment says of it: TERM, the multiplexer, whether it is far away."""
    profile: str
    keys: tuple[KeyFound, ...]
    swallowed: tuple[str, ...]


def tried_keys(table: KeyTable) -> tuple[str, ...]:
    """Every key to try: the F-keys that mean something, F9 first, what terminals keep, and Esc."""
    taken = {key for command in all_commands().values() for key in table.keys_of(command)}
    f_keys = sorted(
        (key for key in taken if key[:1] == "f" and key[1:].isdigit()), key=lambda key: int(key[1:])
    )
    others = [key for key in ALWAYS_TRIED if key in taken]
    return ("f9", *(key for key in f_keys if key != "f9"), *others, "escape")


def twin_of(table: KeyTable, key: str) -> str:
    """What does the same as a key, as a trader reads it."""
    command = all_commands().get(table.meaning(key))
    if key in TWINS or command is None:
        return TWINS.get(key, "")
    same = [one for one in all_commands().values() if one.action == command.action]
    others = [each for one in same for each in table.keys_of(one) if each != key]
    return key_words(others) if others else BY_NAME if command.palette else NO_TWIN


class Trials:
    """The keys that are asked for, one after the other, and what came of each. Times are in seconds."""

    def __init__(self, table: KeyTable, at: float) -> None:
        self._table = table
        self.keys = tried_keys(table)
        self.found: list[KeyFound] = []
        self._asked_at = at
        self._came_as: list[str] = []
        self._esc_at: float | None = None

    @property
    def wanted(self) -> str | None:
        """The key that is asked for, None when all were."""
        return self.keys[len(self.found)] if len(self.found) < len(self.keys) else None

    def press(self, key: str, at: float) -> None:
        """Take what arrived."""
        wanted = self.wanted
        if wanted is None:
            return
        if key == "backspace":
            self.found[-1:] = []
            self._ask(at)
        elif wanted == "escape":
            self._press_esc(key, at)
        elif key == wanted:
            self._take(True, at, self._asked_at)
        elif key == SWALLOWED:
            self._take(False, at)
        else:
            self._came_as.append(key_words(key))

    def _press_esc(self, key: str, at: float) -> None:
        """Esc alone, and the letter behind it; joined they are neither."""
        if key == "escape":
            self._esc_at = at
        elif key == BEHIND_ESC and self._esc_at is not None:
            self._take(True, at, self._esc_at)
        elif key == SWALLOWED:
            self._take(False, at)
        else:
            self._came_as.append(key_words(key))
            if key in JOINED:
                self._take(False, at)

    def _take(self, arrived: bool, at: float, since: float | None = None) -> None:
        key = self.keys[len(self.found)]
        command = all_commands().get(self._table.meaning(key))
        ms = round((at - since) * 1_000) if since is not None else None
        came_as = () if arrived else tuple(self._came_as)
        hint = "" if arrived else HINTS.get(key, "")
        does = command.help if command is not None else ""
        self.found.append(KeyFound(key, does, arrived, came_as, ms, twin_of(self._table, key), hint))
        self._ask(at)

    def _ask(self, at: float) -> None:
        self._asked_at, self._came_as, self._esc_at = at, [], None


class KeyDoctor(App[KeysFound], inherit_bindings=False):
    """Asks key by key in the terminal as the desk has it; returns what was found, None if it was left."""

    BINDINGS: ClassVar[list[BindingType]] = []
    ENABLE_COMMAND_PALETTE = False
    CSS = "Screen { padding: 0 1; overflow-y: auto; } #asked { text-style: bold; margin: 1 0; }"

    def __init__(self, profile: str, own: object) -> None:
        super().__init__()
        self._table = key_table(profile or PLAIN, own)
        self._trials: Trials | None = None

    def compose(self) -> ComposeResult:
        """What is asked, and what has come."""
        yield SteadyStatic(HEAD)
        yield SteadyStatic(id="asked")
        yield SteadyStatic(id="found")

    async def on_event(self, event: events.Event) -> None:
        """Every key is a try, whatever else Textual would do with it."""
        if not isinstance(event, events.Key):
            await super().on_event(event)
            return
        if self._trials is None:
            self._trials = Trials(self._table, event.time)
        elif event.key == "ctrl+c":
            self.exit(None)
        elif self._trials.wanted is None and event.key == "enter":
            self.exit(self.result())
        else:
            self._trials.press(event.key, event.time)
            self._paint()

    def on_ready(self) -> None:
        """Ask for the first key."""
        self._trials = Trials(self._table, events.Ready().time)
        self._paint()

    def result(self) -> KeysFound:
        """What has been found."""
        found = tuple(self._trials.found) if self._trials else ()
        swallowed = tuple(one.key for one in found if not one.arrived)
        return KeysFound(terminal_words(), self._table.profile, found, swallowed)

    def _paint(self) -> None:
        trials = self._trials
        if trials is None:
            return
        wanted = trials.wanted
        words = (
            DONE
            if wanted is None
            else ASKED_ESC
            if wanted == "escape"
            else ASKED.format(key=key_words(wanted))
        )
        count = f"{min(len(trials.found) + 1, len(trials.keys))}/{len(trials.keys)}  "
        self.query_one("#asked", SteadyStatic).update(Content(count + words))
        lines = [
            f"{'✓' if one.arrived else '✗'} {key_words(one.key):<10} "
            f"{arrived_words(one.arrived, one.came_as, one.ms):<28} twin: {one.twin}"
            for one in reversed(trials.found)
        ]
        self.query_one("#found", SteadyStatic).update(Content("\n".join(lines)))


def terminal_words() -> dict[str, str]:
    """What the environment says of the terminal."""
    said = {name: os.environ.get(name, "") for name in ("TERM", "TERM_PROGRAM", "COLORTERM")}
    within = [
        name
        for name, mark in (("tmux", "TMUX"), ("screen", "STY"), ("zellij", "ZELLIJ"))
        if os.environ.get(mark)
    ]
    return {
        **{name.lower(): value for name, value in said.items() if value},
        "multiplexer": ", ".join(within),
        "over_ssh": "yes" if os.environ.get("SSH_TTY") else "no",
    }
