"""What a cancel-all of everything does first, before anything heavy is imported or anybody asked."""

import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from data.home import books_file, halt_file, settings_file


def looks_only(home: Path) -> bool:
    """Whether the settings say that this home only looks; a file that cannot be read does not stop a halt."""
    named: object = os.environ.get("TRADEDESK_MODE")
    if not named and settings_file(home).exists():
        import tomllib

        with suppress(OSError, ValueError):
            given = tomllib.loads(settings_file(home).read_bytes().decode("utf-8-sig"))
            named = given.get("mode")
    return named == "look"


def halt_at_once(home: Path, by: str, at: datetime) -> str:
    """Write the HALT file; returns why that could not be written, empty where it stands.

    A home that only looks has nothing to halt: its cancel-all is refused, and says so.
    """
    if looks_only(home):
        return ""
    from engine.book.halt_file import write_halt_file

    return write_halt_file(halt_file(home), by, at)


def may_not_halt(home: Path) -> bool:
    """Whether somebody is signed in here, beyond doubt, who may stop nothing; anybody else may.

    Whatever stands in the way of knowing it keeps no stop back.
    """
    with suppress(Exception):
        from tradedesk.compose.seats import kept_token

        if not (token := kept_token(home)):
            return False
        from data.clock import SystemClock
        from data.engines.at_rest import opened_to_look
        from data.sign_in.at_rest import standing
        from data.vocabulary import Right
        from engine.people.rights import may

        with opened_to_look(books_file(home)) as file:
            found = standing(file, token, SystemClock().now())
        return found is not None and not may(found.role, Right.HALT)
    return False


def halts_everything(words: Sequence[str]) -> bool:
    """Whether a command line is, beyond doubt, a cancel-all of everything that asks nothing more."""
    if list(words[:1]) != ["cancel-all"]:
        return False
    yes, rest = False, iter(words[1:])
    for word in rest:
        name, equals, value = word.partition("=")
        if name in ("--scope", "--by"):
            value = value if equals else next(rest, "")
            if name == "--scope" and value not in ("mine", "firm", "everything"):
                return False
        elif word in ("--yes", "-y"):
            yes = True
        elif word != "--json":
            return False
    return yes


def named_in(words: Sequence[str]) -> str | None:
    """Who does it, as `--by` says."""
    for place, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name == "--by":
            return value if equals else next(iter(words[place + 1 :]), None)
    return None
