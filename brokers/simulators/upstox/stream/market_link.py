"""One socket of the market stream: what it is subscribed to, asked for in JSON inside binary messages."""

import json
from collections import Counter
from typing import Any, Protocol, cast

from aiohttp import WSMessage, WSMsgType, web

from brokers.simulators.serving.link import SocketLink
from brokers.simulators.upstox.stream.feeds import FULL, MODES, MOST_KEYS
from data.clock import Clock


class FeedSource(Protocol):
    """Where a socket's messages come from."""

    def knows(self, key: str) -> bool:
        """Whether anything is known of an instrument yet."""
        ...

    def market_info(self) -> bytes | None:
        """The message of the segments' states; None where it is switched off."""
        ...

    def snapshot(self, modes: dict[str, str]) -> bytes | None:
        """The message that a subscription begins with, for modes by key; None where no key is known."""
        ...

    def changes(self, modes: dict[str, str]) -> bytes | None:
        """The message of what has changed, for modes by key."""
        ...


class MarketLink(SocketLink):
    """A socket gets a snapshot of what it subscribes to, then of each instrument the newest that changed."""

    def __init__(
        self, request: web.Request, user_id: str, api_key: str, source: FeedSource, clock: Clock
    ) -> None:
        super().__init__(request, user_id, clock)
        self.api_key = api_key
        self.modes: dict[str, str] = {}
        self._source = source
        self._fresh = set[str]()
        self._owed = set[str]()
        self._info_due = True
        self.wake()

    def offer(self, changed: frozenset[str], *, info: bool) -> None:
        """Note which keys have changed, and whether the segments' states have."""
        self.notice()
        self._owed |= changed & self.modes.keys()
        self._info_due |= info
        if self._owed or self._info_due:
            self.wake()

    async def send_owed(self) -> None:
        """States, snapshot, changes, in this order."""
        messages = [self._source.market_info() if self._info_due else None]
        fresh = {key for key in self._fresh if self._source.knows(key)}
        messages.append(self._source.snapshot({key: self.modes[key] for key in fresh & self.modes.keys()}))
        owed = {key: self.modes[key] for key in self._owed - fresh if key in self.modes}
        messages.append(self._source.changes(owed))
        self._info_due = False
        self._fresh -= fresh
        self._owed = set[str]()
        for message in messages:
            if message is not None:
                await self.deliver(message)

    # --- what the client asks for -------------------------------------------------------------------------

    def heard(self, message: WSMessage) -> None:
        """Carry out a request; nothing is acknowledged, and what cannot be read is passed over."""
        if message.type is not WSMsgType.BINARY:
            return
        try:
            request: Any = json.loads(cast("bytes", message.data))
            method, data = request["method"], request["data"]
            keys, mode = data["instrumentKeys"], data.get("mode", FULL)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return
        if not isinstance(keys, list) or mode not in MODES:
            return
        named = [key for key in cast("list[object]", keys) if isinstance(key, str)]
        match method:
            case "sub" | "change_mode":
                self._subscribe(named, mode)
            case "unsub":
                for key in named:
                    self.modes.pop(key, None)
            case _:
                pass

    def _subscribe(self, keys: list[str], mode: str) -> None:
        """Carry instruments in a mode; what is above the mode's limit is passed over."""
        used = Counter(self.modes.values())
        mixed = bool(set(used) - {mode})
        left = MOST_KEYS[mode][mixed] - used[mode]
        for key in dict.fromkeys(keys):
            if self.modes.get(key) == mode:
                continue
            if left <= 0:
                break
            left -= 1
            self.modes[key] = mode
            self._fresh.add(key)
        self.wake()
