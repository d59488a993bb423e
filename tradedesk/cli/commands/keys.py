"""The keys of the screen: listed under the ids that `config.toml` moves them by, and tried at a terminal."""

import sys

import typer

from data.errors import BadInput
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson
from tradedesk.cli.printing.output import document, line, say, table
from tradedesk.cli.views.settings import CommandKeysShape, KeysShape

keys_app = typer.Typer(help="Keys: listed, and tried at this terminal.", invoke_without_command=True)


@keys_app.callback()
def keys(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Every command of the screen with its id and its keys, as the home's profile and keymap have them.

    Ends with 2 where the keymap is not taken.
    """
    if ctx.invoked_subcommand is not None:
        return
    from screens.frame.key_words import key_words
    from tradedesk.app.keymap import PLAIN, all_commands, key_table
    from tradedesk.compose.home import home_folder
    from tradedesk.compose.settings import load_settings

    settings = load_settings(home_folder())
    keys_now = key_table(settings.keys or PLAIN, settings.keymap)
    shown = tuple(
        CommandKeysShape(one.id, keys_now.keys_of(one), one.help) for one in all_commands().values()
    )
    shape = KeysShape(keys_now.profile, shown, keys_now.complaints)
    if as_json:
        document(shape)
    else:
        line(f"profile {shape.profile}")
        table(("id", "keys", "does"), [(one.id, key_words(one.keys), one.does) for one in shown])
    for problem in shape.problems:
        say(problem)
    if shape.problems:
        raise typer.Exit(Exit.BAD_INPUT)


@keys_app.command("doctor")
def doctor(as_json: AsJson = False) -> None:
    """Try which keys this terminal delivers: asks for each that terminals swallow, and names its twin.

    Ends with 4 where a key did not arrive.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise BadInput("terminal", "none", "the keys are tried at a terminal, where somebody presses them")
    from tradedesk.app.key_doctor import KeyDoctor
    from tradedesk.cli.printing.keys import told
    from tradedesk.compose.home import home_folder
    from tradedesk.compose.settings import load_settings

    settings = load_settings(home_folder())
    app = KeyDoctor(settings.keys, settings.keymap)
    found = app.run()
    if found is None:
        say("left before anything was tried")
        raise typer.Exit(Exit.INTERRUPTED)
    if as_json:
        document(found)
    else:
        told(found)
    if found.swallowed:
        raise typer.Exit(Exit.PARTLY)
