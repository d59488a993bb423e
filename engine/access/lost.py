"""Sessions that a broker no longer takes, kept as ended when one of its answers says so."""

from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from brokers.connections import Connections
from data.repositories.base import DatabaseError
from data.store import StoreError
from data.vocabulary import SessionState
from engine.access.sessions import Sessions
from engine.book.book import Book


class LostSessions:
    """Takes clients for signed out whose broker says that they are; the paper exchange's faults end none."""

    def __init__(
        self,
        book: Book,
        connections: Connections,
        sessions: Sessions,
        begin: Callable[[Callable[[], Coroutine[Any, Any, None]]], object],
    ) -> None:
        self._book = book
        self._connections = connections
        self._sessions = sessions
        self._begin = begin

    def note(self, client_id: int, why: str) -> None:
        """Keep that a broker no longer takes a client's session."""
        client = self._book.clients.get(client_id)
        if client is None or client.session is SessionState.EXPIRED:
            return
        if not self._sessions.needs_sign_in(client_id):
            return

        async def end() -> None:
            with suppress(StoreError, DatabaseError):  # the next read of its books tells it again
                if await self._connections.of(client_id).life.believes(client_id):
                    await self._sessions.expire(client_id, why or "the broker no longer takes it")

        self._begin(end)
