"""A server that refuses: every statement of the writer meets every error that is no fault of its own."""

import re
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine

UNIQUE = "23505"
LOST, IDLED = "57P01", "25P03"

TRANSIENT = ("40001", "40P01", "55P03", "57014", UNIQUE, IDLED, LOST)
"""By SQLSTATE: another came between, two waited for each other, a lock or the time ran out, another's row, a
turn that idled, a server that ends."""

A_BATCH = 3
"""How many refusals a batch meets at most: fewer than the times that it is run."""

_RAISING = "DO $$BEGIN RAISE EXCEPTION 'refused by the test' USING ERRCODE = '{}'; END$$"
_ENDING = "SELECT pg_terminate_backend(pg_backend_pid())"
_IDLING = "SET idle_in_transaction_session_timeout = 1"


class Refusals:
    """A few refusals a batch, of the first statements in it that have not met all of them yet."""

    def __init__(self, errors: tuple[str, ...], turns: bool) -> None:
        self._errors = errors
        self._turns = turns
        """Whether each statement meets one error alone, in turn, and not each of them."""
        self.met: defaultdict[str, list[str]] = defaultdict(list)
        """What each statement has met."""
        self._seen: defaultdict[str, set[int]] = defaultdict(set)
        """In which batches each statement was before anything was refused."""
        self._batch = 0
        self._left_now = A_BATCH
        self._only_once: set[str] = set()
        self._next = 0

    def before(
        self, connection: Connection, cursor: Any, sql: str, cells: Any, context: object, many: bool
    ) -> tuple[str, Any]:
        """The statement, or what refuses in its place."""
        if threading.current_thread().name != "store-writer":
            return sql, cells
        if sql.startswith(("BEGIN", "ROLLBACK", "RELEASE", "SAVEPOINT")):
            return sql, cells
        shape = _shape(sql)
        if self._left_now == A_BATCH:  # what is said only where a batch is run again comes by chance
            self._seen[shape].add(self._batch)
        met = self.met[shape]
        left = [error for error in self._errors if error not in (*met, *self._only_once)]
        if not self._left_now or not left or (self._turns and met):
            if sql == "COMMIT":
                self._batch, self._left_now = self._batch + 1, A_BATCH
                self._only_once.clear()
            return sql, cells
        self._next += self._turns
        error = left[self._next % len(left)]
        met.append(error)
        self._left_now -= 1
        if error == UNIQUE:
            self._only_once.add(error)
        if error == IDLED:
            own: Any = connection.connection.driver_connection
            own.execute(_IDLING)
            threading.Event().wait(0.02)
            return sql, cells
        refusing = _ENDING if error == LOST else _RAISING.format(error)
        return refusing, ([()] if many else ())

    def left(self, often: int) -> list[str]:
        """Statements that have not met all yet, of those that were in so many batches."""
        wanted = 1 if self._turns else len(self._errors)
        return [sql for sql, met in self.met.items() if len(met) < wanted and len(self._seen[sql]) >= often]


def _shape(sql: str) -> str:
    """A statement without how many places it has."""
    return re.sub(r"\([?, ]+\)(, \([?, ]+\))*", "(?)", re.sub(r"\d+", "0", sql))


@contextmanager
def refusing(errors: tuple[str, ...] = TRANSIENT, turns: bool = True) -> Iterator[Refusals]:
    """While it is open, what the writers of stores say meets errors."""
    refusals = Refusals(errors, turns)
    event.listen(Engine, "before_cursor_execute", refusals.before, retval=True)
    try:
        yield refusals
    finally:
        event.remove(Engine, "before_cursor_execute", refusals.before)
