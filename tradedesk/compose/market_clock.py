"""How far a simulated market may be moved on, by a time or by a word for one."""

from datetime import date, datetime, time, timedelta

from data.clock import IST
from data.errors import BadInput
from data.reference.phases import Calendar
from data.vocabulary import PhaseKind

WORDS = ("auction", "close", "tomorrow")


def moment_of(word: str, now: datetime, day: date, calendar: Calendar) -> datetime:
    """The moment that a word names on a market's `day`, aware UTC: `15:20`, or one of `WORDS`.

    `auction` is the end of continuous trading in shares with derivatives, `close` the day's last minute,
    `tomorrow` its end, at which the next day begins. Raises `BadInput` for one that is no later than `now`.
    """
    found = _named(word.strip().casefold(), day, calendar)
    if found is None or found <= now:
        after = f"{now.astimezone(IST):%H:%M:%S}"
        raise BadInput(
            "to", word, f"give a time of the day after {after}, such as 15:20, or {', '.join(WORDS)}"
        )
    return found


def _named(word: str, day: date, calendar: Calendar) -> datetime | None:
    match word:
        case "auction":
            return _continuous_ends(day, calendar)
        case "close":
            return calendar.session_close(day) - timedelta(minutes=1)
        case "tomorrow":
            return calendar.session_close(day)
        case _:
            return _time(word, day)


def _continuous_ends(day: date, calendar: Calendar) -> datetime | None:
    phase = calendar.phase(calendar.session_open(day), fno=True)
    return phase.ends_at if phase.kind is PhaseKind.CONTINUOUS else None


def _time(word: str, day: date) -> datetime | None:
    try:
        found = time.fromisoformat(word)
    except ValueError:
        return None
    return None if found.tzinfo is not None else datetime.combine(day, found, IST)
