"""The line to Groww's feed: the NATS protocol by nats-py, over a WebSocket that leaves by the client's
own way.

nats-py opens its WebSockets itself, straight out of this machine, and takes the server's first words for
one frame each. So it is given a transport of ours, which has the connection made as every call of the
client's is, and joins what frames cut.
"""

import asyncio
import base64
import binascii
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import aiohttp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.aio.transport import Transport

T = TypeVar("T")

NEVER_S = 86_400
"""After what nats-py would ask by itself whether the line stands; the socket's own watch does."""

SETTLE_S = 10
"""How long a server may take to say that it has subscribed."""

_USER = 20 << 3
"""What a user's public key begins with in its text form."""


class NatsKey:
    """A key pair made for one connection, and its public half as NATS writes it."""

    def __init__(self) -> None:
        self._private = Ed25519PrivateKey.generate()
        raw = bytes([_USER]) + self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        check = binascii.crc_hqx(raw, 0)
        self.public = base64.b32encode(raw + check.to_bytes(2, "little")).decode().rstrip("=")

    def sign(self, nonce: str) -> bytes:
        """The signature of a server's nonce, as text."""
        return base64.b64encode(self._private.sign(nonce.encode()))


class WebSocketLine(Transport):
    """A transport over a WebSocket that stands. `heard` is told of all that comes."""

    def __init__(self, line: aiohttp.ClientWebSocketResponse, heard: Callable[[], object]) -> None:
        self._line = line
        self._heard = heard
        self._rest = b""
        self._pending: list[bytes] = []
        self._closing: asyncio.Task[bool] | None = None

    async def connect(self, uri: Any, buffer_size: int, connect_timeout: int) -> None:
        """Nothing: it stands."""

    async def connect_tls(self, uri: Any, ssl_context: Any, buffer_size: int, connect_timeout: int) -> None:
        """Nothing: it stands, under TLS where its address asks for that."""

    def write(self, payload: bytes) -> None:
        """Take what is to be sent."""
        self._pending.append(bytes(payload))

    def writelines(self, payload: list[bytes]) -> None:
        """Take several such."""
        for one in payload:
            self.write(one)

    async def drain(self) -> None:
        """Send what was taken."""
        pending, self._pending = self._pending, []
        for one in pending:
            await self._line.send_bytes(one)

    async def read(self, buffer_size: int) -> bytes:
        """What comes next; nothing at the end. Raises `ConnectionError` where the line breaks."""
        if self._rest:
            found, self._rest = self._rest, b""
            return found
        message = await self._line.receive()
        match message.type:
            case aiohttp.WSMsgType.BINARY:
                self._heard()
                return bytes(message.data)
            case aiohttp.WSMsgType.TEXT:
                self._heard()
                return str(message.data).encode()
            case aiohttp.WSMsgType.ERROR:
                raise ConnectionError("the line broke")
            case _:
                return b""

    async def readline(self) -> bytes:
        """The next line, however frames cut it; what comes after it is kept."""
        found = b""
        while b"\n" not in found:
            more = await self.read(0)
            if not more:
                return found
            found += more
        line, end, self._rest = found.partition(b"\n")
        return line + end

    async def wait_closed(self) -> None:
        """Wait until it is closed."""
        if self._closing is not None:
            await self._closing

    def close(self) -> None:
        """Begin to close it."""
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._line.close())

    def at_eof(self) -> bool:
        """Whether nothing can come any more."""
        return self._line.closed and not self._rest

    def __bool__(self) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride] # the base says nothing
        """It was made with a connection."""
        return True


class FeedLine(Client):
    """One connection to the feed; it is never made anew, since each takes a fresh key and token."""

    def __init__(self, line: WebSocketLine) -> None:
        super().__init__()
        self._transport = line
        self._auth_configured = True
        self.ended = asyncio.Event()
        """Set once the connection is over."""

    async def begin(self, address: str, key: NatsKey, token: str, wait_s: float) -> None:
        """Say who we are. Raises an error of nats-py, or `OSError`, where the server does not take it."""
        await _unswallowed(
            self.connect(
                servers=[address],
                user_jwt_cb=lambda: bytearray(token.encode()),
                signature_cb=key.sign,
                error_cb=self._noted,
                closed_cb=self._over,
                allow_reconnect=False,
                connect_timeout=max(1, round(wait_s)),
                ping_interval=NEVER_S,
            )
        )

    async def ask(self) -> None:
        """Ask whether the line stands; the answer is heard like anything else."""
        await _unswallowed(self._send_ping())  # pyright: ignore[reportUnknownMemberType]

    async def take(self, subject: str, took: Callable[[str, bytes], None]) -> Subscription:
        """Subscribe; returns what is given to `leave`."""

        async def message(one: Msg) -> None:
            took(one.subject, one.data)

        return await _unswallowed(
            self.subscribe(subject, cb=message)  # pyright: ignore[reportUnknownMemberType]
        )

    async def settle(self) -> None:
        """Wait until the server has done all that was asked of it. Raises an error of nats-py."""
        await _unswallowed(self.flush(SETTLE_S))

    async def leave(self, subscription: Subscription) -> None:
        """Take no more of a subject."""
        await _unswallowed(subscription.unsubscribe())

    async def _noted(self, error: Exception) -> None:
        """An error shows in how the connection ends; its text may quote what came."""

    async def _over(self) -> None:
        self.ended.set()


async def _unswallowed(work: Coroutine[Any, Any, T]) -> T:
    """Await what nats-py does, which does not let every cancellation through."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        raise
