"""The JSON shapes of the machine interface (docs/cli.md).

Each is a struct whose fields are its keys. Keys are stable; money is in `_paise` keys.
"""

from typing import Any

from data.records import values_of


def values(shape: Any) -> dict[str, Any]:
    """A shape's values by their keys."""
    return values_of(shape)
