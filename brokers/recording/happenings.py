"""What happened beside a day's prices: orders that changed, lines of the tape, alerts done with."""

from datetime import UTC, datetime, timedelta

from msgspec import Struct

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class OrderHappened(Struct, frozen=True, array_like=True, tag="order", gc=False):
    """An order as it stood from a moment on, in paise and shares; its words are those of `data/vocabulary`.

    `at_us` is the market's time in microseconds since 1970 in UTC, `code` the client's, `why` what was said
    of it; a price that it has none of is 0.
    """

    at_us: int
    order: int
    code: str
    run: int
    side: str
    quantity: int
    symbol: str
    product: str
    limit_paise: int
    trigger_paise: int
    state: str
    filled: int
    filled_notional_paise: int
    why: str = ""


class NewsHappened(Struct, frozen=True, array_like=True, tag="news", gc=False):
    """A line as the desk told it: of an alert, a run, a halt, a difference of books."""

    at_us: int
    topic: str
    words: str


Happened = OrderHappened | NewsHappened


class HappenedBlock(Struct, frozen=True, array_like=True):
    """What happened in about a second of a day."""

    day: str
    events: list[Happened]


def stamp_us(at: datetime) -> int:
    """A moment as a recording has it."""
    return (at - _EPOCH) // _MICROSECOND


def moment_of(happened: Happened) -> datetime:
    """When it happened, by the market's clock; aware UTC."""
    return _EPOCH + timedelta(microseconds=happened.at_us)
