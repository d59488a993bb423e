"""What holds for every class of named fields, whether a struct or a dataclass.

Records are msgspec structs: making one costs a tenth of a frozen dataclass, and making its class a fiftieth,
which every start of the program pays for some five hundred classes. Those of which an order makes many, and
whose fields are numbers, words and days alone, are `gc=False`: the search for garbage passes them by.
"""

import dataclasses
from typing import Any, TypeVar, cast

from msgspec import Struct, structs

T = TypeVar("T")


def is_record(of: Any) -> bool:
    """Whether this is a class of named fields, or one of its objects."""
    return hasattr(of, "__struct_fields__") or dataclasses.is_dataclass(of)


def field_names(of: Any) -> tuple[str, ...]:
    """The names of the fields that a class, or an object of it, is made with."""
    names = getattr(of, "__struct_fields__", None)
    if names is not None:
        return names
    return tuple(one.name for one in dataclasses.fields(of) if one.init)


def values_of(of: Any) -> dict[str, Any]:
    """The fields of an object by name, as they are. Raises `TypeError` for what is no record."""
    return {name: getattr(of, name) for name in field_names(of)}


def replace(of: T, /, **changes: Any) -> T:
    """The same but for these fields. Raises `TypeError` for a field that there is not."""
    if isinstance(of, Struct):
        return structs.replace(of, **changes)
    return cast(T, dataclasses.replace(cast(Any, of), **changes))
