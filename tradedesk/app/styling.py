"""Style sheets: read before the screens need them, so that a screen that opens styles itself alone.

Textual reads a screen's sheet when it first comes up, and then parses every sheet anew and styles the whole
app. It does so twice more for a workspace that opens, since it takes a new screen for one of older sheets.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.app import App
from textual.screen import Screen

import screens


def read_sheets(app: App[Any]) -> None:
    """Read the sheets of all screens and of the dock; they are parsed when the next widget is styled."""
    app.stylesheet.read_all(sorted(Path(screens.__file__).parent.rglob("*.tcss")))


def styled_by_now(app: App[Any], build: Callable[[], Screen[Any]]) -> Callable[[], Screen[Any]]:
    """`build`, for a screen that is known to be styled by the sheets of when it is made."""

    def made() -> Screen[Any]:
        screen = build()
        screen._css_update_count = app._css_update_count
        return screen

    return made
