"""What a typed line about models does: a plan of a rebalance, the models, or one that changes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, assert_never

from engine.rebalancing.asked import (
    AskedModels,
    AskedRebalance,
    ModelExceptionChange,
    ModelImport,
    ModelRetired,
    ModelRulesChange,
    ModelShown,
)
from engine.words.refusals import refusal_words
from engine.words.trading.rebalancing import EXCEPTION_WORDS, model_words, rules_words
from screens.frame.routes import WorkspaceName

if TYPE_CHECKING:
    from engine.rebalancing.asked import ModelAsked
    from screens.rebalance.screen import RebalanceScreen
    from tradedesk.app.shell import ShellApp


def about_models(app: ShellApp, asked: AskedRebalance | AskedModels) -> None:
    """Turn to the models, plan a rebalance, or change a model as typed."""
    if isinstance(asked, AskedRebalance):
        screen = _in_rebalance(app)
        screen.call_later(screen.begin, asked.of)
        return
    match asked.asked:
        case None:
            _in_rebalance(app)
        case ModelShown(name):
            screen = _in_rebalance(app)
            screen.call_later(screen.show, name)
        case ModelRulesChange(name, None):
            screen = _in_rebalance(app)
            screen.call_later(screen.tell_refusal, partial(screen.open_rules, name))
        case change:
            app.run_worker(_change(app, change), exit_on_error=False)


def _in_rebalance(app: ShellApp) -> RebalanceScreen:
    """The workspace of models, turned to; what it is to do waits until it has been drawn."""
    from screens.rebalance.screen import RebalanceScreen

    app.open_workspace(WorkspaceName.REBALANCE)
    screen = app.screen_stack[0]  # a dialog of that workspace may still be on top
    assert isinstance(screen, RebalanceScreen)
    return screen


async def _change(app: ShellApp, asked: ModelAsked) -> None:
    try:
        words = await _changed(app, asked)
    except Exception as problem:
        app.say(refusal_words(problem), "warning")
        return
    app.say(words)
    screen = _in_rebalance(app)
    screen.redraw()


async def _changed(app: ShellApp, asked: ModelAsked) -> str:
    """Do it; returns what was done in words. Raises `BadInput`, `FileProblem`."""
    models = app.desk.models
    match asked:
        case ModelImport(file, name):
            return model_words(await models.import_file(file, name))
        case ModelRulesChange(name, rules):
            before = await models.get(name)
            made = await models.set_rules(name, rules.over(before.rules) if rules else before.rules)
            return f"{made.title}: {rules_words(made.rules)}"
        case ModelExceptionChange(name, client_id, key, does):
            made = await models.set_exception(client_id, name, key, does)
            whose = f"{app.desk.clients.code_of(client_id)} {key.partition(':')[2]}"
            return f"{made.title}: {whose} {EXCEPTION_WORDS[does] if does else 'as all others'}"
        case ModelRetired(name):
            found = await models.get(name)
            await models.retire(name)
            return f"{found.title} is retired"
        case ModelShown(name):
            return model_words(await models.get(name))
        case _:
            assert_never(asked)
