"""Limits as they are typed, on the command line and behind `:` alike."""

from msgspec import Struct

from data.csvfiles import nearest
from data.errors import BadInput
from data.money import bps_from_percent_text, count_from_text, paise_from_text
from data.vocabulary import LimitKind, LimitScope, LimitStrength, LimitUnit


class LimitWish(Struct, frozen=True):
    """A limit as it is asked for: whose, of what, how strict.

    `whose` is a client's code or number, or a group's name, empty for the desk; `figure` is in paise, basis
    points or a count, None where the kind has none, or for what is to be taken away.
    """

    scope: LimitScope
    whose: str
    kind: LimitKind
    strength: LimitStrength = LimitStrength.HARD
    figure: int | None = None
    list_name: str = ""


def kind_from(word: str) -> LimitKind:
    """The kind of limit that a word names. Raises `BadInput` with the nearest."""
    plain = word.strip().casefold().replace("-", "_")
    try:
        return LimitKind(plain)
    except ValueError:
        raise BadInput(
            "limit", word, nearest(plain.replace("_", "-"), [kind.word for kind in LimitKind])
        ) from None


def figure_from(kind: LimitKind, text: str) -> tuple[LimitKind, int]:
    """A figure above zero of that kind; a daily loss in percent is of the kind for it. Raises `BadInput`."""
    kind, figure = _figure_from(kind, text)
    if figure <= 0:
        raise BadInput("figure", text, "give a figure above zero")
    return kind, figure


def _figure_from(kind: LimitKind, text: str) -> tuple[LimitKind, int]:
    if kind is LimitKind.DAILY_LOSS and text.strip().endswith("%"):
        kind = LimitKind.DAILY_LOSS_PERCENT
    match kind.unit:
        case LimitUnit.PAISE:
            return kind, paise_from_text(text, "figure")
        case LimitUnit.BPS:
            return kind, bps_from_percent_text(text, "figure")
        case LimitUnit.COUNT:
            return kind, count_from_text(text, "figure")
        case LimitUnit.NONE:
            raise BadInput("figure", text, f"{kind.word} has no figure")
