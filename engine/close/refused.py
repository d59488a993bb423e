"""What a close refuses."""

from dataclasses import dataclass
from datetime import date, datetime

from engine.refusals import Refusal, RefusalReason


@dataclass(eq=False)
class DayNotOver(Refusal):
    """A day is closed once its last session has ended."""

    reason = RefusalReason.DAY_NOT_OVER

    day: date
    begins_at: datetime


@dataclass(eq=False)
class CloseChanged(Refusal):
    """The close would be of so many clients by now, not of those that were confirmed."""

    reason = RefusalReason.CLOSE_CHANGED

    day: date
    confirmed: int
    closing: int
