"""All commands with the keys of each profile, and the rules that every key table must keep."""

from collections.abc import Iterable

from screens.frame.commands import COMMANDS, Command
from tradedesk.app.workspaces import WORKSPACES

PROFILES: dict[str, dict[str, str]] = {
    "default": {},
    "odin": {
        "ticket.buy": "b,f1,plus",
        "ticket.sell": "s,f2,minus",
        "help": "question_mark",
        "watch.add": "insert",
    },
}
"""Keys that differ from the table's own, by profile and command id."""

BANNED_KEYS = frozenset(
    {"ctrl+i", "ctrl+m", "ctrl+h", "ctrl+j", "ctrl+left_square_bracket", "ctrl+[", "ctrl+enter"}
)
"""Keys that many terminals cannot tell from Tab, Enter, Backspace or Esc, or never send."""

FIXED = frozenset({"halt.press", "halt.stand_down", "close", "grid.open", "review.yes"})
"""Commands whose keys no profile may move."""


def all_commands() -> dict[str, Command]:
    """Every command by id, workspaces included."""
    return COMMANDS | {entry.command.id: entry.command for entry in WORKSPACES}


def keys_of(command: Command, profile: str = "default") -> tuple[str, ...]:
    """A command's keys in a profile."""
    keys = PROFILES[profile].get(command.id, command.keys)
    return tuple(key for key in keys.split(",") if key)


def faults(commands: Iterable[Command], profile: str = "default") -> list[str]:
    """What is wrong with a key table: banned keys, letters with priority, moved fixed keys, two meanings."""
    found: list[str] = []
    owner: dict[str, Command] = {}
    moved = PROFILES[profile]
    known = {command.id for command in commands}
    found += [
        f"profile {profile} moves {name}, which no command is called" for name in moved if name not in known
    ]
    for command in commands:
        if command.id in FIXED and command.id in moved:
            found.append(f"{command.id} may not be moved")
        for key in keys_of(command, profile):
            if key in BANNED_KEYS:
                found.append(f"{command.id}: {key} is banned")
            if command.priority and len(key) == 1:
                found.append(f"{command.id}: the letter {key} has priority")
            other = owner.setdefault(key, command)
            # Esc stands down F9 before it closes anything; Enter opens a row or goes on in a form.
            if other is not command and key not in ("escape", "enter"):
                found.append(f"{key} means {other.id} and {command.id}")
    return found
