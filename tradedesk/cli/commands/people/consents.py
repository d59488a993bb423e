"""What clients have agreed to, from the command line: the register, and what of it is missing."""

from typing import TYPE_CHECKING, Annotated

import typer

from engine.words.formats import DASH, counted
from tradedesk.cli.commands.setup import CsvFile, print_template, readable
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import MOST_NUMBER, AsJson, ClientWord, Template
from tradedesk.cli.printing.output import document, line, say, table
from tradedesk.cli.session import run
from tradedesk.cli.views.people.consents import consent_shape, lacking_shape

if TYPE_CHECKING:
    from datetime import date

    from engine.book.access_views import ConsentView
    from engine.desk import Desk

consents_app = typer.Typer(
    help="What clients have agreed to, each with its evidence: trading, mtf, contract-notes, algo, phone.",
    invoke_without_command=True,
)


@consents_app.callback()
def list_consents(
    ctx: typer.Context,
    client: Annotated[str | None, typer.Option("--client", metavar="CODE", help="Of this client.")] = None,
    missing: Annotated[
        bool, typer.Option("--missing", help="Only what is asked and missing or about to end.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Every consent, ended ones too; or what clients still lack of what the settings ask (`consents`)."""
    if ctx.invoked_subcommand is not None:
        return

    async def work(desk: "Desk") -> Exit:
        whose = desk.clients.all() if client is None else [desk.clients.find(client)]
        if missing:
            _tell_missing(desk, [one.id for one in whose], as_json)
        else:
            _tell(desk, [given for one in whose for given in desk.consents.of(one.id)], as_json)
        return Exit.DONE

    run(work, needs_secrets=False)


@consents_app.command("give")
def give_consent(
    client: ClientWord,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="trading, mtf, contract-notes, algo or phone.")],
    reference: Annotated[
        str, typer.Argument(metavar="REFERENCE", help="The paper, call or mail that shows it.")
    ],
    begins: Annotated[str, typer.Option("--from", metavar="DAY", help="Its first day, 2026-04-01.")] = "",
    until: Annotated[str, typer.Option("--until", metavar="DAY", help="Its last day, 2027-03-31.")] = "",
    as_json: AsJson = False,
) -> None:
    """Enter what a client has agreed to."""

    async def work(desk: "Desk") -> Exit:
        from engine.access.consent_needs import kind_from
        from engine.access.consents import NewConsent, day_from

        given = NewConsent(kind_from(kind), reference, day_from("from", begins), day_from("until", until))
        found = await desk.consents.give(desk.clients.find(client).id, given)
        _tell(desk, [found], as_json)
        return Exit.DONE

    run(work)


@consents_app.command("end")
def end_consent(
    client: ClientWord,
    number: Annotated[
        int, typer.Argument(metavar="N", min=1, max=MOST_NUMBER, help="Its number, as `consents` lists it.")
    ],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why it ends; the audit keeps it.")],
    as_json: AsJson = False,
) -> None:
    """Have a consent cover nothing from now on, as the client withdrew it."""

    async def work(desk: "Desk") -> Exit:
        _tell(desk, [await desk.consents.end(desk.clients.find(client).id, number, reason)], as_json)
        return Exit.DONE

    run(work)


@consents_app.command("import")
def import_consents(
    file: CsvFile = None,
    template: Template = False,
    as_json: AsJson = False,
) -> None:
    """Take the consents of a CSV file, all of them or, with any fault, none. Nothing is ended by it."""
    if template:
        from engine.access.consents import template as first_file

        print_template(first_file(), as_json)
        return
    path = readable(file)

    async def work(desk: "Desk") -> Exit:
        report = await desk.consents.import_csv(path)
        if as_json:
            document({"added": report.added, "unchanged": report.unchanged})
        else:
            line(f"{report.added} added, {report.unchanged} unchanged")
        return Exit.DONE

    run(work)


def _tell(desk: "Desk", found: "list[ConsentView]", as_json: bool) -> None:
    shapes = [consent_shape(desk, one) for one in found]
    if as_json:
        document(shapes)
        return
    table(
        (">n", "code", "kind", "reference", "from", "until", "", "by"),
        [
            (
                str(one.number),
                one.code,
                one.kind.value.replace("_", " "),
                one.reference,
                _day(one.given_from),
                _day(one.until),
                f"ended: {one.ended_why}" if one.ended_at else "" if one.covers else "not today",
                one.given_by,
            )
            for one in shapes
        ],
    )
    if not shapes:
        say("no consent is recorded: `tradedesk consents give CODE KIND REFERENCE` enters one")


def _tell_missing(desk: "Desk", client_ids: list[int], as_json: bool) -> None:
    found = [
        lacking_shape(desk, client_id, one)
        for client_id in client_ids
        for one in desk.clients.get(client_id).consents_lacking
    ]
    if as_json:
        document(found)
        return
    table(
        ("code", "kind", "", "what is wrong"),
        [
            (
                one.code,
                one.kind.value.replace("_", " "),
                "no orders" if one.hard else "warns",
                one.words,
            )
            for one in found
        ],
    )
    say(f"{counted(len({one.client_id for one in found}), 'client')} of {len(client_ids)}")


def _day(day: "date | None") -> str:
    return DASH if day is None else f"{day:%d %b %Y}"
