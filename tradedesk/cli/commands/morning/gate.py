"""The morning: routes, consents, and the gate that says who may trade."""

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data.records import values_of
from data.vocabulary import ClientStatus, GateColour, GateItem, Reason
from engine.words.formats import counted
from tradedesk.cli.commands.setup import CsvFile, print_template, readable
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson, ClientWord, Template
from tradedesk.cli.printing.output import document, line, say, table
from tradedesk.cli.session import run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.access.gate import GateCheck, GateRow
    from engine.book.access_views import ConsentView, ProbeView, RouteView
    from engine.book.gate_views import GateFigures
    from engine.desk import Desk

gate_app = typer.Typer(
    help="The morning gate: session, route, consent, demat, funds and MTF of every client.",
    invoke_without_command=True,
)


routes_app = typer.Typer(help="How each client's orders leave.", no_args_is_help=True)
# --- the gate -----------------------------------------------------------------------------------------


@gate_app.callback()
def gate(
    ctx: typer.Context,
    red: Annotated[bool, typer.Option("--red", help="Only clients that are kept out.")] = False,
    as_json: AsJson = False,
) -> None:
    """Every client at the gate, with the words behind each colour that is not green."""
    if ctx.invoked_subcommand is not None:
        return

    async def work(desk: "Desk") -> Exit:
        asked = [one for one in desk.gate.rows() if one.reason in (None, Reason.BROKER_DOWN)]
        await desk.reconcile.ensure([one.client_id for one in asked])
        rows = [one for one in desk.gate.rows() if not red or one.colour is GateColour.RED]
        counts = desk.gate.counts()
        if as_json:
            document({**_counts(desk), "clients": [gate_shape(desk, one) for one in rows]})
            return Exit.DONE
        table(
            ("code", "client", *(check.item.value for check in rows[0].checks), "why") if rows else ("code",),
            [_gate_cells(desk, one) for one in rows],
        )
        say(
            f"{counts.ready} of {counted(len(desk.clients.all()), 'client')} may trade, "
            f"{counts.amber} amber, {counts.red} red, {counts.out} not active"
        )
        return Exit.DONE

    run(work)


def _counts(desk: "Desk") -> dict[str, int]:
    counts = desk.gate.counts()
    return {"ready": counts.ready, "amber": counts.amber, "red": counts.red, "out": counts.out}


def gate_shape(desk: "Desk", row: "GateRow") -> dict[str, Any]:
    """One client at the gate; `reason` is null where its orders may leave."""
    from engine.words.gate import verdict_words

    return {
        "client_id": row.client_id,
        "code": row.code,
        "name": desk.clients.get(row.client_id).name,
        "reason": row.reason,
        "colour": row.colour,
        "items": [
            {
                "item": check.item,
                "colour": check.colour,
                "words": verdict_words(check.judged, desk.shown_at),
                "waived": check.waived or None,
                **_figures(check.judged.figures),
            }
            for check in row.checks
        ],
    }


def _figures(figures: "GateFigures | None") -> dict[str, Any]:
    """An item's own figures by their stable keys; those that its finding has none of are left out."""
    from engine.book import gate_views as kinds

    match figures:
        case kinds.BrokenSession(problem=problem):
            return {"problem": problem}
        case kinds.SessionFigures(login_at=at, expires_at=until, checked_at=seen, polled=polled):
            stream = {"stream": False} if polled else {}
            return {"login_at": at, "expires_at": until, "checked_at": seen, **stream}
        case kinds.DownFigures(since=at):
            return {"silent_since": at}
        case kinds.RouteFigures(kind=kind, egress=egress, family=family, refused_at=at, shared_with=others):
            refused = {} if at is None else {"refused_at": at}
            shared = {"shared_with": others} if others else {}
            return {"kind": kind, "egress": egress, "family": family, **refused, **shared}
        case kinds.ConsentFigures(until=date() as until, days_left=left):
            return {"consent_until": until, "days_left": left}
        case kinds.FundsFigures(compared_at=at, age_s=age, available_paise=available, breaks=breaks):
            age_s = None if age is None else round(age, 1)
            differ = {"breaks": len(breaks)} if breaks else {}
            return {"compared_at": at, "age_s": age_s, "available_paise": available, **differ}
        case kinds.MtfFigures(limit_paise=limit, loan_paise=loan, enabled=enabled, used_bps=used):
            share = {} if used is None else {"used_bps": used}
            return {"limit_paise": limit, "loan_paise": loan, "enabled": enabled, **share}
        case _:
            return {}


def _gate_cells(desk: "Desk", row: "GateRow") -> tuple[str, ...]:
    from engine.book.gate_views import GateFinding
    from engine.words.gate import verdict_words
    from engine.words.trading.reasons import words

    def cell(check: "GateCheck") -> str:
        return "waived" if check.waived and check.colour is GateColour.GREEN else check.colour.value

    def said(check: "GateCheck") -> str:
        return verdict_words(check.judged, desk.shown_at)

    told = [f"{one.item.value}: {said(one)}" for one in row.checks if one.colour is not GateColour.GREEN]
    client = desk.clients.get(row.client_id)
    if row.reason is not None and client.status is not ClientStatus.ACTIVE:
        told = [words(row.reason)]
    elif (route := row.check(GateItem.ROUTE)).judged.finding is GateFinding.NO_CONNECTION:
        told = [said(route)]
    return (row.code, client.name, *(cell(check) for check in row.checks), "; ".join(told))


@gate_app.command("waive")
def waive(
    client: ClientWord,
    item: Annotated[
        str, typer.Argument(metavar="ITEM", help="session, route, consent, demat, funds or mtf.")
    ],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why it may pass; the audit keeps it.")],
    as_json: AsJson = False,
) -> None:
    """Let an amber item of a client pass for this trading day. Red cannot be waived."""

    async def work(desk: "Desk") -> Exit:
        found = desk.clients.find(client)
        await desk.reconcile.ensure([found.id])
        row = await desk.gate.waive(found.id, item, reason)
        if as_json:
            document(gate_shape(desk, row))
        else:
            line(
                f"{row.code} {item.strip().lower()} waived for "
                f"{desk.market_clock.trading_day:%d %b %Y}: {reason}"
            )
        return Exit.DONE

    run(work)


# --- routes -------------------------------------------------------------------------------------------


@routes_app.command("import")
def import_routes(
    file: CsvFile = None,
    template: Template = False,
    as_json: AsJson = False,
) -> None:
    """Take the routes of a CSV file, all of them or, with any fault, none."""
    if template:
        from engine.access.routes import template as first_file

        print_template(first_file(), as_json)
        return
    path = readable(file)

    async def work(desk: "Desk") -> Exit:
        report = await desk.routes.import_csv(path)
        if as_json:
            document({"added": report.added, "updated": report.updated, "unchanged": report.unchanged})
        else:
            line(f"{report.added} added, {report.updated} updated, {report.unchanged} unchanged")
        red = sum(one.colour is GateColour.RED for one in desk.gate.rows())
        say(f"{counted(red, 'client')} red at the gate")
        return Exit.DONE

    run(work)


@routes_app.command("show")
def show_routes(as_json: AsJson = False) -> None:
    """Every route that was entered."""

    async def work(desk: "Desk") -> Exit:
        from engine.access.routes import OPTIONAL, REQUIRED, columns

        codes = {client.id: client.code for client in desk.clients.all()}
        routes = desk.routes.all()
        given = {route.client_id: desk.consents.of(route.client_id) for route in routes}
        if as_json:
            document([_route_shape(one, codes[one.client_id], given[one.client_id]) for one in routes])
        else:
            table((*REQUIRED, *OPTIONAL), columns(routes, codes, given))
        say(f"{counted(len(routes), 'route')} for {counted(len(codes), 'client')}")
        return Exit.DONE

    run(work)


@routes_app.command("retry")
def retry_route(client: ClientWord, as_json: AsJson = False) -> None:
    """Let orders out again on a route that the broker refused, once the address is on its list."""

    async def work(desk: "Desk") -> Exit:
        found = desk.clients.find(client)
        await desk.routes.retry(found.id)
        row = desk.gate.of(found.id)
        if as_json:
            document(gate_shape(desk, row))
        else:
            line(f"{row.code}: the next order shows whether the broker takes this route")
        return Exit.DONE

    run(work)


@routes_app.command("probe")
def probe_routes(
    clients: Annotated[
        list[str] | None, typer.Argument(metavar="CLIENT", help="Only these; all that have a route if none.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Look by which address each client's calls leave, and hold it against what its route claims."""

    async def work(desk: "Desk") -> Exit:
        from engine.words.gate import probed_words, verdict_words

        ids = [desk.clients.find(one).id for one in clients] if clients else None
        found = await desk.probes.look(ids)
        rows = [desk.gate.of(one.client_id) for one in found]
        checks = [row.check(GateItem.ROUTE) for row in rows]
        if as_json:
            shapes = zip(rows, found, checks, strict=True)
            document([_probe_shape(desk, *one) for one in shapes])
        else:
            told = [verdict_words(check.judged, desk.shown_at) for check in checks]
            table(
                ("code", "route", "what was seen"),
                [(row.code, c.colour.value, w) for row, c, w in zip(rows, checks, told, strict=True)],
            )
        say(probed_words([check.judged for check in checks]))
        return Exit.DONE

    run(work)


def _probe_shape(desk: "Desk", row: "GateRow", probe: "ProbeView", check: "GateCheck") -> dict[str, Any]:
    from engine.words.gate import verdict_words

    judged = check.judged
    told = {"colour": check.colour, "finding": judged.finding, "words": verdict_words(judged, desk.shown_at)}
    return {"code": row.code, **values_of(probe), "registered": probe.registered.split(), **told}


def _route_shape(route: "RouteView", code: str, given: "Sequence[ConsentView]") -> dict[str, Any]:
    from engine.access.routes import trading_consent

    reference, until = trading_consent(given)
    told = {"consent": reference, "consent_until": until}
    return {"code": code, "egress": route.egress, **values_of(route), **told}
