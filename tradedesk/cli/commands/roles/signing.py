"""Signing in and out from the command line, and who is signed in."""

from typing import TYPE_CHECKING, Annotated

import typer

from data.vocabulary import Role
from tradedesk.cli.commands.roles.passwords import PasswordFile, PasswordStdin, password_of
from tradedesk.cli.commands.roles.persons import Name, scope_words
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson
from tradedesk.cli.printing.clocks import wall_time
from tradedesk.cli.printing.output import document, line
from tradedesk.cli.session import run
from tradedesk.cli.views.people.persons import SignedInShape, WhoShape

if TYPE_CHECKING:
    from engine.desk import Desk
    from engine.people.signer import SignedIn


async def signed_in(desk: "Desk", name: str, password: str) -> "SignedIn":
    """Sign somebody in for this process and whoever comes by the same token file."""
    from data.vocabulary import Via
    from tradedesk.compose.seats import keep_token, take_seat, where_from

    made = await desk.signing.sign_in(name, password, where_from(), Via(desk.kind))
    keep_token(desk.home, made.token, made.refresh)
    take_seat(desk)
    return made


def sign_in(
    name: Name,
    password_stdin: PasswordStdin = False,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Sign in; the app and commands of this home then act as this person.

    A second person at another terminal has `TRADEDESK_SESSION` name a file of their own there.
    """
    password = password_of(f"password of {name}", password_stdin, password_file)

    async def work(desk: "Desk") -> Exit:
        from data.errors import BadInput
        from tradedesk.compose.seats import token_file

        if not desk.who.asked:
            raise BadInput("name", name, f"nobody signs in here: this home is {desk.actor}'s alone")
        made = await signed_in(desk, name, password)
        found = desk.who.person()
        assert found is not None, "who has just signed in sits here"
        shape = SignedInShape(found.name, found.role, made.until, str(token_file(desk.home)))
        if as_json:
            document(shape)
        else:
            until = wall_time(desk, made.until)
            line(f"signed in as {found.name}, {found.role.value}, until {until} (wall) at the latest")
        return Exit.DONE

    run(work)


def sign_out(
    everywhere: Annotated[
        bool, typer.Option("--everywhere", help="End all sign-ins of the same person.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Sign out: the token is void at once, for the app too."""

    async def work(desk: "Desk") -> Exit:
        from tradedesk.compose.seats import forget_token

        name = desk.actor
        ended = await desk.signing.sign_out(everywhere) if desk.who.seat is not None else 0
        forget_token(desk.home)
        if as_json:
            document({"name": name if ended else None, "ended": ended})
        else:
            line(f"{name} is signed out" if ended else "nobody was signed in")
        return Exit.DONE

    run(work, needs_secrets=False)


def whoami(as_json: AsJson = False) -> None:
    """Who acts by this terminal, as what, and for which clients."""

    async def work(desk: "Desk") -> Exit:
        from data.vocabulary import Right

        if not desk.who.asked:
            shape = WhoShape(desk.actor, Role.TRADER, False, (), (), None)
        else:
            actor = await desk.who.demand("whoami", Right.LOOK)
            found = desk.who.person()
            assert found is not None, "who may look is somebody"
            codes, groups = desk.who.scope_words(found)
            until = desk.who.until(actor)
            shape = WhoShape(found.name, found.role, True, tuple(codes), tuple(groups), until)
        if as_json:
            document(shape)
        else:
            alone = "" if shape.people else " (this home is theirs alone)"
            line(f"{shape.name}, {shape.role.value}, for {scope_words(shape)}{alone}")
        return Exit.DONE

    run(work, needs_secrets=False)


def change_password(
    password_stdin: PasswordStdin = False, password_file: PasswordFile = None, as_json: AsJson = False
) -> None:
    """Change one's own password: the one there is comes first, then the other. It signs out everywhere."""
    now = password_of("password", password_stdin, password_file)
    to = password_of("new password", password_stdin, None, twice=True)

    async def work(desk: "Desk") -> Exit:
        from tradedesk.compose.seats import forget_token, where_from

        name = desk.actor
        await desk.people.change_password(now, to, where_from())
        forget_token(desk.home)
        if as_json:
            document({"name": name})
        else:
            line(f"{name} has another password; sign in again with it")
        return Exit.DONE

    run(work, needs_secrets=False)
