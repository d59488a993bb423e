"""The program: app, CLI, settings and the composition root that wires a Desk."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tradedesk.compose.wiring import open_desk

__all__ = ["open_desk"]


def __getattr__(name: str) -> Any:
    """`open_desk`, imported when first asked for, so that the first frame waits for nothing."""
    if name == "open_desk":
        from tradedesk.compose.wiring import open_desk

        return open_desk
    raise AttributeError(f"module 'tradedesk' has no attribute {name!r}")
