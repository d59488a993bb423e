"""Clients' kill switches at brokers that have them: shown, and set by a word that is typed for it alone."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data.errors import BadInput
from data.vocabulary import SessionState
from engine.words.formats import counted
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson, ClientWord, json_too
from tradedesk.cli.printing.output import document, line, say, table
from tradedesk.cli.session import at_terminal, run, typed

if TYPE_CHECKING:
    from brokers.contract import KillSwitch
    from engine.desk import Desk

kill_switch_app = typer.Typer(
    help="Kill switches at brokers that have them: a lock of a client's segment for hours.",
    invoke_without_command=True,
)


@kill_switch_app.callback()
def kill_switch(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Whose kill switch is on, read now of every client that is signed in where there are such."""
    if ctx.invoked_subcommand is not None:
        return

    async def work(desk: "Desk") -> Exit:
        shapes: list[dict[str, Any]] = []
        for client in desk.clients.all():
            if client.session is not SessionState.OK or not desk.kill_switches.has(client.id):
                continue
            try:
                shapes.append(_shape(client.code, await desk.kill_switches.read(client.id)))
            except BadInput as problem:
                shapes.append({"code": client.code, "on": [], "off": [], "problem": problem.expected})
        if as_json:
            document(shapes)
        else:
            rows = [(one["code"], ", ".join(one["on"]) or "none", one["problem"] or "") for one in shapes]
            table(("code", "on", "trouble"), rows)
        barred = sum(bool(one["on"]) for one in shapes)
        say(f"{barred} of {counted(len(shapes), 'client')} barred by their own switch")
        return Exit.PARTLY if any(one["problem"] for one in shapes) else Exit.DONE

    run(work)


@kill_switch_app.command("set")
def set_one(
    client: ClientWord,
    segment: Annotated[str, typer.Argument(metavar="SEGMENT", help="In the broker's words, such as NSE_EQ.")],
    word: Annotated[
        str, typer.Option(metavar="WORDS", help="What would be typed: lock SEGMENT of CLIENT.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Bar a client's orders in a segment at its broker, exits too, for twelve hours at Upstox.

    The segment must be flat and without open orders. The desk cannot undo it, and cancel-all never does it.
    """

    async def work(desk: "Desk") -> Exit:
        found = desk.clients.find(client)
        given, wanted = word, desk.kill_switches.word_for(found.id, segment)
        if not given and at_terminal():
            what = f"{found.code} {found.name}: no order of {segment.upper()} is taken for hours, exits too."
            again = ["kill-switch", "set", client, segment, f"--word={wanted}", *json_too(as_json)]
            if not await typed(wanted, what, again):
                return Exit.NOTHING_SENT
            given = wanted
        shape = _shape(found.code, await desk.kill_switches.lock(found.id, segment, given))
        if as_json:
            document(shape)
        else:
            line(f"{found.code}: on for {', '.join(shape['on'])}")
        return Exit.DONE

    run(work)


def _shape(code: str, switches: "Sequence[KillSwitch]") -> dict[str, Any]:
    """One client's switches; `problem` says why they could not be read, null where they were."""
    return {
        "code": code,
        "on": [one.segment for one in switches if one.on],
        "off": [one.segment for one in switches if not one.on],
        "problem": None,
    }
