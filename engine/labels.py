"""Names that traders give to what they keep for the next time, and reasons for what they do."""

import difflib
from collections.abc import Collection

from data.csvfiles import control_character
from data.errors import BadInput

LONGEST = 40
"""Characters of such a name."""

LONGEST_REASON = 500
"""Characters of a reason, which statements and the audit carry."""


def label_from(text: str, what: str) -> str:
    """A name for something new. Raises `BadInput`, whose field is `what` it is for."""
    name = " ".join(text.split())
    if not 1 <= len(name) <= LONGEST:
        raise BadInput(what, text, f"give a name of 1 to {LONGEST} characters")
    if control := control_character(name):
        raise BadInput(what, text, f"remove the character {control}, which cannot be seen")
    return name


def reason_from(text: str, expected: str) -> str:
    """Why something is done, in one line, for the audit. Raises `BadInput` with what was `expected`."""
    reason = " ".join(text.split())
    if not reason:
        raise BadInput("reason", text, expected)
    if len(reason) > LONGEST_REASON:
        raise BadInput("reason", text, f"{expected}, in at most {LONGEST_REASON} characters")
    if control := control_character(reason):
        raise BadInput("reason", text, f"remove the character {control}, which cannot be seen")
    return reason


def same_label(text: str, known: Collection[str]) -> str | None:
    """The name among those known that is meant, in any letter case; None where there is none."""
    wanted = " ".join(text.split()).casefold()
    return next((name for name in known if name.casefold() == wanted), None)


def known_label(text: str, what: str, known: Collection[str]) -> str:
    """The name among those known that is meant. Raises `BadInput` with the nearest names."""
    found = same_label(text, known)
    if found is None:
        near = difflib.get_close_matches(text, known, n=3, cutoff=0.5) or list(known)[:10]
        raise BadInput(what, text, f"saved are {', '.join(near)}" if near else "none is saved yet")
    return found


def begun_label(text: str, what: str, known: Collection[str]) -> str:
    """The name among those known that is meant, or the only one that begins so. Raises `BadInput`."""
    wanted = " ".join(text.split()).casefold()
    begun = [name for name in known if wanted and name.casefold().startswith(wanted)]
    if same_label(text, known) is None and len(begun) > 1:
        raise BadInput(what, text, f"several begin so: {', '.join(begun[:10])}")
    return begun[0] if len(begun) == 1 else known_label(text, what, known)
