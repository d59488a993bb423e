"""A client's stream of orders: JSON in text, nothing is asked for ("portfolio stream feed")."""

import json

from aiohttp import WSMessage, web

from brokers.simulators.serving.answers import Row
from brokers.simulators.serving.link import SocketLink
from brokers.simulators.serving.links import OpenLinks
from data.clock import Clock

KINDS = ("order", "gtt_order", "position", "holding")
"""What a stream may carry; of orders alone where nothing is named."""


_OF_SHARES = frozenset({"position", "holding"})


class PortfolioLink(SocketLink):
    """One socket and the kinds of message that it was opened for."""

    def __init__(self, request: web.Request, user_id: str, kinds: frozenset[str], clock: Clock) -> None:
        super().__init__(request, user_id, clock)
        self.kinds = kinds

    def heard(self, message: WSMessage) -> None:
        """Nothing is asked for here."""

    async def send_owed(self) -> None:
        """Everything here is said in text."""


class PortfolioSockets(OpenLinks[PortfolioLink]):
    """All open portfolio sockets."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._owed_rows: set[str] = set()

    def tell(self, user_id: str, kind: str, row: Row) -> None:
        """Tell a user's sockets that were opened for messages of this kind."""
        text = json.dumps(row, separators=(",", ":"))
        for link in self.links(user_id):
            if kind in link.kinds:
                link.say(text)

    def owe_rows(self, user_id: str) -> None:
        """Note that a user's shares have changed, where a socket wants to hear of them."""
        if any(link.kinds & _OF_SHARES for link in self.links(user_id)):
            self._owed_rows.add(user_id)

    def owed_rows(self) -> list[str]:
        """The users whose shares have changed since this was last asked."""
        owed, self._owed_rows = sorted(self._owed_rows), set()
        return owed

    async def serve(
        self, request: web.Request, user_id: str, kinds: frozenset[str], *, split: bool
    ) -> web.StreamResponse:
        """Open a socket and hold it to its end."""
        link = PortfolioLink(request, user_id, kinds, self._clock)
        link.split = split
        return await self.hold(link)
