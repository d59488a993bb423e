"""The trader's own themes: TOML files of the home's folder `themes`, each named for its file.

A file says what differs from the theme it is `based` on, and may hold Textual's variables and the desk's.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from textual.color import Color, ColorParseError
from textual.theme import Theme
from textual.widget import Widget

from data.errors import BadInput
from data.records import replace
from tradedesk.app.theme.contrast import LEAST, contrasts
from tradedesk.app.theme.themes import DARK_VARIABLES, THEMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.app import App

BUILT_IN = {theme.name: theme for theme in THEMES}
COLOURS = tuple(
    field.name for field in fields(Theme) if field.name not in ("name", "dark", "variables", "ansi")
)
"""What a file may say of a theme beside its variables, each a colour but for the three numbers."""
NUMBERS = ("luminosity_spread", "text_alpha")
LONGEST_BYTES = 100_000
"""A file longer than this is no theme."""


class ThemeFile(Struct, frozen=True):
    """What came of a file: its theme, or why there is none; and what is hard to read in it."""

    name: str
    theme: Theme | None
    complaints: tuple[str, ...] = ()


def read_theme(path: Path) -> ThemeFile:
    """The theme of a file. Each complaint names file, line and variable, and says what is right."""
    name = path.stem
    try:
        if not path.is_file():  # a pipe would be waited for
            return ThemeFile(name, None, (f"{path.name}: it is no file",))
        if path.stat().st_size > LONGEST_BYTES:
            return ThemeFile(name, None, (f"{path.name}: it is too long to be a theme",))
        text = path.read_bytes().decode("utf-8-sig")
        given = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as problem:
        return ThemeFile(name, None, (f"{path.name}: it cannot be read: {problem}",))
    except (tomllib.TOMLDecodeError, RecursionError) as problem:
        return ThemeFile(name, None, (f"{path.name}: it must be TOML: {problem}",))
    if name in BUILT_IN:
        return ThemeFile(
            name, None, (f"{path.name}: {name} is a built-in theme; give the file another name",)
        )
    theme, wrong = _theme_of(name, given)
    if wrong or theme is None:
        return ThemeFile(name, None, tuple(_placed(path.name, text, *one) for one in wrong))
    return ThemeFile(name, theme, tuple(_weak(path.name, text, theme)))


def _theme_of(name: str, given: dict[str, Any]) -> tuple[Theme | None, list[tuple[str, str]]]:
    """The theme that a file says, or each key that is wrong and why."""
    based = given.get("based", THEMES[0].name)
    base = BUILT_IN.get(based) if isinstance(based, str) else None
    if base is None:
        return None, [("based", f"{based!r} is no built-in theme; choose one of {', '.join(BUILT_IN)}")]
    known = {**base.to_color_system().generate(), **DARK_VARIABLES}
    colours = {key: value for key, value in given.items() if key not in ("based", "variables")}
    variables = given.get("variables", {})
    wrong = [fault for key, value in colours.items() for fault in _faults(key, value, known)]
    if isinstance(variables, dict):
        wrong += [fault for key, value in variables.items() for fault in _variable_faults(key, value, known)]
    else:
        wrong.append(("variables", 'write a table, [variables], with lines such as pnl-up = "#12703a"'))
    if wrong:
        return None, wrong
    return replace(base, name=name, **colours, variables={**base.variables, **variables}), []


def _faults(key: str, value: object, known: Mapping[str, str]) -> list[tuple[str, str]]:
    """What is wrong with one of a theme's own keys."""
    if key == "dark":
        return [] if isinstance(value, bool) else [(key, f"{value!r}: say true or false")]
    if key in NUMBERS:
        fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
        return [] if fits else [(key, f"{value!r}: give a number from 0 to 1")]
    if key in COLOURS:
        return _colour_faults(key, value)
    place = "put it under [variables]" if key in known else f"known: {', '.join(COLOURS)}"
    return [(key, f"no theme has this; {place}")]


def _variable_faults(key: str, value: object, known: Mapping[str, str]) -> list[tuple[str, str]]:
    """What is wrong with a variable."""
    if key not in known:
        return [(key, f"no variable is called so; the desk's own are {', '.join(DARK_VARIABLES)}")]
    if "style" in key:
        return [(key, "it is no colour, and stays as it is; leave it out")]
    if isinstance(value, str) and value.startswith("auto ") and key not in DARK_VARIABLES:
        return []
    return _colour_faults(key, value)


def _colour_faults(key: str, value: object) -> list[tuple[str, str]]:
    """Why a value is no colour."""
    try:
        Color.parse(str(value))
    except ColorParseError:
        return [(key, f"{value!r} is no colour; write #12703a or a name such as seagreen")]
    return []


def _placed(file: str, text: str, key: str, words: str) -> str:
    """A complaint behind the file, the line on which a key stands, and the key."""
    return f"{file} line {_line_of(text, key)}: {key}: {words}"


def _line_of(text: str, key: str) -> int:
    stands = re.compile(rf"""^\s*\[?["']?{re.escape(key)}["']?\s*(=|\]|\.)""")
    return next((number for number, line in enumerate(text.splitlines(), 1) if stands.match(line)), 1)


def _weak(file: str, text: str, theme: Theme) -> list[str]:
    """Colours that are hard to read, the worst ground of each; the theme is taken all the same."""
    worst: dict[str, tuple[float, str]] = {}
    for name, ground, ratio in contrasts(theme):
        if ratio < LEAST and ratio < worst.get(name, (LEAST, ""))[0]:
            worst[name] = ratio, ground
    return [
        _placed(file, text, name, f"hard to read on {ground}: contrast {ratio:.1f}, take {LEAST} or more")
        for name, (ratio, ground) in worst.items()
    ]


class Themes:
    """The themes of an app: those built in, and those of the trader's files, read again when they change."""

    def __init__(self, app: App[Any], folder: Path | None) -> None:
        self._app = app
        self._folder = folder
        self._seen: dict[Path, tuple[int, int]] = {}
        self._files: dict[str, ThemeFile] = {}
        for theme in THEMES:
            app.register_theme(theme)
        app.theme = THEMES[0].name

    @property
    def names(self) -> tuple[str, ...]:
        """Every theme there is to choose, those built in first."""
        return (*BUILT_IN, *sorted(one.name for one in self._files.values() if one.theme is not None))

    def complaints(self, name: str | None = None) -> Sequence[str]:
        """What is wrong with the files, or with one of them."""
        return [words for one in self._files.values() if name in (None, one.name) for words in one.complaints]

    def read(self) -> bool:
        """Read files that are new or were changed; whether there were any. What is shown follows at once."""
        found = self._stamps()
        if found == self._seen:
            return False
        changed = {path for path, stamp in found.items() if self._seen.get(path) != stamp}
        gone = {path.stem for path in self._seen} - {path.stem for path in found}
        self._seen = found
        for name in gone:
            self._files.pop(name, None)
        for path in sorted(changed):
            taken, before = read_theme(path), self._files.get(path.stem)
            if taken.theme is None and before is not None:  # what was good last goes on while it is mended
                taken = replace(taken, theme=before.theme)
            self._files[path.stem] = taken
            if taken.theme is not None:
                self._app.register_theme(taken.theme)
                if self._app.theme == taken.name:
                    self._app.refresh_css(animate=False)
                    self._repaint()
        return True

    def _stamps(self) -> dict[Path, tuple[int, int]]:
        """The files of the folder, with what tells that one was changed."""
        found: dict[Path, tuple[int, int]] = {}
        if self._folder is None:
            return found
        try:
            for path in self._folder.glob("*.toml"):
                state = path.stat()
                found[path] = state.st_mtime_ns, state.st_size
        except OSError:
            return self._seen
        return found

    def show(self, name: str) -> None:
        """Turn to a theme. Raises `BadInput` with what there is."""
        if name not in self.names:
            self.read()
        if name not in self.names:
            right = "; ".join(self.complaints(name)) or f"choose one of {', '.join(self.names)}"
            raise BadInput("theme", name, right)
        self._app.theme = name
        self._app.call_later(self._repaint)

    def _repaint(self) -> None:
        """Paint all anew: words that name a variable themselves know of no change of the style sheets."""
        for screen in self._app.screen_stack:
            for widget in screen.walk_children(Widget):
                widget.refresh()
