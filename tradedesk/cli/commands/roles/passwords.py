"""Passwords as commands take them: typed at the terminal, in a file or on stdin, and never an argument."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from data.errors import BadInput
from data.sign_in.passwords import LONGEST
from tradedesk.cli.session import hidden

_WHERE = "Password"
PasswordStdin = Annotated[
    bool,
    typer.Option(
        "--password-stdin", help="Read the password from the first line of stdin.", rich_help_panel=_WHERE
    ),
]
PasswordFile = Annotated[
    str | None,
    typer.Option(
        "--password-file",
        metavar="FILE",
        help="Read it from the first line of a file that its owner alone may read.",
        rich_help_panel=_WHERE,
    ),
]

_MOST = 4 * LONGEST + 2
"""Bytes of a line that holds a password; of a longer one no more is read than tells that it is too long."""


def password_of(question: str, stdin: bool, file: str | None, twice: bool = False) -> str:
    """A password as it was given. Raises `BadInput`, which echoes nothing of it."""
    if stdin and file is not None:
        raise BadInput("password", "(hidden)", "give --password-stdin or --password-file, not both")
    if file is not None:
        return _from_file(Path(file).expanduser())
    if stdin or not sys.stdin.isatty():
        return _not_empty(sys.stdin.readline(_MOST).rstrip("\r\n"))
    given = _not_empty(hidden(f"{question}: "))
    if twice and hidden("the same again: ") != given:
        raise BadInput("password", "(hidden)", "type the same twice")
    return given


def _from_file(path: Path) -> str:
    try:
        if path.stat().st_mode & 0o077:
            raise BadInput("password-file", str(path), "only its owner may read it: chmod 600")
        with path.open(encoding="utf-8") as lines:
            return _not_empty(lines.readline(_MOST).rstrip("\r\n"))
    except (OSError, UnicodeDecodeError):
        raise BadInput("password-file", str(path), "name a text file that can be read") from None


def _not_empty(given: str) -> str:
    if not given:
        raise BadInput(
            "password", "(hidden)", "give one: at the terminal, --password-stdin or --password-file"
        )
    return given
