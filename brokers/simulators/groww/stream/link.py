"""One socket of the feed: whose it is, what it is subscribed to, and how items lie in its messages."""

from typing import Protocol

from aiohttp import WSMessage, WSMsgType, web

from brokers.simulators.groww.stream import nats
from brokers.simulators.groww.stream.feeds import OF_ACCOUNT, FeedSubject, subject_of
from brokers.simulators.groww.switches import BYTES, JOINED
from brokers.simulators.serving.link import SocketLink
from data.clock import Clock

MOST_SUBSCRIPTIONS = 1_000
"""Subjects that one socket may be subscribed to (documentation, "feed")."""

VIOLATION, EXPIRED = "Authorization Violation", "User Authentication Expired"
"""What a client is told, as a server of NATS words it, before its socket is closed."""


class FeedHost(Protocol):
    """What a socket asks of the feed around it."""

    def user_of(self, nonce: str, token: str, signature: str) -> tuple[str, str] | None:
        """The user and the account's word of a token whose key signed the nonce; None where none did."""
        ...

    def is_stalled(self, user_id: str) -> bool:
        """Whether a user's sockets are silent."""
        ...

    def payload(self, subject: FeedSubject) -> bytes | None:
        """The newest of a subject of the market; None where nothing is known."""
        ...


class FeedLink(SocketLink):
    """A socket says who it is first. After that it hears what it subscribes to, by the ids that it gives."""

    def __init__(
        self, request: web.Request, nonce: str, host: FeedHost, clock: Clock, *, messages: str
    ) -> None:
        super().__init__(request, "", clock)
        self.subjects: dict[str, str] = {}
        """What it is subscribed to, by the id of the subscription."""
        self.market: dict[str, FeedSubject] = {}
        """What of that is of the market."""
        self._nonce = nonce
        self._host = host
        self._messages = messages
        self._account = ""
        self._greeted = self._ended = False
        self._reader = nats.NatsReader()
        self._fresh = set[str]()
        self._owed = set[FeedSubject]()
        self._joined = bytearray()
        options = {"server_id": "LOCALGROWW", "version": "2.10.0", "proto": 1, "headers": True}
        options |= {"auth_required": True, "max_payload": nats.MOST_BUFFERED, "nonce": nonce}
        self.say(nats.info(options))

    def offer(self, changed: frozenset[FeedSubject], *, newest_at_once: bool) -> None:
        """Note which subjects of the market have changed since the last time."""
        self.notice()
        self._owed |= changed & set(self.market.values())
        if newest_at_once:
            self._owed |= {self.market[sid] for sid in self._fresh if sid in self.market}
        self._fresh.clear()
        if self._owed:
            self.wake()

    def tell(self, subject: str, payload: bytes) -> None:
        """Send a message of a subject of the account to every subscription to it."""
        for sid, text in self.subjects.items():
            if text == subject:
                self.say(nats.message(subject, sid, payload))

    def end(self, words: str) -> None:
        """Tell the client why, and close."""
        self.say(nats.error(words))
        self._ended = True

    async def send_owed(self) -> None:
        """What has changed of the market, then whatever waits to be joined."""
        owed, self._owed = self._owed, set[FeedSubject]()
        for sid, subject in list(self.market.items()):
            payload = self._host.payload(subject) if subject in owed else None
            if payload is not None:
                await self.deliver(nats.message(subject.text, sid, payload))
        if self._joined:
            whole, self._joined = bytes(self._joined), bytearray()
            await super().deliver(whole)
        if self._ended:
            await self.close()

    async def deliver(self, data: str | bytes) -> None:
        """Send an item as the switch has it; the greeting goes item by item, as clients read it so."""
        body = data.encode() if isinstance(data, str) else data
        if self._greeted and self._messages == JOINED:
            self._joined += body
        elif self._greeted and self._messages == BYTES:
            for byte in body:
                await super().deliver(bytes((byte,)))
        else:
            await super().deliver(body)
        self._greeted |= body == nats.PONG

    # --- what the client asks for -------------------------------------------------------------------------

    def heard(self, message: WSMessage) -> None:
        """Carry out whatever is whole of what has come."""
        data = message.data if message.type is WSMsgType.BINARY else str(message.data).encode()
        try:
            for asked in self._reader.feed(data):
                self._carry_out(asked)
        except ValueError:
            self.cut()

    def _carry_out(self, asked: nats.NatsRequest) -> None:
        if self._ended:
            return
        if asked.verb == "CONNECT":
            self._sign_on(asked)
        elif not self.user_id:
            self.end(VIOLATION)
        else:
            match asked.verb, asked.words():
                case "PING", _:
                    self.say(nats.PONG)
                case "SUB", [subject, *_, sid]:
                    self._subscribe(subject, sid)
                case "UNSUB", [sid, *_]:
                    self.subjects.pop(sid, None)
                    self.market.pop(sid, None)
                case (("PONG" | "PUB" | "HPUB"), _):
                    pass
                case _:
                    self.end("Unknown Protocol Operation")

    def _sign_on(self, asked: nats.NatsRequest) -> None:
        given = asked.options()
        token, signature = str(given.get("jwt", "")), str(given.get("sig", ""))
        found = self._host.user_of(self._nonce, token, signature)
        if found is None:
            self.end(VIOLATION)
            return
        self.user_id, self._account = found
        if given.get("verbose") is True:
            self.say(nats.OK)
        self.stall(self._host.is_stalled(self.user_id))

    def _subscribe(self, subject: str, sid: str) -> None:
        if len(self.subjects) >= MOST_SUBSCRIPTIONS and sid not in self.subjects:
            self.say(nats.error("maximum subscriptions exceeded"))
            return
        own = any(subject == f"{start}{self._account}" for start in OF_ACCOUNT)
        if not own and not subject.startswith("/ld/"):
            self.say(nats.error(f'Permissions Violation for Subscription to "{subject}"'))
            return
        self.subjects[sid] = subject
        if (named := subject_of(subject)) is not None:
            self.market[sid] = named
            self._fresh.add(sid)
