"""Asking the open app: the command's end of the socket. Nothing heavy is imported here."""

import os
import secrets
import socket
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from tradedesk.cli.output import Printer, document, printer, say
from tradedesk.cli.questions import is_answer, prompt
from tradedesk.socket.protocol import (
    HELLO_S,
    LONGEST_LINE,
    SOCKET,
    TAKEN_S,
    Line,
    decoded,
    encoded,
    hello,
    kind_of,
    peer_uid,
    trader,
)

NOTHING_SENT, UNKNOWN, INTERRUPTED = 3, 5, 130
"""Exit codes of `tradedesk.cli.exits.Exit`, whose module takes too long to import."""

_TERMINAL = ("TERM", "COLORTERM", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TTY_COMPATIBLE")
"""What of the environment says how a table is drawn."""


class Lost(Exception):  # noqa: N818 - reads as a state
    """The connection ended, fell silent, or brought what is no line of the protocol."""


def ask(home: Path, words: list[str]) -> int | list[str]:
    """Have the app that is open on this home do a command line; gives its exit code.

    Gives the words that are left to do in this process where no app answers: all, or those that a question
    was answered with. Asks the app's questions at this terminal.
    """
    while kind_of(words) is not None:
        connection = meet(home)
        if connection is None:
            return words
        with connection:
            request_id = secrets.token_hex(16)
            if not connection.request(request_id, words):
                return words
            ended = _follow(connection, request_id, words)
        if isinstance(ended, int):
            return ended
        words = ended
    return words


def _follow(connection: "Connection", request_id: str, words: Sequence[str]) -> int | list[str]:
    """Print what the app tells until it is done, then put its question if it has one.

    Gives the exit code, or the command that the question was answered for. What comes behind a question is
    for a no.
    """
    question: Line | None = None
    otherwise: list[Line] = []
    try:
        while True:
            line = connection.line(None)
            if "refused" in line:
                return refused(str(line["refused"]))
            if "question" in line:
                question = line["question"]
            elif "done" in line:
                break
            elif question is None:
                show(line)
            else:
                otherwise.append(line)
    except Lost:
        return lost(request_id, words)
    except KeyboardInterrupt:
        say(
            "stopped waiting: the open app goes on with it; what became of it is told by "
            f"`tradedesk --request {request_id}`"
        )
        return INTERRUPTED
    if question is not None:
        prompt(question["words"], question["what"])
        if is_answer(sys.stdin.readline(), question["words"]):
            return list(question["then"])
        for one in otherwise:
            show(one)
    return int(line["done"])


def show(line: Line) -> None:
    """Print what a line brought for the terminal."""
    to = printer.get()
    if "out" in line:
        to.out(str(line["out"]))
    if "err" in line:
        to.err(str(line["err"]))


def refused(why: str) -> int:
    """Say that the app did nothing and will do nothing; gives the exit code."""
    say(f"tradedesk: the open app did nothing: {why}; give the command again")
    return NOTHING_SENT


def lost(request_id: str, words: Sequence[str]) -> int:
    """Say that nobody knows yet what the app did; gives the exit code."""
    message = (
        "asked the open app, and the connection was lost: what it did is not known here; ask again with "
        f"`tradedesk --request {request_id}`, which finds it and never repeats it"
    )
    say(f"tradedesk: {message}")
    if "--json" in words:
        error = {"reason": "connection_lost", "code": UNKNOWN, "message": message}
        blank = {"field": None, "value": None, "expected": None}
        document({"error": {**error, **blank, "request_id": request_id}})
    return UNKNOWN


# --- the connection -------------------------------------------------------------------------------------


def meet(home: Path) -> "Connection | None":
    """A connection to the app that is open on this home; None where none answers as this program would."""
    place = home / SOCKET
    try:
        found = os.lstat(place)
        if not stat.S_ISSOCK(found.st_mode) or found.st_uid != os.getuid():
            return None
        ours, actor = hello(home), trader(home)
        if actor is None:
            return None
        connection = Connection(str(place))
    except (OSError, ValueError):
        return None
    try:
        if connection.says_hello(ours, actor):
            return connection
    except (OSError, Lost):
        pass
    connection.close()
    return None


class Connection:
    """One connection to the app. Raises `OSError` where there is none."""

    def __init__(self, place: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._came = b""
        try:
            self._socket.settimeout(HELLO_S)
            self._socket.connect(place)
            if peer_uid(self._socket) != os.getuid():
                raise PermissionError("another user listens")
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End it; an app that has not read `go` does nothing."""
        self._socket.close()

    def says_hello(self, ours: Line, actor: str) -> bool:
        """Whether the other end is what this one is. Raises `Lost`, `OSError`."""
        self._send({"hello": {**ours, "actor": actor}})
        return self.line(HELLO_S).get("hello") == ours

    def request(self, request_id: str, words: Sequence[str]) -> bool:
        """Whether the app has taken the command and was told to go; False means that it does nothing."""
        try:
            self._send({"request": request_id, "words": list(words), "terminal": terminal(printer.get())})
            if self.line(TAKEN_S).get("taken") != request_id:
                return False
            self._send({"go": request_id})
        except (OSError, Lost):
            return False
        return True

    def _send(self, line: Line) -> None:
        data = encoded(line)
        if len(data) > LONGEST_LINE:
            raise Lost("the words are too long for a line")
        self._socket.sendall(data)

    def line(self, patience_s: float | None) -> Line:
        """The next line, waited for no longer than this. Raises `Lost`."""
        until = None if patience_s is None else monotonic() + patience_s
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
