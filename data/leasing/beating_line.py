"""The connection of its own by which an engine beats, so that no batch keeps a beat waiting."""

from contextlib import suppress

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from data.engines.database import Database


class BeatingLine:
    """A connection on which every statement stands by itself, made as it is asked for and after each drop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._engine: Engine | None = None
        self._connection: Connection | None = None

    def connected(self) -> Connection:
        """The connection. Raises `DBAPIError`."""
        if self._connection is None:
            if self._engine is None:
                self._engine = self._database.writer()
            self._connection = self._engine.connect()
        return self._connection

    def drop(self) -> None:
        """Take another next time."""
        if self._connection is not None:
            with suppress(DBAPIError):
                self._connection.invalidate()
            with suppress(DBAPIError):
                self._connection.close()
            self._connection = None

    def close(self) -> None:
        """End it."""
        self.drop()
        if self._engine is not None:
            self._engine.dispose()
