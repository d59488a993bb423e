"""Taking positions flat from the command line, and looking at what was taken flat."""

from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import BadInput
from data.money import count_from_text
from data.vocabulary import FlattenReason, FlattenState, HaltScope
from engine.words.trading.flattens import (
    absent_words,
    beside_words,
    counts_words,
    line_words,
    position_words,
    prospect_counts,
    scope_words,
    signed,
    symbol_words,
    title_words,
    worth_words,
)
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson, Yes, json_too
from tradedesk.cli.printing.clocks import clock_words, wall_time
from tradedesk.cli.printing.output import document, line, say, table
from tradedesk.cli.session import confirmed, run
from tradedesk.cli.views.flattens import flatten_shape, prospect_shape

if TYPE_CHECKING:
    from engine.desk import Desk
    from engine.flatten.views import FlattenProspect, FlattenView

_DOUBT = (FlattenReason.UNKNOWN_ORDER, FlattenReason.LIVE_ORDER)


def flatten(
    words: Annotated[
        list[str],
        typer.Argument(metavar="CODE|g:GROUP|desk [mis|today|mtf|all]", help="Of whom, and which positions."),
    ],
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Take positions flat by the broker's own net, and certify it; `show [N]` and `stop N` are of one begun.

    Orders that would fight it are cancelled first. It works while the desk is halted; F9 F9 stops it.
    """
    if words[0] in ("show", "stop"):
        _one(words, as_json)
        return
    from engine.flatten.asked import flatten_from

    asked = flatten_from(words)
    assert not isinstance(asked, int), "`show` is not this"
    scope, named, what = asked.scope, asked.value, asked.what

    async def work(desk: "Desk") -> Exit:
        value = _value(desk, scope, named)
        if not yes:
            found = await desk.flatten.prospect(scope, value, what)
            told = _prospect_words(desk, found, scope_words(scope, named))
            then = ["flatten", *words, "--yes", *json_too(as_json)]
            if not found.sent:
                say(f"{told}\nnothing can be sent")
            if not found.sent or not await confirmed(found.answer, told, False, "add --yes to send it", then):
                if as_json:
                    document(prospect_shape(found))
                return Exit.NOTHING_SENT
        number = await desk.flatten.start(scope, value, what)
        begun = await desk.flatten.view(number)
        await desk.hear({line.client_id for line in begun.lines})
        made = await desk.flatten.follow(number)
        _print(desk, made, as_json)
        return _exit_of(made)

    run(work)


def _value(desk: "Desk", scope: HaltScope, named: str) -> str:
    """The scope's value as stored. Raises `BadInput` for a client or group that is not known."""
    if scope is HaltScope.CLIENT:
        return str(desk.clients.find(named).id)
    return desk.halt.check_scope(scope, named)


def _one(words: list[str], as_json: bool) -> None:
    """Show a flatten, the latest without a number, or stop one."""
    from engine.flatten.asked import FORMS

    action, numbers = words[0], words[1:]
    if len(numbers) > 1 or (action == "stop" and not numbers):
        raise BadInput("flatten", " ".join(words), f"give {FORMS}")
    wanted = count_from_text(numbers[0], "flatten") if numbers else None

    async def work(desk: "Desk") -> Exit:
        if wanted is None:
            known = await desk.flatten.all()
            if not known:
                raise BadInput("flatten", "", "nothing was taken flat yet")
            view = known[0]
        elif action == "stop":
            if not await desk.flatten.stop(wanted):
                say(f"flatten {wanted} was not going")
            view = await desk.flatten.follow(wanted)
        else:
            view = await desk.flatten.view(wanted)
        _print(desk, view, as_json)
        return Exit.DONE

    run(work)


def _prospect_words(desk: "Desk", found: "FlattenProspect", scope: str) -> str:
    rows = [
        f"  {one.code}  {one.name}  {symbol_words(one)} {one.product.value}  "
        f"{signed(one.net)}  {position_words(one)}"
        for one in found.positions
    ]
    counts = " · ".join((*prospect_counts(found), worth_words(found)))
    head = f"{desk.mode}  {title_words(found.what, scope)}: {counts}"
    below = filter(None, (beside_words(found), absent_words(found.not_signed_in)))
    return "\n".join([head, *rows, *below])


def _print(desk: "Desk", view: "FlattenView", as_json: bool) -> None:
    if as_json:
        document(flatten_shape(view))
        return
    line(clock_words(desk))
    value = view.value
    if view.scope is HaltScope.CLIENT:
        value = desk.clients.get(int(value)).code
    title = title_words(view.what, scope_words(view.scope, value), view.number)
    line(f"{title} by {view.by} at {wall_time(desk, view.at)}")
    if view.ended_at is not None:
        line(f"certified {wall_time(desk, view.ended_at)}: {counts_words(view)}; nothing of it lives")
    else:
        how = "" if view.carried else "; its engine has ended, the same flatten carries it on"
        line(f"{counts_words(view)}{how}")
    if view.passes:
        line(f"it passed halt {', '.join(map(str, view.passes))}, which stood when it was confirmed")
    if unasked := absent_words(view.not_signed_in):
        line(unasked)
    if view.lines:
        rows = [
            (
                one.code,
                one.name,
                symbol_words(one),
                one.product.value,
                signed(one.net_before),
                signed(one.net),
                one.state.value,
                line_words(one),
            )
            for one in view.lines
        ]
        table(("code", "client", "symbol", "", ">before", ">net", "", "what"), rows)


def _exit_of(made: "FlattenView") -> Exit:
    """0 where all is flat, 5 where an order is in doubt, 4 where anything else is left."""
    if made.state is not FlattenState.DONE or any(line.reason in _DOUBT for line in made.lines):
        return Exit.UNKNOWN
    return Exit.PARTLY if made.left else Exit.DONE
