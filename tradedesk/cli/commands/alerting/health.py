"""How the desk fares, from the command line: that of the open app, where one answers."""

from typing import TYPE_CHECKING

from engine.words.health import connection_words, desk_lines, ms, rest_words, share
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson
from tradedesk.cli.printing.output import document, line, table
from tradedesk.cli.session import run

if TYPE_CHECKING:
    from engine.desk import Desk


def health(as_json: AsJson = False) -> None:
    """Times and errors of brokers' calls, what waits, what commits take, and what room is left."""
    run(lambda desk: _health(desk, as_json), needs_secrets=False)


async def _health(desk: "Desk", as_json: bool) -> Exit:
    found = desk.health.look()
    if as_json:
        document(found)
        return Exit.DONE
    for name, words in desk_lines(found):
        line(f"{name:<12} {words}")
    for one in found.connections:
        line(connection_words(one))
        rows = [
            (
                call.call,
                str(call.calls),
                ms(call.p50_ms),
                ms(call.p95_ms),
                ms(call.p99_ms),
                str(call.failed),
                share(call.errors_bps),
                str(call.refused),
            )
            for call in one.calls
        ]
        if rows:
            table(("call", ">calls", ">p50", ">p95", ">p99", ">failed", ">share", ">refused"), rows)
        for rest in one.resting:
            line(f"  {rest_words(rest)}")
    return Exit.DONE
