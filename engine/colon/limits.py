"""What a line about limits asks for: one that is set or taken away, or all of them."""

from collections.abc import Sequence

from data.errors import BadInput
from data.vocabulary import LimitKind, LimitScope, LimitStrength, LimitUnit
from engine.colon.asked import AskedLimit, AskedLimits, AskedLists
from engine.colon.files import day_from, file_from
from engine.colon.known import Known
from engine.planning.limits.typed import LimitWish, figure_from, kind_from

NONE, SOFT, OFF, LIST = "none", "soft", "off", "l:"
IMPORT, AS, ON = "import", "as", "on"
FORM = "give CODE, g:GROUP or desk, the limit and its figure: PS1015 order-value 5,00,000 soft"


def limits_from(words: Sequence[str], known: Known) -> AskedLimits:
    """All limits, or those over a client. Raises `BadInput`."""
    if len(words) > 1:
        raise BadInput("word", words[1], "give a client's code, or nothing for all")
    return AskedLimits(known.clients.find(words[0]).id if words else None)


def lists_from(words: Sequence[str], known: Known) -> AskedLists:
    """All lists of shares, the shares of one, or those of a file. Raises `BadInput`."""
    if words and words[0].casefold() == IMPORT:
        return _lists_of_file(list(words[1:]))
    if len(words) > 1:
        raise BadInput("word", words[1], "give the name of a list, nothing for all, or import FILE")
    return AskedLists(words[0].casefold().removeprefix(LIST) if words else "")


def _lists_of_file(words: list[str]) -> AskedLists:
    """`FILE [as NAME] [on YYYY-MM-DD]`. Raises `BadInput`."""
    name, as_of = "", None
    while len(words) > 2 and (said := words[-2].casefold()) in (AS, ON):
        if said == AS:
            name = words[-1].casefold()
        else:
            as_of = day_from(words[-1], "as-of")
        del words[-2:]
    return AskedLists(name, file_from(words), as_of)


def limit_from(words: Sequence[str], known: Known) -> AskedLimit:
    """A limit as it is typed; `none` takes it away, `soft` asks for a reason. Raises `BadInput`.

    Whose it is alone opens its form.
    """
    if not words:
        raise BadInput("limit", "", FORM)
    if len(words) == 1:
        return AskedLimit(LimitWish(*_whose(words[0], known), LimitKind.ORDER_VALUE), form=True)
    whose, kind, *rest = words
    scope, name = _whose(whose, known)
    wanted, strength, figure = kind_from(kind), LimitStrength.HARD, None
    list_name, removes = "", False
    for word in rest:
        told = word.casefold()
        if told in (SOFT, OFF):
            strength = LimitStrength(told)
        elif told == NONE:
            removes = True
        elif told.startswith(LIST):
            list_name = told[len(LIST) :]
        elif figure is None:
            wanted, figure = figure_from(wanted, word)
        else:
            raise BadInput("word", word, FORM)
    if wanted.unit is not LimitUnit.NONE and figure is None and not removes:
        raise BadInput("figure", "", f"{wanted.word} needs a figure, or none")
    if wanted is LimitKind.LIST and not list_name:
        raise BadInput("list", "", "name it: l:gsm")
    return AskedLimit(LimitWish(scope, name, wanted, strength, figure, list_name), removes)


def _whose(word: str, known: Known) -> tuple[LimitScope, str]:
    if word.casefold() == "desk":
        return LimitScope.DESK, ""
    if word.casefold().startswith("g:"):
        return LimitScope.GROUP, word[2:]
    return LimitScope.CLIENT, known.clients.find(word).code
