"""Chains of the audit: which of them a connection writes to, and how their rows are numbered.

A file has one writer, one chain and numbers without a gap. On a server each writer has a chain of its own, so
that nobody waits for another's commit; the numbers are of all chains together, and what was written by
somebody who could know of a row has a higher one than that.
"""

from collections.abc import Sequence
from itertools import count

from sqlalchemy import Connection

from data.engines.driver import fetch, run

_LOCK = 0x7DE5
"""The first half of the keys of the locks by which a session has its chain; the second is the chain."""

_TRY = "SELECT pg_try_advisory_lock(CAST(? AS INTEGER), CAST(? AS INTEGER))"
_FREE = "SELECT pg_advisory_unlock(CAST(? AS INTEGER), CAST(? AS INTEGER))"
_FREE_ALL = "SELECT pg_advisory_unlock_all()"
_NUMBERS = "SELECT nextval('audit_number') FROM generate_series(1, ?)"
_GO_ON_BEHIND = "SELECT setval('audit_number', ?)"


def take_chain(connection: Connection) -> int:
    """The lowest chain that nobody writes to; it is this connection's until that ends or frees it."""
    if connection.dialect.name == "sqlite":
        return 0
    return next(chain for chain in count() if _is_had(connection, chain))


def take_first_chain(connection: Connection, instead_of: int) -> bool:
    """Have chain 0 instead of another, unless somebody writes to it; returns whether it was had."""
    if not _is_had(connection, 0):
        return False
    fetch(connection, _FREE, (_LOCK, instead_of))
    return True


def free_chains(connection: Connection) -> None:
    """Leave its chain to others at once, and not only when the server sees that the connection has ended."""
    if connection.dialect.name != "sqlite":
        fetch(connection, _FREE_ALL)


def next_numbers(connection: Connection, wanted: int, behind: int) -> Sequence[int]:
    """So many numbers for rows of the audit, all of them above `behind`."""
    if connection.dialect.name == "sqlite":
        return range(behind + 1, behind + 1 + wanted)
    numbers = [int(number) for (number,) in fetch(connection, _NUMBERS, (wanted,))]
    if numbers[0] <= behind:  # somebody has set it back
        run(connection, _GO_ON_BEHIND, (behind,))
        numbers = [int(number) for (number,) in fetch(connection, _NUMBERS, (wanted,))]
    return numbers


def wait_for_chain(connection: Connection, chain: int) -> None:
    """Wait until whoever writes to a chain has ended its transaction; to be called in one that reads anew.

    Raises `DBAPIError` where that takes too long.
    """
    fetch(connection, "SELECT 1 FROM audit_head WHERE name = 'written' AND chain = ? FOR UPDATE", (chain,))


def _is_had(connection: Connection, chain: int) -> bool:
    return bool(fetch(connection, _TRY, (_LOCK, chain))[0][0])
