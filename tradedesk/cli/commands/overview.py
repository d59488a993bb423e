"""The desk at a glance: how it stands, its tape, and the day's commands."""

from typing import TYPE_CHECKING, Annotated

import typer

from engine.words.firm.leases import line_words
from engine.words.formats import DASH, age, counted, rupees, signed, tenth_percent
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson
from tradedesk.cli.printing.clocks import clock_words, wall_time
from tradedesk.cli.printing.output import document, line, say, table
from tradedesk.cli.session import run
from tradedesk.cli.views.matrix import matrix_shape
from tradedesk.cli.views.overview import status_shape, tape_shape

if TYPE_CHECKING:
    from engine.desk import Desk

Most = Annotated[int, typer.Option("--limit", min=1, max=1000, help="The newest so many.")]


def status(as_json: AsJson = False) -> None:
    """How the desk stands: market, feed, orders, gate, halts and the day's P&L."""

    async def work(desk: "Desk") -> Exit:
        await desk.price()
        found = status_shape(desk)
        if as_json:
            document(found)
            return Exit.DONE
        line(clock_words(desk))
        stands = f"{found.mode}  {found.phase.value.replace('_', ' ')}  feed {age(found.feed_age_s)}"
        line(f"{stands}{'  HALTED' if found.halts else ''}")
        if words := line_words(await desk.leases.line()):
            line(words)
        if found.trading_disabled:
            line(f"NO ORDERS: {found.trading_disabled}")
        line(f"orders  live {found.live}  unsent {found.unsent}  unknown {found.unknown}")
        line(f"gate {found.ready}/{found.clients}  needs attention {found.needs_attention}")
        line(
            f"day  net {signed(found.net_day_pnl_paise)}  gross {signed(found.day_pnl_paise)}  "
            f"charges {rupees(found.charges_today_paise)}"
        )
        if len(found.brokers) > 1:
            table(
                ("broker", "gate", ">live", ">available", ">blocked", ">day net"),
                [
                    (
                        one.broker,
                        f"{one.ready}/{one.clients}",
                        str(one.live or ""),
                        rupees(one.available_paise),
                        rupees(one.blocked_paise),
                        signed(one.net_day_pnl_paise),
                    )
                    for one in found.brokers
                ],
            )
        return Exit.DONE

    run(work, needs_secrets=False)


def tape(most: Most = 40, as_json: AsJson = False) -> None:
    """The last runs and events, oldest first, as the tape of the Desk has them."""

    async def work(desk: "Desk") -> Exit:
        found = [tape_shape(one) for one in desk.tape()[-most:]]
        if as_json:
            document(found)
            return Exit.DONE
        line(clock_words(desk))
        for one in found:
            line(f"{wall_time(desk, one.at)}  {one.words}")
        return Exit.DONE

    run(work, needs_secrets=False)


SHOWN_COLUMNS = 8
"""Columns of the matrix that a table has room for; `--json` has all."""


def matrix(
    sectors: Annotated[bool, typer.Option("--sectors", help="Sectors across in place of stocks.")] = False,
    as_json: AsJson = False,
) -> None:
    """What each client holds, with stocks or sectors across, as percent of its portfolio."""
    from engine.accounts.held import Across

    async def work(desk: "Desk") -> Exit:
        await desk.price()
        found = matrix_shape(desk, Across.SECTORS if sectors else Across.STOCKS)
        if as_json:
            document(found)
            return Exit.DONE
        line(clock_words(desk))
        shown = [column.name for column in found.columns[:SHOWN_COLUMNS]]
        heads = [f">{name.partition(':')[2] or name} %" for name in shown]
        table(
            ("code", "client", *heads, ">portfolio", ">day net"),
            [
                (
                    row.code,
                    row.name,
                    *(tenth_percent(cells[name].weight_bps) if name in cells else "" for name in shown),
                    rupees(row.portfolio_paise),
                    signed(row.net_day_pnl_paise),
                )
                for row in found.rows
                for cells in ({cell.column: cell for cell in row.cells},)
            ],
        )
        more = len(found.columns) - len(shown)
        whose = counted(len(found.rows), "client")
        line(f"{whose} with shares{f'; {more} more {found.across.value} in --json' if more > 0 else ''}")
        return Exit.DONE

    run(work, needs_secrets=False)


def log(most: Most = 40, as_json: AsJson = False) -> None:
    """What was done this trading day, as the commands that would do the same, oldest first.

    One that begins with `tradedesk` is for a shell, any other for the line behind `:` of the app.
    """

    async def work(desk: "Desk") -> Exit:
        found = await desk.audit.commands(most)
        if as_json:
            document(found)
            return Exit.DONE
        line(clock_words(desk))
        for one in found:
            line(f"{wall_time(desk, one.at)}  {one.actor}  {one.via or DASH}  {one.command}")
        if not found:
            say("nothing was done yet")
        return Exit.DONE

    run(work, needs_secrets=False)
