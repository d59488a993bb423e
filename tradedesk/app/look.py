"""What the app is given: how it opens a desk, and what of the trader's settings it needs itself."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol


class Look(Protocol):
    """What of the trader's settings the app itself needs."""

    @property
    def theme(self) -> str: ...  # noqa: D102
    @property
    def keys(self) -> str: ...  # noqa: D102
    @property
    def refresh_hz(self) -> float: ...  # noqa: D102
    @property
    def flash(self) -> bool: ...  # noqa: D102


DeskFactory = Callable[[], AbstractAsyncContextManager[Any]]
"""Returns the context in which a desk is open."""

FRAMES_PER_SECOND = 5.0
"""How often live figures are painted; more costs more than a reader gains."""
