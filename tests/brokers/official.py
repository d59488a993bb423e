"""The official client's own parser of binary messages, which it has no public name for."""

from collections.abc import Callable
from typing import Any

from kiteconnect import KiteTicker

parse_binary: Callable[[bytes], list[dict[str, Any]]] = KiteTicker("key", "token")._parse_binary  # noqa: SLF001
"""What the official client makes of a binary message."""
