"""JSON as columns and files hold it."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

import msgspec

JsonObject: TypeAlias = dict[str, Any]
"""A JSON object: words to whole numbers, words, booleans, lists and further objects."""


def read_as(record: Mapping[str, Any], **readers: Callable[[Any], Any]) -> JsonObject:
    """A record with these of its values read as what they stand for.

    Raises `KeyError` for one that is not there, and what its reader raises.
    """
    return {**record, **{name: read(record[name]) for name, read in readers.items()}}


_PLAIN, _SORTED = msgspec.json.Encoder(), msgspec.json.Encoder(order="sorted")


def json_text(value: Any) -> str:
    """A value as JSON without a blank, for a statement or another program to read."""
    try:
        return _PLAIN.encode(value).decode()
    except (TypeError, ValueError):  # a text that is no Unicode, a word of a class of its own
        return _encoder(is_sorted=False, ascii_only=True).encode(value)


def json_read(text: str) -> Any:
    """What a JSON text says, as the standard library reads it. Raises `ValueError`."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, ValueError):  # what only the library takes, or it words the fault
        return json.loads(text)


def json_texts(values: Sequence[Any], is_sorted: bool = False, ascii_only: bool = False) -> list[str]:
    """The JSON of each of many values without a blank, names in their order where `is_sorted` says so.

    `ascii_only` has every other character escaped.
    """
    encoder = _SORTED if is_sorted else _PLAIN
    try:
        together = encoder.encode_lines(values).decode()
    except (TypeError, ValueError):
        together = ""
    if not together or (ascii_only and not (together.isascii() and _DELETE not in together)):
        return [_encoder(is_sorted, ascii_only).encode(value) for value in values]
    return together.split("\n")[:-1]


_DELETE = "\x7f"


@cache
def _encoder(is_sorted: bool, ascii_only: bool) -> json.JSONEncoder:
    return json.JSONEncoder(sort_keys=is_sorted, ensure_ascii=ascii_only, separators=(",", ":"))
