"""What is typed of guards, in a command and on a screen: of whom, which positions, which limits."""

from collections.abc import Sequence

from msgspec import Struct

from data.errors import BadInput
from data.money import BPS, bps_from_percent_text, paise_from_text
from data.records import replace
from data.vocabulary import FlattenWhat, GuardAction, HaltScope

FORMS = (
    "CODE, g:GROUP or desk, then mis, today, mtf or all, then loss 2% or loss 5000, target 3%, flat or "
    "block; off or arm behind CODE and its set takes one away, or arms it again"
)
"""What may be typed."""

WHATS = frozenset(what.value.lower() for what in FlattenWhat)
OFF, ARM, LOSS, TARGET = "off", "arm", "loss", "target"
NOW = "now"
"""What is typed besides where a guard trips as soon as it is set."""


class GuardWish(Struct, frozen=True):
    """A guard as it is to be: of which scope and set, its limits in basis points of the base or in paise."""

    scope: HaltScope
    value: str
    what: FlattenWhat = FlattenWhat.MIS
    action: GuardAction = GuardAction.BLOCK
    loss_bps: int | None = None
    loss_paise: int | None = None
    target_bps: int | None = None
    target_paise: int | None = None

    @property
    def limited(self) -> bool:
        """Whether it has any limit."""
        return any(
            limit is not None
            for limit in (self.loss_bps, self.loss_paise, self.target_bps, self.target_paise)
        )


class GuardOf(Struct, frozen=True):
    """One guard that is to be taken away (`off`), or armed again, by its scope and set."""

    scope: HaltScope
    value: str
    what: FlattenWhat
    off: bool


def guard_from(words: Sequence[str]) -> GuardWish | GuardOf | None:
    """A guard as typed, its scope's value as typed too; None where the guards are to be shown.

    A guard without a limit is a form that is to be opened. Raises `BadInput`.
    """
    if not words:
        return None
    scope, value, rest = _scope(words)
    wish = GuardWish(scope, value)
    if rest and rest[0].lower() in WHATS:
        wish, rest = replace(wish, what=FlattenWhat(rest[0].lower())), rest[1:]
    if rest and rest[0].lower() in (OFF, ARM):
        if len(rest) > 1:
            raise BadInput("guard", rest[1], f"give {FORMS}")
        return GuardOf(scope, value, wish.what, rest[0].lower() == OFF)
    while rest:
        wish, rest = _with(wish, rest)
    return wish


def _scope(words: Sequence[str]) -> tuple[HaltScope, str, list[str]]:
    first = words[0].lower()
    if first == "desk":
        return HaltScope.EVERYTHING, "", list(words[1:])
    if first.startswith("g:"):
        return HaltScope.GROUP, words[0][2:], list(words[1:])
    if first in (HaltScope.CLIENT, HaltScope.GROUP):
        if len(words) < 2:
            raise BadInput(first, "", f"give {FORMS}")
        return HaltScope(first), words[1], list(words[2:])
    if first in WHATS or first in (OFF, ARM, LOSS, TARGET):
        raise BadInput("guard", words[0], f"give {FORMS}")
    return HaltScope.CLIENT, words[0], list(words[1:])


def _with(wish: GuardWish, rest: list[str]) -> tuple[GuardWish, list[str]]:
    """A wish with what stands next, and what stands behind that."""
    word = rest[0].lower()
    if word in WHATS:
        return replace(wish, what=FlattenWhat(word)), rest[1:]
    if word in (one.value for one in GuardAction):
        return replace(wish, action=GuardAction(word)), rest[1:]
    if word in (LOSS, TARGET) and len(rest) > 1:
        bps, paise = limit_from(rest[1], word)
        if word == LOSS:
            return replace(wish, loss_bps=bps, loss_paise=paise), rest[2:]
        return replace(wish, target_bps=bps, target_paise=paise), rest[2:]
    raise BadInput("guard", rest[0], f"give {FORMS}")


def limit_from(text: str, field: str) -> tuple[int | None, int | None]:
    """A limit as basis points where it is typed with a per cent sign, else as paise. Raises `BadInput`."""
    words = text.strip()
    if words.endswith("%"):
        bps = bps_from_percent_text(words[:-1].strip(), field)
        if not 0 < bps <= BPS:
            raise BadInput(field, text, "give more than 0 % and at most 100 %")
        return bps, None
    paise = paise_from_text(words, field)
    if paise <= 0:
        raise BadInput(field, text, "give an amount above zero, or a percentage such as 2%")
    return None, paise


def answer_of(wish: GuardWish, named: str, at_once: bool = False) -> str:
    """What is typed to set a guard, such as `PS1015 flat`; `named` is the client's code or the group's name.

    Whatever may sell shares that were delivered takes the name, whatever sells by itself the word `flat`,
    and what its limit stands broken of `at_once` the word `now`.
    """
    words = [named] if wish.what is FlattenWhat.ALL else []
    if wish.action is GuardAction.FLAT:
        words.append(GuardAction.FLAT.value)
    if at_once:
        words.append(NOW)
    return " ".join(words)
