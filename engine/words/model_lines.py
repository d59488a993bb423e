"""What a typed line about models would do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from engine.planning.intent import Selection
from engine.rebalancing.asked import (
    AskedModels,
    AskedRebalance,
    ModelExceptionChange,
    ModelImport,
    ModelRetired,
    ModelRulesChange,
    ModelShown,
)
from engine.words.formats import counted
from engine.words.trading.rebalancing import EXCEPTION_WORDS, wish_words

if TYPE_CHECKING:
    from engine.book.views import ClientView
    from engine.rebalancing.asked import ModelAsked


def model_line_words(
    asked: AskedRebalance | AskedModels, select: Callable[[Selection], Sequence[ClientView]]
) -> str:
    """What a line would do; `select` says which clients a selection names."""
    if isinstance(asked, AskedModels):
        of = asked.asked
        code = ""
        if isinstance(of, ModelExceptionChange):
            code = select(Selection((of.client_id,)))[0].code
        return _of_model_words(of, code)
    wish, clients = wish_words(asked.of.wish), counted(len(select(asked.of.selection)), "client")
    parts = (f"REBALANCE to {asked.of.model}", wish, asked.of.selection.title, clients, "plans it, then asks")
    return " · ".join(filter(None, parts))


def _of_model_words(asked: ModelAsked | None, code: str) -> str:
    """What a line about models would do; `code` is the client's of an exception."""
    match asked:
        case None:
            return "the models, and how far clients are from them"
        case ModelImport(file, name):
            return f"keeps the targets of {file.name} as the newest version of model {name}"
        case ModelShown(name):
            return f"how far clients are from model {name}"
        case ModelRulesChange(name, rules):
            return f"{'the form of the rules' if rules is None else 'changes the rules'} of model {name}"
        case ModelExceptionChange(name, _, key, does):
            words = "as all others" if does is None else EXCEPTION_WORDS[does]
            return f"{code} {key.partition(':')[2]} {words} in model {name}"
        case ModelRetired(name):
            return f"uses model {name} no more; its versions stay"
