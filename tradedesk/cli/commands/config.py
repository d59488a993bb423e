"""The settings of a home: shown, checked, and one changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import BadInput
from data.home import settings_file, themes_folder
from tradedesk.cli.exits import Exit
from tradedesk.cli.options import AsJson
from tradedesk.cli.printing.output import document, line, say, table
from tradedesk.cli.views.settings import ConfigShape, SettingShape

if TYPE_CHECKING:
    from tradedesk.compose.settings import Settings

config_app = typer.Typer(help="Settings: shown, checked, changed.", invoke_without_command=True)


@config_app.callback()
def config(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Every setting with its value, where that comes from and what it does; and what is wrong with them.

    Ends with 2 where something is.
    """
    if ctx.invoked_subcommand is not None:
        return
    from tradedesk.compose.home import home_folder

    shape = _shape(home_folder())
    if as_json:
        document(shape)
    else:
        line(f"{shape.file}{'' if Path(shape.file).exists() else ' (not there: defaults hold)'}")
        rows = [(one.key, _word(one.value), one.source, one.does) for one in shape.settings]
        table(("setting", "value", "from", "does"), rows)
    for problem in shape.problems:
        say(problem)
    if shape.problems:
        raise typer.Exit(Exit.BAD_INPUT)


@config_app.command("set")
def set_one(
    key: Annotated[str, typer.Argument(metavar="SETTING")],
    value: Annotated[str, typer.Argument(metavar="VALUE")],
    as_json: AsJson = False,
) -> None:
    """Change one setting in the home's file; its comments and all other lines stay.

    An open screen follows those of `:set`; what a desk is opened with holds from the next opening on.
    """
    from data.vocabulary import Right
    from tradedesk.cli.session import only_for
    from tradedesk.compose.config_file import keep_setting
    from tradedesk.compose.home import home_folder
    from tradedesk.compose.settings import SCREEN_SETTINGS, given_in

    if key.casefold() not in SCREEN_SETTINGS:
        only_for("config.set", Right.SET_UP)
    home = home_folder()
    settings = keep_setting(home, key, value)
    shape = _setting(settings, key.casefold(), given_in(settings_file(home)))
    if as_json:
        document(shape)
    else:
        line(f"{shape.key} = {_word(shape.value)} in {settings_file(home)}")


def _shape(home: Path) -> ConfigShape:
    """All settings; where the file cannot be taken, those that hold without what is wrong in it."""
    from tradedesk.compose.settings import Settings, given_in, settings_of

    file = settings_file(home)
    problems: list[str] = []
    try:
        given = given_in(file)
    except BadInput as bad:
        problems.append(str(bad))
        given = {}
    settings: Settings | None = None
    while settings is None:
        try:
            settings = settings_of(given, file)
        except BadInput as bad:
            problems.append(str(bad))
            wrong = next((key for key in given if key in bad.field.replace(".", " ").split()), None)
            if wrong is None:
                settings, given = Settings.model_construct(), {}
            else:
                given = {key: value for key, value in given.items() if key != wrong}
    problems += _of_screen(home, settings)
    shown = tuple(_setting(settings, key, given) for key in Settings.model_fields)
    return ConfigShape(str(file), shown, tuple(problems))


def _of_screen(home: Path, settings: Settings) -> list[str]:
    """What the screen would complain of: keys, themes, a workspace that there is not."""
    from tradedesk.app.keymap import PLAIN, key_table
    from tradedesk.app.theme.files import BUILT_IN, read_theme
    from tradedesk.app.workspaces import WORKSPACES

    found = list(key_table(settings.keys or PLAIN, settings.keymap).complaints)
    files = [read_theme(path) for path in sorted(themes_folder(home).glob("*.toml"))]
    found += [words for one in files for words in one.complaints]
    names = [*BUILT_IN, *(one.name for one in files if one.theme is not None)]
    if settings.theme not in names:
        found.append(str(BadInput("theme", settings.theme, f"choose one of {', '.join(names)}")))
    there = [one.name for one in WORKSPACES if one.available]
    if settings.workspace not in there:
        found.append(str(BadInput("workspace", settings.workspace, f"choose one of {', '.join(there)}")))
    return found


def _setting(settings: Settings, key: str, given: Mapping[str, object]) -> SettingShape:
    from tradedesk.compose.config_file import source_of
    from tradedesk.compose.settings import shown, what_settings_do

    value = shown(key, getattr(settings, key))
    return SettingShape(key, value, source_of(key, given), what_settings_do()[key])


def _word(value: object) -> str:
    """A value as it is typed."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {each}" for key, each in value.items())
    return "" if value is None else str(value)
