"""One socket of the local Kite's stream."""

import json
from collections.abc import Mapping
from typing import Any, cast

from aiohttp import WSMessage, WSMsgType, web

from brokers.simulators.kite.frames import HEARTBEAT, MODES, QUOTE, frame
from brokers.simulators.serving.link import SocketLink
from data.clock import Clock

BEAT_SECONDS = 0.25
"""How often what has changed is sent."""

HEARTBEAT_SECONDS = 2.0
"""How long a socket hears nothing at most (Kite Connect documentation: every couple of seconds)."""


MAX_INSTRUMENTS = 3_000
"""Instruments a socket may subscribe to (Kite Connect documentation)."""


_INVALID = "Invalid request."


class KiteLink(SocketLink):
    """One socket and its subscriptions: of each instrument it gets the newest packet once it reads again."""

    def __init__(
        self,
        request: web.Request,
        api_key: str,
        user_id: str,
        newest: Mapping[int, dict[str, bytes]],
        clock: Clock,
    ) -> None:
        super().__init__(request, user_id, clock)
        self.api_key = api_key
        self.modes: dict[int, str] = {}
        self._newest = newest
        self._owed: set[int] = set()
        self._beat_due = False

    def offer(self, changed: set[int], now: float) -> None:
        """Note which instruments have changed, and whether the socket has been silent for long."""
        self.notice()
        self._owed |= changed & self.modes.keys()
        self._beat_due = now - self.sent_at >= HEARTBEAT_SECONDS - BEAT_SECONDS / 2
        if self._owed or self._beat_due:
            self.wake()

    async def deliver(self, data: str | bytes) -> None:
        """Send one message, which is a sign of life too."""
        self._beat_due = False
        await super().deliver(data)

    async def send_owed(self) -> None:
        """The packets owed in one frame, or a heartbeat."""
        owed, self._owed = self._owed, set()
        newest, modes = self._newest, self.modes
        pieces = [newest[token][modes[token]] for token in owed if token in modes and token in newest]
        if pieces:
            await self.deliver(frame(pieces))
        elif self._beat_due:
            await self.deliver(HEARTBEAT)

    # --- what the client asks for ---------------------------------------------------------------------

    def heard(self, message: WSMessage) -> None:
        """Carry out a request in text; there are no acknowledgements, only error messages."""
        if message.type is not WSMsgType.TEXT:
            return
        wrong = self._carry_out(cast(str, message.data))
        if wrong:
            self.say(outgoing("error", wrong))

    def _carry_out(self, text: str) -> str:
        try:
            request = json.loads(text)
            action, value = request["a"], request["v"]
            mode, asked = value if action == "mode" else (QUOTE, value)
        except (ValueError, TypeError, KeyError, IndexError):
            return _INVALID
        tokens = _tokens(asked)
        if tokens is None or mode not in MODES:
            return _INVALID
        match action:
            case "subscribe" | "mode":
                return self._subscribe(tokens, mode)
            case "unsubscribe":
                for token in tokens:
                    self.modes.pop(token, None)
                return ""
            case _:
                return _INVALID

    def _subscribe(self, tokens: list[int], mode: str) -> str:
        """Carry instruments in a mode from here on, beginning with their market now."""
        refused = 0
        for token in dict.fromkeys(tokens):
            if token not in self.modes and len(self.modes) >= MAX_INSTRUMENTS:
                refused += 1
                continue
            self.modes[token] = mode
            if token in self._newest:
                self._owed.add(token)
        over = f"Subscription limit of {MAX_INSTRUMENTS} instruments per connection exceeded"
        return f"{over}; {refused} not subscribed." if refused else ""


def _tokens(value: Any) -> list[int] | None:
    if not isinstance(value, list):
        return None
    items = cast(list[object], value)
    tokens = [item for item in items if type(item) is int]
    return tokens if len(tokens) == len(items) else None


def outgoing(kind: str, data: object) -> str:
    """A text message of the stream."""
    return json.dumps({"type": kind, "data": data}, separators=(",", ":"))
