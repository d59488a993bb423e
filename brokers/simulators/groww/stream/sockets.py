"""The feed of the local Groww: who may open a socket, and the pump that feeds them all what has changed."""

import hashlib
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from aiohttp import web
from msgspec import Struct

from brokers.contract import BrokerError
from brokers.simulators.exchange.prices import Quote
from brokers.simulators.groww.answers import bad_request
from brokers.simulators.groww.forms import read_object
from brokers.simulators.groww.names import exchange_token
from brokers.simulators.groww.stream import nats
from brokers.simulators.groww.stream.feeds import ORDERS, FeedSubject, market_message, order_message
from brokers.simulators.groww.stream.link import EXPIRED, FeedLink
from brokers.simulators.groww.stream.nkeys import Signer, read_user, signed
from brokers.simulators.serving.answers import Row
from brokers.simulators.serving.caller import Caller
from brokers.simulators.serving.links import OpenLinks

if TYPE_CHECKING:
    from brokers.simulators.groww.server import LocalGroww

PUMP_SECONDS = 0.25
"""How often what has changed of the market is sent."""

PING_SECONDS = 60.0
"""After how long without a word a client is asked whether it is there."""


class _FeedOpening(Struct, frozen=True):
    """Who may open a socket with a token: the user, and the key that signs for it."""

    user_id: str
    key: str


class GrowwFeed(OpenLinks[FeedLink]):
    """Every open socket. `run` must be running for prices."""

    def __init__(self, groww: "LocalGroww") -> None:
        super().__init__()
        self._groww = groww
        self._signer = Signer()
        self._openings: dict[str, _FeedOpening] = {}
        self._keys: dict[tuple[str, str], str] = {}
        self._newest: dict[str, Quote] = {}
        self._encoded: dict[FeedSubject, bytes] = {}

    # --- signing on ---------------------------------------------------------------------------------------

    async def socket_token(self, groww: "LocalGroww", request: web.Request, caller: Caller) -> Row:
        """A token for one key, and the word that the account's subjects end with."""
        key = str(read_object(await request.read()).get("socketKey", ""))
        if read_user(key) is None:
            raise bad_request("Invalid socketKey")
        now = int(groww.venue.market.now().timestamp())
        claims = {"jti": groww.sessions.new_token(), "iat": now, "sub": key, "name": caller.user_id}
        token = self._signer.token({**claims, "nats": {"type": "user", "version": 2}})
        self._openings[token] = _FeedOpening(caller.user_id, key)
        return {"token": token, "subscriptionId": account_word(caller.user_id)}

    def user_of(self, nonce: str, token: str, signature: str) -> tuple[str, str] | None:
        """The user and the account's word of a token whose key signed the nonce; None where none did."""
        opening = self._openings.get(token)
        key = None if opening is None else read_user(opening.key)
        if opening is None or key is None or not signed(key, nonce, signature):
            return None
        return opening.user_id, account_word(opening.user_id)

    def forget(self, user_id: str) -> None:
        """A session of a user is over: its tokens open no socket, and its sockets are told and closed."""
        self._openings = {
            token: opening for token, opening in self._openings.items() if opening.user_id != user_id
        }
        for link in self.links(user_id):
            link.end(EXPIRED)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Open a socket and hold it to its end."""
        switches = self._groww.switches
        nonce = self._groww.sessions.new_token()
        link = FeedLink(request, nonce, self, self._groww.clock, messages=switches.feed_messages)
        link.split = switches.split_frames
        return await self.hold(link)

    # --- as a rehearsal handles it ------------------------------------------------------------------------

    def message(self, user_id: str | None, text: str) -> None:
        """Tell a user's sockets, or all, an error in these words."""
        for link in self.links(user_id):
            link.say(nats.error(text))

    def announce(self, user_id: str, row: Mapping[str, Any]) -> None:
        """Tell a user's sockets that an order changed."""
        if not any(self.links(user_id)):
            return
        listing = self._groww.venue.listing(f"{row['exchange']}:{row['trading_symbol']}")
        isin = "" if listing is None else listing.instrument.isin
        subject = f"{ORDERS}{account_word(user_id)}"
        payload = order_message(row, isin, self._groww.switches)
        for link in self.links(user_id):
            link.tell(subject, payload)

    # --- the pump -----------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Feed the sockets four times a second, until cancelled."""
        clock = self._groww.clock
        while True:
            # While the exchange's file is held too long, sockets stay silent and prices age visibly.
            with suppress(BrokerError, sqlite3.Error):
                await self._beat()
            for link in self.links():
                if clock.monotonic() - link.sent_at >= PING_SECONDS:
                    link.say(nats.PING)
            await clock.sleep(PUMP_SECONDS)

    async def _beat(self) -> None:
        wanted = {subject for link in self.links() for subject in link.market.values()}
        changed = await self._read(wanted)
        at_once = self._groww.switches.newest_at_once
        for link in self.links():
            link.offer(changed, newest_at_once=at_once)

    async def _read(self, wanted: set[FeedSubject]) -> frozenset[FeedSubject]:
        """Read the market of these subjects; those that have moved since they were last read."""
        # Names may change at any time, and a token goes on naming the same share.
        listings = (await self._groww.venue.listings()).values() if wanted else ()
        known = [one.instrument for one in listings]
        self._keys = {(one.exchange, exchange_token(one)): one.key for one in known}
        keys = {one: key for one in wanted if (key := self._keys.get((one.exchange, one.token)))}
        quotes = await self._groww.venue.quotes(set(keys.values()))
        moved = {key for key, quote in quotes.items() if self._newest.get(key, quote) != quote}
        self._newest = dict(quotes)
        # What nobody wanted meanwhile was not looked at: it may have moved, and is encoded anew.
        still = {one for one, key in keys.items() if key not in moved}
        self._encoded = {one: body for one, body in self._encoded.items() if one in still}
        return frozenset(one for one, key in keys.items() if key in moved)

    def payload(self, subject: FeedSubject) -> bytes | None:
        """The newest of a subject of the market; None where nothing is known."""
        known = self._encoded.get(subject)
        if known is None:
            key = self._keys.get((subject.exchange, subject.token), "")
            listing, quote = self._groww.venue.listing(key), self._newest.get(key)
            if listing is None or quote is None or listing.instrument.tradable is subject.index:
                return None
            at, switches = self._groww.venue.market.now(), self._groww.switches
            known = self._encoded[subject] = market_message(listing, quote, subject.kind, at, switches)
        return known


def account_word(user_id: str) -> str:
    """What the subjects of a user's account end with."""
    return hashlib.sha256(user_id.encode()).hexdigest()[:24]
