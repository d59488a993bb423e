"""One socket of a simulated broker's stream: what waits to be sent, and how it may fail to be."""

import asyncio
from abc import ABC, abstractmethod
from collections import deque

from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from data.clock import Clock

MAX_WAITING = 10_000
"""Messages that may wait for a client that does not read; then its socket is cut."""

_FINAL = 0x80
_CONTINUED, _TEXT, _BINARY = 0x0, 0x1, 0x2


class SocketLink(ABC):
    """One socket. A subclass hears what its client asks for and sends what it owes.

    A slow client holds up nobody else. With `split` every message leaves as frames of one byte each, which
    no reader may take for messages of their own (RFC 6455, section 5.4).
    """

    def __init__(self, request: web.Request, user_id: str, clock: Clock) -> None:
        self.user_id = user_id
        self.split = False
        self._request = request
        self._clock = clock
        # Pings are answered and closings confirmed here, since a stalled socket does neither.
        self._socket = web.WebSocketResponse(compress=False, autoping=False, autoclose=False, timeout=1.0)
        self._said: deque[str | bytes] = deque()
        self._news = asyncio.Event()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._gone = asyncio.Event()
        self.sent_at = clock.monotonic()

    @abstractmethod
    def heard(self, message: WSMessage) -> None:
        """Carry out what the client asks for in a text or binary message."""

    @abstractmethod
    async def send_owed(self) -> None:
        """Send, by `deliver`, what has changed since the last time."""

    def say(self, data: str | bytes) -> None:
        """Queue a text or binary message; a stalled socket loses it."""
        if self._flowing.is_set():
            self._said.append(data)
            self._news.set()
        if len(self._said) > MAX_WAITING:
            self.cut()

    def notice(self) -> None:
        """Look whether the client is still there."""
        if self._request.transport is None:
            self._gone.set()

    def wake(self) -> None:
        """Have what is owed sent."""
        self._news.set()

    def stall(self, on: bool) -> None:
        """Send no byte from here on, or send again."""
        if on:
            self._flowing.clear()
            self._said.clear()
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
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    self.heard(message)
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
                while self._said:
                    await self.deliver(self._said.popleft())
                if self._flowing.is_set():
                    await self.send_owed()
        except Exception:
            self.cut()
            raise

    async def deliver(self, data: str | bytes) -> None:
        """Send one message; a stalled socket loses it."""
        if not self._flowing.is_set():
            return
        self.sent_at = self._clock.monotonic()
        if self.split and data:
            await self._send_split(data)
        elif isinstance(data, str):
            await self._socket.send_str(data)
        else:
            await self._socket.send_bytes(data)

    async def _send_split(self, data: str | bytes) -> None:
        """The message in frames of one byte, which leave one after the other."""
        transport = self._request.transport
        payload = data.encode() if isinstance(data, str) else data
        kind = _TEXT if isinstance(data, str) else _BINARY
        for at, byte in enumerate(payload):
            if transport is None or transport.is_closing():
                raise ConnectionResetError("it was cut while a message was being sent")
            head = (kind if at == 0 else _CONTINUED) | (_FINAL if at == len(payload) - 1 else 0)
            transport.write(bytes((head, 1, byte)))
            await self._clock.sleep(0)
