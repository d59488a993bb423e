"""Asking the open app for a command, and printing what it tells. Nothing heavy is imported here."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tradedesk.cli.emergency import halt_at_once, halts_everything, may_not_halt, named_in
from tradedesk.cli.printing.output import Question, document, printer, say
from tradedesk.cli.questions import is_answer, prompt
from tradedesk.compose.home import has_books
from tradedesk.compose.spare import LEFT_AFTER_USE_BYTES, give_spare_back, keep_spare
from tradedesk.socket.connection import AppSocket, Lost, meet
from tradedesk.socket.protocol import BEAT_S, HALT_S, Effect, Line, effect_of, with_whole_paths

NOTHING_SENT, UNKNOWN, INTERRUPTED = 3, 5, 130
"""Exit codes of `tradedesk.cli.exits.Exit`, whose module takes too long to import."""


class Answered(NamedTuple):
    """What came of asking: the exit `code` where the app answered, else the `words` left to do here.

    With a `request_id` the app was told to go and fell silent, so that what it did is to be looked for first.
    """

    code: int | None
    words: list[str]
    request_id: str | None = None


def ask(home: Path, words: list[str]) -> Answered:
    """Have the app that is open on this home do a command line.

    Where no app answers, nothing was done and the words are left to do here, or those of the command that a
    question of the app was answered for.
    """
    words = with_whole_paths(words)
    while (effect := effect_of(words)) is not None:
        if effect is Effect.HALT:
            return _ask_to_halt(home, words)
        connection = meet(home)
        if connection is None:
            break
        with connection:
            request_id = os.urandom(16).hex()
            try:
                if not connection.request(request_id, words):
                    break
                ended = _follow(connection, request_id, words)
            except KeyboardInterrupt:
                if not connection.may_have_gone:
                    raise
                ended = _stopped_waiting(request_id)
        if isinstance(ended, int):
            return Answered(ended, words)
        words = ended
    return Answered(None, words)


def _follow(connection: AppSocket, request_id: str, words: Sequence[str]) -> int | list[str]:
    """Print what the app tells until it is done, then put its question if it has one.

    Returns the exit code, or the command that the question was answered for. What comes behind a question is
    for a no.
    """
    question: Question | None = None
    otherwise: list[Line] = []
    try:
        while True:
            line = connection.line(None)
            if "refused" in line:
                return _refused(str(line["refused"]))
            if "question" in line:
                question = _question(line["question"])
            elif "done" in line:
                code = _code(line)
                break
            elif question is None:
                _show(line)
            else:
                otherwise.append(line)
    except Lost:
        return _lost(request_id, words)
    return code if question is None else _put(question, otherwise, code)


def _code(line: Line) -> int:
    """The exit code that the app tells. Raises `Lost` for what is none."""
    code = line["done"]
    if not isinstance(code, int) or not 0 <= code <= 255:
        raise Lost("it ended with what is no exit code")
    return code


def _question(found: object) -> Question:
    """The app's question. Raises `Lost` for what is none."""
    told: dict[object, object] = found if isinstance(found, dict) else {}
    what, words, then = (told.get(name) for name in ("what", "words", "then"))
    if not isinstance(what, str) or not isinstance(words, str) or not isinstance(then, list):
        raise Lost("what it asks is no question")
    return Question(what, words, tuple(str(word) for word in then))


def _put(question: Question, otherwise: Sequence[Line], code: int) -> int | list[str]:
    """Put the app's question; its command where the words were typed, else what it told for a no."""
    prompt(question.words, question.what)
    try:
        given = sys.stdin.readline()
    except KeyboardInterrupt:
        say("interrupted; nothing was confirmed")
        return INTERRUPTED
    if is_answer(given, question.words):
        return list(question.then)
    for line in otherwise:
        _show(line)
    return code


def _show(line: Line) -> None:
    to = printer.get()
    if "out" in line:
        to.out(str(line["out"]))
    if "err" in line:
        to.err(str(line["err"]))


def _refused(why: str) -> int:
    say(f"tradedesk: the open app did nothing: {why}; give the command again")
    return NOTHING_SENT


def _stopped_waiting(request_id: str) -> int:
    say(
        f"stopped waiting: the open app goes on with it; `tradedesk --request {request_id}` tells what it did"
    )
    return INTERRUPTED


def _lost(request_id: str, words: Sequence[str]) -> int:
    """Say that nobody knows yet what the app did; returns the exit code."""
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


# --- cancel-all -------------------------------------------------------------------------------------------


def _ask_to_halt(home: Path, words: list[str]) -> Answered:
    """Halt by the file where that is meant beyond doubt, then ask, but wait for nobody who is silent."""
    at_once = halts_everything(words) and has_books(home) and not may_not_halt(home)
    if at_once:
        from data.clock import SystemClock

        give_spare_back(home)
        halt_at_once(home, named_in(words) or "the command line", SystemClock().now())
    asked = _asked_to_halt(home, words)
    if at_once and asked.code is not None:
        with suppress(OSError):
            keep_spare(home, LEFT_AFTER_USE_BYTES)
    return asked


def _asked_to_halt(home: Path, words: list[str]) -> Answered:
    connection = meet(home, HALT_S)
    if connection is None:
        return Answered(None, words)
    request_id = os.urandom(16).hex()
    with connection:
        try:
            if not connection.request(request_id, words):
                return Answered(None, words)
            ended = _follow_halt(connection)
        except Lost:
            say("the open app does not answer: going on without it")
            return Answered(None, words, request_id)
        except KeyboardInterrupt:
            if not connection.may_have_gone:
                raise
            return Answered(_stopped_waiting(request_id), words)
    return ask(home, ended) if isinstance(ended, list) else Answered(ended, words)


def _follow_halt(connection: AppSocket) -> int | list[str]:
    """What the app came to; nothing is printed before it is done. Raises `Lost` where it falls silent."""
    question: Question | None = None
    told: list[Line] = []
    while True:
        line = connection.line(BEAT_S)
        if "halt" in line:
            connection.has_time()
        elif "refused" in line:
            raise Lost(str(line["refused"]))
        elif "question" in line:
            question = _question(line["question"])
        elif "done" in line:
            code = _code(line)
            break
        else:
            told.append(line)
    if question is not None:
        return _put(question, told, code)
    for one in told:
        _show(one)
    return code
