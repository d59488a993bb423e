"""What the command line prints: one JSON document or tables on stdout, words on stderr.

Text from files and brokers is made plain first, and is never read as markup.
"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from engine.words.formats import counted as counted
from tradedesk.cli.streams import takes_every_sign
from widgets.text import plain

PIPED_WIDTH = 200
"""Columns of a table that goes to a file or another program."""


def jsonable(value: Any) -> Any:
    """A value as JSON holds it: enumerations as their words, times as UTC ISO, text made plain."""
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, str):
        return plain(value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if is_dataclass(value):
        return {entry.name: jsonable(getattr(value, entry.name)) for entry in fields(value)}
    if isinstance(value, Iterable):
        return [jsonable(item) for item in value]
    return plain(str(value))


def document(value: Any) -> None:
    """Print the command's one JSON document."""
    text = json.dumps(jsonable(value), indent=2, ensure_ascii=not takes_every_sign())
    sys.stdout.write(text + "\n")


def say(text: str) -> None:
    """Words for people, on stderr, line by line."""
    for line in text.split("\n"):
        sys.stderr.write(plain(line) + "\n")
    sys.stderr.flush()


def line(text: str = "") -> None:
    """One line of a report on stdout."""
    sys.stdout.write(plain(text) + "\n")


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], title: str = "") -> None:
    """Print rows as a table on stdout. A column whose name begins with `>` is aligned right and never cut.

    Nothing is cut where stdout is not a terminal.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(
        box=SIMPLE_HEAD, show_edge=False, pad_edge=False, title=Text(plain(title)) if title else None
    )
    shown.title_justify = "left"
    for name in columns:
        figure = name.startswith(">")
        shown.add_column(
            Text(name.removeprefix(">")),
            justify="right" if figure else "left",
            no_wrap=figure,
            overflow="fold",
        )
    for row in rows:
        shown.add_row(*(Text(plain(cell)) for cell in row))
    width = None if sys.stdout.isatty() else PIPED_WIDTH
    console = Console(file=sys.stdout, width=width, markup=False, highlight=False)
    with console.capture() as captured:
        console.print(shown)
    for row in captured.get().splitlines():
        sys.stdout.write(row.rstrip() + "\n")
