"""How many statements this process's writers say in their batches, and in how many commits."""

import threading

from sqlalchemy.engine import Engine
from sqlalchemy.event import listen

WRITER = "store-writer"
"""The name of the thread on which `data.store` writes."""


class StatementCounts:
    """Counts from here on, of every store of this process; batches that were run again count too.

    Looks for others' commits between batches are not of them: they come by the clock.
    """

    def __init__(self) -> None:
        self.statements = 0
        self.commits = 0
        self._within = set[int]()
        listen(Engine, "after_cursor_execute", self._hear)

    def begin_again(self) -> None:
        """Count from nothing."""
        self.statements = self.commits = 0

    def _hear(self, connection: object, cursor: object, sql: str, *rest: object) -> None:
        thread = threading.current_thread()
        if thread.name != WRITER:
            return
        own = thread.native_id or 0
        if sql.startswith("BEGIN"):
            self._within.add(own)
        self.statements += own in self._within
        if sql in ("COMMIT", "ROLLBACK"):
            self._within.discard(own)
        self.commits += sql == "COMMIT"
