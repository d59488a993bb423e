"""What the trial of a terminal's keys found, for people."""

from typing import TYPE_CHECKING

from engine.words.program.key_doctor import BOTH_HALTS_LOST, LATE_MS, arrived_words
from screens.frame.key_words import key_words
from tradedesk.cli.printing.output import line, say, table

if TYPE_CHECKING:
    from tradedesk.app.key_doctor import KeysFound


def told(found: "KeysFound") -> None:
    """A table of the keys on stdout, what to do on stderr."""
    line(" · ".join(f"{name} {value}" for name, value in found.terminal.items() if value))
    rows = [
        (key_words(one.key), arrived_words(one.arrived, one.came_as, one.ms), one.twin, one.does)
        for one in found.keys
    ]
    table(("key", "what came", "twin", "does"), rows)
    if {"f9", "ctrl+g"} <= set(found.swallowed):
        say(BOTH_HALTS_LOST)
    for one in found.keys:
        if one.hint:
            say(f"{key_words(one.key)}: {one.hint}")
        elif one.key == "escape" and one.ms is not None and one.ms > LATE_MS:
            say(f"Esc came {one.ms} ms before the letter behind it: fine if you pressed it so late")
