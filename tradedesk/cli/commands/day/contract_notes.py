"""Contract notes against closed days from the command line: totals typed or imported, what they correct."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.words.day.closing import correction_words
from engine.words.formats import amount, counted
from tradedesk.cli.commands.queries import ClientWord
from tradedesk.cli.commands.setup import readable
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson, day_from
from tradedesk.cli.printing.output import document, line, say
from tradedesk.cli.session import run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.repositories.close.corrections import Correction
    from engine.desk import Desk

contract_notes_app = typer.Typer(
    no_args_is_help=False, help="Contract notes against closed days: what they come to instead."
)


@contract_notes_app.callback(invoke_without_command=True)
def contract_notes(ctx: typer.Context, client: ClientWord = None, as_json: AsJson = False) -> None:
    """What was found out of closed days since, by day: the note's total instead of what was charged."""
    if ctx.invoked_subcommand is not None:
        return

    async def work(desk: "Desk") -> Exit:
        whom = desk.clients.all() if client is None else [desk.clients.find(client)]
        found = await desk.contract_notes.corrections([one.id for one in whom])
        _tell(desk, found, as_json, "every day stands as it was closed")
        return Exit.DONE

    run(work, needs_secrets=False)


@contract_notes_app.command("add")
def add(
    code: Annotated[str, typer.Argument(metavar="CODE", help="The client's code or id.")],
    day: Annotated[str, typer.Argument(metavar="DAY", help="The day of the note, as YYYY-MM-DD.")],
    total: Annotated[
        str | None,
        typer.Argument(metavar="RUPEES", help="All charges of the note; the depository's are in none."),
    ] = None,
    kinds: Annotated[
        list[str] | None,
        typer.Option("--kind", metavar="KIND=RUPEES", help="brokerage, stt, exchange, sebi, stamp or gst."),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Where it is from.")] = "typed",
    as_json: AsJson = False,
) -> None:
    """Take what a client's note of a closed day comes to; a difference becomes a correction of that day.

    Kinds that are told are held against those of the day each; all six stand for the total too.
    """

    async def work(desk: "Desk") -> Exit:
        from data.money import paise_from_text

        client, told = desk.clients.find(code), _told_kinds(kinds or ())
        if total is not None:
            told["total"] = paise_from_text(total, "rupees")
        made = await desk.contract_notes.note(client.id, day_from("day", day), told, reason)
        paise = told.get("total", sum(told.values()))
        same = f"{client.code} was charged {amount(paise)} on that day: nothing to correct"
        _tell(desk, made, as_json, same)
        return Exit.DONE

    run(work, needs_secrets=False)


def _told_kinds(words: "Sequence[str]") -> dict[str, int]:
    """Kinds of charges from words such as `stt=12.00`, in paise. Raises `BadInput`."""
    from data.errors import BadInput
    from data.money import paise_from_text
    from engine.close.notes import KINDS

    found: dict[str, int] = {}
    for word in words:
        name, is_told, rupees = word.partition("=")
        kind = name.strip().casefold()
        if not is_told or kind not in KINDS:
            raise BadInput("kind", word, f"give KIND=RUPEES, such as stt=12.00, of {', '.join(KINDS)}")
        if kind in found:
            raise BadInput("kind", word, f"{kind} was told before")
        found[kind] = paise_from_text(rupees, kind)
    return found


@contract_notes_app.command("import")
def import_notes(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV: code, day, total in rupees, kinds.")],
    as_json: AsJson = False,
) -> None:
    """Take the notes of a file, all of it or nothing; differences become corrections of their days.

    Columns brokerage, stt, exchange, sebi, stamp, gst are matched by kind; all six stand for a total too.
    """
    path = readable(file)

    async def work(desk: "Desk") -> Exit:
        made = await desk.contract_notes.take_file(path)
        _tell(desk, made, as_json, "every note comes to what its day was charged")
        return Exit.DONE

    run(work, needs_secrets=False)


@contract_notes_app.command("from-broker")
def from_broker(client: ClientWord = None, as_json: AsJson = False) -> None:
    """Correct today, once it is closed, by what the brokers say that its orders cost (`broker charges`).

    A note rounds over all orders and the broker here each, so that paise may differ from the note itself.
    """

    async def work(desk: "Desk") -> Exit:
        from data.vocabulary import CorrectionKind
        from engine.close.notes import KINDS, NoteTotal
        from tradedesk.cli.views.elsewhere import traded_lines

        day = desk.market_clock.trading_day
        report = await desk.close.report(day)
        wanted = None if client is None else desk.clients.find(client).id
        traded = [one.client_id for one in report.clients if one.trades and wanted in (None, one.client_id)]
        accounts = await desk.statements.of_day(traded, day)
        told = await desk.at_brokers.charges({c: traded_lines(one.trades) for c, one in accounts.items()})
        totals = [
            NoteTotal(
                client_id,
                day,
                charges.total_paise - charges.dp_paise,
                kinds={name: getattr(charges, f"{name}_paise") for name in KINDS},
            )
            for client_id, charges in told.items()
            if charges is not None
        ]
        made = await desk.contract_notes.take(totals, CorrectionKind.BROKER, "the broker's order charges")
        untold = sorted(desk.clients.get(one).code for one, charges in told.items() if charges is None)
        _tell(desk, made, as_json, "the day was charged as the brokers say")
        if untold:
            say(f"no charges were told of {', '.join(untold)}")
        return Exit.PARTLY if untold else Exit.DONE

    run(work)


def _tell(desk: "Desk", found: "Sequence[Correction]", as_json: bool, none: str) -> None:
    from tradedesk.cli.views.eod import correction_shape

    if as_json:
        document([correction_shape(one) for one in found])
        return
    for one in found:
        line(f"{one.day:%d %b %Y} {correction_words(one, desk.clients.get(one.client_id).code)}")
    if not found:
        line(none)
    if waits := [one.day for one in found if one.waits]:
        days = ", ".join(day.isoformat() for day in sorted(set(waits)))
        told = counted(len(waits), "correction", "wait")
        line(f"{told} for a revision, which `tradedesk eod --day DAY` makes: {days}")
