"""Numbers taken in transactions of their own where many write at once, those of orders by the thousand.

The row of a counter is held until its transaction ends: whoever took each number there would have all others
wait for its commit, and then begin again. What is left of a block when its writer ends is given to nobody,
nor is the number of what was rolled back: so numbers have gaps.
"""

from contextlib import suppress

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from data.engines.database import Database
from data.writing.counters import take_ids

BLOCK = 1_000
"""How many numbers are taken at a time, at least."""

BLOCKS = dict.fromkeys(("order", "txn", "fill", "lot", "closed_lot"), BLOCK) | dict.fromkeys(
    ("plan", "run", "alert", "alert_delivery", "instance"), 1
)
"""What is numbered so, how many at a time at least. Halts are not: who has seen one has seen all before."""


class IdBlocks:
    """What one writer has taken and not given out yet, by kind."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._engine: Engine | None = None
        self._connection: Connection | None = None
        self._left: dict[str, range] = {}

    @property
    def many_write(self) -> bool:
        """Whether others write at the same time."""
        return self._database.many_write

    def take(self, name: str, count: int) -> range | None:
        """The next `count` numbers of a kind, one behind the other; None where they are to be had otherwise.

        Others may have had those between these and the ones before.
        """
        if name not in BLOCKS or not self._database.many_write:
            return None
        left = self._left.get(name, range(0))
        if len(left) < count:
            block = self._block(name, max(BLOCKS[name], count))
            if block is None:
                return None
            left = range(left.start, block.stop) if left and left.stop == block.start else block
        self._left[name] = left[count:]
        return left[:count]

    def _block(self, name: str, count: int) -> range | None:
        """Take a block in a transaction of its own; None where the server is not to be had for that."""
        try:
            if self._connection is None:
                self._engine = self._engine or self._database.writer()
                self._connection = self._engine.connect()
            return take_ids(self._connection, name, count)
        except DBAPIError:
            self._drop()
            return None

    def _drop(self) -> None:
        if self._connection is not None:
            with suppress(DBAPIError):
                self._connection.invalidate()
            with suppress(DBAPIError):
                self._connection.close()
        self._connection = None

    def forget(self) -> None:
        """Know of no block any more: a server that was lost may have forgotten that they were taken."""
        self._left.clear()
        self._drop()

    def close(self) -> None:
        """End its connection."""
        self.forget()
        if self._engine is not None:
            self._engine.dispose()
