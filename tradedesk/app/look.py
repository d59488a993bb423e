"""What the app is given: how it opens a desk, the screen's settings, and where they are kept."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Protocol

from data.vocabulary import WatchColumn


class Look(Protocol):
    """What of the trader's settings the app itself needs."""

    @property
    def theme(self) -> str: ...  # noqa: D102
    @property
    def keys(self) -> str: ...  # noqa: D102
    @property
    def keymap(self) -> Any: ...  # noqa: D102
    @property
    def refresh_hz(self) -> float: ...  # noqa: D102
    @property
    def flash(self) -> bool: ...  # noqa: D102
    @property
    def density(self) -> str: ...  # noqa: D102
    @property
    def workspace(self) -> str: ...  # noqa: D102
    @property
    def alert_bell(self) -> bool: ...  # noqa: D102
    @property
    def alert_desktop(self) -> str: ...  # noqa: D102
    @property
    def quiet_hours(self) -> str: ...  # noqa: D102
    @property
    def lock_after_min(self) -> int: ...  # noqa: D102
    @property
    def watch_columns(self) -> tuple[WatchColumn, ...]: ...  # noqa: D102
    @property
    def strip_indices(self) -> tuple[str, ...]: ...  # noqa: D102


class KeptSettings(Protocol):
    """The trader's settings as a home keeps them."""

    @property
    def asks(self) -> bool:
        """Whether a trader who has chosen no keys is asked for them."""
        ...

    @property
    def themes(self) -> Path:
        """The folder with the trader's own themes; it need not be there."""
        ...

    def keep(self, key: str, typed: str) -> Look:
        """Keep a setting of the screen as it was typed. Raises `BadInput`, and nothing is changed then."""
        ...


DeskFactory = Callable[[], AbstractAsyncContextManager[Any]]
"""Returns the context in which a desk is open."""

FRAMES_PER_SECOND = 5.0
"""How often live figures are painted; more costs more than a reader gains."""
