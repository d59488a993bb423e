"""The morning: secrets, routes, signing clients in, and the gate that says who may trade."""

import asyncio
import sys
import threading
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from data.money import BadInput
from tradedesk.commands.exits import Exit
from tradedesk.commands.options import AsJson
from tradedesk.commands.session import hidden, passphrase_of, run
from tradedesk.output import counted, document, line, say, table

if TYPE_CHECKING:
    from brokers.kite.listener import RedirectListener
    from data.secrets import Vault
    from engine.accounts.gate import GateCheck, GateRow
    from engine.accounts.sign_in import SignInQueue
    from engine.desk import Desk

gate_app = typer.Typer(
    help="The morning gate: session, route, consent, demat, funds and MTF of every client.",
    invoke_without_command=True,
)


class LoginGroup(TyperGroup):
    """`login CLIENT TOKEN` is short for `login client CLIENT TOKEN`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command named, or `client` for any other word."""
        short = bool(args) and args[0] not in self.commands
        return super().resolve_command(ctx, ["client", *args] if short else args)


login_app = typer.Typer(cls=LoginGroup, help="Sign clients in at their brokers.", no_args_is_help=True)
routes_app = typer.Typer(help="How each client's orders leave.", no_args_is_help=True)
secrets_app = typer.Typer(
    help="Where api secrets and tokens are kept, and entering api secrets.", invoke_without_command=True
)

ClientWord = Annotated[str, typer.Argument(metavar="CLIENT", help="A client's code or id.")]


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
        rows = [one for one in desk.gate.rows() if not red or one.colour == "red"]
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
                "words": check.judged.words,
                "waived": check.waived or None,
                **check.judged.figures,
            }
            for check in row.checks
        ],
    }


def _gate_cells(desk: "Desk", row: "GateRow") -> tuple[str, ...]:
    from engine.orders.refusals import words

    def cell(check: "GateCheck") -> str:
        return "waived" if check.waived and check.colour == "green" else check.colour.value

    told = [f"{one.item.value}: {one.judged.words}" for one in row.checks if one.colour != "green"]
    client = desk.clients.get(row.client_id)
    if row.reason is not None and client.status != "active":
        told = [words(row.reason)]
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


# --- signing in ---------------------------------------------------------------------------------------


@login_app.command("links")
def links(as_json: AsJson = False) -> None:
    """Where each client that is due signs in, red ones first."""

    async def work(desk: "Desk") -> Exit:
        rows: list[dict[str, Any]] = []
        for client in desk.sessions.due():
            url, problem = "", ""
            try:
                url = await desk.sessions.login_url(client.id)
            except BadInput as bad:
                problem = bad.expected
            rows.append(
                {
                    "client_id": client.id,
                    "code": client.code,
                    "broker_user_id": client.broker_user_id,
                    "session": client.session,
                    "url": url or None,
                    "problem": problem or None,
                }
            )
        if as_json:
            document(rows)
        else:
            for row in rows:
                said = row["url"] or row["problem"] or "no sign-in needed: `tradedesk login CLIENT ok`"
                line(f"{row['code']}  {row['broker_user_id']}  {said}")
        say(f"{counted(len(rows), 'client')} to sign in")
        return Exit.DONE

    run(work)


@login_app.command("client")
def login_client(
    client: ClientWord,
    text: Annotated[
        str | None,
        typer.Argument(metavar="[TOKEN_OR_ADDRESS]", help="Without it, it is read from stdin."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Sign one client in with the request token, or the whole address the browser was sent to."""
    pasted = sys.stdin.readline() if text is None else text

    async def work(desk: "Desk") -> Exit:
        found = desk.clients.find(client)
        session = await desk.sessions.sign_in(found.id, pasted)
        if as_json:
            document(
                {
                    "client_id": found.id,
                    "code": found.code,
                    "user_name": session.user_name,
                    "login_at": session.login_at,
                    "expires_at": session.expires_at,
                }
            )
        else:
            line(f"{found.code} {found.name} is signed in as {session.user_name}{_until(session.expires_at)}")
        return Exit.DONE

    run(work)


def _until(at: Any) -> str:
    from data.clock import IST

    return f" until {at.astimezone(IST):%d %b %H:%M} IST" if at else ""


@login_app.command("next")
def login_next(
    listen: Annotated[
        int | None,
        typer.Option(metavar="PORT", min=0, max=65535, help="Catch the redirect on 127.0.0.1:PORT too."),
    ] = None,
) -> None:
    """Sign in everybody who is due, one after another: shows a link, takes a line, checks it beside."""

    async def work(desk: "Desk") -> Exit:
        queue = desk.sessions.queue()
        async with AsyncExitStack() as stack:
            listener = None
            if listen is not None:
                from brokers.kite.listener import RedirectListener

                listener = await stack.enter_async_context(RedirectListener(listen))
                say(f"listening on {listener.url}: register it as the apps' redirect URL")
            pasted = _Pasted(listener)
            stack.callback(pasted.close)
            await _sign_in_all(queue, pasted)
        await queue.settled()
        at = queue.progress()
        for one in queue.entries:
            line(f"{one.code}  {one.state.value}{f': {one.words}' if one.words else ''}")
        say(f"{at.done} of {at.total} signed in, {at.red} red, {at.waiting} not asked, {at.spent_s:.0f} s")
        return Exit.DONE if at.done == at.total else Exit.PARTLY

    run(work)


class _Pasted:
    """What comes in: lines of stdin, and redirects where a listener catches them. None ends it.

    Lines are read on a thread of their own that nobody has to wait for.
    """

    def __init__(self, listener: "RedirectListener | None") -> None:
        self._come: asyncio.Queue[str | None] = asyncio.Queue()
        self._caught = None if listener is None else asyncio.create_task(self._catch(listener))
        source, loop = sys.stdin, asyncio.get_running_loop()

        def read() -> None:
            try:
                for text in iter(source.readline, ""):
                    loop.call_soon_threadsafe(self._come.put_nowait, text)
                if listener is None:
                    loop.call_soon_threadsafe(self._come.put_nowait, None)
            except (RuntimeError, ValueError):  # the loop or the input was closed: nobody listens any more
                return

        threading.Thread(target=read, name="stdin", daemon=True).start()

    async def _catch(self, listener: "RedirectListener") -> None:
        while True:
            self._come.put_nowait(await listener.address())

    async def next(self) -> str | None:
        """The next line or address."""
        return await self._come.get()

    def close(self) -> None:
        """Take no more redirects."""
        if self._caught is not None:
            self._caught.cancel()


async def _sign_in_all(queue: "SignInQueue", pasted: _Pasted) -> None:
    shown = None
    while (client := queue.current) is not None:
        if shown != client.id:
            at = queue.progress()
            left = f" · about {at.left_s:.0f} s left" if at.left_s is not None else ""
            say(f"{at.done}/{at.total} signed in · red {at.red} · {at.spent_s:.0f} s gone{left}")
            try:
                link = await queue.link() or "no sign-in needed: any word will do"
            except BadInput as bad:
                say(f"{client.code}: {bad.expected}")
                queue.skip()
                continue
            say(f"{client.code} {client.name} {client.broker_user_id}\n  {link}")
            say("paste the token or the whole address; empty shows the link again, `skip` goes on")
            shown = client.id
        text = await pasted.next()
        if text is None:
            return
        if not text.strip():
            shown = None
        elif text.strip().lower() == "skip":
            queue.skip()
        else:
            try:
                queue.submit(text)
            except BadInput as bad:
                say(str(bad))


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
        from engine.accounts.routes import template as first_file

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
        red = sum(one.colour == "red" for one in desk.gate.rows())
        say(f"{counted(red, 'client')} red at the gate")
        return Exit.DONE

    run(work)


@routes_app.command("show")
def show_routes(as_json: AsJson = False) -> None:
    """Every route that was entered."""

    async def work(desk: "Desk") -> Exit:
        from engine.accounts.routes import OPTIONAL, REQUIRED, columns

        codes = {client.id: client.code for client in desk.clients.all()}
        routes = desk.routes.all()
        if as_json:
            document([{"code": codes[r.client_id], "egress": r.egress, **_route_shape(r)} for r in routes])
        else:
            table((*REQUIRED, *OPTIONAL), columns(routes, codes))
        say(f"{counted(len(routes), 'route')} for {counted(len(codes), 'client')}")
        return Exit.DONE

    run(work)


def _route_shape(route: Any) -> dict[str, Any]:
    return {name: getattr(route, name) for name in type(route).__dataclass_fields__}


# --- secrets ------------------------------------------------------------------------------------------


@secrets_app.callback()
def secrets(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Where this home's secrets are kept, why there, and what is to be done."""
    if ctx.invoked_subcommand is not None:
        return
    from data.secrets import vault_state
    from tradedesk.home import home_folder

    state = vault_state(home_folder())
    if as_json:
        document(state)
    else:
        line(f"{'ok ' if state.ok else 'BAD'}  {state.backend}: {state.why}")
        if state.todo:
            line(f"     {state.todo}")
    raise typer.Exit(Exit.DONE if state.ok else Exit.NOT_VERIFIED)


@secrets_app.command("set-key")
def set_key(
    api_key: Annotated[str, typer.Argument(metavar="API_KEY", help="The app's api key.")],
    as_json: AsJson = False,
) -> None:
    """Keep the api secret of an api key. It is asked for, or read from stdin, and never an argument."""
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
    from tradedesk.home import home_folder
    from tradedesk.settings import load_settings

    home = home_folder()
    return open_vault(home, lambda: passphrase_of(home), load_settings(home).vault)
