"""People from the command line: who may sign in, as what, and for which clients."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from data.errors import BadInput
from data.money import paise_from_text
from data.vocabulary import Right, Role
from engine.words.refusals import RIGHT_WORDS
from tradedesk.cli.commands.roles.passwords import PasswordFile, PasswordStdin, password_of
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson
from tradedesk.cli.printing.output import document, line, say, table
from tradedesk.cli.session import run
from tradedesk.cli.views.people.persons import LimitShape, PersonShape, RoleShape

if TYPE_CHECKING:
    from engine.book.people_views import ApprovalLimit, PersonView
    from engine.desk import Desk
    from engine.people.people import Added

people_app = typer.Typer(
    invoke_without_command=True,
    help="People who sign in, what each may do and for which clients. Without any the home is its one "
    "trader's, who is asked nothing; the first one is an admin.",
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The person's name.")]
RoleWord = Annotated[Role, typer.Option("--role", help="What they are to the desk.")]
Codes = Annotated[
    str | None, typer.Option("--clients", metavar="CODES", help="Only these clients, by code and comma.")
]
Groups = Annotated[
    str | None, typer.Option("--groups", metavar="NAMES", help="Only the clients of these groups.")
]


@people_app.callback()
def list_people(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the people."""
    if ctx.invoked_subcommand is not None:
        return

    async def work(desk: "Desk") -> Exit:
        shapes = [_shape(desk, one) for one in desk.people.all()]
        if as_json:
            document(shapes)
        elif not shapes:
            line(
                f"nobody: this home is {desk.actor}'s alone "
                "(`tradedesk people add NAME --role admin` adds the first)"
            )
        else:
            rows = [
                (
                    one.name,
                    one.role.value,
                    scope_words(one),
                    "may not sign in"
                    if one.disabled
                    else f"{one.signed_in} signed in"
                    if one.signed_in
                    else "",
                    one.added_by,
                )
                for one in shapes
            ]
            table(("name", "role", "clients", "", "added by"), rows)
        return Exit.DONE

    run(work, needs_secrets=False)


def scope_words(one: Any) -> str:
    """A scope for people: `all`, or its clients and groups."""
    words = [*one.clients, *(f"group {name}" for name in one.groups)]
    return ", ".join(words) or "all"


def _shape(desk: "Desk", one: "PersonView") -> PersonShape:
    codes, groups = desk.people.scope_codes(one)
    return PersonShape(
        one.name,
        one.role,
        tuple(codes),
        tuple(groups),
        one.disabled,
        one.added_at,
        one.added_by,
        desk.people.sign_ins_of(one.name),
    )


def _listed(text: str | None) -> list[str]:
    return [] if text is None else [word.strip() for word in text.split(",") if word.strip()]


@people_app.command("add")
def add_person(
    name: Name,
    role: RoleWord,
    clients: Codes = None,
    groups: Groups = None,
    password_stdin: PasswordStdin = False,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Add somebody with a password. The first is an admin, who is signed in by that.

    An admin's recovery code is printed once: write it down and keep it away from this machine.
    """
    password = password_of(f"password of {name}", password_stdin, password_file, twice=True)

    async def work(desk: "Desk") -> Exit:
        first = not desk.who.asked
        added = await desk.people.add(name, role, password, _listed(clients), _listed(groups))
        _tell_added(desk, added, f"{name} is added as {role.value}", as_json)
        if first:
            from tradedesk.cli.commands.roles.signing import signed_in

            await signed_in(desk, added.person.name, password)
        return Exit.DONE

    run(work)


def _tell_added(desk: "Desk", added: "Added", words: str, as_json: bool) -> None:
    code = "-".join(added.recovery[start : start + 4] for start in range(0, len(added.recovery), 4))
    if as_json:
        document({"person": _shape(desk, added.person), "recovery_code": code or None})
        return
    line(words)
    if code:
        line(f"recovery code: {code}")
        say("it is shown this once; with it `tradedesk people recover` sets another password")


@people_app.command("role")
def set_role(
    name: Name,
    role: Annotated[
        Role, typer.Argument(metavar="ROLE", help="admin, supervisor, trader, assistant, auditor or client.")
    ],
    clients: Codes = None,
    groups: Groups = None,
    as_json: AsJson = False,
) -> None:
    """Give somebody another role. Who is signed in as them is signed out by that."""

    async def work(desk: "Desk") -> Exit:
        person = await desk.people.set_role(name, role, _listed(clients), _listed(groups))
        return _tell(desk, person, as_json)

    run(work, needs_secrets=False)


@people_app.command("scope")
def set_scope(
    name: Name,
    clients: Codes = None,
    groups: Groups = None,
    everybody: Annotated[bool, typer.Option("--all", help="All clients.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say for which clients somebody may look and act. Who is signed in as them is signed out by that."""
    if everybody == bool(_listed(clients) or _listed(groups)):
        raise BadInput("clients", clients or "", "give --clients, --groups, or --all")

    async def work(desk: "Desk") -> Exit:
        return _tell(desk, await desk.people.set_scope(name, _listed(clients), _listed(groups)), as_json)

    run(work, needs_secrets=False)


@people_app.command("disable")
def disable(name: Name, as_json: AsJson = False) -> None:
    """Let somebody sign in no more; who is signed in as them is signed out at once. Nobody is deleted."""

    async def work(desk: "Desk") -> Exit:
        return _tell(desk, await desk.people.disable(name), as_json)

    run(work, needs_secrets=False)


@people_app.command("enable")
def enable(name: Name, as_json: AsJson = False) -> None:
    """Let somebody sign in again."""

    async def work(desk: "Desk") -> Exit:
        return _tell(desk, await desk.people.enable(name), as_json)

    run(work, needs_secrets=False)


@people_app.command("password")
def set_password(
    name: Name,
    password_stdin: PasswordStdin = False,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Give somebody who has lost the password another one; `tradedesk password` changes one's own."""
    password = password_of(f"new password of {name}", password_stdin, password_file, twice=True)

    async def work(desk: "Desk") -> Exit:
        return _tell(desk, await desk.people.set_password(name, password), as_json)

    run(work, needs_secrets=False)


@people_app.command("recover")
def recover(
    name: Name,
    password_stdin: PasswordStdin = False,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Give an admin who has lost the password another one, by the recovery code, with nobody signed in.

    The code is asked for first, or is the first line of stdin; the password follows.
    """
    code = password_of(f"recovery code of {name}", False, None)
    password = password_of(f"new password of {name}", password_stdin, password_file, twice=True)

    async def work(desk: "Desk") -> Exit:
        _tell_added(
            desk, await desk.people.recover(name, code, password), f"{name} has another password", as_json
        )
        return Exit.DONE

    run(work, needs_secrets=False)


@people_app.command("limit")
def set_limit(
    above: Annotated[
        str | None, typer.Argument(metavar="RUPEES", help="Plans worth more than this need confirming.")
    ] = None,
    needed: Annotated[int, typer.Option("--needed", help="By how many others: 1 or 2.")] = 1,
    off: Annotated[bool, typer.Option("--off", help="None needs confirming any more.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show or set the limit above which somebody else has to confirm a plan before it is sent."""
    if off and above is not None:
        raise BadInput("above", above, "give an amount or --off")

    async def work(desk: "Desk") -> Exit:
        limit = desk.people.limit
        if off:
            limit = await desk.people.set_limit(0, 0)
        elif above is not None:
            limit = await desk.people.set_limit(paise_from_text(above, "above"), needed)
        if as_json:
            document(LimitShape(0, 0) if limit is None else LimitShape(limit.above_paise, limit.needed))
        else:
            line(limit_words(limit))
        return Exit.DONE

    run(work, needs_secrets=False)


def limit_words(limit: "ApprovalLimit | None") -> str:
    """The limit of confirmation for people."""
    from data.money import amount_words

    if limit is None:
        return "no plan needs confirming by somebody else"
    others = "somebody else" if limit.needed == 1 else f"{limit.needed} others"
    above = f"a plan worth more than ₹{amount_words(limit.above_paise)}"
    return f"{above} is confirmed by {others} before it is sent"


@people_app.command("roles")
def roles(as_json: AsJson = False) -> None:
    """What each role may do."""
    from engine.people.rights import may

    shapes = [RoleShape(role, tuple(right for right in Right if may(role, right))) for role in Role]
    if as_json:
        document(shapes)
        return
    rows = [
        (RIGHT_WORDS[right], *("yes" if right in shape.may else "" for shape in shapes)) for right in Right
    ]
    table(("may", *(shape.role.value for shape in shapes)), rows)


def _tell(desk: "Desk", person: "PersonView", as_json: bool) -> Exit:
    shape = _shape(desk, person)
    if as_json:
        document(shape)
    else:
        state = "may not sign in" if person.disabled else f"{person.role.value} for {scope_words(shape)}"
        line(f"{person.name}: {state}")
    return Exit.DONE
