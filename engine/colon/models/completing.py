"""What may stand next in a line about models."""

from collections.abc import Iterable, Iterator, Sequence

from data.vocabulary import ModelException
from engine.colon.files import files_at
from engine.colon.known import Known
from engine.colon.models.reading import INVEST, RAISE, RULE_WORDS
from engine.colon.offered import Completion, beginning, clients, symbols, whom
from engine.colon.splitting import quoted
from engine.rebalancing.asked import NO_EXCEPTION


def _named(word: str, known: Known) -> Iterator[Completion]:
    return beginning(word, (Completion(quoted(name), "model") for name in known.names.models))


WHOM = (
    Completion(RAISE, "rupees, of each client"),
    Completion(INVEST, "what is idle"),
    Completion("g:", "a group"),
    Completion("all", "every client"),
    Completion("marked", "the clients marked here"),
    Completion("c:", "clients by code"),
    Completion("b:", "clients at a broker"),
)
"""What may stand behind the model of a rebalance, beside clients."""

OF_MODELS = (
    Completion("import", "FILE [NAME]: a CSV of targets"),
    Completion("show", "NAME"),
    Completion("rules", "NAME: band, least trade, cash …"),
    Completion("except", "NAME CODE SYMBOL: not for this client"),
    Completion("retire", "NAME: use it no more"),
)
"""What is done with models."""


def rebalance_offered(before: Sequence[str], word: str, known: Known) -> Iterator[Completion]:
    """What may stand behind `rebalance`."""
    if not before:
        yield from _named(word, known)
    else:
        yield from beginning(word, WHOM)
        yield from whom(word, known)


def models_offered(before: Sequence[str], word: str, known: Known) -> Iterable[Completion]:
    """What may stand behind `models`."""
    match [one.casefold() for one in before]:
        case []:
            return beginning(word, OF_MODELS)
        case ["import"]:
            return (Completion(quoted(name)) for name in files_at(word))
        case ["show" | "rules" | "except" | "retire"]:
            return _named(word, known)
        case ["rules", *_]:
            return beginning(word, map(Completion, RULE_WORDS))
        case ["except", _]:
            return clients(word, known)
        case ["except", _, _]:
            return symbols(word, known)
        case ["except", _, _, _]:
            does = (*(one.value.replace("_", "-") for one in ModelException), NO_EXCEPTION)
            return beginning(word, map(Completion, does))
        case _:
            return ()


OFFER_MODELS = {"rebalance": rebalance_offered, "models": models_offered}
"""What each of these commands offers behind its name."""
