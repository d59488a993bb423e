"""For how long an alert is put off: a span, until a time of the market's day, or for the rest of it."""

import re
from datetime import datetime, time, timedelta

from data.clock import IST
from data.errors import BadInput

AT_FIRST = "10m"
"""What is meant where nothing is said."""
REST_OF_DAY = "eod"
OFFERED = ("5m", AT_FIRST, "30m", "1h", "15:00", REST_OF_DAY)
"""What is offered, of which a time that has passed is left out."""

_SPAN = re.compile(r"(\d{1,3})([mh])")
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def put_off_for(text: str, now: datetime) -> timedelta:
    """How long it is from `now`, the market's time, until what `text` says. Raises `BadInput`."""
    words, here = text.strip().casefold(), now.astimezone(IST)
    span = None
    if found := _SPAN.fullmatch(words):
        span = timedelta(**{"minutes" if found[2] == "m" else "hours": int(found[1])})
    elif found := _TIME.fullmatch(words):
        span = datetime.combine(here.date(), time(int(found[1]), int(found[2])), IST) - here
    elif words == REST_OF_DAY:
        span = datetime.combine(here.date() + timedelta(days=1), time(), IST) - here
    if span is None or span <= timedelta():
        raise BadInput("put off", text, f"give 5m, 1h, a time after {here:%H:%M}, or {REST_OF_DAY}")
    return span


def offered(now: datetime) -> list[str]:
    """What is offered at `now`, the market's time."""
    return [one for one in OFFERED if ":" not in one or now.astimezone(IST).time() < time.fromisoformat(one)]
