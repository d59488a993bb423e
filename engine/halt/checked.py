"""Holding a certificate from a file to its types: any program may have written that, or half of it."""

import math
from datetime import datetime
from types import UnionType
from typing import Any, cast, get_args, get_origin, get_type_hints

from data.errors import BadInput
from data.records import field_names, is_record
from data.vocabulary import HaltScope, HaltStrength
from engine.halt.certificate import Certificate

_INT64 = 2**63
"""SQLite keeps no integer beyond this."""

_YEARS = range(2000, 2100)


def check_certificate(made: Certificate) -> None:
    """Raise `BadInput` for the first field whose value the books or a screen could not take."""
    _check("certificate", Certificate, made)
    if made.number < 0:
        raise BadInput("certificate.number", made.number, "give 0 or a halt's number")
    if (made.scope is HaltScope.EVERYTHING) != (made.value == ""):
        raise BadInput("certificate.value", made.value, "give one with every scope but everything")


def _check(name: str, kind: Any, value: object) -> None:
    if isinstance(kind, UnionType):  # in certificates always a kind or None
        if value is not None:
            _check(name, get_args(kind)[0], value)
    elif get_origin(kind) is tuple:
        if not isinstance(value, tuple):
            raise BadInput(name, value, "give a list")
        for number, one in enumerate(cast("tuple[object, ...]", value)):
            _check(f"{name}[{number}]", get_args(kind)[0], one)
    elif is_record(kind):
        kinds = get_type_hints(kind)
        for field in field_names(kind):
            _check(f"{name}.{field}", kinds[field], getattr(value, field))
    elif not _is_of(kind, value):
        raise BadInput(name, value, f"give {_WANTED[kind]}")


def _is_of(kind: Any, value: object) -> bool:
    if kind is int:
        return type(value) is int and -_INT64 <= value < _INT64
    if kind is float:
        return type(value) in (int, float) and math.isfinite(cast("float", value))
    if kind is datetime:
        return isinstance(value, datetime) and value.tzinfo is not None and value.year in _YEARS
    if kind is str:
        return isinstance(value, str) and _is_text(value)
    return isinstance(value, kind)


def _is_text(value: str) -> bool:
    """Whether a text can be written; JSON may spell half a character, which no file takes."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


_WANTED = {
    int: "an integer of 64 bits",
    float: "a finite number",
    datetime: "a time with its zone, of this century",
    str: "text",
    bool: "true or false",
    HaltScope: "a scope",
    HaltStrength: "a strength",
}
