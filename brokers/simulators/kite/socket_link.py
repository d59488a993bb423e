"""One socket of the local Kite's stream."""

import asyncio
import json
from collections import deque
from collections.abc import Mapping
from typing import Any, cast

from aiohttp import WSCloseCode, WSMsgType, web

from brokers.simulators.kite.frames import HEARTBEAT, MODES, QUOTE, frame
from data.clock import Clock

BEAT_SECONDS = 0.25
"""How often what has changed is sent."""

HEARTBEAT_SECONDS = 2.0
"""How long a socket hears nothing at most (Kite Connect documentation: every couple of seconds)."""


MAX_INSTRUMENTS = 3_000
"""Instruments a socket may subscribe to (Kite Connect documentation)."""


MAX_WAITING = 10_000
"""Text messages that may wait for a client that does not read; then its socket is cut."""


_INVALID = "Invalid request."


class SocketLink:
    """One socket: its subscriptions, and what waits to be sent.

    A slow client holds up nobody else: of each instrument it gets the newest packet once it reads again.
    """

    def __init__(
        self,
        request: web.Request,
        api_key: str,
        user_id: str,
        newest: Mapping[int, dict[str, bytes]],
        clock: Clock,
    ) -> None:
        self.api_key = api_key
        self.user_id = user_id
        self.modes: dict[int, str] = {}
        self._request = request
        self._newest = newest
        self._clock = clock
        # Pings are answered and closings confirmed here, since a stalled socket does neither.
        self._socket = web.WebSocketResponse(compress=False, autoping=False, autoclose=False, timeout=1.0)
        self._texts: deque[str] = deque()
        self._owed: set[int] = set()
        self._beat_due = False
        self._news = asyncio.Event()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._gone = asyncio.Event()
        self._sent_at = clock.monotonic()

    def say(self, text: str) -> None:
        """Queue a text message; a stalled socket loses it."""
        if self._flowing.is_set():
            self._texts.append(text)
            self._news.set()
        if len(self._texts) > MAX_WAITING:
            self.cut()

    def offer(self, changed: set[int], now: float) -> None:
        """Note which instruments have changed, and whether the socket has been silent for long."""
        if self._request.transport is None:
            self._gone.set()
        self._owed |= changed & self.modes.keys()
        self._beat_due = now - self._sent_at >= HEARTBEAT_SECONDS - BEAT_SECONDS / 2
        if self._owed or self._beat_due:
            self._news.set()

    def stall(self, on: bool) -> None:
        """Send no byte from here on, or send again."""
        if on:
            self._flowing.clear()
            self._texts.clear()
        else:
            self._flowing.set()

    def cut(self) -> None:
        """End the connection without a word."""
        self._gone.set()
        if self._request.transport is not None:
            self._request.transport.abort()

    async def close(self) -> None:
        """End the connection politely, within a second; a stalled or unopened one at once."""
        if self._flowing.is_set() and self._socket.prepared:
            await self._socket.close(code=WSCloseCode.GOING_AWAY)
        self.cut()

    async def serve(self) -> web.StreamResponse:
        """Upgrade, then read and send until either side ends it."""
        await self._socket.prepare(self._request)
        sender = asyncio.create_task(self._send())
        try:
            async for message in self._socket:
                if message.type is WSMsgType.TEXT:
                    self._obey(cast(str, message.data))
                elif message.type is WSMsgType.PING and self._flowing.is_set():
                    await self._socket.pong(message.data)
            if not self._flowing.is_set():
                await self._woken_or_gone()
            if not self._gone.is_set():
                await self._socket.close(drain=False)
        except ConnectionError:
            pass  # it was cut while something was being sent
        finally:
            sender.cancel()
            await asyncio.wait([sender])
        if not sender.cancelled() and not isinstance(sender.exception(), ConnectionError):
            sender.result()
        return self._socket

    async def _woken_or_gone(self) -> None:
        """A stalled socket does not confirm that the client closes it."""
        waits = [asyncio.create_task(event.wait()) for event in (self._flowing, self._gone)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _send(self) -> None:
        try:
            while True:
                await self._news.wait()
                await self._flowing.wait()
                self._news.clear()
                await self._send_waiting()
        except Exception:
            self.cut()
            raise

    async def _send_waiting(self) -> None:
        while self._texts:
            await self._deliver(self._texts.popleft())
        if not self._flowing.is_set():
            return
        owed, self._owed = self._owed, set()
        newest, modes = self._newest, self.modes
        pieces = [newest[token][modes[token]] for token in owed if token in modes and token in newest]
        if pieces:
            await self._deliver(frame(pieces))
        elif self._beat_due:
            await self._deliver(HEARTBEAT)

    async def _deliver(self, data: str | bytes) -> None:
        if not self._flowing.is_set():
            return
        self._beat_due = False
        self._sent_at = self._clock.monotonic()
        if isinstance(data, str):
            await self._socket.send_str(data)
        else:
            await self._socket.send_bytes(data)

    # --- what the client asks for ---------------------------------------------------------------------

    def _obey(self, text: str) -> None:
        """Carry out a request; there are no acknowledgements, only error messages."""
        wrong = self._carry_out(text)
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
