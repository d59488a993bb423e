"""Which keys every command has: those of the trader's profile with the trader's own laid over them.

The rules that every key table must keep stand here too; a table that breaks one is not taken.
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from msgspec import Struct
from textual.keys import Keys, _character_to_key

from screens.frame.commands import COMMANDS, Command
from screens.frame.key_words import KEY_WORDS, key_words
from tradedesk.app.workspaces import WORKSPACES

PROFILES: dict[str, dict[str, str]] = {
    "plain": {},
    "kite": {},
    "odin": {
        "ticket.buy": "f1,plus,b",
        "ticket.sell": "f2,minus,s",
        "help": "question_mark",
        "watch.add": "insert",
    },
}
"""Keys that differ from the table's own, by profile and command id; the bottom line shows the first of them.

Kite's `b` and `s` are the table's own.
"""

PLAIN = "plain"
"""The profile of a trader who has chosen none."""

BANNED_KEYS = frozenset(
    {"ctrl+i", "ctrl+m", "ctrl+h", "ctrl+j", "ctrl+left_square_bracket", "ctrl+[", "ctrl+enter"}
)
"""Keys that many terminals cannot tell from Tab, Enter, Backspace or Esc, or never send."""

FIXED = frozenset({"halt.press", "halt.stand_down", "close", "grid.open", "review.yes"})
"""Commands whose keys nobody may move."""

SHARED_KEYS = frozenset({"escape", "enter"})
"""Keys with a meaning by place: Esc stands down F9 before it closes anything; Enter opens, or goes on."""

SPOKEN = frozenset(
    {
        *("plan.affordable", "plan.mtf", "plan.again", "plan.drop", "order.modify", "order.cancel"),
        *("run.repair", "run.pause", "take_over", "note", "bulk.sell", "price.last", "look"),
        *("needs_me", "find", "filter", "previous", "next", "grid.mark", "command_line", "freeze"),
    }
)
"""Commands that sentences on the screen name by their letter: they may have more keys, and keep that one."""

_OTHER_NAMES = {
    "esc": "escape",
    "ins": "insert",
    "del": "delete",
    "return": "enter",
    "pgup": "pageup",
    "pgdn": "pagedown",
    "spacebar": "space",
} | {words.casefold(): name for name, words in KEY_WORDS.items() if len(words) > 1}
_KNOWN = frozenset(key.value for key in Keys) | {"plus", "minus", *KEY_WORDS}


def all_commands() -> dict[str, Command]:
    """Every command by id, workspaces included."""
    return COMMANDS | {entry.command.id: entry.command for entry in WORKSPACES}


def keys_of(command: Command, moved: Mapping[str, str] = MappingProxyType({})) -> tuple[str, ...]:
    """A command's keys where those of `moved` are laid over the table's own."""
    return _split(moved.get(command.id, command.keys))


def _split(keys: str) -> tuple[str, ...]:
    return tuple(key for key in keys.split(",") if key)


class KeyTable(Struct, frozen=True):
    """The keys in force. With `complaints` they are the profile's alone: the trader's own were not taken."""

    profile: str
    moved: Mapping[str, str]
    complaints: tuple[str, ...] = ()

    def keys_of(self, command: Command) -> tuple[str, ...]:
        """A command's keys."""
        return keys_of(command, self.moved)

    def laid_on(self) -> dict[str, str]:
        """The keys for Textual, with shown ones that stay too: what it moves goes to the end of the line."""
        if not self.moved:
            return {}
        shown = {one.id for one in all_commands().values() if one.rank} | set(self.moved)
        return {one.id: ",".join(self.keys_of(one)) for one in all_commands().values() if one.id in shown}

    def meaning(self, key: str) -> str:
        """The id of the command that a key stands for, empty where it is none's."""
        return next((one.id for one in all_commands().values() if key in self.keys_of(one)), "")


def key_table(profile: str, own: object = None) -> KeyTable:
    """The keys of a profile with the trader's `own` (`[keymap]` of `config.toml`) laid over them."""
    commands = all_commands()
    of_profile = PROFILES[profile]
    moved, complaints = _own_keys(own, commands)
    if not complaints:
        complaints = [f"keymap {one}" for one in faults(commands.values(), {**of_profile, **moved}, moved)]
    if complaints:
        return KeyTable(profile, of_profile, tuple(complaints))
    return KeyTable(profile, {**of_profile, **moved})


def key_named(text: str) -> str | None:
    """The program's name of a key as a trader writes it (`?`, `F5`, `Ctrl+E`, `PgUp`); None for no key."""
    text = text.strip()
    if len(text) == 1:
        return _character_to_key(text) if text.isprintable() else None
    *modifiers, key = text.casefold().split("+")
    key = _OTHER_NAMES.get(key, key)
    if not all(each in ("ctrl", "shift", "alt") for each in modifiers):
        return None
    if len(key) == 1:
        return "+".join((*modifiers, key)) if key.isalnum() and "shift" not in modifiers else None
    return "+".join((*modifiers, key)) if key in _KNOWN else None


def _own_keys(own: object, commands: Mapping[str, Command]) -> tuple[dict[str, str], list[str]]:
    """The trader's own keys by command id, and what is wrong with how they are written."""
    if own is None or own == {}:
        return {}, []
    if not isinstance(own, Mapping):
        return {}, [f'keymap {own!r}: write a table, [keymap], with lines such as "ticket.buy" = "b,f5"']
    moved: dict[str, str] = {}
    complaints: list[str] = []
    for name, given in _flat(own):
        if name not in commands:
            close = difflib.get_close_matches(name, commands, n=1)
            hint = f"did you mean {close[0]}?" if close else "`tradedesk keys` lists them"
            complaints.append(f"keymap {name}: no command has this id; {hint}")
            continue
        written = given if isinstance(given, list) else str(given).split(",")
        names = {str(one).strip(): key_named(str(one)) for one in written}
        unknown = [one for one, key in names.items() if key is None]
        if unknown:
            right = "write keys as b, F5, ctrl+e, Insert or ?, several with commas between"
            complaints.append(f"keymap {name} = {unknown[0]!r}: no such key; {right}")
        moved[name] = ",".join(key for key in names.values() if key is not None)
    return moved, complaints


def _flat(own: Mapping[object, object], before: str = "") -> Iterator[tuple[str, object]]:
    """Ids with what is given for them; TOML makes tables of ids that stand without quotes."""
    for name, value in own.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def faults(
    commands: Iterable[Command], moved: Mapping[str, str], own: Mapping[str, str] = MappingProxyType({})
) -> list[str]:
    """What is wrong with a key table, each with id, key and what is right.

    Banned keys, letters with priority, moved fixed keys, two meanings, and of `own` a letter that sentences
    name.
    """
    commands = list(commands)
    found: list[str] = []
    known = {command.id for command in commands}
    found += [f"{name}: no command has this id" for name in moved if name not in known]
    # Commands that were not moved come first: a key is theirs, and who came to it is told.
    owner: dict[str, Command] = {}
    for command in sorted(commands, key=lambda one: one.id in moved):
        keys = keys_of(command, moved)
        if command.id in FIXED and command.id in moved:
            own_words = key_words(command.keys)
            found.append(f"{command.id} = {key_words(keys)!r}: {own_words} may not be moved; leave it out")
            continue
        if command.id in SPOKEN and command.id in own:
            missing = [key for key in _split(command.keys) if key not in keys]
            if missing:
                right = key_words((*missing, *keys)).replace(" ", ",")
                words = key_words(missing)
                found.append(
                    f"{command.id} = {key_words(keys)!r}: {words} stays, since the screens name it: {right!r}"
                )
        found += _faults_of(command, keys, owner)
    return found


def _faults_of(command: Command, keys: Iterable[str], owner: dict[str, Command]) -> Iterator[str]:
    """What is wrong with the keys of one command; `owner` is whose each key is so far."""
    for key in keys:
        words = f"{command.id} = {key_words(key)!r}"
        if key in BANNED_KEYS:
            yield f"{words}: it is banned, since terminals send it as another key; take another"
        if command.priority and len(key) == 1:
            yield f"{words}: it has priority over every field, so its key cannot be a letter or a digit"
        if key in SHARED_KEYS and command.id not in FIXED:
            yield f"{words}: {key_words(key)} opens and closes everywhere; take another"
        other = owner.setdefault(key, command)
        if other is not command and key not in SHARED_KEYS:
            yield f"{words}: it means {other.id} already; give that another key, or take a free one"
