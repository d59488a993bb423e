"""The end of the day from the command line: its figures at any time, and its close."""

from typing import TYPE_CHECKING, Annotated

import typer

from data.vocabulary import CloseStepKind
from engine.words.day.closing import (
    STEP_WORDS,
    close_question,
    close_words,
    correction_words,
    day_line,
    netted_words,
    priced_words,
    prospect_line,
    tomorrow_lines,
    why_open_words,
)
from engine.words.formats import counted, rupees, signed
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson, Yes, day_from
from tradedesk.cli.printing.output import document, line, say, table
from tradedesk.cli.session import confirmed, run
from tradedesk.cli.views.eod import day_shape, prospect_shape

if TYPE_CHECKING:
    from engine.close.views import CloseProspect, DayReport, ForTomorrow
    from engine.desk import Desk


def eod(
    preview: Annotated[
        bool, typer.Option("--preview", help="The figures as they stand; nothing is written.")
    ] = False,
    day: Annotated[
        str | None,
        typer.Option("--day", metavar="DATE", help="Which day; without it the last one that is not closed."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="What the close would do, and who stays open; nothing is written.")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Close the day: figures kept and sealed, files, backup; --preview shows its figures at any time.

    Clients with live or unknown orders or a difference stay open by name; then `close N` is asked for.
    """
    wanted = None if day is None else day_from("day", day)

    async def work(desk: "Desk") -> Exit:
        if preview:
            _show(await desk.close.preview(wanted, costs=True), as_json)
            return Exit.DONE
        prospect = await desk.close.prospect(wanted)
        if check:
            _show_prospect(prospect, await desk.close.tomorrow(ask=True), as_json)
            return Exit.DONE
        if not (prospect.closed or prospect.done or prospect.begins_at):
            prospect = await desk.close.look(prospect.day)
            if prospect.open and not await _agreed(prospect, yes):
                return Exit.NOTHING_SENT
        report = await desk.close.close(prospect.day, prospect.closing)
        _show(report, as_json)
        if not as_json:
            for told in tomorrow_lines(await desk.close.tomorrow()):
                line(f"  {told}")
        return Exit.PARTLY if prospect.open else Exit.DONE

    run(work, needs_secrets=False)


async def _agreed(prospect: "CloseProspect", yes: bool) -> bool:
    for one in prospect.open:
        say(f"{one.code} stays open: {why_open_words(one)}")
    words = close_words(prospect)
    again = ["eod", "--day", prospect.day.isoformat(), "--yes"]
    return await confirmed(
        words, close_question(prospect), yes, f"--yes closes the {prospect.closing}", again
    )


def _show(report: "DayReport", as_json: bool) -> None:
    if as_json:
        document(day_shape(report))
    else:
        _print_report(report)


def _show_prospect(prospect: "CloseProspect", tomorrow: "ForTomorrow", as_json: bool) -> None:
    if as_json:
        document(prospect_shape(prospect, tomorrow))
        return
    line(prospect_line(prospect))
    for step in CloseStepKind:
        line(f"{'done' if step in prospect.done else ' -  '}  {STEP_WORDS[step]}")
    for one in prospect.open:
        line(f"{one.code} stays open: {why_open_words(one)}")
    for told in tomorrow_lines(tomorrow):
        line(f"for tomorrow: {told}")


def _print_report(report: "DayReport") -> None:
    line(day_line(report))
    table(
        ("code", "client", ">value", ">net today", ">gross", ">charges", ">interest", ">total", ">open"),
        [
            (
                one.code,
                one.name,
                rupees(one.portfolio_value_paise),
                signed(one.todays_pnl_paise),
                signed(one.gross_pnl_paise),
                rupees(one.charges_paise),
                rupees(one.interest_paise),
                signed(one.total_pnl_paise),
                str(one.active_trades),
            )
            for one in report.clients
        ],
    )
    risk = report.risk
    line(
        f"{counted(len(report.clients), 'client')} {rupees(risk.total_value_paise)}, net today "
        f"{signed(risk.todays_pnl_paise)}: {risk.profitable} up, {risk.losing} down, best "
        f"{signed(risk.max_gain_paise)}, worst {signed(risk.max_loss_paise)}"
    )
    line(priced_words(report))
    if netted := netted_words(report):
        line(f"{netted}: the desk's own net, and guards, have what is booked")
    codes = {one.client_id: one.code for one in report.clients}
    for one in report.corrections:
        line(correction_words(one, codes[one.client_id]))
