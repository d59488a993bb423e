"""The command's end of one connection to the open app."""

import os
import socket
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from data.home import command_socket
from data.sign_in.peers import peer_uid
from tradedesk.cli.printing.output import Printer, printer
from tradedesk.compose.seats import kept_token
from tradedesk.socket.protocol import (
    HELLO_S,
    LONGEST_LINE,
    TAKEN_S,
    Line,
    decoded,
    encoded,
    hello,
    trader,
)

_TERMINAL = ("TERM", "COLORTERM", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TTY_COMPATIBLE")
"""What of the environment says how a table is drawn."""


class Lost(Exception):  # noqa: N818 - reads as a state
    """The connection ended, fell silent, or brought what is no line of the protocol."""


def meet(home: Path, within_s: float | None = None) -> "AppSocket | None":
    """A connection to the app that is open on this home; None where none answers as this program would.

    `within_s` are the seconds in which all has to come of it that is waited for.
    """
    place = command_socket(home)
    try:
        found = os.lstat(place)
        if not stat.S_ISSOCK(found.st_mode) or found.st_uid != os.getuid():
            return None
        ours, actor = hello(home), trader(home)
        if actor is None:
            return None
        connection = AppSocket(str(place), within_s)
    except (OSError, ValueError):
        return None
    try:
        if connection.says_hello(ours, {"actor": actor, "token": kept_token(home)}):
            return connection
    except (OSError, Lost):
        pass
    connection.close()
    return None


class AppSocket:
    """One connection to the app. Raises `OSError` where there is none."""

    def __init__(self, place: str, within_s: float | None = None) -> None:
        self._end = None if within_s is None else monotonic() + within_s
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._came = b""
        self.may_have_gone = False
        """Whether the app may have been told to go; whoever is interrupted then does not know what it did."""
        try:
            self._socket.settimeout(HELLO_S if within_s is None else min(HELLO_S, within_s))
            self._socket.connect(place)
            if peer_uid(self._socket) != os.getuid():
                raise PermissionError("another user listens")
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> "AppSocket":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End it; an app that has not read `go` does nothing."""
        self._socket.close()

    def says_hello(self, ours: Line, who: Line) -> bool:
        """Whether the other end is what this one is; `who` tells it who asks. Raises `Lost`, `OSError`."""
        self._send({"hello": {**ours, **who}})
        return self.line(HELLO_S).get("hello") == ours

    def request(self, request_id: str, words: Sequence[str]) -> bool:
        """Whether the app has taken the command and was told to go; False means that it does nothing."""
        try:
            self._send({"request": request_id, "words": list(words), "terminal": terminal(printer.get())})
            if self.line(TAKEN_S).get("taken") != request_id:
                return False
            self.may_have_gone = True
            self._send({"go": request_id})
        except (OSError, Lost):
            return False
        return True

    def _send(self, line: Line) -> None:
        data = encoded(line)
        if len(data) > LONGEST_LINE:
            raise Lost("the words are too long for a line")
        self._socket.sendall(data)

    def has_time(self) -> None:
        """What was waited for has come: only each line's own wait counts from here on."""
        self._end = None

    def line(self, patience_s: float | None) -> Line:
        """The next line, waited for no longer than this. Raises `Lost`."""
        until = None if patience_s is None else monotonic() + patience_s
        if self._end is not None:
            until = self._end if until is None else min(until, self._end)
        while (end := self._came.find(b"\n") + 1) == 0:
            if len(self._came) > LONGEST_LINE:
                raise Lost("a line has no end")
            try:
                left = None if until is None else until - monotonic()
                if left is not None and left <= 0:
                    raise Lost("no line came in time")
                self._socket.settimeout(left)
                more = self._socket.recv(65536)
            except OSError as problem:
                raise Lost(str(problem)) from problem
            if not more:
                raise Lost("the other end closed")
            self._came += more
        data, self._came = self._came[:end], self._came[end:]
        try:
            return decoded(data)
        except ValueError as problem:
            raise Lost(str(problem)) from problem


def terminal(to: Printer) -> dict[str, Any]:
    """What the app needs to know of this terminal to print as the command would."""
    tty = sys.stdout.isatty()
    return {
        "at_terminal": to.at_terminal,
        "every_sign": to.every_sign,
        "columns": os.get_terminal_size(sys.stdout.fileno()).columns if tty else None,
        "environment": {name: os.environ[name] for name in _TERMINAL if name in os.environ},
    }
