"""The JSON shapes of the machine interface (docs/cli.md).

Each is a frozen dataclass whose fields are its keys. Keys are stable; money is in `_paise` keys.
"""

from dataclasses import fields
from typing import Any


def values(shape: Any) -> dict[str, Any]:
    """A shape's values by their keys."""
    return {field.name: getattr(shape, field.name) for field in fields(shape)}
