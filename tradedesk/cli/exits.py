"""How a command ends: its exit code, and one clear line for whatever stopped it."""

import errno
import logging
import os
import re
import traceback
from enum import IntEnum
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from data.csvfiles import FileProblem
from data.engines.at_rest import FileError
from data.errors import BadInput, shortened
from data.records import replace
from tradedesk.compose.spare import spare_bytes


class Exit(IntEnum):
    """Exit codes. Stable: scripts read them."""

    DONE = 0
    """It was done."""
    INTERNAL = 1
    """Something nobody expected."""
    BAD_INPUT = 2
    """A value, a file or the usage is wrong; nothing was done."""
    NOTHING_SENT = 3
    """No order was sent: all lines skipped, not confirmed, or refused."""
    PARTLY = 4
    """Some orders were rejected, denied, cancelled, or not completely filled at the end of the wait."""
    UNKNOWN = 5
    """The broker's answer to an order is missing; it is never sent again before that is resolved."""
    HALTED = 6
    """The desk is halted."""
    STORE = 7
    """The home or its database cannot be used: newer version, read-only, full, locked, a second app."""
    NOT_VERIFIED = 8
    """The books or the audit do not verify."""
    INTERRUPTED = 130
    """Stopped by ctrl+c; what was sent by then stays at the broker."""


class Explained(Struct, frozen=True):
    """Why a command stopped: the exit code, the line for people, and what scripts read."""

    exit: Exit
    message: str
    reason: str
    fields: dict[str, Any] = field(default_factory=dict[str, Any])

    def to_json(self) -> dict[str, Any]:
        """The value of a document's `error`."""
        blank: dict[str, Any] = {"field": None, "value": None, "expected": None}
        return {
            "reason": self.reason,
            "code": int(self.exit),
            "message": self.message,
            **blank,
            **self.fields,
        }


STORE_FIELDS = ("home", "database")
"""Fields of `BadInput` that speak of the home itself rather than of what was typed."""

_STORE_ERRORS = (errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EPERM, errno.EDQUOT, errno.EIO)


_LONGEST_USAGE = 400
"""Characters of a complaint about the usage, which may name every word that was typed."""

_FULL = 64 * 1024
"""Bytes of room below which a disk counts as full: no database can be opened with less."""


CANCEL_ALL_FAILED = "cancel-all itself ended by this"
"""The note on what ended a cancel-all, so that nobody is sent to it again."""


def explain(problem: BaseException) -> Explained:
    """What a raised exception means for the caller, in words for people: no class names, no SQL."""
    told = _explain(problem)
    if told.reason != "store_unusable":
        return told
    from tradedesk.compose.home import home_folder

    home = home_folder()
    if not _is_full(problem, told.message, home):
        return told
    why = told.fields.get("expected") or told.message
    return replace(
        told,
        message=f"the disk is full: nothing can be written in {home} ({why}). Free some space and start "
        f"again; {_cancelling_words(problem, home)}",
    )


def _cancelling_words(problem: BaseException, home: Path) -> str:
    """What of cancelling is true while the disk is full."""
    if CANCEL_ALL_FAILED in getattr(problem, "__notes__", ()):
        return "until then cancel at the brokers themselves"
    if kept := spare_bytes(home):
        return f"`tradedesk cancel-all --yes` works even now: {kept / 2**20:.1f} MiB are kept for it"
    return (
        "no room is kept for `tradedesk cancel-all --yes`, so that it may fail before: "
        "cancel at the brokers themselves"
    )


def _is_full(problem: BaseException, words: str, home: Path) -> bool:
    if isinstance(problem, OSError) and problem.errno is not None:
        return problem.errno in (errno.ENOSPC, errno.EDQUOT)
    try:
        room = os.statvfs(home)
    except OSError:
        return "is full" in words
    return "is full" in words or room.f_bavail * room.f_frsize < _FULL


def _explain(problem: BaseException) -> Explained:
    if isinstance(problem, FileProblem):
        count = len(problem.problems)
        rows = "\n".join(f"  {row}" for row in problem.problems)
        noun = "problem" if count == 1 else "problems"
        message = f"{problem.path.name}: {count} {noun}, nothing was taken\n{rows}"
        given = {
            "field": "file",
            "value": problem.path.name,
            "expected": "a file without these problems",
            "problems": [
                {"row": row.row, "field": row.field, "value": shortened(row.value), "expected": row.expected}
                for row in problem.problems
            ],
        }
        return Explained(Exit.BAD_INPUT, message, "bad_file", given)
    if isinstance(problem, BadInput):
        code = Exit.STORE if problem.field in STORE_FIELDS else Exit.BAD_INPUT
        reason = "store_unusable" if code is Exit.STORE else "bad_input"
        value = problem.value if isinstance(problem.value, int) else shortened(str(problem.value))
        given = {"field": problem.field, "value": value, "expected": problem.expected}
        return Explained(code, str(problem), reason, given)
    if (usage := _usage(problem)) is not None:
        return usage
    if isinstance(problem, OSError) and problem.errno in _STORE_ERRORS:
        where = f" ({problem.filename})" if problem.filename else ""
        return Explained(Exit.STORE, f"the home cannot be used: {problem.strerror}{where}", "store_unusable")
    return _explain_desk(problem)


def _usage(problem: BaseException) -> Explained | None:
    """What a complaint about the usage means; None for anything else."""
    from typer.exceptions import TyperException

    if not isinstance(problem, TyperException):
        return None
    words = " ".join(shortened(word) for word in problem.format_message().split(" "))
    if len(words) > _LONGEST_USAGE:
        words = f"{words[:_LONGEST_USAGE]}…"
    return Explained(Exit(problem.exit_code), words, "usage")


def _explain_desk(problem: BaseException) -> Explained:
    from sqlalchemy.exc import DBAPIError

    from brokers.contract import BrokerError
    from data.engines.sqlite import unwritable_words
    from data.store import StoreError
    from data.writing.asked import CommandKnown
    from engine.access.connecting import ConnectionsChanged
    from engine.instances import AppAlreadyRuns
    from engine.refusals import Halted, Refusal, TradingStopped
    from engine.words.refusals import refusal_words

    if isinstance(problem, CommandKnown):
        return Explained(Exit.NOTHING_SENT, str(problem), "command_known")
    if isinstance(problem, AppAlreadyRuns):
        return Explained(Exit.STORE, str(problem), "app_already_runs")
    if isinstance(problem, ConnectionsChanged):
        return Explained(Exit.STORE, str(problem), "store_unusable")
    if isinstance(problem, Refusal):
        code = Exit.NOTHING_SENT
        if isinstance(problem, Halted):
            code = Exit.HALTED
        elif isinstance(problem, TradingStopped):
            code = Exit.STORE
        return Explained(code, refusal_words(problem), problem.reason)
    if isinstance(problem, BrokerError):
        return Explained(Exit.NOTHING_SENT, f"the broker could not be read: {problem}", "broker_unavailable")
    if isinstance(problem, (StoreError, FileError, DBAPIError)):
        said = _without_sql(problem)
        # A `StoreError` has such words already, and maybe more.
        if not isinstance(problem, StoreError) and (words := unwritable_words(said)):
            said = f"{words} ({said})"
        return Explained(Exit.STORE, f"the database cannot be used: {said}", "store_unusable")
    frames = traceback.extract_tb(problem.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    said = f": {_without_sql(problem)}" if str(problem) else ""
    file = log_file()
    words = f"something unexpected happened{where}{said}" + (f"; more in {file}" if file else "")
    return Explained(Exit.INTERNAL, words, "internal")


def _without_sql(problem: BaseException) -> str:
    """A message without SQLAlchemy's statement, parameters and class names: they are not for people."""
    return re.sub(r"\((?:\w+\.)+\w+\) ", "", str(problem).partition("\n[SQL:")[0])


def log_file() -> str | None:
    """The log that this process writes; None before it was opened."""
    from logging.handlers import RotatingFileHandler

    files = (each for each in logging.getLogger().handlers if isinstance(each, RotatingFileHandler))
    return next((file.baseFilename for file in files), None)
