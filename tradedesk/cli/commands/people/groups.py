"""Groups of clients from the command line: by hand, and by rule."""

from typing import TYPE_CHECKING, Annotated

import typer

from engine.words.formats import counted
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson
from tradedesk.cli.printing.output import document, line, say, table
from tradedesk.cli.session import run
from tradedesk.cli.views.people.clients import group_shape

if TYPE_CHECKING:
    from engine.accounts.groups import GroupView
    from engine.desk import Desk

groups_app = typer.Typer(
    help="Groups of clients: by hand, or by rule such as `capital > 5L and broker = zerodha`.",
    invoke_without_command=True,
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The group's name.")]
Codes = Annotated[list[str], typer.Argument(metavar="CODE...", help="Clients' codes or ids.")]


@groups_app.callback()
def list_groups(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the groups, their rules, and how many clients are in each now."""
    if ctx.invoked_subcommand is not None:
        return

    async def work(desk: "Desk") -> Exit:
        found = desk.groups.all()
        if as_json:
            document([group_shape(desk, one) for one in found])
            return Exit.DONE
        table(("group", ">clients", "rule"), [(o.name, str(len(o.client_ids)), o.rule) for o in found])
        if not found:
            say("no group yet: `tradedesk groups add NAME CODE...` or `groups rule NAME RULE`")
        return Exit.DONE

    run(work, needs_secrets=False)


@groups_app.command("show")
def show_group(name: Name, as_json: AsJson = False) -> None:
    """Who is in a group now."""

    async def work(desk: "Desk") -> Exit:
        return _told(desk, desk.groups.find(name), as_json)

    run(work, needs_secrets=False)


@groups_app.command("rule")
def rule_group(
    name: Name,
    rule: Annotated[str, typer.Argument(metavar="RULE", help="Such as 'capital > 5L and broker = zerodha'.")],
    as_json: AsJson = False,
) -> None:
    """Make a group of whoever a rule is true of, or give it another rule.

    Fields: capital, cash, blocked, loan, mtf-limit (rupees, with k, L or cr), mtf-used (percent), multiplier;
    broker, code, connection, group, holds, name, route, session, status; discretionary, mtf, paused, ready.
    They are compared by = != > >= < <= and joined by and, or, not and brackets.
    """

    async def work(desk: "Desk") -> Exit:
        return _told(desk, await desk.groups.set_rule(name, rule), as_json)

    run(work, needs_secrets=False)


@groups_app.command("add")
def add_to_group(name: Name, codes: Codes, as_json: AsJson = False) -> None:
    """Put clients into a group, which is made where there is none."""

    async def work(desk: "Desk") -> Exit:
        ids = [desk.clients.find(code).id for code in codes]
        return _told(desk, await desk.groups.add(name, ids), as_json)

    run(work, needs_secrets=False)


@groups_app.command("remove")
def remove_from_group(name: Name, codes: Codes, as_json: AsJson = False) -> None:
    """Take clients out of a group; one without anybody is no more."""

    async def work(desk: "Desk") -> Exit:
        ids = [desk.clients.find(code).id for code in codes]
        return _told(desk, await desk.groups.remove(name, ids), as_json)

    run(work, needs_secrets=False)


@groups_app.command("rename")
def rename_group(
    name: Name, new: Annotated[str, typer.Argument(metavar="NEW")], as_json: AsJson = False
) -> None:
    """Call a group otherwise."""

    async def work(desk: "Desk") -> Exit:
        return _told(desk, await desk.groups.rename(name, new), as_json)

    run(work, needs_secrets=False)


@groups_app.command("edit")
def edit_group(
    name: Name,
    new: Annotated[str, typer.Option("--name", metavar="NEW", help="Another name.")] = "",
    rule: Annotated[str, typer.Option("--rule", metavar="RULE", help="Another rule, of one by rule.")] = "",
    add: Annotated[str, typer.Option("--add", metavar="CODES", help="Put these in, by comma.")] = "",
    remove: Annotated[str, typer.Option("--remove", metavar="CODES", help="Take these out.")] = "",
    as_json: AsJson = False,
) -> None:
    """Change a group's name, its rule and who is in it at once: all of it, or where it is wrong nothing."""

    async def work(desk: "Desk") -> Exit:
        known = desk.groups.find(name).name
        added, removed = (
            [desk.clients.find(code.strip()).id for code in codes.split(",") if code.strip()]
            for codes in (add, remove)
        )
        return _told(desk, await desk.groups.edit(known, new or known, rule, added, removed), as_json)

    run(work, needs_secrets=False)


@groups_app.command("delete")
def delete_group(name: Name, as_json: AsJson = False) -> None:
    """Have a group no more; its clients stay. What it was is printed, and stands in the audit."""

    async def work(desk: "Desk") -> Exit:
        return _told(desk, await desk.groups.delete(name), as_json)

    run(work, needs_secrets=False)


def _told(desk: "Desk", group: "GroupView", as_json: bool) -> Exit:
    """Print a group and who is in it."""
    shape = group_shape(desk, group)
    if as_json:
        document(shape)
        return Exit.DONE
    rule = f" by rule: {shape.rule}" if shape.rule else ""
    line(f"{shape.name}, {counted(len(shape.clients), 'client')}{rule}")
    if shape.clients:
        line(" ".join(shape.clients))
    return Exit.DONE
