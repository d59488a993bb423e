"""Hours in which nobody is to be woken: what is not urgent leaves afterwards, and rings no bell."""

import re
from datetime import datetime, time, timedelta

from msgspec import Struct

from data.clock import IST
from data.errors import BadInput

_HOURS = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)-([01]?\d|2[0-3]):([0-5]\d)")


class QuietHours(Struct, frozen=True):
    """From one time of the day in India to another, over midnight where that is earlier; none where equal."""

    begins: time = time()
    ends: time = time()

    def until(self, now: datetime) -> datetime | None:
        """When the hours that it is in end; None outside of them."""
        here = now.astimezone(IST)
        at = here.time().replace(tzinfo=None)
        if self.begins < self.ends:
            inside = self.begins <= at < self.ends
        else:
            inside = self.begins != self.ends and (at >= self.begins or at < self.ends)
        if not inside:
            return None
        ends = datetime.combine(here.date(), self.ends, IST)
        return ends if ends > here else ends + timedelta(days=1)


def quiet_hours_from(text: str) -> QuietHours:
    """Quiet hours as typed, such as `20:00-08:30`; empty for none. Raises `BadInput`."""
    if not text.strip():
        return QuietHours()
    found = _HOURS.fullmatch(text.strip())
    if found is None:
        raise BadInput("quiet_hours", text, "give hours of India such as 20:00-08:30, or nothing")
    begins_h, begins_m, ends_h, ends_m = map(int, found.groups())
    return QuietHours(time(begins_h, begins_m), time(ends_h, ends_m))
