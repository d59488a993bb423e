"""The secrets of the home: where they are, an app's own, and the key of those that desks share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import BadInput
from data.vocabulary import Right
from engine.words.formats import counted
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson
from tradedesk.cli.printing.output import document, line
from tradedesk.cli.session import hidden, only_for, passphrase_of

if TYPE_CHECKING:
    from data.secrets import Vault

secrets_app = typer.Typer(
    help="Where api secrets and tokens are kept, and entering api secrets.", invoke_without_command=True
)


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
    from tradedesk.compose.home import home_folder
    from tradedesk.compose.settings import load_settings
    from tradedesk.compose.vault_look import look
    from tradedesk.compose.vaults import vault_at

    home = home_folder()
    settings = load_settings(home)
    ask = (lambda: passphrase_of(home)) if open_it else None
    found = look(home, settings, lambda: vault_at(home, settings, ask), SystemClock().now())
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
    broker: Annotated[
        str,
        typer.Option(metavar="BROKER", help="Whose app it is, if of several: zerodha, upstox, groww."),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Keep the api secret of an api key. It is asked for, or read from stdin, and never an argument.

    At Groww it is the secret of the key's TOTP, or `approval:` and that of a key that is approved each day.
    """
    only_for("secrets.set-key", Right.SET_UP)
    from engine.access.routes import check_api_key
    from tradedesk.compose.desk_access import GROWW, secret_key
    from tradedesk.compose.home import home_folder
    from tradedesk.compose.vault_look import broker_of_keys

    check_api_key(api_key)
    of = broker_of_keys(home_folder(), broker)
    secret = hidden(f"api secret of {api_key}: ")
    if not secret:
        raise BadInput("api_secret", "", "give the app's api secret")
    if of == GROWW:
        from brokers.groww.sign_in import secret_of

        secret_of(secret)
    vault = vault_of_home()
    vault.put(secret_key(of, api_key), secret)
    if as_json:
        document({"api_key": api_key, "vault": vault.name, "why": vault.why})
    else:
        line(f"the secret of {api_key} is kept: {vault.name} ({vault.why})")


def vault_of_home() -> "Vault":
    """The vault of the home, its passphrase asked for at the terminal where one is needed."""
    from tradedesk.compose.home import home_folder
    from tradedesk.compose.settings import load_settings
    from tradedesk.compose.vaults import vault_at

    home = home_folder()
    return vault_at(home, load_settings(home), lambda: passphrase_of(home))


@secrets_app.command("make-key")
def make_key(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where it goes; nothing may be there.")],
    as_json: AsJson = False,
) -> None:
    """Make the key that seals secrets kept in rows of a server (`vault = "rows"`).

    Every desk of that server needs it, and no backup has it: keep a copy where the server is not.
    """
    from data.server.secret_rows import make_key as made

    key = made(file.expanduser())
    if as_json:
        document({"file": str(file), "key_id": key.id})
    else:
        line(f"{file} holds key {key.id}: name it as wrapping_key_file, and keep a copy elsewhere")


@secrets_app.command()
def rewrap(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that `make-key` has made.")],
    as_json: AsJson = False,
) -> None:
    """Seal every secret in the rows of the server by another key, all of them or none."""
    only_for("secrets.rewrap", Right.SET_UP)
    from data.server.secret_rows import read_key
    from tradedesk.compose.home import home_folder
    from tradedesk.compose.settings import load_settings
    from tradedesk.compose.vaults import secret_rows

    key, rows = read_key(file.expanduser()), secret_rows(load_settings(home_folder()))
    try:
        count = rows.rewrap(key)
    finally:
        rows.close()
    if as_json:
        document({"secrets": count, "key_id": key.id})
    else:
        line(f"{counted(count, 'secret')} sealed by key {key.id}: name {file} as wrapping_key_file now")
