"""The protocol of NATS as the feed speaks it: lines that end in CRLF, and payloads of a length told before.

NATS documentation, "client protocol". A message of the socket may hold a part of an item, one, or several.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

from msgspec import Struct

MOST_BUFFERED = 1_048_576
"""Bytes of an item that is not whole yet; a client that sends more is cut."""

_END = b"\r\n"


class NatsRequest(Struct, frozen=True):
    """One thing that a client asks for: the verb in capitals, and its arguments as they were written."""

    verb: str
    arguments: str

    def words(self) -> list[str]:
        """The arguments one by one."""
        return self.arguments.split()

    def options(self) -> Mapping[str, Any]:
        """The arguments as a JSON object; empty where they are none."""
        try:
            found: object = json.loads(self.arguments)
        except (ValueError, RecursionError):
            return {}
        return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


class NatsReader:
    """Makes what a client asks for of the bytes that come, wherever they are cut."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def feed(self, data: bytes) -> Iterator[NatsRequest]:
        """What is whole by now. Raises `ValueError` where more is sent than any item has."""
        self._waiting += data
        while (item := self._next()) is not None:
            yield item
        if len(self._waiting) > MOST_BUFFERED:
            raise ValueError("an item of the protocol is too long")

    def _next(self) -> NatsRequest | None:
        end = self._waiting.find(_END)
        if end < 0:
            return None
        verb, _, arguments = self._waiting[:end].decode("utf-8", "replace").strip().partition(" ")
        after = end + len(_END)
        if verb.upper() in ("PUB", "HPUB"):  # what is published is passed over with its payload
            size = arguments.split()[-1:]
            after += (int(size[0]) if size and size[0].isdigit() else 0) + len(_END)
            if len(self._waiting) < after:
                return None
        del self._waiting[:after]
        return NatsRequest(verb.upper(), arguments.strip())


def info(options: Mapping[str, object]) -> bytes:
    """What the server says first."""
    return b"INFO " + json.dumps(options, separators=(",", ":")).encode() + _END


def message(subject: str, sid: str, payload: bytes) -> bytes:
    """One message to a subscription."""
    return f"MSG {subject} {sid} {len(payload)}".encode() + _END + payload + _END


def error(words: str) -> bytes:
    """A refusal; what names an authorisation is followed by the end of the connection."""
    return f"-ERR '{words}'".encode() + _END


PING, PONG, OK = b"PING\r\n", b"PONG\r\n", b"+OK\r\n"
