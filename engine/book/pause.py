"""Why a run keeps its unsent orders back."""

from datetime import datetime

from msgspec import Struct

from data.money import moved_bps
from data.vocabulary import PauseReason, PhaseKind


class Pause(Struct, frozen=True):
    """Why a run keeps its unsent orders back, how old it was then, and how the price stood.

    `phase` is that of the market it was confirmed in, `phase_now` the one that was found, until `until`.
    """

    reason: PauseReason
    age_s: int
    send_within_s: int
    priced_paise: int | None
    price_paise: int | None
    phase: PhaseKind | None = None
    phase_now: PhaseKind | None = None
    until: datetime | None = None

    @property
    def moved_bps(self) -> int | None:
        """How far the price had moved since the run was confirmed; None while either is not known."""
        return moved_bps(self.priced_paise or 0, self.price_paise or 0)
