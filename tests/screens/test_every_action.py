"""Every action by key has a line that does the same, behind `:` or for a shell, or a reason to have none."""

import shlex

import typer
from textual.binding import Binding
from textual.widget import Widget
from typer.core import TyperGroup

from engine.colon.grammar import parse
from tests.screens.bench import opened
from tests.screens.places import classes
from tradedesk.app.keymap import all_commands
from tradedesk.cli.main import app as cli
from widgets.livegrid import LiveGrid

TYPED: dict[str, tuple[str, ...]] = {
    "halt.press": ("tradedesk cancel-all --yes",),
    "halt.firm": ("tradedesk cancel-all --yes --scope firm",),
    "halt.certificate": ("certificate", "tradedesk certificate"),
    "flatten": ("flatten desk mis",),
    "ticket.buy": ("buy TCS 10 PS1015",),
    "ticket.sell": ("sell TCS 10 PS1015",),
    "bulk.buy": ("buy TCS 25%",),
    "bulk.sell": ("sell TCS 100%",),
    "order.cancel": ("cancel 12", "cancel PS1015", "cancel run 1"),
    "order.cancel_marked": ("cancel 12 13",),
    "order.modify": (
        *("models rules balanced band:5 to:target", "models except balanced PS1015 TCS keep"),
        *("modify 12 @2400", "buy TCS 25% VS1004=3", "basket buy TCS:5% INFY:5%", "client PS1015 edit"),
        "tradedesk watchlist rename Mine Yours",
        "tradedesk clients edit PS1015 --status inactive --reason away",
    ),
    "order.modify_marked": (
        "tradedesk modify 12 13 --ticks 2 --yes",
        "tradedesk modify 12 13 --chase 2400",
    ),
    "take_over": (
        "tradedesk unknown adopt 12 2611 --reason seen",
        "tradedesk reconcile PS1015 --adopt --reason seen",
    ),
    "order.absent": ("tradedesk unknown absent 12 --reason seen",),
    "plan.drop": (
        "buy TCS 25% VS1004=0",
        "alerts done square_off",
        "tradedesk gate waive PS1015 route --reason known",
    ),
    "plan.affordable": ("buy TCS 25% VS1004=3",),
    "plan.mtf": ("buy TCS 25% VS1004=MTF",),
    "plan.again": ("buy TCS 25% again",),
    "intent.presets": (
        "tradedesk plan --preset Mine",
        "tradedesk plan buy TCS --percent 25 --save Mine",
        "tradedesk presets remove Mine",
    ),
    "plan.what_if": ("tradedesk plan buy TCS --percent 25 --what-if",),
    "run.repair": ("repair 1", "sign in", "tradedesk routes retry PS1015"),
    "run.pause": ("pause 1", "tradedesk run 1 resume --send 4", "client PS1015 pause"),
    "intent.again": ("again",),
    "price.last": ("buy TCS 10 PS1015 @2500", "tradedesk modify 12 13 --to-last"),
    "find": ("find", "tradedesk search tcs"),
    "needs_me": ("needs-me", "tradedesk unknown"),
    "chart": ("chart INFY",),
    "audit.verify": ("verify-audit", "tradedesk audit verify"),
    "elsewhere": ("elsewhere",),
    "equity": ("equity",),
    "history": ("history", "tradedesk history"),
    "mtf": ("mtf",),
    "day.close": ("close", "tradedesk eod"),
    "eod": ("eod", "tradedesk eod --preview", "tradedesk eod --check"),
    "health": ("health", "tradedesk health"),
    "groups": ("groups", "group hni = capital > 5L"),
    "import": ("tradedesk clients import clients.csv",),
    "export": ("export clients",),
    "evidence": ("evidence 1", "tradedesk evidence 1"),
    "alerts": ("alerts", "tradedesk alerts"),
    "alert.later": ("alerts later square_off", "tradedesk alerts later square_off"),
    "alert.until": ("alerts later square_off 30m",),
    "filter": ("filter ps1",),
    "watch.add": ("watch TCS", "client add", "group West + PS1015", "basket buy TCS:5% INFY:5%"),
    "watch.remove": ("unwatch TCS", "client PS1015 close", "group West - PS1015"),
    "watch.up": ("tradedesk watchlist place Mine TCS 1",),
    "watch.down": ("tradedesk watchlist place Mine TCS 2",),
    "watch.left": ("tradedesk watchlist move Mine 1",),
    "watch.right": ("tradedesk watchlist move Mine 2",),
    "grid.open": ("order 12", "run 1", "plan 1", "client PS1015", "symbol TCS", "audit story 5"),
    "look": ("tradedesk watchlist columns ltp vol", "tradedesk matrix --sectors"),
    "file": ("tradedesk orders --json",),
    "note": ("note PS1015 he called", "note order 12 late", "note run 1 checked"),
    "help": ("keys",),
    "log": ("log", "tradedesk log"),
    "jump": ("jump",),
    "freeze": ("freeze",),
    "privacy": ("privacy",),
    "theme": ("theme dark",),
    "lock": ("lock",),
    "clock": ("clock", "clock 15:20", "tradedesk simulate clock --to 15:20"),
    "redraw": ("redraw",),
    "picture": ("picture",),
    "quit": ("quit",),
    "quit.letter": ("quit",),
    "depth": ("depth", "tradedesk detail TCS"),
    "trades": ("trades",),
    "workspace.desk": ("desk",),
    "workspace.bulk": ("bulk",),
    "workspace.orders": ("orders",),
    "workspace.positions": ("positions",),
    "workspace.matrix": ("matrix",),
    "workspace.rebalance": ("models", "rebalance balanced g:HNI raise:50000", "tradedesk rebalance balanced"),
    "workspace.clients": ("gate",),
    "workspace.day": ("day",),
    "workspace.audit": ("audit",),
}
"""The lines, of every kind of row that the key acts on where they differ."""

WITHOUT: dict[str, tuple[str, ...]] = {
    "moves or marks, and changes nothing": (
        *("previous", "next", "pane.next", "pane.previous", "close", "go", "copy", "copy.text"),
        *("grid.down", "grid.up", "grid.page_down", "grid.page_up", "grid.home", "grid.end"),
        *("grid.pan_right", "grid.pan_left", "grid.mark", "grid.mark_all", "grid.invert_marks"),
        *("grid.sort_previous", "grid.sort_next", "grid.flip_sort"),
        *("form.edit", "form.edit_back", "form.plan", "leg.next", "leg.previous"),
        *("line.complete", "line.complete_back", "line.before", "line.after"),
    ),
    "answers what is on the screen, as --yes does in a shell": ("review.yes", "halt.stand_down"),
    "is the command line itself, or another way to it": ("command_line", "palette"),
    "another key of a workspace that has a line": ("dock.orders", "dock.desk"),
}
"""Actions that no line does, by the reason."""


def bound() -> set[str]:
    """The id of every binding of a screen, of what stands in one, and of grids."""
    found: set[str] = set()
    for kind in (*classes((Widget,)), LiveGrid):
        for one in vars(kind).get("BINDINGS", ()):
            assert isinstance(one, Binding), f"{kind}: a binding without an id"
            assert one.id, f"{kind}: {one.key} has no id"
            found.add(one.id)
    return found


def test_every_action_has_a_line_or_a_reason_to_have_none() -> None:
    reasons = [one for ids in WITHOUT.values() for one in ids]
    listed = [*TYPED, *reasons]
    assert len(listed) == len(set(listed)), "a line and a reason"
    assert set(listed) == set(all_commands()) | bound()


async def test_each_line_is_understood() -> None:
    lines = [line for several in TYPED.values() for line in several]
    async with opened() as bench:
        known = bench.app.known()
        for line in (one for one in lines if not one.startswith("tradedesk ")):
            parse(line, known)
    for line in (one for one in lines if one.startswith("tradedesk ")):
        command, words = typer.main.get_command(cli), shlex.split(line)[1:]
        context = typer.Context(command)
        while isinstance(command, TyperGroup) and words and not words[0].startswith("-"):
            name, *words = words
            found = command.get_command(context, name)
            assert found is not None, line
            command = found
        command.make_context("", words)
