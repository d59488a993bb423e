"""What is typed for a flatten, on the command line and on the screen's: of whom, and which positions."""

from collections.abc import Sequence

from msgspec import Struct

from data.errors import BadInput
from data.money import count_from_text
from data.vocabulary import FlattenWhat, HaltScope

FORMS = "CODE, g:GROUP or desk, then mis, today, mtf or all; show N for one that was begun"
"""What may be typed."""

WHATS = frozenset(what.value.lower() for what in FlattenWhat)
"""The words for which positions."""


class AskedFlatten(Struct, frozen=True):
    """Of whom, a client or group as it was typed, and which positions."""

    scope: HaltScope
    value: str
    what: FlattenWhat


def flatten_from(words: Sequence[str]) -> AskedFlatten | int:
    """A flatten as typed, of intraday positions where nothing else is said; or the number of one begun.

    A client stands as its code or as `client CODE`, a group as `g:GROUP` or `group NAME`. Raises `BadInput`.
    """
    first = words[0].lower() if words else "desk"
    if first == "show" and len(words) == 2:
        return count_from_text(words[1], "flatten")
    scope, value, rest = HaltScope.EVERYTHING, "", list(words)
    if first in (HaltScope.CLIENT, HaltScope.GROUP):
        if len(words) < 2:
            raise BadInput(first, "", f"give {FORMS}")
        scope, value, rest = HaltScope(first), words[1], rest[2:]
    elif first == "desk":
        rest = rest[1:]
    elif first.startswith("g:"):
        scope, value, rest = HaltScope.GROUP, words[0][2:], rest[1:]
    elif first not in WHATS:
        scope, value, rest = HaltScope.CLIENT, words[0], rest[1:]
    if len(rest) > 1:
        raise BadInput("flatten", " ".join(words), f"give {FORMS}")
    try:
        return AskedFlatten(scope, value, FlattenWhat(rest[0].lower()) if rest else FlattenWhat.MIS)
    except ValueError:
        raise BadInput("flatten", rest[0], f"give {FORMS}") from None
