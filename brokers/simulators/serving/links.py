"""The open sockets of one stream of a simulated broker, and whose of them are silent."""

import asyncio
from collections.abc import Iterator
from typing import Generic, TypeVar

from aiohttp import web

from brokers.simulators.serving.link import SocketLink

L = TypeVar("L", bound=SocketLink)


class OpenLinks(Generic[L]):
    """Sockets by user; `None` stands for every user."""

    def __init__(self) -> None:
        self._links = set[L]()
        self._stalled_users = set[str]()
        self._all_stalled = False

    def __len__(self) -> int:
        """How many sockets are open."""
        return len(self._links)

    def links(self, user_id: str | None = None) -> Iterator[L]:
        """A user's sockets, or all, as they are now."""
        return (link for link in tuple(self._links) if user_id in (None, link.user_id))

    def stall(self, on: bool, user_id: str | None = None) -> None:
        """Let a user's sockets, or all, stay open without a byte, or let them speak again.

        Sockets that open meanwhile are silent too. What is said meanwhile is lost; of prices the newest
        follow when it ends. Ending it for all ends it for each user as well.
        """
        if user_id is None:
            self._all_stalled = on
            self._stalled_users.clear()
        elif on:
            self._stalled_users.add(user_id)
        else:
            self._stalled_users.discard(user_id)
        for link in self.links():
            link.stall(self.is_stalled(link.user_id))

    def drop(self, user_id: str | None = None) -> None:
        """Cut a user's sockets, or all, without a closing handshake."""
        for link in self.links(user_id):
            link.cut()

    async def hold(self, link: L) -> web.StreamResponse:
        """Open a socket and keep it among the others to its end."""
        link.stall(self.is_stalled(link.user_id))
        self._links.add(link)
        try:
            return await link.serve()
        finally:
            self._links.discard(link)

    async def close(self) -> None:
        """End every socket; stalled ones are cut."""
        await asyncio.gather(*(link.close() for link in self.links()))

    def is_stalled(self, user_id: str) -> bool:
        """Whether a user's sockets are silent."""
        return self._all_stalled or user_id in self._stalled_users
