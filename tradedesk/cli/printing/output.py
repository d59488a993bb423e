"""What the command line prints: one JSON document or tables on stdout, words on stderr.

Text from files and brokers is made plain first, and is never read as markup. Where it goes is the `printer`:
this process's own streams, or those of the command that an open app answers. Imports nothing heavy, since
a command is answered by the open app in less than that takes.
"""

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from tradedesk.cli.printing.streams import takes_every_sign
from widgets.text import plain

if TYPE_CHECKING:
    from rich.console import Console

PIPED_WIDTH = 200
"""Columns of a table that goes to a file or another program."""


class Printer:
    """The streams of a command, and who is at them. This one's are the process's own."""

    def out(self, text: str) -> None:
        """Text for stdout."""
        sys.stdout.write(text)

    def err(self, text: str) -> None:
        """Text for stderr, shown at once."""
        sys.stderr.write(text)
        sys.stderr.flush()

    @property
    def at_terminal(self) -> bool:
        """Whether someone can read a question and type its answer."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    @property
    def every_sign(self) -> bool:
        """Whether stdout's encoding has every sign there is."""
        return takes_every_sign()

    def console(self) -> "Console":
        """What draws a table for stdout; nothing is cut where that is not a terminal."""
        from rich.console import Console

        width = None if sys.stdout.isatty() else PIPED_WIDTH
        return Console(file=sys.stdout, width=width, markup=False, highlight=False)

    def ask(self, question: "Question") -> bool:
        """Leave a question to whoever asked; False where the command asks its own questions.

        What is printed from here on is for an answer that is not the one wanted.
        """
        return False


class Question(NamedTuple):
    """What is about to be done, the words to type for it, and the command that then does it."""

    what: str
    words: str
    then: tuple[str, ...]


printer: ContextVar[Printer] = ContextVar("printer", default=Printer())  # noqa: B039 - it holds nothing
"""Where what is printed now goes."""


_AS_IT_IS = frozenset({type(None), bool, int, float})


def jsonable(value: Any) -> Any:
    """A value as JSON holds it: enumerations as their words, times as UTC ISO, text made plain."""
    if value.__class__ in _AS_IT_IS:
        return value
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (int, float)):
        return value
    from data.records import is_record, values_of

    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if is_record(value):
        return {name: jsonable(one) for name, one in values_of(value).items()}
    if isinstance(value, Iterable):
        return [jsonable(item) for item in value]
    return plain(str(value))


def document(value: Any) -> None:
    """Print the command's one JSON document."""
    to = printer.get()
    to.out(laid_out(jsonable(value), every_sign=to.every_sign) + "\n")


def laid_out(value: Any, every_sign: bool, indent: str = "\n") -> str:
    """What JSON holds, a member a line, as `json.dumps` lays it out, which takes a step of Python for each.

    Every key is a text. Without `every_sign` all that is not ASCII is escaped.
    """
    if not value or not isinstance(value, (dict, list)):
        return _encode(every_sign, ",")(value)
    inner = indent + "  "
    members = value.values() if isinstance(value, dict) else value
    if not [one for one in members if one and one.__class__ in (dict, list)]:
        text = _encode(every_sign, "," + inner)(value)
        return f"{text[0]}{inner}{text[1:-1]}{indent}{text[-1]}"
    if isinstance(value, dict):
        name = _encode(every_sign, ",")
        lines = [f"{name(key)}: {laid_out(one, every_sign, inner)}" for key, one in value.items()]
    else:
        lines = [laid_out(one, every_sign, inner) for one in value]
    first, last = "{}" if isinstance(value, dict) else "[]"
    return first + inner + ("," + inner).join(lines) + indent + last


@cache
def _encode(every_sign: bool, between: str) -> Callable[[Any], str]:
    return json.JSONEncoder(ensure_ascii=not every_sign, separators=(between, ": ")).encode


def document_line(value: Any) -> None:
    """Print one of several JSON documents, in a line of its own, at once."""
    to = printer.get()
    to.out(json.dumps(jsonable(value), ensure_ascii=not to.every_sign) + "\n")


def say(text: str) -> None:
    """Words for people, on stderr, line by line."""
    printer.get().err("".join(f"{plain(line)}\n" for line in text.split("\n")))


def line(text: str = "") -> None:
    """One line of a report on stdout."""
    printer.get().out(plain(text) + "\n")


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows as a table on stdout. A column whose name begins with `>` is aligned right and never cut.

    Nothing is cut where stdout is not a terminal.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
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
    to = printer.get()
    console = to.console()
    with console.capture() as captured:
        console.print(shown)
    for row in captured.get().splitlines():
        to.out(row.rstrip() + "\n")
