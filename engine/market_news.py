"""What the tape tells of the whole market, and of whole brokers."""

from datetime import datetime
from typing import ClassVar

from data.vocabulary import PauseReason, PhaseKind
from engine.news import News, NewsTopic, RunNews


class MarketHalted(News, frozen=True):
    """The whole market is halted, until then and with a pre-open session until `reopens_at`, or for the day.

    An index told it, or somebody typed it; `move_bps` is the level of the breaker, 0 where none was named.
    """

    topic: ClassVar[NewsTopic] = NewsTopic.TROUBLE
    by: str
    move_bps: int
    index_key: str
    index_bps: int | None
    until: datetime | None
    reopens_at: datetime | None


class MarketOpened(News, frozen=True):
    """Somebody has said that the market is open again."""

    topic: ClassVar[NewsTopic] = NewsTopic.WARNING
    by: str


class MarketMoved(News, frozen=True):
    """An index is near the move at which the market is halted first."""

    topic: ClassVar[NewsTopic] = NewsTopic.WARNING
    index_key: str
    moved_bps: int
    level_bps: int


class LegHeld(RunNews, frozen=True):
    """What waits of one instrument in a run is kept back: its market is in `phase`, until then."""

    key: str
    reason: PauseReason
    phase: PhaseKind
    until: datetime | None


class PricesFrom(News, frozen=True):
    """So many of the followed prices are this broker's now, since those of `instead_of` are too old.

    Where that is empty, all of them are the feed's own again.
    """

    topic: ClassVar[NewsTopic] = NewsTopic.WARNING
    broker: str
    count: int
    instead_of: str


class PricesDiffer(News, frozen=True):
    """Two brokers' last prices of an instrument are too far apart for either to count."""

    topic: ClassVar[NewsTopic] = NewsTopic.WARNING
    key: str
    broker: str
    last_paise: int
    other: str
    other_paise: int
    apart_bps: int


class BrokerDown(News, frozen=True):
    """A broker has answered nobody since then; so many clients are there."""

    topic: ClassVar[NewsTopic] = NewsTopic.TROUBLE
    broker: str
    since: datetime
    clients: int


class BrokerAnswers(News, frozen=True):
    """A broker that was down answers again."""

    topic: ClassVar[NewsTopic] = NewsTopic.WARNING
    broker: str


class HandOverNear(News, frozen=True):
    """The closing auction begins then, and so many live orders end with it."""

    topic: ClassVar[NewsTopic] = NewsTopic.WARNING
    orders: int
    clients: int
    begins: datetime
