"""Clients from the command line: listed, added, changed, paused, closed, imported."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import BadInput
from data.money import paise_from_text
from data.vocabulary import ClientStatus
from engine.words import formats
from engine.words.trading.client_terms import from_words, pause_words, terms_words
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson
from tradedesk.cli.printing import reads
from tradedesk.cli.printing.output import document, line
from tradedesk.cli.session import run
from tradedesk.cli.views.people.clients import client_shape

if TYPE_CHECKING:
    from engine.book.views import ClientView
    from engine.desk import Desk

clients_app = typer.Typer(
    help="Clients: list, add, edit, pause, close, import, export.", invoke_without_command=True
)

STATUSES = "active|inactive|pending|closed"

Code = Annotated[str, typer.Argument(metavar="CODE", help="A client's code or id.")]
Name = Annotated[str | None, typer.Option(metavar="TEXT", help="The client's name.")]
Phone = Annotated[str | None, typer.Option(metavar="TEXT", help="Its telephone number.")]
Capital = Annotated[
    str | None, typer.Option(metavar="RUPEES", help="What it is sized on; a change counts from tomorrow.")
]
MtfLimit = Annotated[str | None, typer.Option(metavar="RUPEES", help="How much may be lent to it.")]
Multiplier = Annotated[
    str | None, typer.Option(metavar="N", help="Scales what is sized alike for many, such as 1.5.")
]
Discretionary = Annotated[
    str | None, typer.Option(metavar="yes|no", help="No: traded for on its own instruction alone.")
]
InGroups = Annotated[
    str | None, typer.Option("--groups", metavar="A;B", help="The groups that it is put into, and no other.")
]
Status = Annotated[str | None, typer.Option(metavar=STATUSES)]
Reason = Annotated[
    str | None, typer.Option(metavar="TEXT", help="Plans show it where the client is skipped.")
]


@clients_app.callback()
def clients(
    ctx: typer.Context,
    status: Status = None,
    group: Annotated[str | None, typer.Option(metavar="NAME", help="Of one group.")] = None,
    search: Annotated[str | None, typer.Option(metavar="TEXT", help="Code or part of the name.")] = None,
    as_json: AsJson = False,
) -> None:
    """Clients by code, with what stands against trading for each."""
    if ctx.invoked_subcommand is not None:
        return
    wanted = None if status is None else status_from(status)

    run(lambda desk: reads.clients(desk, wanted, group, search, as_json))


def status_from(text: str) -> ClientStatus:
    """A client's status as typed. Raises `BadInput`."""
    try:
        return ClientStatus(text.strip().lower())
    except ValueError:
        raise BadInput("status", text, f"give one of {', '.join(ClientStatus)}") from None


@clients_app.command("add")
def add_client(
    code: Annotated[str, typer.Argument(metavar="CODE", help="The code by which it will be known.")],
    name: Annotated[str, typer.Option(metavar="TEXT", help="The client's name.")],
    broker: Annotated[str, typer.Option(metavar="NAME", help="Its broker: zerodha, upstox, groww, paper.")],
    user: Annotated[str, typer.Option(metavar="ID", help="Its user id at the broker.")],
    capital: Annotated[str, typer.Option(metavar="RUPEES", help="What it is sized on.")],
    available: Annotated[str, typer.Option(metavar="RUPEES", help="Its cash, until the broker tells.")] = "0",
    mtf_limit: MtfLimit = None,
    groups: InGroups = None,
    phone: Phone = None,
    multiplier: Multiplier = None,
    discretionary: Discretionary = None,
    status: Annotated[str, typer.Option(metavar="active|inactive|pending")] = "active",
    reason: Reason = None,
    as_json: AsJson = False,
) -> None:
    """Add one client."""
    from engine.accounts.client_file import new_client

    given = {
        "code": code,
        "name": name,
        "broker": broker,
        "broker_user_id": user,
        "status": status,
        "capital": capital,
        "available": available,
        "status_reason": reason,
        "mtf_limit": mtf_limit,
        "groups": groups,
        "phone": phone,
        "discretionary": discretionary,
        "multiplier": multiplier,
    }
    new = new_client({field: value for field, value in given.items() if value is not None})

    async def work(desk: "Desk") -> Exit:
        await desk.clients.add([new])
        return _told(desk, desk.clients.find(new.code), as_json)

    run(work)


@clients_app.command("set", hidden=True)
@clients_app.command("edit")
def edit_client(
    code: Code,
    name: Name = None,
    phone: Phone = None,
    capital: Capital = None,
    mtf_limit: MtfLimit = None,
    groups: InGroups = None,
    multiplier: Multiplier = None,
    discretionary: Discretionary = None,
    status: Status = None,
    reason: Reason = None,
    as_json: AsJson = False,
) -> None:
    """Change what is given of a client; the audit keeps both. A capital counts from the next trading day.

    A status wants a `--reason`.
    """
    from data.records import values_of
    from engine.accounts.client_edit import ClientEdit
    from engine.accounts.client_file import discretionary_from, groups_from, multiplier_from

    edit = ClientEdit(
        name=name,
        phone=phone,
        capital_paise=None if capital is None else paise_from_text(capital, "capital"),
        mtf_limit_paise=None if mtf_limit is None else paise_from_text(mtf_limit, "mtf-limit"),
        multiplier_bps=None if multiplier is None else multiplier_from(multiplier),
        discretionary=None if discretionary is None else discretionary_from(discretionary),
        groups=None if groups is None else groups_from(groups),
        status=None if status is None else status_from(status),
        status_reason=reason,
    )
    if not any(value is not None for value in values_of(edit).values()):
        raise BadInput("edit", "nothing", "say what is to be another, such as --capital or --status")
    if (status is not None) != bool((reason or "").strip()):
        raise BadInput("reason", reason or "", "say why in a few words, beside --status alone")

    async def work(desk: "Desk") -> Exit:
        client = desk.clients.find(code)
        await desk.clients.edit(client.id, edit)
        return _told(desk, desk.clients.get(client.id), as_json)

    run(work)


@clients_app.command("pause")
def pause_client(
    code: Code,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Plans show it where the client is skipped.")],
    until: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="14:30, 2026-12-01 or both; by itself it ends then."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Send no order for a client until a time of the market, or until `unpause`.

    Cancels, changes of live orders and flattens still go.
    """
    from engine.accounts.client_edit import until_from

    async def work(desk: "Desk") -> Exit:
        client = desk.clients.find(code)
        ends: datetime | None = None if until is None else until_from(until, desk.market.now())
        await desk.clients.pause(client.id, reason, ends)
        return _told(desk, desk.clients.get(client.id), as_json)

    run(work)


@clients_app.command("unpause")
def unpause_client(code: Code, as_json: AsJson = False) -> None:
    """Trade for a paused client again."""

    async def work(desk: "Desk") -> Exit:
        client = desk.clients.find(code)
        await desk.clients.unpause(client.id)
        return _told(desk, desk.clients.get(client.id), as_json)

    run(work)


@clients_app.command("close")
def close_client(
    code: Code,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Kept with the client and in the audit.")],
    as_json: AsJson = False,
) -> None:
    """Close a client: it is on no list and in no bulk any more, and its history stays.

    Refused while shares, a loan, money owed or blocked, or live orders stand. `edit --status` opens it again.
    """

    async def work(desk: "Desk") -> Exit:
        client = desk.clients.find(code)
        await desk.clients.set_status(client.id, ClientStatus.CLOSED, reason)
        return _told(desk, desk.clients.get(client.id), as_json)

    run(work)


def _told(desk: "Desk", now: "ClientView", as_json: bool) -> Exit:
    """Print a client as it is now."""
    if as_json:
        document(client_shape(desk, now))
        return Exit.DONE
    why = f": {now.status_reason}" if now.status_reason else ""
    later = "" if now.next_capital_paise == now.capital_paise else formats.rupees(now.next_capital_paise)
    due = later and f"capital {later} {from_words(desk.next_trading_day)}"
    words = " · ".join(filter(None, (due, terms_words(now), pause_words(now))))
    line(f"{now.code} {now.name} is {now.status.value}{why}{f' · {words}' if words else ''}")
    return Exit.DONE
