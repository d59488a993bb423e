"""A reader of protobuf by a field list and nothing else, for what the local brokers' streams tell."""

import struct
from typing import Any

from brokers.simulators.serving.protobuf import Messages


def read(messages: Messages, kind: str, data: bytes) -> dict[str, Any]:
    """A message's fields by name."""
    known = {number: (name, of) for name, (number, of) in messages[kind].items()}
    told: dict[str, Any] = {}
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        name, of = known[tag >> 3]
        many, _, inner = of.rpartition(" ")
        match tag & 7:
            case 0:
                told[name], at = varint(data, at)
            case 1:
                told[name], at = struct.unpack_from("<d", data, at)[0], at + 8
            case _:
                size, at = varint(data, at)
                body, at = data[at : at + size], at + size
                if many == "map":
                    key, value = entry(messages, inner, body)
                    told.setdefault(name, {})[key] = value
                elif many == "repeated":
                    told.setdefault(name, []).append(read(messages, inner, body))
                else:
                    told[name] = body.decode() if of == "string" else read(messages, of, body)
    return told


def entry(messages: Messages, of: str, body: bytes) -> tuple[str | int, Any]:
    """One entry of a map; its key is a text or a number."""
    key, at = varint(body, 1)
    if body[0] & 7:
        key, at = body[at : at + key].decode(), at + key
    length, at = varint(body, at + 1)
    return key, length if of == "enum" else read(messages, of, body[at : at + length])


def varint(data: bytes, at: int) -> tuple[int, int]:
    """A number and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        value, shift, at = value | (byte & 0x7F) << shift, shift + 7, at + 1
        if not byte & 0x80:
            return value, at
