"""Reads lines about models: clients that are brought to one, and what is done with a model."""

from collections.abc import Callable, Sequence

from msgspec import convert

from data.errors import BadInput
from engine.colon.files import file_from
from engine.colon.known import Known
from engine.colon.whom import FORM, is_client_word, selection_from
from engine.rebalancing.asked import (
    AskedModels,
    AskedOfModels,
    AskedRebalance,
    ModelExceptionChange,
    ModelImport,
    ModelRetired,
    ModelRulesChange,
    ModelShown,
    RebalanceOf,
    RulesTyped,
    exception_from,
    wish_from,
)

RAISE, INVEST = "raise:", "invest"
"""Say that a rebalance leaves so much more cash, or puts to work what is idle."""

MODELS_FORM = "give import FILE [NAME], show NAME, rules NAME …, except NAME CODE SYMBOL keep, or retire NAME"
"""What is done with models."""


def rebalance_from(words: Sequence[str], known: Known) -> AskedRebalance:
    """A model's name, then whom, and cash that is raised or invested. Raises `BadInput` with the word."""
    if not words:
        raise BadInput("model", "", "give a model's name, then whom: :models shows them")
    raised, invest, named = None, False, list[str]()
    for word in words[1:]:
        told = word.casefold()
        if told.startswith(RAISE):
            raised = word[len(RAISE) :]
        elif told == INVEST:
            invest = True
        elif is_client_word(word, known):
            named.append(word)
        else:
            raise BadInput("word", word, f"behind the model stand {RAISE}50000 or {INVEST}; {FORM}")
    selection = selection_from(named, known, "")
    return AskedRebalance(RebalanceOf(words[0], selection, wish_from(raised, invest)))


def models_from(words: Sequence[str], known: Known) -> AskedModels:
    """All models, or what is done with one of them. Raises `BadInput` with the word."""
    if not words:
        return AskedModels()
    verb, *behind = words
    match verb.casefold(), behind:
        case "import", [file, *rest]:
            path = file_from([file])
            return AskedModels(ModelImport(path, " ".join(rest) or path.stem))
        case "show", [name]:
            return AskedModels(ModelShown(name))
        case "rules", [name, *rules]:
            return AskedModels(ModelRulesChange(name, _rules(rules) if rules else None))
        case "except", [name, code, symbol, does]:
            client_id, key = known.clients.find(code).id, known.index.resolve(symbol).key
            return AskedModels(ModelExceptionChange(name, client_id, key, exception_from(does)))
        case "retire", [name]:
            return AskedModels(ModelRetired(name))
        case _:
            raise BadInput("models", " ".join(words), MODELS_FORM)


def _rules(words: Sequence[str]) -> RulesTyped:
    """Rules such as `band:5 to:target min:2000 cost:1 cash:0 avoid-short losses-first`."""
    told: dict[str, str | bool] = {}
    for word in words:
        name, colon, value = word.casefold().partition(":")
        if colon and name in _RULES:
            told[_RULES[name]] = value.rstrip("%")
        elif word.casefold() in _WAYS:
            rule, does = _WAYS[word.casefold()]
            told[rule] = does
        else:
            raise BadInput("rule", word, f"give {', '.join(RULE_WORDS)}")
    return convert(told, RulesTyped)


_RULES = {"band": "band", "to": "to", "min": "min_trade", "cost": "max_cost", "cash": "cash"}
_WAYS = {
    "avoid-short": ("avoid_short", True),
    "take-short": ("avoid_short", False),
    "losses-first": ("losses_first", True),
    "pro-rata": ("losses_first", False),
}
RULE_WORDS = (*(f"{name}:" for name in _RULES), *_WAYS)
"""What may be said of a model's rules."""


READ_MODELS: dict[str, Callable[[Sequence[str], Known], AskedOfModels]] = {
    "rebalance": rebalance_from,
    "models": models_from,
}
"""What reads the words behind each of these commands."""
