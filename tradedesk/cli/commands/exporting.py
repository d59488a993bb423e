"""Tables of the desk written to files, as the screens write them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import BadInput
from data.vocabulary import ExportKind, ExportWhat
from engine.words.formats import counted
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson
from tradedesk.cli.printing.output import document, line
from tradedesk.cli.session import run

if TYPE_CHECKING:
    from engine.desk import Desk


def export(
    what: Annotated[ExportWhat, typer.Argument(metavar="|".join(ExportWhat), help="Which table.")],
    kind: Annotated[
        ExportKind | None,
        typer.Option("--format", metavar="csv|xlsx", help="Without it what --out ends with, else csv."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to; without it a file in the home's exports.")
    ] = None,
    client: Annotated[
        list[str] | None, typer.Option("--client", metavar="CODE", help="Of these clients alone.")
    ] = None,
    group: Annotated[str | None, typer.Option(metavar="NAME", help="Of one group.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write clients, orders, trades, funds or the audit to a file: raw figures under full names.

    Orders and trades are those of today and those that live. `audit search --out` writes a part of the audit.
    """
    ending = "" if out is None else out.suffix.lower().removeprefix(".")
    form = kind or (ExportKind.XLSX if ending == ExportKind.XLSX else ExportKind.CSV)
    if what is ExportWhat.AUDIT and (client or group):
        raise BadInput("client", "", "the audit of a client is `audit search client:CODE --out FILE`")

    async def work(desk: "Desk") -> Exit:
        from screens.frame.desk_records import desk_records
        from screens.frame.exports import free_path, write_audit, write_records

        path = out or free_path(desk, what.value, form.value)
        if what is ExportWhat.AUDIT:
            from engine.colon.asked import UNASKED

            rows = await write_audit(desk, await desk.audit.search(UNASKED), path, form)
        else:
            clients = _clients(desk, client, group)
            records = desk_records(desk, what, _ids(desk, what, clients))
            write_records(path, records, form)
            rows = len(records)
        if as_json:
            document({"file": path, "rows": rows})
        else:
            line(f"{counted(rows, 'row')} written to {path}")
        return Exit.DONE

    run(work, needs_secrets=False)


def _clients(desk: "Desk", codes: list[str] | None, group: str | None) -> list[int] | None:
    """The clients that were named; None where none were."""
    if not codes and group is None:
        return None
    named = [desk.clients.find(code).id for code in codes or ()]
    return list(dict.fromkeys([*named, *(desk.groups.find(group).client_ids if group else ())]))


def _ids(desk: "Desk", what: ExportWhat, clients: list[int] | None) -> list[int] | None:
    if clients is None or what in (ExportWhat.CLIENTS, ExportWhat.FUNDS):
        return clients
    return [order.id for order in desk.orders.all() if order.client_id in clients]
