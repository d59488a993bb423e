"""What a problem of a statement says of the transaction that it ended: on a server not all are its own."""

from enum import Enum
from typing import Any, cast

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError


class Fate(Enum):
    """What is to be done with the transaction."""

    OWN = "own"
    """The problem speaks of the statement: the same would be met again."""
    AGAIN = "again"
    """It speaks of others at work, or of time that ran out: the transaction is to be run again."""
    ONCE = "once"
    """It may speak of another's row that nobody saw yet: the transaction is to be run again, once."""
    LOST = "lost"
    """The connection is gone."""


_FATES = {
    "40": Fate.AGAIN,  # another's commit came between, or two waited for each other
    "55P03": Fate.AGAIN,  # a lock was not had in time
    "57014": Fate.AGAIN,  # the statement took too long, or was cancelled
    "25P02": Fate.AGAIN,  # the work hid what it met, and went on
    "53200": Fate.AGAIN,  # the server had no memory for it
    "53400": Fate.AGAIN,
    "23505": Fate.ONCE,
}
"""By SQLSTATE, or the beginning of one. What ends a connection is known by that."""


def fate_of(connection: Connection, problem: BaseException | None) -> Fate:
    """What a problem on a connection says of its transaction; None asks of the connection alone.

    What raised it is looked at too: a unit may have words of its own for what it met. Whoever writes a file
    is alone, and its connection is never lost.
    """
    if connection.dialect.name == "sqlite":
        return Fate.OWN
    if is_lost(connection):
        return Fate.LOST
    while problem is not None:
        if isinstance(problem, DBAPIError):
            state = getattr(problem.orig, "sqlstate", None) or ""
            return next((fate for mark, fate in _FATES.items() if state.startswith(mark)), Fate.OWN)
        problem = problem.__cause__ or problem.__context__
    return Fate.OWN


def is_lost(connection: Connection) -> bool:
    """Whether a server's connection is gone, as far as is known here."""
    return connection.invalidated or cast(Any, connection.connection.driver_connection).closed


_AWAY = ("08", "57P", "25P03", "53300", *(mark for mark, fate in _FATES.items() if fate is Fate.AGAIN))


def is_of_server(problem: DBAPIError) -> bool:
    """Whether a reading met its server, which was away or busy, and nothing of what was to be read."""
    if not hasattr(problem.orig, "sqlstate"):  # a file's
        return False
    state: str | None = cast(Any, problem.orig).sqlstate
    if state is None:  # the connection itself speaks
        return isinstance(problem, OperationalError | InterfaceError)
    return state.startswith(_AWAY)


def is_passing(connection: Connection, problem: BaseException) -> bool:
    """Whether a problem says nothing of what was read: a moment later, or elsewhere, it is gone."""
    return fate_of(connection, problem) is not Fate.OWN
