"""JSON as columns and files hold it."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

JsonObject: TypeAlias = dict[str, Any]
"""A JSON object: words to whole numbers, words, booleans, lists and further objects."""


def read_as(record: Mapping[str, Any], **readers: Callable[[Any], Any]) -> JsonObject:
    """A record with these of its values read as what they stand for.

    Raises `KeyError` for one that is not there, and what its reader raises.
    """
    return {**record, **{name: read(record[name]) for name, read in readers.items()}}


_BETWEEN = "\x1e"
_BETWEEN_TEXT = ',"\\u001e",'


def texts_of(encoder: json.JSONEncoder, values: Sequence[Any]) -> list[str]:
    """The JSON of each of many values, by an encoder that writes a comma without a blank behind it.

    They are encoded together, since the encoder's own making costs more than a small value.
    """
    together = encoder.encode([one for value in values for one in (_BETWEEN, value)])
    found = ("," + together[1:-1]).split(_BETWEEN_TEXT)[1:]
    return found if len(found) == len(values) else [encoder.encode(value) for value in values]
