"""What a command and the open app say to each other, in JSON lines, and which commands may be asked so.

1. `hello` both ways: protocol, program, schema, identity of the home, settings. Any difference ends it. The
   command says who asks, by name and by the token of who is signed in, which a home without people has not.
2. `request` with a random id and the words of the command; the app answers `taken`. It has done nothing yet.
3. `go`: from here on the app may act, and no command goes another way.
4. `out`, `err` and `beat` as they happen, `halt` once that is committed, `done` with the exit code last; or
   `refused`, which says that nothing was done and nothing will be.

Imports nothing heavy: a command must be answered in less than it takes to import more.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeGuard

from data.home import books_file, calendar_files, settings_file
from tradedesk.compose.home import books_address

PROTOCOL = 2
"""The number of this way of talking."""

PROGRAM = "0.1.0"
"""The version of this program; a test holds it to the package's."""

HELLO_S = 1.0
"""How long a command waits for the app's hello."""

TAKEN_S = 1.0
"""How long a command waits for `taken`."""

GO_S = 5.0
"""A `go` that is read later than this after `taken` is refused: the app slept."""

HALT_S = 0.5
"""How long cancel-all waits to be told that its halt is committed."""

BEAT_S = 1.0
"""How long cancel-all waits for the next line after that."""

LONGEST_LINE = 256 * 1024
"""Bytes of a line; longer ones end the connection. Text is sent in pieces that fit."""

LONGEST_NAME = 40
"""Characters of a trader's name, as `tradedesk.compose.settings` has it."""

Line = dict[str, Any]

# --- which commands -------------------------------------------------------------------------------------


class Effect(StrEnum):
    """What a command does at a desk: looks, changes something, takes orders back, stops everything."""

    READ = "read"
    ACT = "act"
    CANCEL = "cancel"
    HALT = "halt"


HARMLESS = (Effect.READ, Effect.CANCEL, Effect.HALT)
"""What an app does on a LIVE desk for a command of nobody who has signed in."""

WHEN_LOCKED = (Effect.CANCEL, Effect.HALT)
"""What an app does for a command while it is locked."""

_COMMANDS: Mapping[str, Effect] = {
    "approve": Effect.ACT,
    "basket": Effect.ACT,
    "bulk": Effect.ACT,
    "cancel": Effect.CANCEL,
    "cancel-all": Effect.HALT,
    "certificate": Effect.READ,
    "client": Effect.READ,
    "convert": Effect.ACT,
    "detail": Effect.READ,
    "dispersion": Effect.READ,
    "funds": Effect.READ,
    "health": Effect.READ,
    "log": Effect.READ,
    "modify": Effect.ACT,
    "order": Effect.ACT,
    "plan": Effect.ACT,
    "positions": Effect.READ,
    "reconcile": Effect.ACT,
    "resume": Effect.ACT,
    "risk": Effect.READ,
    "runs": Effect.READ,
    "statement": Effect.READ,
    "status": Effect.READ,
    "tape": Effect.READ,
    "tax": Effect.READ,
    "transactions": Effect.READ,
}
"""Commands without others below them. What is not here is done in the command's own process alone."""

_GROUPS: Mapping[str, Mapping[str, Effect | None]] = {
    "alerts": {
        **dict.fromkeys(("", "list", "needs", "rules", "outbox", "channels"), Effect.READ),
        **dict.fromkeys(("add", "edit", "remove", "usual", "done", "later", "test"), Effect.ACT),
        "channel": None,
    },
    "audit": {
        "": None,
        **dict.fromkeys(("show", "search", "story", "state"), Effect.READ),
        "verify": None,
        "accept": None,
    },
    "broker": {"": None, **dict.fromkeys(("orders", "trades", "charges"), Effect.READ)},
    "baskets": {"": Effect.READ, "show": Effect.READ, "save": Effect.ACT, "remove": Effect.ACT},
    "calendar": {"": Effect.READ, "import": None},
    "clients": {
        "": Effect.READ,
        **dict.fromkeys(("add", "edit", "set", "pause", "unpause", "close"), Effect.ACT),
        "import": None,
        "export": None,
    },
    "gate": {"": Effect.READ, "waive": Effect.ACT},
    "groups": {
        "": Effect.READ,
        "show": Effect.READ,
        **dict.fromkeys(("add", "remove", "rule", "rename", "delete"), Effect.ACT),
    },
    "market": {"": Effect.READ, "halted": Effect.CANCEL, "open": Effect.ACT},
    "leases": {"": Effect.READ, **dict.fromkeys(("take", "release", "hand-over"), Effect.ACT)},
    "lists": {"": Effect.READ, "show": Effect.READ, "import": None, "remove": Effect.ACT},
    "mtf": {"": Effect.READ, "pledges": Effect.ACT, "import": None},
    "flows": {"": Effect.READ, "class": Effect.ACT},
    "contract-notes": {
        "": Effect.READ,
        **dict.fromkeys(("add", "from-broker"), Effect.ACT),
        "import": None,
    },
    "actions": {"": Effect.READ, "import": None, "undo": Effect.ACT, "book": Effect.ACT},
    "limits": {"": Effect.READ, "show": Effect.READ, "set": Effect.ACT, "remove": Effect.ACT},
    "notes": {"": Effect.READ, "add": Effect.ACT},
    "orders": {"": Effect.READ, "show": Effect.READ},
    "presets": {"": Effect.READ, "remove": Effect.ACT},
    "routes": {"": None, "import": None, "show": Effect.READ, "retry": Effect.ACT},
    "unknown": {"": Effect.READ, "adopt": Effect.ACT, "absent": Effect.ACT},
    "watchlist": {
        "": Effect.READ,
        **dict.fromkeys(
            ("make", "rename", "move", "delete", "add", "remove", "place", "columns"), Effect.ACT
        ),
        "import": None,
        "export": None,
    },
}
"""Commands with others below them; the empty word stands for the command alone."""


FOLLOWS = "--follow"
"""What goes on until ctrl+c is read from the books by the command itself."""


def effect_of(words: Sequence[str]) -> Effect | None:
    """What a command line does, where an open app may be asked to do it; None for every other."""
    if not words or "--help" in words or any(_is_no_text(word) for word in words):
        return None
    first, rest = words[0], words[1:]
    if FOLLOWS in rest:
        return None
    if first in _GROUPS:
        below = _GROUPS[first]
        if rest and rest[0] in below:
            return below[rest[0]]
        return None if any(word in below for word in rest) else below[""]
    if first == "flatten":
        return Effect.READ if rest[:1] == ["show"] else Effect.CANCEL if rest[:1] == ["stop"] else Effect.ACT
    if first == "guards":
        return Effect.ACT if any(not word.startswith("--json") for word in rest) else Effect.READ
    if first == "run":
        acts = not {"resume", "repair", "reverse"}.isdisjoint(rest)
        return Effect.ACT if acts else Effect.CANCEL if {"stop", "cancel"} & {*rest} else Effect.READ
    if first in ("watch", "search"):
        return Effect.ACT if any(word.startswith(("--a", "--r")) for word in rest) else Effect.READ
    return _COMMANDS.get(first)


_FILES = ("--file", "--orders")
"""Options of `basket` and `baskets save` that name a file."""


def with_whole_paths(words: Sequence[str]) -> list[str]:
    """The words of a command with the files that it names as the app finds them from its own folder."""
    if not words or words[0] not in ("basket", "baskets"):
        return list(words)
    whole: list[str] = []
    for place, word in enumerate(words):
        name, equals, file = word.partition("=")
        if place and words[place - 1] in _FILES:
            word = os.path.abspath(word)
        elif equals and name in _FILES:
            word = f"{name}={os.path.abspath(file)}"
        whole.append(word)
    return whole


def _is_no_text(word: str) -> bool:
    return any("\ud800" <= sign <= "\udfff" for sign in word)


# --- who talks to whom ----------------------------------------------------------------------------------


def hello(home: Path) -> Line:
    """What must be the same at both ends: another home, program or setting would give another answer."""
    return {
        "protocol": PROTOCOL,
        "program": f"{PROGRAM} {Path(__file__).resolve().parents[2]}",
        "schema": schema_of_program(),
        "home": identity(home),
        "settings": settings_seen(home),
    }


def schema_of_program() -> str:
    """The number of this program's newest migration, which need not be the highest."""
    text = (Path(__file__).resolve().parents[2] / "data" / "schema.py").read_text(encoding="utf-8")
    return text.partition('\nHEAD = "')[2].partition('"')[0]


def identity(home: Path) -> str:
    """Which file a home's books are, whatever its folder is called; its folder, if they are on a server."""
    found = os.stat(books_file(home) if not books_address(home) else home)
    return f"{found.st_dev}:{found.st_ino}"


def settings_seen(home: Path) -> str:
    """A digest of all that a desk's settings and calendar are made of, but for the home and the trader."""
    seen = hashlib.sha256()
    for text in (_that_matter(_text_of(settings_file(home))), *map(_text_of, calendar_files(home))):
        seen.update(b"%d:" % len(text) + text)
    for name, value in sorted(_settings_given().items()):
        if value and name.removeprefix("TRADEDESK_") not in _NO_MATTER:
            seen.update(f"{name}={value}\0".encode("utf-8", "surrogateescape"))
    return seen.hexdigest()


def _text_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as problem:
        return str(problem).encode("utf-8", "replace")


def _that_matter(text: bytes) -> bytes:
    """The settings of a file without those of the screen, which may be changed while the app is open."""
    if not text:
        return text
    import tomllib

    try:
        given = tomllib.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return text
    kept = {name.upper(): value for name, value in given.items() if name.upper() not in _NO_MATTER}
    return repr(sorted(kept.items())).encode("utf-8", "surrogatepass")


_NO_MATTER = (
    *("HOME", "TRADER", "PASSPHRASE_FILE", "SESSION"),
    *("THEME", "KEYS", "KEYMAP", "FLASH", "DENSITY", "WORKSPACE", "REFRESH_HZ"),
    *("WATCH_COLUMNS", "STRIP_INDICES"),
)
"""Settings that change nothing of what a command does; who acts is told by name."""


def _settings_given() -> dict[str, str]:
    """The environment's settings; their names' letter case says nothing."""
    names = {name.upper(): value for name, value in os.environ.items()}
    return {name: value for name, value in names.items() if name.startswith("TRADEDESK_")}


def trader(home: Path) -> str | None:
    """Under which name a command acts, as `tradedesk.compose.settings` would say; None where that refuses."""
    named: object = _settings_given().get("TRADEDESK_TRADER")
    if not named:
        named = "trader"
        if settings_file(home).exists():
            import tomllib

            try:
                given = tomllib.loads(settings_file(home).read_bytes().decode("utf-8-sig"))
            except (OSError, ValueError, RecursionError):
                return None
            named = {name.lower(): value for name, value in given.items()}.get("trader", named)
    return named if is_name(named) else None


def is_name(found: object) -> TypeGuard[str]:
    """Whether somebody may stand under this name in the audit: a short text without control characters."""
    return (
        isinstance(found, str)
        and 1 <= len(found) <= LONGEST_NAME
        and not _is_no_text(found)
        and not any(sign < " " or "\x7f" <= sign <= "\x9f" for sign in found)
    )


# --- lines ----------------------------------------------------------------------------------------------


def encoded(line: Line) -> bytes:
    """A line as it crosses."""
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


def decoded(data: bytes) -> Line:
    """A line as it came. Raises `ValueError` for anything but one whole JSON object."""
    if not data.endswith(b"\n"):
        raise ValueError("the line is not whole")
    try:
        line: object = json.loads(data)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    if not isinstance(line, dict):
        raise ValueError("it is no object")
    return line
