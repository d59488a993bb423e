"""Guards from the command line: shown, set, taken away, and armed again."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import BadInput
from data.records import replace
from data.vocabulary import GuardWait, HaltScope
from engine.words.trading.guards import (
    at_once_words,
    bar_words,
    guard_line,
    limits_words,
    made_of_words,
    state_words,
    wish_words,
)
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson, json_too
from tradedesk.cli.printing.clocks import clock_words
from tradedesk.cli.printing.output import document, line, say, table
from tradedesk.cli.session import confirmed, run
from tradedesk.cli.views.risk.guards import guard_shape

if TYPE_CHECKING:
    from engine.desk import Desk
    from engine.guards.asked import GuardOf, GuardWish

SET = "set"


def guards(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[set|off|arm CODE|g:GROUP|desk [mis|today|mtf|all]]",
            help="Which guard, and what is done with it; without words all are shown.",
        ),
    ] = None,
    loss: Annotated[str | None, typer.Option(metavar="2%|RUPEES", help="The day's loss limit.")] = None,
    target: Annotated[str | None, typer.Option(metavar="3%|RUPEES", help="The day's target.")] = None,
    action: Annotated[
        str | None, typer.Option(metavar="block|flat", help="What it does when it trips; block if not given.")
    ] = None,
    answer: Annotated[
        str | None, typer.Option(metavar="WORDS", help="The words that are asked for, typed beforehand.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show guards, set a day's loss limit or target, take one away, arm again what has tripped.

    What sells by itself or may sell delivered shares asks for typed words, and so does arming again.
    """
    from engine.guards.asked import GuardOf

    given = words or []
    typed = _as_typed(given, loss, target, action)

    async def work(desk: "Desk") -> Exit:
        asked = _asked(desk, typed)
        if asked is None:
            await _read(desk)
            _show(desk, as_json)
            return Exit.DONE
        then = ["guards", *given, *_options(loss, target, action), *json_too(as_json)]
        if isinstance(asked, GuardOf):
            done = await _of(desk, asked, answer, then)
        else:
            done = await _set(desk, asked, answer, then)
        if not done:
            return Exit.NOTHING_SENT
        await _read(desk)
        _show(desk, as_json)
        return Exit.DONE

    run(work, needs_secrets=False)


def _as_typed(words: Sequence[str], loss: str | None, target: str | None, action: str | None) -> list[str]:
    """The words of the line behind `:guard` that say the same."""
    from engine.guards.asked import ARM, LOSS, OFF, TARGET

    said = list(words)
    if said and said[0].lower() in (SET, OFF, ARM):
        verb = said.pop(0).lower()
        if not said:
            raise BadInput("guards", verb, "say of whom: CODE, g:GROUP or desk")
        said += [verb] if verb != SET else []
    for name, limit in ((LOSS, loss), (TARGET, target)):
        said += [name, limit] if limit is not None else []
    return [*said, action] if action is not None else said


def _options(loss: str | None, target: str | None, action: str | None) -> list[str]:
    given = (("--loss", loss), ("--target", target), ("--action", action))
    return [word for name, value in given if value is not None for word in (name, value)]


def _asked(desk: "Desk", typed: Sequence[str]) -> "GuardWish | GuardOf | None":
    """What is asked for, with its scope's value as stored. Raises `BadInput`."""
    from engine.guards.asked import guard_from

    asked = guard_from(typed)
    if asked is None:
        return None
    value = asked.value
    if asked.scope is HaltScope.CLIENT:
        value = str(desk.clients.find(value).id)
    return replace(asked, value=desk.halt.check_scope(asked.scope, value))


async def _set(desk: "Desk", wish: "GuardWish", answer: str | None, then: Sequence[str]) -> bool:
    """Set a guard, with the words that it asks for; returns whether it was."""
    if wish.scope is HaltScope.CLIENT:
        whose = [int(wish.value)]
        await desk.reconcile.ensure(whose)
        await desk.price(whose)
    wanted, typed = desk.guards.answer(wish), answer or ""
    if wanted and answer is None:
        now = desk.guards.prospect(wish)
        told = f"{desk.mode}  {wish_words(wish, now.of)}\n  now {bar_words(now)} · {made_of_words(now)}"
        if at_once := at_once_words(now):
            told += f"\n  {at_once}"
        instead = f"add --answer '{wanted}' to set it"
        if not await confirmed(wanted, told, False, instead, [*then, "--answer", wanted]):
            return False
        typed = wanted
    await desk.guards.set(wish, typed)
    return True


async def _of(desk: "Desk", one: "GuardOf", answer: str | None, then: Sequence[str]) -> bool:
    """Take a guard away or arm it again; returns whether it was."""
    await _read(desk)
    view = desk.guards.get(one.scope, one.value, one.what)
    if one.off:
        await desk.guards.remove(one.scope, one.value, one.what)
        return True
    wanted, typed = f"arm {view.of}", answer or ""
    if answer is None:
        instead = f"add --answer '{wanted}' to arm it again"
        told = f"{desk.mode}  guard of {view.of} {guard_line(view)}"
        if not await confirmed(wanted, told, False, instead, [*then, "--answer", wanted]):
            return False
        typed = wanted
    await desk.guards.arm(one.scope, one.value, one.what, typed)
    return True


async def _read(desk: "Desk") -> None:
    """Look at the guards, of clients whose books have been compared as far as they can be."""
    await desk.guards.read()
    waiting = [view for view in desk.guards.all() if view.wait is GuardWait.BOOKS]
    if waiting:
        clients = [one.id for one in desk.clients.all()]
        named = [view.client_id for view in waiting if view.client_id is not None]
        await desk.reconcile.ensure(named if len(named) == len(waiting) else clients)
        await desk.guards.read()


def _show(desk: "Desk", as_json: bool) -> None:
    views = desk.guards.all()
    if as_json:
        document([guard_shape(view) for view in views])
        return
    line(clock_words(desk))
    if not views:
        say("no guard is set: tradedesk guards set CODE --loss 2%")
        return
    rows = [
        (
            view.of,
            view.what.value,
            bar_words(view),
            limits_words(view),
            view.action.value,
            state_words(view),
            made_of_words(view),
        )
        for view in views
    ]
    table(("of", "set", ">net", "limits", "does", "state", "made of"), rows)
