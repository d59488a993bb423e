"""The morning: secrets, routes, signing clients in, and the gate that says who may trade."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data.errors import BadInput
from data.records import values_of
from data.vocabulary import ClientStatus, GateColour, GateItem, Right
from engine.words.formats import counted
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson, ClientWord
from tradedesk.cli.printing.output import document, line, say, table
from tradedesk.cli.session import hidden, only_for, passphrase_of, run

if TYPE_CHECKING:
    from data.secrets import Vault
    from engine.access.gate import GateCheck, GateRow
    from engine.book.gate_views import GateFigures
    from engine.desk import Desk

gate_app = typer.Typer(
    help="The morning gate: session, route, consent, demat, funds and MTF of every client.",
    invoke_without_command=True,
)


routes_app = typer.Typer(help="How each client's orders leave.", no_args_is_help=True)
secrets_app = typer.Typer(
    help="Where api secrets and tokens are kept, and entering api secrets.", invoke_without_command=True
)


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
        await desk.reconcile.ensure([one.client_id for one in desk.gate.rows() if one.reason is None])
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
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="A CSV file.")] = None,
    template: Annotated[
        bool, typer.Option("--template", help="Print a file to begin with, and exit.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take the routes of a CSV file, all of them or, with any fault, none."""
    if template:
        from engine.access.routes import template as first_file

        rows = first_file().splitlines()
        if as_json:
            document({"template": rows})
        else:
            for row in rows:
                line(row)
        return
    if file is None:
        raise BadInput("file", "", "give a file to import")
    try:
        with file.open("rb"):
            path = file
    except OSError as problem:
        raise BadInput("file", str(file), f"it cannot be read: {problem.strerror}") from None

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
        if as_json:
            document([{"code": codes[r.client_id], "egress": r.egress, **_route_shape(r)} for r in routes])
        else:
            table((*REQUIRED, *OPTIONAL), columns(routes, codes))
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


def _route_shape(route: Any) -> dict[str, Any]:
    return values_of(route)


# --- secrets ------------------------------------------------------------------------------------------


@secrets_app.callback()
def secrets(
    ctx: typer.Context,
    open_it: Annotated[
        bool,
        typer.Option("--open", help="Ask for the passphrase, if it needs one, and look what is missing."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Where this home's secrets are kept, why there, what is missing, and what is to be done."""
    if ctx.invoked_subcommand is not None:
        return
    from data.clock import SystemClock
    from data.secrets import open_vault
    from tradedesk.compose.home import home_folder
    from tradedesk.compose.settings import load_settings
    from tradedesk.compose.vault_look import look

    home = home_folder()
    prefer = load_settings(home).vault
    ask = (lambda: passphrase_of(home)) if open_it else None
    found = look(home, prefer, lambda: open_vault(home, ask, prefer), SystemClock().now())
    if as_json:
        document(found)
    else:
        line(f"{'ok ' if found.ok else 'BAD'}  {found.backend}: {found.why}")
        if found.todo:
            line(f"     {found.todo}")
    raise typer.Exit(Exit.DONE if found.ok else Exit.NOT_VERIFIED)


@secrets_app.command("set-key")
def set_key(
    api_key: Annotated[str, typer.Argument(metavar="API_KEY", help="The app's api key.")],
    as_json: AsJson = False,
) -> None:
    """Keep the api secret of an api key. It is asked for, or read from stdin, and never an argument."""
    only_for("secrets.set-key", Right.SET_UP)
    if not api_key.isalnum():
        raise BadInput("api_key", api_key, "give the letters and digits of the api key")
    secret = hidden(f"api secret of {api_key}: ")
    if not secret:
        raise BadInput("api_secret", "", "give the app's api secret")
    vault = vault_of_home()
    vault.put(f"kite/secret/{api_key}", secret)
    if as_json:
        document({"api_key": api_key, "vault": vault.name, "why": vault.why})
    else:
        line(f"the secret of {api_key} is kept: {vault.name} ({vault.why})")


def vault_of_home() -> "Vault":
    """The vault of the home, its passphrase asked for at the terminal where one is needed."""
    from data.secrets import open_vault
    from tradedesk.compose.home import home_folder
    from tradedesk.compose.settings import load_settings

    home = home_folder()
    return open_vault(home, lambda: passphrase_of(home), load_settings(home).vault)
