"""Protobuf's wire format, written by hand from a broker's list of fields.

It shares neither a descriptor nor the runtime with whatever reads it, so that a decoder's proof rests on
nothing that it uses itself. Wire format: protobuf documentation, "encoding"; values that are proto3's
default are left out.
"""

import struct
from collections.abc import Mapping, Sequence
from typing import Any, cast

Messages = Mapping[str, Mapping[str, tuple[int, str]]]
"""Every message's fields: number and type, which is a scalar's, another message, or many of one."""

_VARINT, _FIXED64, _LENGTH = 0, 1, 2


def encode(messages: Messages, kind: str, value: Mapping[str, Any]) -> bytes:
    """A message of a kind from its fields by name; a message inside may be given encoded already."""
    known = messages[kind]
    return b"".join(_field(messages, *known[name], given) for name, given in value.items())


def _field(messages: Messages, number: int, kind: str, value: Any) -> bytes:
    match kind:
        case "double":
            return _tag(number, _FIXED64) + struct.pack("<d", value) if value else b""
        case "int32" | "int64" | "enum":
            return _tag(number, _VARINT) + _varint(value) if value else b""
        case "string":
            return _sized(number, value.encode()) if value else b""
        case _:
            return _messages(messages, number, kind, value)


def _messages(messages: Messages, number: int, kind: str, value: Any) -> bytes:
    many, _, of = kind.rpartition(" ")
    match many:
        case "repeated":
            return b"".join(
                _sized(number, _encoded(messages, of, one)) for one in cast("Sequence[Any]", value)
            )
        case "map":
            entries = cast("Mapping[str | int, Any]", value).items()
            return b"".join(_sized(number, _entry(messages, of, key, one)) for key, one in entries)
        case _:
            return _sized(number, _encoded(messages, of, value))


def _entry(messages: Messages, of: str, key: str | int, value: Any) -> bytes:
    """One entry of a map, which is a message of its key and its value."""
    told = _tag(2, _VARINT) + _varint(value) if of == "enum" else _sized(2, _encoded(messages, of, value))
    named = _sized(1, key.encode()) if isinstance(key, str) else _tag(1, _VARINT) + _varint(key)
    return named + told


def _encoded(messages: Messages, kind: str, value: Any) -> bytes:
    return value if isinstance(value, bytes) else encode(messages, kind, value)


def _tag(number: int, wire: int) -> bytes:
    return _varint(number << 3 | wire)


def _sized(number: int, body: bytes) -> bytes:
    return _tag(number, _LENGTH) + _varint(len(body)) + body


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; a negative number in 64 bits."""
    rest, out = value & 0xFFFF_FFFF_FFFF_FFFF, bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)
