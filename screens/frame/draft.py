"""What stood in a ticket, so that one key brings it back."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from data.vocabulary import Side


class Draft(Struct, frozen=True):
    """A ticket's order as it was typed: sent, or closed unsent."""

    side: Side
    key: str | None
    client_id: int | None
    typed: Mapping[str, str]
    """What stood in the other fields, by their names."""
    sent: bool
    after_run: int
    """The latest run when it was left; one that came later is the trader's last intent instead."""
    told: str = ""
    """What the ticket's title says of it, where it came from elsewhere than a ticket."""

    @property
    def words(self) -> str:
        """Where it came from, for the ticket's title."""
        return self.told or ("the last order again" if self.sent else "the draft that Esc closed")
