"""The one connection that writes: opened once, and made anew where a server was lost."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from data.audit import Head
from data.engines.chains import free_chains, take_chain, take_first_chain, wait_for_chain
from data.engines.database import Database
from data.engines.driver import fetch, run
from data.engines.fates import Fate, fate_of
from data.writing.audit_writer import AuditWriter


class WriterLink:
    """A connection with what is known of the rows that went through it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._engine: Engine | None = None
        self._connection: Connection | None = None
        self._audit: AuditWriter | None = None

    @property
    def stands(self) -> bool:
        """Whether there is one, as far as is known."""
        return self._connection is not None

    @property
    def connection(self) -> Connection:
        """It; only while it stands."""
        assert self._connection is not None
        return self._connection

    @property
    def audit(self) -> AuditWriter:
        """The audit's end as it is seen by it; only while it stands."""
        assert self._audit is not None
        return self._audit

    def open(self, patience_s: float, look: Callable[[Connection], Any]) -> None:
        """Connect, and look how the books stand. Raises `DBAPIError`."""
        if self._engine is None:
            self._engine = self._database.writer()
        connection = self._engine.connect()

        def first_look() -> AuditWriter:
            look(connection)
            return AuditWriter(connection, take_chain(connection))

        try:
            self._audit = self._database.first_look(connection, patience_s, first_look)
        except BaseException:
            self._connection = connection
            self.drop()
            raise
        self._connection = connection

    def lead(self) -> None:
        """Write to the first chain, where nobody does any more; between two batches."""
        if self.audit.chain and take_first_chain(self.connection, self.audit.chain):
            self._audit = AuditWriter(self.connection)

    def fate(self, problem: BaseException | None) -> Fate:
        """What a problem says of the transaction under way."""
        return fate_of(self.connection, problem)

    def roll_back(self) -> None:
        """Give up the transaction; SQLite has done so by itself when the disk is full."""
        self.audit.forget()
        with suppress(DBAPIError):
            run(self.connection, "ROLLBACK")
        if self.fate(None) is Fate.LOST:
            self.drop()

    def drop(self) -> None:
        """Know of no connection any more."""
        if self._connection is not None:
            with suppress(DBAPIError):
                self._connection.invalidate()
            with suppress(DBAPIError):
                self._connection.close()
        self._connection = self._audit = None

    def close(self) -> None:
        """End it for good."""
        if self._connection is not None:
            with suppress(DBAPIError):
                free_chains(self._connection)
            with suppress(DBAPIError):
                self._connection.close()
        self._connection = self._audit = None
        if self._engine is not None:
            self._engine.dispose()


def was_kept(connection: Connection, chain: int, head: Head) -> bool:
    """Whether a chain has this row: a batch that wrote it was committed, whatever its writer heard.

    Waits for that batch's connection, should the server still be at its commit. Raises `DBAPIError`.
    """
    run(connection, "BEGIN")  # each statement sees what was committed before it
    try:
        wait_for_chain(connection, chain)
        query = "SELECT 1 FROM audit WHERE seq = ? AND hash = ?"
        return bool(fetch(connection, query, (head.seq, head.hash)))
    finally:
        with suppress(DBAPIError):
            run(connection, "ROLLBACK")
